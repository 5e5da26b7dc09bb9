"""`distillc plan`: what a spec would run, in which order, what of it is done already, and what it costs. Writes `distill.lock`."""

import argparse
import sys
from pathlib import Path

from distillc.cli.main import use_color
from distillc.cli.world import pin
from distillc.compiler.front import Compiled, compile_file
from distillc.compiler.plan import to_json
from distillc.plugins.registry import load as load_plugins
from distillc.runtimes.credentials import missing_keys
from distillc.runtimes.store import open_store
from distillc.spec.diagnostic import Severity
from distillc.spec.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_arguments(parser)
    parser.add_argument("--format", choices=("tree", "json"), default="tree", help="how the plan is printed (default: tree)")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument("-o", "--output", metavar="FILE", help="save the plan; `distillc run FILE` takes it")


def add_spec_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="?", default="distill.yaml", help="the spec (default: distill.yaml)")
    parser.add_argument("--profile", help="one of the spec's profiles")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE", help="set a value, as in train.student.epochs=2"
    )
    parser.add_argument("--store", help="where artifacts are (default: DISTILLC_STORE, else .distillc of the repository)")


def run(args: argparse.Namespace) -> int:
    registry = load_plugins()
    compiled = compile_file(args.spec, registry, profile=args.profile, overrides=args.overrides)
    announce(compiled)
    if args.output:
        save(Path(args.output), to_json(compiled.plan))
    store = open_store(args.store)
    for missing in missing_keys(compiled.plan, compiled.plan.stages, compiled.folder, store, registry):
        print(f"{missing.where}: note: {missing.message}: {missing.help}", file=sys.stderr)  # it may run elsewhere

    def sealed(key: str) -> bool:
        return store.sealed(key) is not None

    if args.format == "json":
        from distillc.compiler.show.json import render as show
    else:
        from distillc.compiler.show.tree import render as show
    sys.stdout.write(show(compiled.plan, sealed))
    return int(args.strict and any(warning.severity is Severity.WARNING for warning in compiled.warnings))


def announce(compiled: Compiled) -> None:
    """Prints warnings on stderr, and pins what the plan was made from."""
    if compiled.warnings:
        from distillc.spec.render import render

        sys.stderr.write(render("full", compiled.warnings, compiled.sources, color=use_color(sys.stderr.isatty())))
    pin(compiled)


def save(path: Path, text: str) -> None:
    """Raises UsageError where the file cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", help="name a file in a folder that exists") from error
