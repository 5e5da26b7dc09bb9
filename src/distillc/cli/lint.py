"""`distillc lint`: checks specs and prints what is wrong with them. Imports neither pydantic nor any plugin.

What linting takes (`linting.py`) is imported where a spec has to be linted: where nothing has changed, the answer is known.
"""

import argparse
import atexit
import gc
import sys

from distillc.cli import find_specs
from distillc.cli.lint_cache import LintCache
from distillc.cli.main import silence, use_color
from distillc.spec.errors import UsageError
from distillc.spec.render import FORMATS, render

TYPE_CHECKING = False  # as in typing, which alone costs as much as a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from distillc.cli.lint_cache import Answer
    from distillc.cli.standard_input import StandardInput
    from distillc.spec.diagnostic import Diagnostic
    from distillc.spec.lint import Linted

FOR_PEOPLE = ("full", "concise")
"""Forms with a summary at the end; the others are read by programs."""
EMPTY = ("full", "concise", "github")
"""Forms that say nothing where nothing was found."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help=f"specs, or folders to look in (default: each {find_specs.SPEC_NAMES[0]} of the repository); - is standard input",
    )
    parser.add_argument("--format", choices=FORMATS, default="full", help="how findings are printed (default: full)")
    parser.add_argument("--profile", help="check the spec with this profile (default: as it is, and with each profile)")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE", help="set a value, as in train.student.epochs=2"
    )
    parser.add_argument(
        "--select",
        action="append",
        default=[],
        metavar="CODES",
        help="show these findings alone, whatever the spec says: codes (D401), beginnings (D4) or names, with commas between",
    )
    parser.add_argument("--ignore", action="append", default=[], metavar="CODES", help="do not show these; of two, the longer wins")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument(
        "--world", action="store_true", help="also read files and ask endpoints, as `plan` does, and pin what they say in distill.lock"
    )
    parser.add_argument("--fix", action="store_true", help="mend what can be mended without changing what the spec means")
    parser.add_argument("--unsafe-fixes", action="store_true", help="take guesses for fixes too; look at them with --diff")
    parser.add_argument("--diff", action="store_true", help="write nothing, print what --fix would change; exit with 1 if it is anything")
    parser.add_argument("--stdin-filename", metavar="NAME", help="read standard input, and take it for this file")
    parser.add_argument("-q", "--quiet", action="store_true", help="print findings alone, without the count at the end")
    parser.add_argument("--no-cache", action="store_true", help="lint specs anew that have not changed since")


def run(args: argparse.Namespace) -> int:
    """Without the collector: linting makes next to no cycles, and to look for them took a tenth of its time, most of it on the way out."""
    atexit.register(gc.freeze)  # what is left then goes with the process
    running = gc.isenabled()
    gc.disable()
    try:
        return lint(args)
    finally:
        if running:
            gc.enable()


def lint(args: argparse.Namespace) -> int:
    if args.diff and args.format not in FOR_PEOPLE:
        raise UsageError("--diff prints a difference, not findings", help="leave --format away")
    given = None
    if args.files == ["-"] or args.stdin_filename is not None:
        from distillc.cli.standard_input import from_standard_input

        given = from_standard_input(args.stdin_filename, args.files)
        names = [given.name]
    else:
        names = find_specs.asked_for(args.files)
    if args.world and (args.fix or args.diff or given):
        raise UsageError("--world looks at specs as they are on disk", help="mend them first, and lint them again with --world")
    if args.fix or args.diff:
        return fix(args, names, given)
    return show(args, list(checked(args, names, given)), names)


def checked(args: argparse.Namespace, names: "Sequence[str]", given: "StandardInput | None") -> "Iterator[Linted | Answer]":
    """What is wrong with each spec: as it is known from before where nothing has changed, else linted."""
    cache = None if args.no_cache or args.overrides or args.world or given else LintCache([args.profile, args.select, args.ignore])
    linter = read = None
    for name in names:
        if cache and (answer := cache.find(name)) is not None:
            yield answer
            continue
        if linter is None or read is None:
            from distillc.cli.linting import Linter
            from distillc.spec.source import read_file

            linter, read = Linter(args), given.read if given else read_file
        if cache:
            watched = cache.watched(name, read)
            yield (linted := linter(name, watched))
            cache.keep(name, linted, watched)
        else:
            yield linter(name, read)
    if cache:
        cache.write()


def fix(args: argparse.Namespace, names: "Sequence[str]", given: "StandardInput | None") -> int:
    from distillc.cli import fixing
    from distillc.cli.linting import Linter
    from distillc.spec.source import read_file

    linter, read = Linter(args), given.read if given else read_file
    mended = fixing.mended(names, linter, read, unsafe=args.unsafe_fixes)
    if args.diff:
        return fixing.show_difference(mended)
    if given:
        given.give_back(mended.changes)
        fixed = sum(change.fixes for change in mended.changes)
    else:
        fixed = fixing.write(mended, linter, read)
    return show(args, list(mended.linted.values()), names, fixed=fixed, stream=sys.stderr if given else sys.stdout)


def show(
    args: argparse.Namespace,
    linted: "Sequence[Linted | Answer]",
    names: "Sequence[str]",
    *,
    fixed: int = 0,
    stream: "TextIO | None" = None,
) -> int:
    """Prints what was found, and answers with the exit code."""
    out = stream or sys.stdout
    # Once where several specs extend one that has it.
    found = list({(each.code, each.severity, each.span, each.message): each for every in linted for each in every.diagnostics}.values())
    told = ""
    if found or args.format not in EMPTY:
        sources = {name: source for each in linted for name, source in each.sources.items()}
        told = render(args.format, found, sources, color=use_color(out.isatty()))
    if args.format in FOR_PEOPLE and not args.quiet:
        waiting = frozenset[str]().union(*(each.waiting for each in linted))
        words = summary(found, len(names), len(waiting))
        told += f"{fixed} fixed; {words}\n" if fixed else f"{words}\n"
        if any(diagnostic.fix for diagnostic in found):
            from distillc.cli.fix_hint import hint

            told += f"{more}\n" if (more := hint(found, names, unsafe=args.unsafe_fixes)) else ""
    try:
        out.write(told)
    except BrokenPipeError:  # what was found does not hang on who reads it
        silence(out)
    if any(diagnostic.code == "D000" for diagnostic in found):
        return 2
    levels = {diagnostic.severity.value for diagnostic in found}
    return int("error" in levels or (args.strict and "warning" in levels))


def summary(found: "Sequence[Diagnostic]", files: int, waiting: int = 0) -> str:
    """`waiting`: how many rules could not look, because nobody has read what they want to know."""
    levels = [diagnostic.severity.value for diagnostic in found]
    parts = [_counted(n, word) for word in ("error", "warning") if (n := levels.count(word))]
    words = f"{' and '.join(parts) or 'nothing wrong'} in {_counted(files, 'file')}"
    rules = "1 rule waits" if waiting == 1 else f"{waiting} rules wait"
    return f"{words}; {rules} for facts: run `distillc lint --world` or `distillc plan`" if waiting else words


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
