"""`lint` in full: the rules of the language, then those of the compiler, on every variant of a spec that the language's look at.

Offline: of models it knows what the lock beside the spec says. `ask_world` looks at files, packages and endpoints too, as `plan` does.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distillc.compiler.outline import Outline
from distillc.compiler.pinned import Pinned
from distillc.compiler.rules import check
from distillc.spec import lint as language
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.errors import InvalidSpec
from distillc.spec.lint import Linted
from distillc.spec.nodes import entries
from distillc.spec.resolve import Read
from distillc.spec.rules import Context
from distillc.spec.source import read_file
from distillc.spec.suppress import AS_IT_IS, Selection

if TYPE_CHECKING:
    from distillc.compiler.front import Compiled
    from distillc.plugins.registry import Registry

LOCK = "distill.lock"
OF_THIS_MACHINE = frozenset({"D152"})
"""Rules that ask what is installed here. A hook and an editor have the base install, and lint what runs elsewhere."""


def lint_file(
    path: Path,
    registry: "Registry",
    profile: str | None = None,
    overrides: Sequence[str] = (),
    *,
    every_profile: bool = False,
    read: Read = read_file,
    selection: Selection = AS_IT_IS,
) -> Linted:
    """All findings that need no look at the world.

    Args:
        every_profile: adds what is wrong with each other profile alone.
        read: how the spec, the lock and what the spec extends are read.
        selection: what the command line says of findings.

    Raises:
        OSError: the spec cannot be read.
    """
    pinned: Pinned | None = None

    def more(context: Context) -> tuple[Sequence[Diagnostic], Collection[str]]:
        nonlocal pinned
        if pinned is None:
            pinned = Pinned(_lock(path.parent / LOCK, read))
        return check(Outline(context, registry, pinned), OF_THIS_MACHINE)

    return language.lint_file(path, registry, profile, overrides, every_profile=every_profile, more=more, read=read, selection=selection)


def ask_world(
    path: Path,
    registry: "Registry",
    profile: str | None = None,
    overrides: Sequence[str] = (),
    *,
    every_profile: bool = False,
    selection: Selection = AS_IT_IS,
) -> tuple[Linted, list["Compiled"]]:
    """As `lint_file`, with all that `plan` finds, so that no rule waits; and what was compiled of it on the way, for the lock."""
    from distillc.compiler.front import compile_file

    offline = lint_file(path, registry, profile, overrides, every_profile=every_profile, selection=selection)
    found, compiled = list(offline.diagnostics), []
    others = entries(offline.context.root.get("profiles")) if offline.context and every_profile else ()
    for name in dict.fromkeys([profile, *(entry.key for entry in others)]):
        try:
            compiled.append(compile_file(path, registry, profile=name, overrides=overrides, selection=selection))
        except InvalidSpec as error:
            found += error.diagnostics
        else:
            found += compiled[-1].warnings
    return offline._replace(diagnostics=language.tidy(found, offline.sources), waiting=frozenset()), compiled


def _lock(path: Path, read: Read) -> str:
    """Its text; empty where there is no lock, or none that can be read: the next plan says so."""
    try:
        return read(path).decode()
    except (OSError, ValueError):
        return ""
