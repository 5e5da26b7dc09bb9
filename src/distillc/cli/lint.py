"""`distillc lint`: checks specs and prints what is wrong with them. Imports neither pydantic nor any plugin."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from distillc.cli.main import use_color
from distillc.plugins.registry import load as load_plugins
from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.errors import UsageError
from distillc.spec.lint import lint_file
from distillc.spec.render import FORMATS, render
from distillc.spec.source import Source

SPEC_NAME = "distill.yaml"
# Folders that hold other people's files, or files that were made from ours.
SKIPPED = frozenset({"node_modules", "dist", "build", "__pycache__", "site-packages", "venv"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help=f"specs, or folders to look in (default: each {SPEC_NAME} of the repository)"
    )
    parser.add_argument("--format", choices=FORMATS, default="full", help="how findings are printed (default: full)")
    parser.add_argument("--profile", help="check the spec with this profile (default: as it is, and with each profile)")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE", help="set a value, as in train.student.epochs=2"
    )
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")


def run(args: argparse.Namespace) -> int:
    files = [file for name in args.files for file in specs(Path(name))] if args.files else repository_specs(Path())
    table = load_plugins()
    found: list[Diagnostic] = []
    sources: dict[str, Source] = {}
    unreadable = False
    for file in files:
        try:
            linted = lint_file(file, table, args.profile, args.overrides, every_profile=args.profile is None)
        except OSError as error:
            unreadable = True
            message = f"cannot read the file: {error.strerror or error}"
            found.append(Diagnostic("D000", Severity.ERROR, message, Span(str(file), 1, 1, 1, 1), help="check the path"))
            continue
        found += linted.diagnostics
        sources |= linted.sources
    sys.stdout.write(render(args.format, found, sources, color=use_color(sys.stdout.isatty())))
    if args.format != "json":
        print(summary(found, len(files)))
    errors = any(diagnostic.severity is Severity.ERROR for diagnostic in found)
    warnings = any(diagnostic.severity is Severity.WARNING for diagnostic in found)
    return 2 if unreadable else int(errors or (args.strict and warnings))


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


def summary(found: list[Diagnostic], files: int) -> str:
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    warnings = sum(diagnostic.severity is Severity.WARNING for diagnostic in found)
    parts = [_counted(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
    return f"{' and '.join(parts) or 'nothing wrong'} in {_counted(files, 'file')}"


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
