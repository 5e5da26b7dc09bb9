"""Models whose speed is compared run with different numbers of threads.

Why: the report puts their speeds side by side. A public walk-through of distillation calls its student 2.5 times faster; the two runs
had 12 and 16 workers, and for each worker they were equally fast (https://github.com/nebius/token-factory-cookbook).

Example:

    quantize:
      q8: {uses: gguf, from: student, type: q8_0, engine: {uses: llama_cpp, threads: 2}}
      q4: {uses: gguf, from: student, type: q4_0, engine: {uses: llama_cpp, threads: 8}}

Use instead:

    quantize:
      q8: {uses: gguf, from: student, type: q8_0, engine: {uses: llama_cpp, threads: 2}}
      q4: {uses: gguf, from: student, type: q4_0, engine: {uses: llama_cpp, threads: 2}}
"""

from collections.abc import Iterator

from distillc.spec.claims import evaluations
from distillc.spec.diagnostic import Diagnostic, Label, Span
from distillc.spec.nodes import Node, whole
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    reported: set[Span] = set()
    for _, _, models in evaluations(context):
        first: tuple[str, Node] | None = None
        for name in models:
            definition = context.definitions.get(name)
            node = context.at(*definition.path, "engine", "threads") if definition else None
            threads = whole(node)
            if node is None or threads is None:
                continue
            first = first or (name, node)
            if threads != whole(first[1]) and node.span not in reported:
                reported.add(node.span)
                label = Label(first[1].span, f"`{shorten(first[0])}` runs with {whole(first[1])}")
                message = (
                    f"`{shorten(name)}` runs with {threads} threads and is compared with `{shorten(first[0])}`, which has {whole(first[1])}"
                )
                yield warning("D612", message, node.span, "give both the same number of threads", related=(label,))
