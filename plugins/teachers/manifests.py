"""The built-in teachers."""

from distillc.plugins.api.manifest import Kind, Manifest

_HERE = "distillc.plugins.teachers"
_WEIGHTS = ("torch", "transformers", "tokenizers", "safetensors")
_RANDOM = {"architecture": {"const": "LlamaForCausalLM"}, "tokenizer": {"const": "random:bytes"}, "vocabulary": 286, "context": 1024}

MANIFESTS = (
    Manifest(
        kind=Kind.TEACHERS,
        name="transformers",
        summary="A Hugging Face folder, or a llama-architecture GGUF that is converted into one",
        config=f"{_HERE}.configs:TransformersConfig",
        impl=f"{_HERE}.transformers:Transformers",
        capabilities={"format": "hf", "converts": {"gguf": ["llama"]}},
        modules=(*_WEIGHTS, "gguf"),
        extra="local",
    ),
    Manifest(
        kind=Kind.TEACHERS,
        name="llama_cpp",
        summary="A GGUF file as it is, of any architecture that llama.cpp runs: it answers and teaches, and is not trained",
        config=f"{_HERE}.configs:LlamaCppConfig",
        impl=f"{_HERE}.llama_cpp:LlamaCpp",
        capabilities={"format": "gguf"},
        modules=("gguf",),
        extra="local",
    ),
    Manifest(
        kind=Kind.TEACHERS,
        name="recorded",
        summary="Answers that somebody has already: a file stands where a model would",
        config=f"{_HERE}.configs:RecordedConfig",
        impl=f"{_HERE}.recorded:Recorded",
        capabilities={"format": "recorded", "tokenizer": "tokenizer"},
        modules=("pyarrow",),
        extra="local",
        cache_version=2,
    ),
    Manifest(
        kind=Kind.TEACHERS,
        name="openai",
        summary="A model behind any OpenAI-compatible API: it answers, and shows no weights",
        config=f"{_HERE}.configs:OpenAIConfig",
        impl=f"{_HERE}.api:OpenAI",
        capabilities={"format": "api", "dialect": "dialect", "tokenizer": "tokenizer"},
    ),
    Manifest(
        kind=Kind.TEACHERS,
        name="nebius",
        summary="A model of Nebius Token Factory, in one of its regions",
        config=f"{_HERE}.configs:NebiusConfig",
        impl=f"{_HERE}.api:Nebius",
        capabilities={"format": "api", "dialect": {"const": "nebius"}, "tokenizer": "tokenizer"},
    ),
    Manifest(
        kind=Kind.TEACHERS,
        name="random",
        summary="A small Llama with random weights and a byte-level tokenizer, for tests",
        config=f"{_HERE}.configs:RandomConfig",
        impl=f"{_HERE}.random:Random",
        capabilities={"format": "hf", "facts": {"layers": "layers", "width": "width", **_RANDOM}},
        modules=_WEIGHTS,
        extra="local",
    ),
    Manifest(
        kind=Kind.TEACHERS,
        name="identity",
        summary="No model: answers with its input, the floor of every comparison",
        config=f"{_HERE}.configs:RulesConfig",
        impl=f"{_HERE}.rules:Identity",
        capabilities={"format": "rules/identity"},
    ),
    Manifest(
        kind=Kind.TEACHERS,
        name="harper",
        summary="Harper's own corrections: a grammar checker of rules, without weights",
        config=f"{_HERE}.configs:RulesConfig",
        impl=f"{_HERE}.rules:Harper",
        capabilities={"format": "rules/harper", "family": "harper"},
        modules=("harper",),
        extra="eval",
    ),
)
