"""A profile sets a value, then replaces the whole that it stands in.

Why: the paths of a profile are set one after the other, from top to bottom. A path that leads to more (`models.small`) puts a new
value in the place of all that is below it, so a line above it that went further in (`models.small.layers`) is lost without a word.

Example:

    profiles:
      tiny:
        models.base.layers: 2
        models.base: {uses: random, width: 32}

Use instead:

    profiles:
      tiny:
        models.base: {uses: random, width: 32, layers: 2}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Entry, entries
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for profile in entries(context.at("profiles")):
        later: dict[str, Entry] = {}
        for path in reversed(entries(profile.value)):
            parts = path.key.split(".")
            above = (".".join(parts[:depth]) for depth in range(1, len(parts)))
            if taker := next((later[whole] for whole in above if whole in later), None):
                label = Label(taker.key_span, "this line replaces it")
                help = f"move it below `{shorten(taker.key)}`, or write it into that"
                yield warning("D211", f"`{shorten(path.key)}` is set and lost", path.key_span, help, related=(label,))
            later[path.key] = path
