"""`distillc lint`: checks specs and prints what is wrong with them. Imports neither pydantic nor any plugin."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from distillc.cli.main import use_color
from distillc.compiler.lint import lint_file
from distillc.plugins.registry import load as load_plugins
from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.errors import UsageError
from distillc.spec.lint import Linted
from distillc.spec.render import FORMATS, render
from distillc.spec.resolve import Read
from distillc.spec.source import read_file

SPEC_NAME = "distill.yaml"
FOR_PEOPLE = ("full", "concise")
"""Forms with a summary at the end; the others are read by programs."""
# Folders that hold other people's files, or files that were made from ours.
SKIPPED = frozenset({"node_modules", "dist", "build", "__pycache__", "site-packages", "venv"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help=f"specs, or folders to look in (default: each {SPEC_NAME} of the repository); - is standard input",
    )
    parser.add_argument("--format", choices=FORMATS, default="full", help="how findings are printed (default: full)")
    parser.add_argument("--profile", help="check the spec with this profile (default: as it is, and with each profile)")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE", help="set a value, as in train.student.epochs=2"
    )
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument(
        "--world", action="store_true", help="also read files and ask endpoints, as `plan` does, and pin what they say in distill.lock"
    )
    parser.add_argument("--fix", action="store_true", help="mend what can be mended without changing what the spec means")
    parser.add_argument("--unsafe-fixes", action="store_true", help="take guesses for fixes too; look at them with --diff")
    parser.add_argument("--diff", action="store_true", help="write nothing, print what --fix would change; exit with 1 if it is anything")
    parser.add_argument("--stdin-filename", metavar="NAME", help="read standard input, and take it for this file")


def run(args: argparse.Namespace) -> int:
    if args.diff and args.format not in FOR_PEOPLE:
        raise UsageError("--diff prints a difference, not findings", help="leave --format away")
    read, given = read_file, None
    if args.files == ["-"] or args.stdin_filename is not None:
        from distillc.cli.standard_input import from_standard_input

        given = from_standard_input(args.stdin_filename, args.files)
        names, read = [given.name], given.read
    elif args.files:
        names = [str(file) for name in args.files for file in specs(Path(name))]
    else:
        names = [str(file) for file in repository_specs(Path())]
    if args.world and (args.fix or args.diff or given):
        raise UsageError("--world looks at specs as they are on disk", help="mend them first, and lint them again with --world")
    table = load_plugins()

    def check(name: str, read: Read) -> Linted:
        try:
            if args.world:
                from distillc.cli.world import look_at_world

                return look_at_world(Path(name), table, args.profile, args.overrides)
            return lint_file(Path(name), table, args.profile, args.overrides, every_profile=args.profile is None, read=read)
        except OSError as error:
            message = f"cannot read the file: {error.strerror or error}"
            return Linted(None, [Diagnostic("D000", Severity.ERROR, message, Span(name, 1, 1, 1, 1), help="check the path")])

    if not (args.fix or args.diff):
        return show(args, [check(name, read) for name in names], names)
    from distillc.cli import fixing

    mended = fixing.mended(names, check, read, unsafe=args.unsafe_fixes)
    if args.diff:
        return fixing.show_difference(mended)
    if given:
        given.give_back(mended.changes)
        fixed = sum(change.fixes for change in mended.changes)
    else:
        fixed = fixing.write(mended, check, read)
    return show(args, list(mended.linted.values()), names, fixed=fixed, stream=sys.stderr if given else sys.stdout)


def show(args: argparse.Namespace, linted: Sequence[Linted], names: Sequence[str], *, fixed: int = 0, stream: TextIO | None = None) -> int:
    """Prints what was found, and answers with the exit code."""
    stream = stream or sys.stdout
    found = [diagnostic for each in linted for diagnostic in each.diagnostics]
    sources = {name: source for each in linted for name, source in each.sources.items()}
    stream.write(render(args.format, found, sources, color=use_color(stream.isatty())))
    if args.format in FOR_PEOPLE:
        waiting = frozenset[str]().union(*(each.waiting for each in linted))
        words = summary(found, len(names), len(waiting))
        print(f"{fixed} fixed; {words}" if fixed else words, file=stream)
        if any(diagnostic.fix for diagnostic in found):
            from distillc.cli.fixing import hint

            if told := hint(found, names, unsafe=args.unsafe_fixes):
                print(told, file=stream)
    if any(diagnostic.code == "D000" for diagnostic in found):
        return 2
    errors = any(diagnostic.severity is Severity.ERROR for diagnostic in found)
    warnings = any(diagnostic.severity is Severity.WARNING for diagnostic in found)
    return int(errors or (args.strict and warnings))


def specs(path: Path) -> list[Path]:
    """The file itself, or the specs below a folder."""
    return sorted(_below(path)) if path.is_dir() else [path]


def repository_specs(start: Path) -> list[Path]:
    """Each distill.yaml below the nearest parent that has `.git`, else below `start`. Raises UsageError when there is none."""
    here = start.resolve()
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    found = [Path(os.path.relpath(file, here)) for file in sorted(_below(top))]
    if not found:
        raise UsageError(f"there is no {SPEC_NAME} here", where=str(top), help="name a file: distillc lint FILE")
    return found


def _below(top: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        if SPEC_NAME in files:
            yield Path(folder, SPEC_NAME)


def summary(found: list[Diagnostic], files: int, waiting: int = 0) -> str:
    """`waiting`: how many rules could not look, because nobody has read what they want to know."""
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    warnings = sum(diagnostic.severity is Severity.WARNING for diagnostic in found)
    parts = [_counted(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
    words = f"{' and '.join(parts) or 'nothing wrong'} in {_counted(files, 'file')}"
    rules = "1 rule waits" if waiting == 1 else f"{waiting} rules wait"
    return f"{words}; {rules} for facts: run `distillc lint --world` or `distillc plan`" if waiting else words


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
