"""The built-in trainers."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS = (
    Manifest(
        kind=Kind.TRAINERS,
        name="local",
        summary="Full training on this machine, with soft targets, early stopping and exact resume",
        config="distillc.plugins.trainers.configs:LocalConfig",
        impl="distillc.plugins.trainers.local:Local",
        cache_version=2,  # plain products instead of the fused kernel in the backward pass of short texts: other last bits
        capabilities={"soft_targets": True, "freezes": "freeze_layers"},
        modules=("torch", "transformers", "tokenizers", "safetensors"),
        extra="local",
    ),
)
