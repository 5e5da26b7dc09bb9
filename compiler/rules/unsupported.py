"""A part of the language that this version of distillc checks and cannot run yet.

The language is decided as a whole, so such a spec is well-formed; but a key that is silently ignored would be worse than an error.

    matrix: {vary: {models.small.layers: [8, 12]}}      # not yet
"""

from collections.abc import Iterator
from typing import Any

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic

SECTIONS = ("choose", "matrix", "budget", "privacy", "trackers", "plugins")
TRAIN_KEYS = ("lora", "on_policy", "fake_quantize")


def check(graph: Graph) -> Iterator[Diagnostic]:
    for where, what in _found(graph.spec):
        yield error(graph, "D151", where, f"{what} is not supported by this version of distillc yet", "take it out, or use a newer version")


def _found(spec: Any) -> Iterator[tuple[Where, str]]:
    for section in SECTIONS:
        if getattr(spec, section):
            yield (section,), f"`{section}`"
    for name, step in spec.train.items():
        for key in TRAIN_KEYS:
            if getattr(step, key) is not None:
                yield ("train", name, key), f"`{key}`"
    if spec.task.kind != "generate":
        yield ("task", "kind"), f"task kind `{spec.task.kind}`"
