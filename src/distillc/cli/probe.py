"""`distillc probe [SPEC] MODEL…`: asks models for a few validation rows, and ranks them by quality beside what they cost.

Progress and what was chosen go to stderr. Standard output has the table, whose last line sums it up, or the JSON that EPILOG describes.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from distillc.spec.errors import StageFailed, UsageError

LIMIT = 50
EPILOG = """--format json prints {"run", "by", "better": "higher" | "lower", "data", "rows", "job": {"steps", "rows"} | null, "spent_usd",
"says", "models": [...], "not_reached": {MODEL: REASON}}. The best model comes first; each has "model", "metric" ("value", "low", "high",
"n", "failed"), "difference" to the best ("value", "low", "high"; null for the best itself), "as_good" (whether that interval contains 0),
"front", "rows", "lost" ("share", "reasons": {REASON: n}), "prompt_tokens" and "completion_tokens" (sums), "mode": "sync" | "batch",
"usd_per_1000" and "usd_job" (decimal texts; null without a price, "usd_job" also where nothing says how many rows the job has) and
"seconds_per_row".
Exit codes: 0 ranked, 2 bad usage or an invalid spec, 4 the budget is reached, 5 a model was not reached (the others are ranked) or a stage
failed (resumable), 130 interrupted (resumable).
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
    from distillc.cli.progress import display
    from distillc.compiler.probe import compile_probe
    from distillc.plugins.registry import load
    from distillc.runtimes.probing import Probing
    from distillc.runtimes.report.probe import assemble
    from distillc.runtimes.report.probe_text import render
    from distillc.runtimes.store import open_store

    if args.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {args.limit}")
    registry = load()
    spec, models = spec_and_models(args.names)
    compiled = partial(
        compile_probe, spec, registry, by=args.by, data=args.data, limit=args.limit, profile=args.profile, overrides=args.overrides
    )
    store = open_store(args.store)
    with display() as progress:
        probed = Probing(store, registry, progress, say, args.debug).ask(compiled, models)
    outcome = probed.outcome
    if outcome.error is not None:
        raise outcome.error
    if outcome.exit_code:
        for message in outcome.messages:
            print(message, file=sys.stderr)
        return outcome.exit_code
    found = assemble(probed.probe, store, registry, probed.not_reached)
    if args.format == "json":
        print(json.dumps({"run": outcome.run, **found}, indent=1, ensure_ascii=False))
    else:
        sys.stdout.write(render(found))
    return StageFailed.exit_code if probed.not_reached else 0


def say(text: str) -> None:
    print(f"probe: {text}", file=sys.stderr)


def spec_and_models(names: Sequence[str]) -> tuple[Path, list[str]]:
    """The first name is a spec where it looks like a file, or is one: names of models have no dots and no slashes."""
    if names and (any(sign in names[0] for sign in "./\\") or Path(names[0]).is_file()):
        return Path(names[0]), list(names[1:])
    return Path("distill.yaml"), list(names)
