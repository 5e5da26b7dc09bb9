"""The quantizers that come with distillc, as plain data."""

from distillc.plugins.api.manifest import Kind, Manifest

_KEEPS = ["architecture", "width", "layers", "vocabulary", "tokenizer", "context", "parameters"]
_BLOCKS = {
    **dict.fromkeys(("f32", "f16", "bf16"), 1),
    **dict.fromkeys(("q8_0", "q5_1", "q5_0", "q4_1", "q4_0"), 32),
    **dict.fromkeys(("q6_k", "q5_k_m", "q5_k_s", "q4_k_m", "q4_k_s", "q3_k_m", "q2_k"), 256),
}
"""llama.cpp's types: so many weights of one row share a scale; a width that they do not divide gets a wider type."""

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.QUANTIZERS,
        name="gguf",
        summary="one GGUF file for llama.cpp, in its own quantization types",
        config="distillc.plugins.quantizers.configs:GgufConfig",
        impl="distillc.plugins.quantizers.gguf:GgufQuantizer",
        capabilities={"writes": "gguf", "keeps": _KEEPS, "facts": {"precision": "type", "block": {"type": _BLOCKS}}},
        modules=("conversion", "gguf", "llama_cpp", "torch", "transformers"),
        extra="local",
    ),
    Manifest(
        kind=Kind.QUANTIZERS,
        name="onnx",
        summary="a folder for onnxruntime-genai, with int4 or fp32 weights",
        config="distillc.plugins.quantizers.configs:OnnxConfig",
        impl="distillc.plugins.quantizers.onnx:OnnxQuantizer",
        capabilities={
            "writes": "onnx-genai",
            "keeps": _KEEPS,
            "facts": {"precision": "precision", "block": {"precision": {"int4": "block_size", "fp32": 1}}},  # rows are padded to it
        },
        modules=("onnx", "onnx_ir", "onnxruntime_genai", "torch", "transformers"),
        extra="local",
    ),
)
