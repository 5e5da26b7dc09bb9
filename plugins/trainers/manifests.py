"""The built-in trainers."""

from collections.abc import Mapping
from typing import Any

from distillc.plugins.api.manifest import Kind, Manifest

_EPOCHS = {"whole": True, "least": 1}
_ANY: Mapping[str, Any] = {}


def _fine_tuning(provider: str, name: str, dialects: list[str], takes: Mapping[str, Mapping[str, Any]], **more: bool) -> Manifest:
    """`takes`: the keys of a train step that the API has, with ranges, and its own defaults where ours are for students that were cut."""
    return Manifest(
        kind=Kind.TRAINERS,
        name=f"{provider}.fine_tuning",
        summary=f"A model of {name}, fine-tuned there on texts; its best checkpoint is kept",
        config=f"distillc.plugins.trainers.configs:{name}FineTuningConfig",
        impl=f"distillc.plugins.trainers.fine_tuning:{name}FineTuning",
        capabilities={
            "soft_targets": False,
            "remote": True,
            "format": "api",
            "best_checkpoint": True,
            "losses": ["cross_entropy"],
            "dialects": dialects,
            "takes": {**takes, "early_stopping": _ANY},
            **more,
        },
        modules=("httpx", "h2"),
        extra="api",
    )


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
    # Ranges: CreateFineTuningJobRequest in https://github.com/openai/openai-openapi
    _fine_tuning("openai", "OpenAI", ["openai", "generic"], {"epochs": {**_EPOCHS, "most": 50}, "batch": {"most": 256}}),
    # https://docs.tokenfactory.nebius.com/post-training/how-to-fine-tune, read on 2026-11-24
    _fine_tuning(
        "nebius",
        "Nebius",
        ["nebius"],
        {
            "epochs": {**_EPOCHS, "most": 20},
            "batch": {"most": 64},
            "learning_rate": {"default": 1e-5},
            "warmup": {"default": 0.0},
            "weight_decay": {"default": 0.0},
            "max_grad_norm": _ANY,
            "lora": _ANY,
            "lora.r": {"least": 8, "most": 128},
            "lora.alpha": {"least": 8},
        },
        needs_deployment=True,
    ),
)
