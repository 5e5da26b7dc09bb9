"""The built-in executors."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS = (
    Manifest(
        kind=Kind.EXECUTORS,
        name="local",
        summary="this machine: a fresh process a stage",
        config="distillc.plugins.executors.configs:LocalConfig",
        impl="distillc.plugins.executors.local:LocalExecutor",
        capabilities={"contracts": ["map", "reduce", "session", "job", "lease"]},
        modules=("pyarrow",),
        extra="local",
    ),
)
