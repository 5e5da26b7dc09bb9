"""The engines that come with distillc, as plain data."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.ENGINES,
        name="transformers",
        summary="Hugging Face folders with PyTorch",
        config="distillc.plugins.engines.configs:TransformersConfig",
        impl="distillc.plugins.engines.transformers:TransformersEngine",
        capabilities={"reads": ["hf"], "does": ["generate", "score_tokens", "hidden_states"]},
        modules=("torch", "transformers"),
        extra="local",
    ),
    Manifest(
        kind=Kind.ENGINES,
        name="llama_cpp",
        summary="GGUF files with llama.cpp",
        config="distillc.plugins.engines.configs:LlamaCppConfig",
        impl="distillc.plugins.engines.llama_cpp:LlamaCppEngine",
        capabilities={"reads": ["gguf"], "does": ["generate", "score_tokens"]},
        modules=("llama_cpp", "numpy"),
        extra="local",
    ),
    Manifest(
        kind=Kind.ENGINES,
        name="onnx_genai",
        summary="ONNX folders with onnxruntime-genai",
        config="distillc.plugins.engines.configs:OnnxGenaiConfig",
        impl="distillc.plugins.engines.onnx_genai:OnnxGenaiEngine",
        capabilities={"reads": ["onnx-genai"], "does": ["generate"]},
        modules=("numpy", "onnxruntime_genai", "tokenizers"),
        extra="local",
    ),
    Manifest(
        kind=Kind.ENGINES,
        name="recorded",
        summary="answers that were given before, looked up by input",
        config="distillc.plugins.engines.configs:RecordedConfig",
        impl="distillc.plugins.engines.recorded:RecordedEngine",
        capabilities={"reads": ["recorded"], "does": ["generate"]},
    ),
    Manifest(
        kind=Kind.ENGINES,
        name="identity",
        summary="the input as it is: what doing nothing is worth",
        config="distillc.plugins.engines.configs:IdentityConfig",
        impl="distillc.plugins.engines.identity:IdentityEngine",
        capabilities={"reads": ["rules/identity"], "does": ["generate"]},
    ),
    Manifest(
        kind=Kind.ENGINES,
        name="harper",
        summary="harper's own corrections, its first suggestion each time",
        config="distillc.plugins.engines.configs:HarperConfig",
        impl="distillc.plugins.engines.harper:HarperEngine",
        capabilities={"reads": ["rules/harper"], "does": ["generate"]},
        modules=("harper",),
        extra="eval",
    ),
)
