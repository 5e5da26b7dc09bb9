"""Two steps take neighbouring ranges of the same rows, and the ranges overlap.

Why: one takes the first rows by `limit`, the other goes on where it ends, by `skip`. Two numbers have to stay equal, and one was edited.
A teacher is then tuned on the gold of rows that it answers next, and its answers there are better than it is. Ranges that lie inside
of one another are taken to be meant.

Example:

    generate:
      pairs: {from: prose, limit: 800, steps: [corrupt]}
      learner: {from: prose, skip: 600, steps: [{uses: corrupt, gold: drop}]}

Use instead:

    generate:
      pairs: {from: prose, limit: 800, steps: [corrupt]}
      learner: {from: prose, skip: 800, steps: [{uses: corrupt, gold: drop}]}

Fix: goes on where the other range ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import Entry, Node, at, entries, text, whole
from distillc.spec.references import split_name
from distillc.spec.rules import Context, warning
from distillc.spec.variants import profile_applied
from distillc.spec.wording import shorten

_MAX_RANGES = 100
"""Each is compared with each; so many ranges of one source were not written by hand."""


@dataclass(frozen=True, slots=True)
class _Range:
    step: Entry
    start: int
    stop: int | None
    skip: Node | None
    limit: Node | None


def check(context: Context) -> Iterator[Diagnostic]:
    by_source: dict[str, list[_Range]] = {}
    for step in entries(context.at("generate")):
        source = text(at(step.value, "from"))
        name, only = split_name(source) if source else ("", None)
        if source and only in (None, "train"):
            by_source.setdefault(name, []).append(_range(step))
    for name, ranges in by_source.items():
        for one in ranges if len(ranges) <= _MAX_RANGES else ():
            for other in ranges:
                yield from _compare(name, one, other, context)


def _range(step: Entry) -> _Range:
    skip, limit = at(step.value, "skip"), at(step.value, "limit")
    start, count = whole(skip) or 0, whole(limit)
    return _Range(step, start, None if count is None else start + count, skip, limit)


def _compare(name: str, first: _Range, second: _Range, context: Context) -> Iterator[Diagnostic]:
    """Where `second` begins inside of `first` and goes on behind its end."""
    end = first.stop
    if end is None or second.skip is None or first.limit is None:
        return
    if first.start < second.start < end and (second.stop is None or second.stop > end):
        one, other = shorten(first.step.key), shorten(second.step.key)
        label = Label(first.limit.span, f"`{one}` takes rows up to {end:,}")
        message = f"`{other}` takes {end - second.start:,} rows of `{shorten(name)}` that `{one}` takes too"
        as_written = first.limit.span.file == second.skip.span.file and not profile_applied(context.root)
        mend = fix(context, f"skip {end:,}", replace(second.skip, str(end)) if as_written else None)
        yield warning("D310", message, second.skip.span, f"go on where it ends: `skip: {end}`", related=(label,), fix=mend)
