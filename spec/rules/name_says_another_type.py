"""An export is named after a type that it does not have.

Why: tables, charts and the card show names, so 8 bits are read as 4, and the small file that was asked for is twice as large. A step
was copied and its type not changed, or the type was left out and its default taken.

Example:

    quantize:
      q8: {uses: gguf, from: student, type: q8_0}
      q4: {uses: gguf, from: student}

Use instead:

    quantize:
      q8: {uses: gguf, from: student, type: q8_0}
      q4: {uses: gguf, from: student, type: q4_k_m}
"""

from collections.abc import Iterator

from distillc.spec.defaults import of_plugin
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import Entry, at, entries, text, uses
from distillc.spec.rules import Context, warning
from distillc.spec.rules.same_step_twice import twins
from distillc.spec.variants import profile_applied
from distillc.spec.wording import shorten

_LETTERS = ("q", "iq", "int", "i", "w", "fp", "f", "bf")
_BITS = ("2", "3", "4", "5", "6", "8", "16", "32")
_FIELDS = ("type", "precision")


def check(context: Context) -> Iterator[Diagnostic]:
    if profile_applied(context.root):  # a quick profile may take whatever is fast to make
        return
    copied: set[str] | None = None
    for step in entries(context.at("quantize")):
        said = _bits(step.key)
        type = _type(step, context)
        if len(said) == 1 and type and _bits(type) not in ([], said):
            if copied is None:
                copied = {entry.key for pair in twins(context, ["quantize"]) for entry in pair}
            if step.key in copied:  # the mistake is that it is another's copy
                continue
            node = next((node for key in _FIELDS if (node := at(step.value, key))), None)
            default = "" if node else ", the default"
            message = f"`{shorten(step.key)}` is called after {said[0]} bits, and its type is {shorten(type)}{default}"
            yield warning("D503", message, node.span if node else step.key_span, "change the type, or the name")


def _bits(name: str) -> list[str]:
    """Numbers of bits in a name: 4 in `q4_k_m`, `base-int4` and `w4a16`."""
    found = []
    for word in name.lower().replace("-", "_").split("_"):
        after = word.lstrip("abcdefghijklmnopqrstuvwxyz")
        digits = after[: len(after) - len(after.lstrip("0123456789"))]
        if word.removesuffix(after) in _LETTERS and digits in _BITS:
            found.append(digits)
    return found


def _type(step: Entry, context: Context) -> str | None:
    """What is written, or what the plugin takes where nothing is."""
    for key in _FIELDS:
        if (node := at(step.value, key)) is not None:
            return text(node)
    defaults = (of_plugin(context, "quantizers", uses(step.value), key) for key in _FIELDS)
    found = next((default for default in defaults if default is not None), None)
    return found if isinstance(found, str) else None
