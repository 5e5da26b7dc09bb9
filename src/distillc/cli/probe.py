"""`distillc probe [SPEC] MODEL…`: asks models for a few validation rows, and ranks them by quality beside what they cost.

Progress and what was chosen go to stderr. Standard output has the table, whose last line says what it says, or with `--format json`:

    {"run", "by", "better": "higher"|"lower", "data", "rows", "job": {"steps": […], "rows"}|null, "spent_usd", "says",
     "models": [{"model", "metric": {"value", "low", "high", "n", "failed"}, "difference": {"value", "low", "high"}|null, "as_good",
                 "front", "rows", "lost": {"share", "reasons": {REASON: n}}, "prompt_tokens", "completion_tokens",
                 "mode": "sync"|"batch", "usd_per_1000", "usd_job", "seconds_per_row"}]}
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distillc.spec.errors import UsageError

if TYPE_CHECKING:
    from distillc.compiler.probe import Probe
    from distillc.runtimes.driver import Outcome

LIMIT = 50
EPILOG = """--format json prints {"run", "by", "better", "data", "rows", "job": {"steps", "rows"}, "spent_usd", "says", "models": [...]},
the best model first. Each has "model", "metric" ("value", "low", "high", "n", "failed"), "difference" to the best ("value", "low", "high";
null for the best itself), "as_good" (whether that interval contains 0), "front", "rows", "lost" ("share", "reasons"), "prompt_tokens" and
"completion_tokens" (sums), "mode", "usd_per_1000" and "usd_job" (decimal texts; null without a price, "usd_job" also where nothing says
how many rows the job has) and "seconds_per_row".
Exit codes: 0 ranked, 2 bad usage or an invalid spec, 4 the budget is reached, 5 a stage failed (resumable), 130 interrupted (resumable).
--debug shows tracebacks"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "names",
        nargs="*",
        metavar="[SPEC] MODEL",
        help="a spec (default: distill.yaml), then names of its `models:` (default: all that can answer and are cut from no other)",
    )
    parser.add_argument("--by", metavar="METRIC", help="what decides (default: as the spec's gates, early stopping or evaluations do)")
    parser.add_argument("--data", metavar="ROWS", help="rows with gold, never of a test split (default: the spec's validation rows)")
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=f"at most N rows, the same for all models (default: {LIMIT})")
    parser.add_argument("--profile", help="one of the spec's profiles")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="PATH=VALUE", help="set a value, as in decoding.max_tokens=256"
    )
    parser.add_argument("--store", metavar="PLACE", help="a folder or a URL (default: DISTILLC_STORE, else .distillc of this repository)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how the ranking is printed")


def run(args: argparse.Namespace) -> int:
    from distillc.compiler.probe import compile_probe
    from distillc.plugins.registry import load
    from distillc.runtimes.report.probe import assemble, render
    from distillc.runtimes.store import open_store

    if args.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {args.limit}")
    registry = load()
    spec, models = spec_and_models(args.names)
    probe = compile_probe(
        spec, registry, models, by=args.by, data=args.data, limit=args.limit, profile=args.profile, overrides=args.overrides
    )
    store = open_store(args.store)
    outcome = ask(probe, registry, store)
    if outcome.error is not None:
        raise outcome.error
    if outcome.exit_code:
        for message in outcome.messages:
            print(message, file=sys.stderr)
        return outcome.exit_code
    found = assemble(
        probe.plan, store, probe.source, probe.by, higher=probe.higher, models=probe.models, data=probe.data, batch=probe.batch
    )
    if args.format == "json":
        print(json.dumps({"run": outcome.run, **found}, indent=1, ensure_ascii=False))
    else:
        sys.stdout.write(render(found))
    return 0


def spec_and_models(names: Sequence[str]) -> tuple[Path, list[str]]:
    """The first name is a spec where it looks like a file, or is one: names of models have no dots and no slashes."""
    if names and (any(sign in names[0] for sign in "./\\") or Path(names[0]).is_file()):
        return Path(names[0]), list(names[1:])
    return Path("distill.yaml"), list(names)


def ask(probe: "Probe", registry: Any, store: Any) -> "Outcome":
    """Makes the rows, says what the answers may cost, and has them answered. Raises BudgetReached before more may be asked than is left."""
    from distillc.cli.progress import display
    from distillc.compiler.plan import Stage
    from distillc.runtimes import driver
    from distillc.runtimes.at_most import at_most
    from distillc.runtimes.budget import Budget
    from distillc.runtimes.contracts import spends
    from distillc.runtimes.executors import open_executor
    from distillc.runtimes.selection import select
    from distillc.spec.money import dollars

    plan = probe.plan
    keys = {stage.id: stage.key for stage in plan}
    asked = [plan.stage(ref.stage) for port, ref in plan.stage(probe.source).inputs.items() if port.startswith("answers.")]
    before = {ref.stage for stage in asked for ref in stage.inputs.values()}
    missing = [stage for stage in select(plan, before) if store.sealed(stage.key) is None]
    debug = "--debug" in sys.argv or bool(os.environ.get("DISTILLC_DEBUG"))

    def go(until: set[str], progress: Any) -> "Outcome":
        executor = open_executor(plan, registry)
        return driver.run(
            plan, folder=probe.folder, store=store, executor=executor, plugins=registry, until=until, progress=progress, debug=debug
        )

    def refuse(stage: Stage) -> UsageError:
        step = plan.origins[stage.id]
        what = f"`{step}` is not there yet, and the probe hangs on it"
        return UsageError(what, help=f"make it first (distillc run --until {step}), or probe other models on other rows")

    for stage in missing:
        if stage.kind not in ("ingest", "split", "generate", "curate", "build-model") or spends(stage, registry):
            raise refuse(stage)
    print(f"probe: {', '.join(probe.models)} {'; '.join(probe.notes)}, {probe.limit} rows at most", file=sys.stderr)
    with display() as progress:
        if missing:
            outcome = go(before, progress)
            if outcome.error is not None or outcome.exit_code:
                return outcome
        most = at_most(asked, keys, store, probe.folder, registry)
        if most.calls:
            unknown = f", beside those of {', '.join(most.unpriced)}: no price" if most.unpriced else ""
            print(f"probe: {most.calls:,} answers of APIs, which cost at most {dollars(most.usd)}{unknown}", file=sys.stderr)
            most.refuse(Budget(plan, store.home / "runs"), "ask fewer models, or for fewer rows with --limit")
        return go({probe.source}, progress)
