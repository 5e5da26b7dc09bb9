"""The way in: a spec's file, through lint, to a plan and the warnings about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from distillc.compiler.compile import compile_document
from distillc.compiler.document import Document
from distillc.compiler.plan import Plan
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.errors import InvalidSpec, UsageError
from distillc.spec.lint import Linted, lint_file, load
from distillc.spec.resolve import Read
from distillc.spec.source import Source, read_file
from distillc.spec.suppress import AS_IT_IS, Selection

if TYPE_CHECKING:
    from distillc.plugins.registry import Registry


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan, the folder its relative paths start in, and the findings that did not stop it. `sources` are the texts spans point into."""

    plan: Plan
    folder: Path
    warnings: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]


def compile_spec(path: Path | str, registry: "Registry", *, profile: str | None = None, overrides: Sequence[str] = ()) -> Plan:
    """The plan of the spec at `path`.

    Args:
        profile: name of one of the spec's profiles.
        overrides: `PATH=VALUE`, as `--set` takes them.

    Raises:
        InvalidSpec: findings of error level; they carry spans.
        UsageError: the file cannot be read.
    """
    return compile_file(path, registry, profile=profile, overrides=overrides).plan


def compile_file(
    path: Path | str,
    registry: "Registry",
    *,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    selection: Selection = AS_IT_IS,
    read: Read = read_file,
) -> Compiled:
    """As `compile_spec`, with the warnings. `selection`: what the command line says of findings; `read`: how specs are read."""
    path = Path(path)
    linted = checked(path, registry, profile, overrides, selection=selection, read=read)
    assert linted.resolved is not None and linted.context is not None
    resolved = linted.resolved
    document = Document(load(resolved), resolved.text, str(path), profile, tuple(overrides))
    plan, findings = compile_document(document, resolved, linted.context, registry, path.absolute().parent, linted.policy)
    return Compiled(plan, path.absolute().parent, (*linted.diagnostics, *findings), linted.sources)


def checked(
    path: Path,
    registry: "Registry",
    profile: str | None = None,
    overrides: Sequence[str] = (),
    *,
    selection: Selection = AS_IT_IS,
    read: Read = read_file,
) -> Linted:
    """The spec, in which the language's rules found no error. Raises as `compile_spec` does."""
    try:
        linted = lint_file(path, registry, profile, tuple(overrides), selection=selection, read=read)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", help="name a spec, or go to the folder that has distill.yaml"
        ) from error
    if linted.failed or linted.resolved is None or linted.context is None:
        from distillc.compiler import lint

        whole = lint.lint_file(path, registry, profile, tuple(overrides), selection=selection, read=read)  # what the compiler says too
        raise InvalidSpec(whole.diagnostics, whole.sources)
    return linted
