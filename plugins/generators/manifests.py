"""The built-in generators."""

from distillc.plugins.api.manifest import Kind, Manifest

_CONFIGS = "distillc.plugins.generators.configs"

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.GENERATORS,
        name="corrupt",
        summary="documented errors and real misspellings put into clean sentences",
        config=f"{_CONFIGS}:CorruptConfig",
        impl="distillc.plugins.generators.corrupt:Corrupt",
        capabilities={"rows": "one", "target": {"gold": {"keep": {"const": "own"}, "drop": {"const": "none"}}}},
        modules=("codespell_lib",),
        extra="examples",
    ),
    Manifest(
        kind=Kind.GENERATORS,
        name="answer",
        summary="the answer of a model to each row",
        config=f"{_CONFIGS}:AnswerConfig",
        impl="distillc.plugins.generators.answer:Answer",
        capabilities={
            "rows": {"keep": {"all": {"const": "one a model"}, **{each: {"const": "one"} for each in ("agreement", "best", "None")}}},
            "answers": "into",
            "panel": {
                "field": "model",
                "asks": {"into": "output", "reasoning": "keep"},
                "choice": ["keep", "agree", "judge", "truncated"],
            },
            "logprobs": "top_logprobs",
        },
    ),
)
