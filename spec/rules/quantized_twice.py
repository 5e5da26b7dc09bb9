"""A model is quantized whose file was quantized already, and that was not trained since.

Why: each rounding adds its error to the one before, so the export is worse than one made of the full weights, and with a wider type it
is larger and no better. llama.cpp's own tool refuses it for this reason (https://github.com/ggml-org/llama.cpp/issues/8603). The file's
name says what it is: `Q4_K_M`, `IQ3_XS`. Eight bits are not counted, and training makes new weights.

Example:

    models: {big: {uses: transformers, path: models/big.Q4_K_M.gguf}}
    quantize: {int4: {uses: onnx, from: big, precision: int4}}

Use instead:

    models: {big: {uses: transformers, path: models/big.F16.gguf}}
    quantize: {int4: {uses: onnx, from: big, precision: int4}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label, Span
from distillc.spec.file_paths import file_paths
from distillc.spec.nodes import at, entries, text
from distillc.spec.pedigree import pedigree
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten

_TYPES = (
    "Q2_K", "Q2_K_S", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_0", "Q4_1", "Q4_K_S", "Q4_K_M", "Q5_0", "Q5_1", "Q5_K_S", "Q5_K_M", "Q6_K",
    "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS", "IQ3_S", "IQ3_M", "IQ4_XS", "IQ4_NL",
)  # fmt: skip


def check(context: Context) -> Iterator[Diagnostic]:
    files = {step.key: (node.span, type) for step, node, path in file_paths(context) if (type := _type(path))}
    for step in entries(context.at("quantize")) if files else ():
        family = pedigree(context)
        node = at(step.value, "from")
        name = text(node)
        if node is None or name is None or family.trained(name):
            continue
        for behind in family.ancestors(name):
            if behind in files:
                yield _finding(step.key, name, node.span, *files[behind])


def _type(path: str) -> str | None:
    """The type that the name of a GGUF file ends in."""
    name = path.upper().removesuffix(".GGUF")
    return next((type for type in _TYPES if name.endswith((f".{type}", f"-{type}", f"_{type}"))), None) if len(name) < len(path) else None


def _finding(step: str, model: str, span: Span, file: Span, type: str) -> Diagnostic:
    message = f"`{shorten(step)}` quantizes `{shorten(model)}`, whose weights are {type} already"
    label = Label(file, "its name says so")
    return warning("D501", message, span, "start from a file of full weights (F16, BF16), or train in between", (label,))
