"""A budget over a real connection: money spent stays within it, a run that stopped goes on, and the ledger has what the server counted."""

import json
from decimal import Decimal
from pathlib import Path

from distillc.testing.server import Script, Served, serve
from tests.e2e.test_api import ROWS, Place, place

IN, OUT = Decimal("0.2"), Decimal("0.6")


def billed(server: Served) -> Decimal:
    """What the server's own count of tokens comes to at the spec's price."""
    total = server.totals()["totals"]["Qwen/Qwen3-4B"]
    return (IN * total["prompt_tokens"] + OUT * total["completion_tokens"]) / 10**6


def cost(here: Place) -> dict[str, object]:
    found: dict[str, object] = json.loads(here.distillc("cost", "--format", "json").stdout)["total"]
    return found


def limited(here: Place, usd: str) -> None:
    spec = here.folder / "distill.yaml"
    kept = [line for line in spec.read_text(encoding="utf-8").splitlines() if not line.startswith("budget:")]
    spec.write_text("\n".join([*kept, f"budget: {{usd: {usd}}}", ""]), encoding="utf-8")


def test_money_stays_within_the_budget_and_a_raised_one_goes_on(tmp_path: Path) -> None:
    with serve(Script(latency=0.02), process=True, dialect="nebius") as server:
        here = place(tmp_path, server)
        limited(here, "0.001")
        stopped = here.distillc("run", "distill.yaml", "--until", "answers")
        assert stopped.returncode == 4, stopped.stderr
        assert "the budget is reached: the next call may cost $" in stopped.stderr
        assert "raise `budget.usd` and run again" in stopped.stderr
        first = len(here.asked())
        assert 0 < first < ROWS
        assert f"answers: {first} of {ROWS} rows are answered" in stopped.stderr
        assert Decimal(str(cost(here)["usd"])) == billed(server) <= Decimal("0.001")
        again = here.distillc("run", "distill.yaml", "--until", "answers")
        assert (again.returncode, len(here.asked())) == (4, first)
        limited(here, "1")
        assert here.distillc("run", "distill.yaml", "--until", "answers").returncode == 0
        assert len(here.asked()) == ROWS
        total = cost(here)
        assert (Decimal(str(total["usd"])), total["calls"]) == (billed(server), ROWS)
