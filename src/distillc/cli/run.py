"""`distillc run SPEC_OR_PLAN`: makes everything that the plan asks for and that is not there yet.

Progress goes to stderr. Standard output has the table of the evaluation, what was made that it does not tell of, and, as its last line,
the bundle's path and nothing else.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillc.spec.errors import BudgetReached, UsageError

if TYPE_CHECKING:
    from distillc.compiler.plan import Plan
    from distillc.runtimes.driver import Outcome
    from distillc.runtimes.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="?", default="distill.yaml", metavar="SPEC_OR_PLAN", help="a spec, or a plan saved as JSON")
    parser.add_argument("--profile", help="run the spec with this profile")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE", help="set a value, as in train.student.epochs=2"
    )
    parser.add_argument("--until", metavar="NAME", help="stop after this step")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N training rows from each generate step")
    parser.add_argument("--store", metavar="PLACE", help="a folder or a URL (default: DISTILLC_STORE, else .distillc of this repository)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how the outcome is printed")


def run(args: argparse.Namespace) -> int:
    from distillc.cli.progress import display
    from distillc.plugins.registry import load
    from distillc.runtimes import driver
    from distillc.runtimes.executors import open_executor
    from distillc.runtimes.store import open_store

    if args.limit is not None and args.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {args.limit}", help="leave it away to take all rows")
    registry = load()
    path = Path(args.spec)
    plan = build_plan(path, registry, args.profile, args.overrides, args.limit)
    store = open_store(args.store)
    executor = open_executor(plan, registry)
    with display() as progress:
        outcome = driver.run(
            plan,
            folder=path.resolve().parent,
            store=store,
            executor=executor,
            plugins=registry,
            until=args.until,
            progress=progress,
            debug=args.debug,
        )
    if args.format == "json" and outcome.error is None:
        print(json.dumps(as_json(outcome, plan, store), indent=1, ensure_ascii=False))
    else:
        say(outcome, plan, store)
    if outcome.error is not None:
        raise outcome.error
    return outcome.exit_code


def build_plan(path: Path, registry: Any, profile: str | None, overrides: list[str], limit: int | None) -> "Plan":
    """The plan of a spec, or the one that a file holds. Raises UsageError and InvalidSpec."""
    from distillc.cli.plan import announce
    from distillc.compiler import compile_file
    from distillc.compiler.plan import from_json
    from distillc.compiler.saved import check_saved

    if path.suffix == ".json":
        if profile or overrides or limit:
            raise UsageError(
                "a saved plan is run as it is",
                where=str(path),
                help="make another one: distillc plan SPEC --profile … --set … --format json",
            )
        try:
            plan = from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError("there is no such file", where=str(path), help="name a spec or a saved plan") from None
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"this is no plan of this version: {error}", where=str(path), help="make it again: distillc plan SPEC --format json"
            ) from error
        check_saved(plan, registry)
        return plan
    compiled = compile_file(path, registry, profile=profile, overrides=tuple(overrides))
    if limit is not None:
        compiled = compile_file(path, registry, profile=profile, overrides=(*overrides, *limits(compiled.plan, limit)))
    announce(compiled)
    return compiled.plan


def limits(plan: "Plan", limit: int) -> list[str]:
    """`--limit` as overrides: the first stage of each generate step lets at most so many training rows in."""
    from distillc.compiler.plan import without_cell

    found: dict[str, int] = {}
    for stage in plan:
        if stage.kind == "generate" and not stage.config.get("under_test"):
            own = stage.config.get("limit")
            step = without_cell(plan.origins[stage.id])
            found[step] = min(found.get(step, limit), limit if own is None else int(own))
    return [f"generate.{name}.limit={rows}" for name, rows in found.items()]


def say(outcome: "Outcome", plan: "Plan", store: "Store") -> None:
    """What a person wants to know: messages on stderr; the table, what else was made, then the bundle's path on stdout."""
    from distillc.cli import made

    if outcome.idle:
        print(f"nothing to do: all {len(outcome.states)} stages are done already", file=sys.stderr)
    for message in outcome.messages:
        print(message, file=sys.stderr)
    if isinstance(outcome.error, BudgetReached):
        for line in made.stopped_at(plan, outcome, store):
            print(line, file=sys.stderr)
    if outcome.error is not None or outcome.exit_code == 130:
        return
    if outcome.report is not None:
        from distillc.runtimes.recorded import recorded
        from distillc.runtimes.report.table import render

        for found in recorded(store, outcome.run):
            print(render(found.report))
    for line in made.as_text(made.made(plan, outcome, store)):
        print(line)
    for path in outcome.delivered:
        print(path)


def as_json(outcome: "Outcome", plan: "Plan", store: "Store") -> dict[str, Any]:
    from distillc.cli import made

    return {
        "run": outcome.run,
        "exit": outcome.exit_code,
        "stages": outcome.states,
        "gates": [{"name": gate.name, "level": gate.level, "verdict": gate.verdict} for gate in outcome.verdicts],
        "made": made.made(plan, outcome, store),
        "bundles": [str(path) for path in outcome.delivered],
        "messages": outcome.messages,
        "report": None if outcome.report is None else json.loads(outcome.report.read_text(encoding="utf-8")),
    }
