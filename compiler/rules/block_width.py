"""A quantization whose blocks do not divide the model's width.

The weights that share a scale lie in one row. Where a row is no multiple of a block, the tool falls back to another type (llama.cpp
takes Q8_0 for Q6_K, say) or pads, and the export is larger than its name says. 256 divides no width of the SmolLM2-135M family (576).

    quantize: {q4: {uses: gguf, from: small, type: q4_k_m}}      # width 576
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import warning
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for name in graph.spec.quantize:
        model = graph.models.get(name)
        if model is None:
            continue
        block, width = model.config.get("block"), model.facts.width
        if isinstance(block, int) and width and width % block:
            what = model.config.get("precision") or model.uses
            message = f"blocks of {block} weights do not divide the width {width} of `{model.parent}`: {what} falls back in most layers"
            help = "take a type with blocks of 32, such as q8_0 or q4_0" if model.format == "gguf" else "take a smaller block"
            yield warning(graph, "D550", ("quantize", name), message, help)
