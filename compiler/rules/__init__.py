"""Rules that need lineage, facts or capabilities: one a file, and the file's docstring is what `explain` prints.

A rule is a module with `check(outline) -> Iterator[Diagnostic]`; a new one is a file here and a line in `distillc.spec.codes`. The
same rule runs in `lint` and in `plan`: an outline's steps all exist and are well-formed, and what is not known of a model yet is asked
with `outline.known`, so that `lint` can say that this rule had to wait. A rule that finds nothing to look at is silent.
"""

from collections.abc import Callable, Collection, Iterable
from functools import cache
from importlib import import_module

from distillc.compiler.outline import Outline, Where
from distillc.spec.codes import COMPILER_CODES
from distillc.spec.diagnostic import Diagnostic, Fix, Label, Severity, Span

RULES = {code: known.module for code, known in COMPILER_CODES.items() if known.module}


def check(outline: Outline, without: Collection[str] = ()) -> tuple[list[Diagnostic], frozenset[str]]:
    """The findings of all rules but some, and the codes of those that had to wait for facts."""
    found: list[Diagnostic] = []
    waiting: set[str] = set()
    for code, module in RULES.items():
        if code in without:
            continue
        outline.waited = False
        found += _rule(module)(outline)
        if outline.waited:
            waiting.add(code)
    return found, frozenset(waiting)


@cache
def _rule(module: str) -> Callable[[Outline], Iterable[Diagnostic]]:
    check: Callable[[Outline], Iterable[Diagnostic]] = import_module(module).check
    return check


def error(
    outline: Outline,
    code: str,
    where: Where,
    message: str,
    help: str,
    *,
    notes: tuple[str, ...] = (),
    related: tuple[Label, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, outline.span(where), help, notes, related, fix)


def warning(
    outline: Outline,
    code: str,
    where: Where,
    message: str,
    help: str,
    *,
    notes: tuple[str, ...] = (),
    related: tuple[Label, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, message, outline.span(where), help, notes, related, fix)


def respelled(span: Span | None, text: str, new: object) -> Fix | None:
    """A guess at what should stand at a place (`spec/fixes.py`)."""
    from distillc.spec import fixes

    return fixes.respelled(span, text, new) if span else None


def label(outline: Outline, where: Where, message: str) -> tuple[Label, ...]:
    """A second place, as `related` wants it; none where nothing of it stands in a file."""
    span = outline.span(where)
    return (Label(span, message),) if span else ()
