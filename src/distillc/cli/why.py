"""`distillc why`: which changes make stages run again, and what follows from each; of one step, the way from there to here."""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from distillc.cli.plan import add_spec_arguments
from distillc.compiler.front import compile_file
from distillc.compiler.keys import result_config
from distillc.compiler.plan import Plan
from distillc.compiler.show.why import chains, summary
from distillc.compiler.why import reasons
from distillc.plugins.registry import Registry
from distillc.plugins.registry import load as load_plugins
from distillc.runtimes.store import open_store
from distillc.spec.errors import DistillError, UsageError
from distillc.spec.marks import Marked, marked_fields
from distillc.spec.wording import did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec_arguments(parser)
    parser.add_argument("name", nargs="?", help="a step or a stage: tells how a change gets there (default: all changes, and what follows)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how the answer is printed (default: text)")


def run(args: argparse.Namespace) -> int:
    registry = load_plugins()
    spec, asked = spec_and_name(args.spec, args.name)
    plan = compile_file(spec, registry, profile=args.profile, overrides=args.overrides).plan
    wanted = select(plan, asked)
    records = (sealed for sealed in open_store(args.store).all() if sealed.kind != "shard")

    def relevant(kind: str, uses: str | None, config: Mapping[str, Any]) -> Mapping[str, Any]:
        return result_config(kind, uses, config, lambda plugins, name: _marks(registry, plugins, name))

    found = [reason for reason in reasons(plan, records, relevant) if reason.stage in wanted]
    if args.format == "json":
        sys.stdout.write(json.dumps([asdict(reason) for reason in found], indent=1, ensure_ascii=False, default=str) + "\n")
        return 0
    if not found:
        print(f"nothing to run: {asked or plan.name} is done")
        return 0
    width = shutil.get_terminal_size().columns
    sys.stdout.write(summary(plan, found, width) if asked is None else chains(found, width))
    return 0


def spec_and_name(spec: str, name: str | None) -> tuple[str, str | None]:
    """`why student` asks about a step of distill.yaml: one word that is no file and has no suffix is a name."""
    if name is None and not Path(spec).suffix and not Path(spec).exists():
        return "distill.yaml", spec
    return spec, name


def select(plan: Plan, name: str | None) -> set[str]:
    """The stages of a step, or the one stage. Raises UsageError for a name that the plan does not have."""
    if name is None:
        return {stage.id for stage in plan.stages}
    chosen = plan.named(name)
    if not chosen:
        known = [*(stage.id for stage in plan.stages), *plan.origins.values()]
        raise UsageError(f"the plan has no step `{name}`", help=did_you_mean(name, known, "steps"))
    return chosen


def _marks(registry: Registry, kind: str, name: str) -> tuple[Marked, ...]:
    """Of plugins that only an older record names, nothing is known any more."""
    try:
        return marked_fields(registry.config_schema(kind, name))
    except DistillError:
        return ()
