"""The quantizers that come with distillc, as plain data."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.QUANTIZERS,
        name="gguf",
        summary="one GGUF file for llama.cpp, in its own quantization types",
        config="distillc.plugins.quantizers.configs:GgufConfig",
        impl="distillc.plugins.quantizers.gguf:GgufQuantizer",
        capabilities={"writes": "gguf"},
        modules=("conversion", "gguf", "llama_cpp", "torch", "transformers"),
        extra="local",
    ),
    Manifest(
        kind=Kind.QUANTIZERS,
        name="onnx",
        summary="a folder for onnxruntime-genai, with int4 or fp32 weights",
        config="distillc.plugins.quantizers.configs:OnnxConfig",
        impl="distillc.plugins.quantizers.onnx:OnnxQuantizer",
        capabilities={"writes": "onnx-genai"},
        modules=("onnx", "onnx_ir", "onnxruntime_genai", "torch", "transformers"),
        extra="local",
    ),
)
