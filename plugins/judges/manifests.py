"""The judges that come with distillc, as plain data."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.JUDGES,
        name="harper",
        summary="lints a sentence by harper, rules in Rust that no model here descends from",
        config="distillc.plugins.judges.configs:HarperConfig",
        impl="distillc.plugins.judges.harper:HarperJudge",
        capabilities={"values": {"": "lower"}, "family": "harper"},
        modules=("harper", "numpy"),
        extra="eval",
    ),
)
