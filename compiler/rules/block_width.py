"""A quantization's blocks do not divide the model's width.

Why: the weights that share a scale lie in one row. Where a row is no multiple of a block, the tool falls back to another type (llama.cpp
takes Q8_0 for Q6_K, say) or pads, and the export is larger than its name says. 256 divides no width of the SmolLM2-135M family (576).
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-quant.cpp

Example:

    models: {base: {uses: random, layers: 4, width: 576}}
    quantize: {q4: {uses: gguf, from: student, type: q4_k_m}}

Use instead:

    models: {base: {uses: random, layers: 4, width: 576}}
    quantize: {q4: {uses: gguf, from: student, type: q4_0}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import warning
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("quantize"):
        model = outline.models[step.name]
        block = outline.known(model, "block")
        width = outline.known(model, "width") if isinstance(block, int) and block > 1 else None
        if width and width % block:
            what = model.facts.get("precision") or model.uses
            message = f"blocks of {block} weights do not divide the width {width} of `{model.parent}`: {what} falls back in most layers"
            help = "take a type with blocks of 32, such as q8_0 or q4_0" if model.format == "gguf" else "take a smaller block"
            yield warning(outline, "D550", step.where, message, help)
