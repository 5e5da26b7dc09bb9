"""A part of the language is used that this version of distillc checks and cannot run yet.

Why: the language is decided as a whole, so such a spec is well-formed; but a key that is silently ignored would be worse than an error.

Example:

    choose: {best: {among: [q8, q4], by: errant_f0.5, data: pairs.validation}}

Use instead:

    name: grammar
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline, Where
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import at, entries, text, to_plain

SECTIONS = ("choose", "trackers", "plugins")
PARTS = (("matrix", "select", "`select` of a matrix"),)
TRAIN_KEYS = ("lora", "on_policy", "fake_quantize")


def check(outline: Outline) -> Iterator[Diagnostic]:
    for where, what in _found(outline):
        message = f"{what} is not supported by this version of distillc yet"
        yield error(outline, "D151", where, message, "take it out, or use a newer version")


def _found(outline: Outline) -> Iterator[tuple[Where, str]]:
    for section in SECTIONS:
        node = outline.root.get(section)
        if node is not None and to_plain(node) and (section,) not in outline.malformed:
            yield (section,), f"`{section}`"
    for section, key, what in PARTS:
        node = at(outline.root, section, key)
        if node is not None and to_plain(node) is not None:
            yield (section, key), what
    for step in entries(outline.root.get("train")):
        trainer = text(at(step.value, "trainer")) or text(at(step.value, "trainer", "uses"))
        takes = outline.capabilities("trainers", trainer).get("takes", ()) if trainer else ()
        for key in (key for key in TRAIN_KEYS if key not in takes):
            node = at(step.value, key)
            if node is not None and to_plain(node) is not None and ("train", step.key) not in outline.malformed:
                yield ("train", step.key, key), f"`{key}`"
    kind = text(at(outline.root, "task", "kind"))
    if kind in ("rank", "classify", "embed"):
        yield ("task", "kind"), f"task kind `{kind}`"
