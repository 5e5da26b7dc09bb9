"""Rules that need the plan, facts or capabilities: one a file, and the file's docstring is what `explain` prints.

A rule is a module with `check(graph) -> Iterator[Diagnostic]`. A new one is a file here, a name in RULES and a line in
`distillc.compiler.codes`. Rules see a graph whose steps all exist and are well-formed; a rule that finds nothing to look at is silent.
"""

from collections.abc import Iterator
from importlib import import_module

from distillc.compiler.document import Where
from distillc.compiler.lower.graph import Graph
from distillc.spec.diagnostic import Diagnostic, Severity

RULES = (
    "missing_extra",
    "test_meets_training",
    "validation_meets_training",
    "teacher_signals",
    "soft_targets",
    "temperature_grid",
    "tokenizer_mismatch",
    "block_width",
    "no_engine",
    "needs_weights",
    "too_many_layers",
    "judge_family",
    "value_twice",
    "deploy_path",
)


def check(graph: Graph) -> Iterator[Diagnostic]:
    """The findings of all rules but `unsupported`, which the compiler asks before it lowers anything."""
    for name in RULES:
        yield from import_module(f"distillc.compiler.rules.{name}").check(graph)


def error(graph: Graph, code: str, where: Where, message: str, help: str, notes: tuple[str, ...] = ()) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, graph.document.span(where), help, notes)


def warning(graph: Graph, code: str, where: Where, message: str, help: str, notes: tuple[str, ...] = ()) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, message, graph.document.span(where), help, notes)
