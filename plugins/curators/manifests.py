"""The built-in curators."""

from distillc.plugins.api.manifest import Kind, Manifest

_CONFIGS = "distillc.plugins.curators.configs"

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.CURATORS,
        name="dedup",
        summary="drops inputs that are equal or nearly equal to one before",
        config=f"{_CONFIGS}:DedupConfig",
        impl="distillc.plugins.curators.dedup:Dedup",
        capabilities={"scope": "all"},
        modules=("numpy",),
        extra="local",
    ),
    Manifest(
        kind=Kind.CURATORS,
        name="length",
        summary="drops texts that are too long or too short",
        config=f"{_CONFIGS}:LengthConfig",
        impl="distillc.plugins.curators.length:Length",
        capabilities={"scope": "row", "longest": "max_tokens"},
    ),
    Manifest(
        kind=Kind.CURATORS,
        name="decontaminate",
        summary="drops what repeats a test set",
        config=f"{_CONFIGS}:DecontaminateConfig",
        impl="distillc.plugins.curators.decontaminate:Decontaminate",
        capabilities={"scope": "row"},
    ),
)
