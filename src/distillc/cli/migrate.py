"""`distillc migrate [FILE…]`: rewrites specs for the version of the language that this distillc reads, comments untouched."""

import argparse
import sys

from distillc.cli import find_specs
from distillc.cli.spec_file import read_spec
from distillc.spec.edit import Change, diff
from distillc.spec.migrations import LATEST, migrated
from distillc.spec.nodes import MappingNode, Node, number
from distillc.spec.parse import parse
from distillc.spec.source import Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="specs, or folders to look in (default: each spec of the repository)")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a spec has to be migrated")
    parser.add_argument("--diff", action="store_true", help="change nothing; print the difference")


def run(args: argparse.Namespace) -> int:
    names = find_specs.asked_for(args.files)
    behind = stuck = False
    for name in names:
        file = read_spec(name)
        text, done = migrated(file.source)
        root, _ = parse(Source(name, text))
        at_latest = isinstance(root, MappingNode) and number(root.get("distill")) == LATEST
        behind |= bool(done)
        stuck |= not at_latest
        if args.diff:
            sys.stdout.write(diff(Change(name, file.source.text, text)))
        elif done and not args.check:
            file.write(text)
        if not args.diff or not at_latest:
            print(f"{name}: {_told(done, root, at_latest, args.check)}", file=sys.stderr if args.diff else sys.stdout)
    return int(stuck or (args.check and behind))


def _told(done: list[str], root: Node | None, at_latest: bool, check: bool) -> str:
    if not at_latest:
        says = number(root.get("distill")) if isinstance(root, MappingNode) else None
        if says is not None and says > LATEST:
            return f"needs a newer distillc: it is written in version {says:g} of the language, this one reads {LATEST}"
        return "cannot be migrated; `distillc lint` says what is wrong"
    if not done:
        return f"at version {LATEST} already"
    return f"{'would be' if check else 'is now'} at version {LATEST}: {'; '.join(done)}"
