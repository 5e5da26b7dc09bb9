"""The built-in students."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS = (
    Manifest(
        kind=Kind.STUDENTS,
        name="prune",
        summary="Some layers of a model, as they are: the rest is left out",
        config="distillc.plugins.students.configs:PruneConfig",
        impl="distillc.plugins.students.prune:Prune",
        capabilities={
            "format": "hf",
            "keeps": ["architecture", "width", "vocabulary", "tokenizer", "context"],
            "facts": {"layers": "layers"},
            "picks": "keep",
        },
        modules=("safetensors", "torch"),
        extra="local",
    ),
)
