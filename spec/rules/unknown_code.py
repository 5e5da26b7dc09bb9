"""A comment or the `lint` section names a finding that there is not.

Why: nothing would be ignored by it, and nobody would notice: a misspelt code looks like one that works. It is a warning, so that a spec
still runs with a distillc that is older or newer than the code.

Example:

    train:
      student:
        model: small
        data: clean
        losses: {hard: cross_entropy}
        epochs: 10 # distillc: ignore[last-weigths] few rows: all of them train

Use instead:

    train:
      student:
        model: small
        data: clean
        losses: {hard: cross_entropy}
        epochs: 10 # distillc: ignore[last-weights] few rows: all of them train

Fix: writes the code that was probably meant; unsafe, since it is a guess.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Applicability, Diagnostic, Edit, Fix, Span
from distillc.spec.nodes import at, entries, items, text
from distillc.spec.rules import Context, warning
from distillc.spec.suppress import code_of, meant, selector_of, way_out
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    section = context.at("lint")
    for key in ("select", "ignore"):
        for item in items(at(section, key)):
            word = text(item)
            if word is not None and selector_of(word) is None:
                yield _unknown(word, item.span)
    for entry in entries(at(section, "levels")):
        if code_of(entry.key) is None:
            yield _unknown(entry.key, entry.key_span)
    for comment in context.comments:
        for named in comment.names:
            if code_of(named.text) is None:
                yield _unknown(named.text, named.span)


def _unknown(word: str, span: Span) -> Diagnostic:
    if selector_of(word):
        return warning(
            "D901", f"`{word}` is the beginning of several codes", span, "write out each code; `select` and `ignore` take beginnings"
        )
    near = meant(word)
    fix = Fix(f"write `{near}`", (Edit(span, near),), Applicability.UNSAFE) if near else None
    return warning("D901", f"there is no finding `{shorten(word)}`", span, way_out(word), fix=fix)
