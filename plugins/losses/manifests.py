"""The built-in losses."""

from distillc.plugins.api.manifest import Kind, Manifest

_HERE = "distillc.plugins.losses"


def _soft(name: str, summary: str, config: str, impl: str) -> Manifest:
    return Manifest(
        kind=Kind.LOSSES,
        name=name,
        summary=summary,
        config=f"{_HERE}.configs:{config}",
        impl=f"{_HERE}.{name}:{impl}",
        capabilities={"needs": "log_probabilities"},
        modules=("torch",),
        extra="local",
    )


MANIFESTS = (
    Manifest(
        kind=Kind.LOSSES,
        name="cross_entropy",
        summary="Cross-entropy with the target tokens",
        config=f"{_HERE}.configs:CrossEntropyConfig",
        impl=f"{_HERE}.cross_entropy:CrossEntropy",
        capabilities={"needs": "none"},
        modules=("torch",),
        extra="local",
    ),
    _soft("forward_kl", "KL(teacher || student): covers all that the teacher finds likely", "ForwardKLConfig", "ForwardKL"),
    _soft("reverse_kl", "KL(student || teacher): stays where the teacher finds it likely", "ReverseKLConfig", "ReverseKL"),
    _soft("jsd", "Generalised Jensen-Shannon divergence: between the two", "JSDConfig", "JSD"),
)
