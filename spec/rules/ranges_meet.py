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

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import Entry, at, entries, text, whole
from distillc.spec.references import split_name
from distillc.spec.rules import Context, warning
from distillc.spec.variants import profile_applied
from distillc.spec.wording import shorten

_MAX_RANGES = 100
"""Each is compared with each; so many ranges of one source were not written by hand."""


def check(context: Context) -> Iterator[Diagnostic]:
    by_source: dict[str, list[Entry]] = {}
    for step in entries(context.at("generate")):
        source = text(at(step.value, "from"))
        name, only = split_name(source) if source else ("", None)
        if source and only in (None, "train"):
            by_source.setdefault(name, []).append(step)
    for name, steps in by_source.items():
        for first in steps if len(steps) <= _MAX_RANGES else ():
            for second in steps:
                yield from _compare(name, first, second, context)


def _range(step: Entry) -> tuple[int, int | None]:
    """Where it begins, and where it ends, None being the end of all."""
    start, count = whole(at(step.value, "skip")) or 0, whole(at(step.value, "limit"))
    return start, None if count is None else start + count


def _compare(name: str, first: Entry, second: Entry, context: Context) -> Iterator[Diagnostic]:
    """Where `second` begins inside of `first` and goes on behind its end."""
    (start, end), (begin, stop) = _range(first), _range(second)
    limit, skip = at(first.value, "limit"), at(second.value, "skip")
    if end is not None and limit and skip and start < begin < end and (stop is None or stop > end):
        one, other = shorten(first.key), shorten(second.key)
        label = Label(limit.span, f"`{one}` takes rows up to {end:,}")
        message = f"`{other}` takes {end - begin:,} rows of `{shorten(name)}` that `{one}` takes too"
        as_written = limit.span.file == skip.span.file and not profile_applied(context.root)
        mend = fix(context, f"skip {end:,}", replace(skip, str(end)) if as_written else None)
        yield warning("D310", message, skip.span, f"go on where it ends: `skip: {end}`", related=(label,), fix=mend)
