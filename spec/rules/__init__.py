"""Rules that need only the text and the manifests: one a file, and the file's docstring is what `explain` prints.

A rule is a module with `check(context) -> Iterator[Diagnostic]`. A new one is a file here and a line in
`distillc.spec.codes`. Rules see specs that may be wrong in shape too: they read nodes by `at`, `entries`, `items` and `text`, which
answer with nothing where the value is of another type (that is reported elsewhere).
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from distillc.spec.check import Reference
from distillc.spec.codes import CODES
from distillc.spec.comments import Comment
from distillc.spec.diagnostic import Diagnostic, Fix, Label, Severity, Span
from distillc.spec.nodes import MappingNode, Node, at
from distillc.spec.references import Definition
from distillc.spec.table import PluginTable

MAX_OF_A_RULE = 100
RULES = tuple(code.module for code in CODES.values() if code.module and not code.last)


class Context:
    """What a rule may look at. `definitions` has the first of each name; `references` stand where the schema says.

    `malformed` are the sections and steps, as (section,) and (section, name), whose shape is wrong; `comments` speak to the linter.
    """

    def __init__(
        self,
        root: MappingNode,
        table: PluginTable,
        definitions: dict[str, Definition],
        references: tuple[Reference, ...],
        malformed: frozenset[tuple[str | int, ...]] = frozenset(),
        comments: tuple[Comment, ...] = (),
    ) -> None:
        self.root: Final = root
        self.table: Final = table
        self.definitions: Final = definitions
        self.references: Final = references
        self.malformed: Final = malformed
        self.comments: Final = comments
        self.memo: dict[str, Any] = {}
        """What rules work out and share, for as long as this one spec is looked at."""

    def at(self, *path: str | int) -> Node | None:
        return at(self.root, *path)


def error(
    code: str,
    message: str,
    span: Span,
    help: str | None = None,
    related: tuple[Label, ...] = (),
    notes: tuple[str, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, help, notes, related, fix)


def warning(
    code: str,
    message: str,
    span: Span,
    help: str | None = None,
    related: tuple[Label, ...] = (),
    notes: tuple[str, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, message, span, help, notes, related, fix)


def run_rules(context: Context) -> Iterator[Diagnostic]:
    """The findings of all rules, the first ones of each: where there are hundreds, one mistake has made them."""
    from importlib import import_module

    for module in RULES:
        found = import_module(module).check(context)
        yield from islice(found, MAX_OF_A_RULE - 1)
        if last := next(found, None):
            more = next(found, None) is not None
            yield last._replace(notes=(*last.notes, "there are more; they are shown when these are mended")) if more else last
