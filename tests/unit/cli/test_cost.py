"""`cost`: what is printed adds up, to the cent and beyond, and stands beside what was planned."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.cli.main import main
from distillc.runtimes.events import EventLog
from distillc.runtimes.journal import Journal
from distillc.runtimes.meter import Price

STAGES = [("prose", "k0", "ingest"), ("answers", "k1", "generate"), ("student", "k2", "train"), ("test", "k3", "evaluate")]
HALF = Price(Decimal("0.2"), Decimal("0.6"), Decimal("0.5"))
# The recorded walk-through: 22,114 requests for $4.9, at half of $0.2 and $0.6 per million. So many tokens come to that sum:
# 0.1 * 14.5 + 0.3 * 11.5 = 1.45 + 3.45. Uneven shards of 1,000 rows, the last of 114.
SHARDS = [(1000, 655_703, 520_033)] * 22 + [(114, 14_500_000 - 22 * 655_703, 11_500_000 - 22 * 520_033)]


def figures(calls: int, prompt: int, completion: int) -> dict[str, object]:
    return {"calls": calls, "prompt_tokens": prompt, "completion_tokens": completion, "usd": f"{HALF.of(prompt, completion):f}"}


def halves(shard: tuple[int, int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    first = tuple(count // 2 for count in shard)
    return first, tuple(count - half for count, half in zip(shard, first, strict=True))


def recorded(home: Path) -> None:
    """Two runs: the first is killed within the second shard, the other ends."""
    for run, shards, whole in (("20261124-100000-grammar", SHARDS[:2], False), ("20261124-110000-grammar", SHARDS[1:], True)):
        journal = Journal(home / "journal.sqlite3")
        journal.start(run, "grammar", "distill.yaml", STAGES)
        journal.close()
        log = EventLog(home / "runs" / run / "events.jsonl")
        log.emit("run started", run=run, actor="ada", budget={"usd": "20"}, estimates={"answers": {"rows": 22114, "tokens": 90_578_944}})
        log.emit("stage started", stage="answers", key="k1", kind="generate")
        for number, shard in enumerate(shards, start=int(whole)):
            half, rest = halves(shard)
            cut = number == 1  # the first run told of half of it, and that is what the second finds
            told = [half] if cut and not whole else [rest] if cut else [half, shard]
            for calls, prompt, completion in told:  # an event in the middle of a shard, then its last one
                log.emit(
                    "spent",
                    stage="answers",
                    shard=number,
                    model="big",
                    opened=float(whole),
                    answers=calls,
                    **figures(calls, prompt, completion),
                    lost=figures(0, 0, 0),
                    in_doubt=figures(0, 0, 0),
                    found={**figures(*(half if cut and whole else (0, 0, 0))), "answers": half[0] if cut and whole else 0, "usd": "0"},
                    seconds=10.0,
                    prices={"input": "0.2", "output": "0.6", "discount": "0.5"},
                    key_name="env:NEBIUS_API_KEY",
                )
        if whole:
            log.emit("stage sealed", stage="answers", key="k1", kind="generate", seconds=225.0)
            log.emit("stage started", stage="student", key="k2", kind="train")
            log.emit("trained", stage="student", tokens=18_250_000)
            log.emit("stage sealed", stage="student", key="k2", kind="train", seconds=850.0)
            log.emit("stage started", stage="test", key="k3", kind="evaluate")
            log.emit("stage sealed", stage="test", key="k3", kind="evaluate", seconds=4.5)
        log.close()


def cost(home: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["cost", "--store", str(home), *options]) == 0
    return capsys.readouterr().out


def test_the_walk_through_comes_to_4_9_dollars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path)
    said = json.loads(cost(tmp_path, capsys, "--format", "json"))
    assert Decimal(said["total"]["usd"]) == Decimal("4.9")
    assert [said["total"][name] for name in ("calls", "prompt_tokens", "completion_tokens", "trained_tokens")] == [
        22_114,
        14_500_000,
        11_500_000,
        18_250_000,
    ]
    assert len([row for row in said["rows"] if row["model"] == "big"]) == 23
    for name in ("usd", "seconds", "calls"):
        assert sum(Decimal(str(row[name])) for row in said["rows"]) == Decimal(str(said["total"][name]))
    # Asking took 22 * 10 s in the second run and 20 s in the first; 5 s of the stage were no model's.
    assert {one["stage"]: one["seconds"] for one in said["sums"]} == {"answers": 245.0, "student": 850.0, "test": 4.5}
    assert said["rows"][0]["key_name"] == "env:NEBIUS_API_KEY"
    assert said["rows"][0]["actor"] == "ada"


@pytest.mark.parametrize("by", ["stage", "model"])
def test_the_lines_add_up_to_the_last_one(tmp_path: Path, capsys: pytest.CaptureFixture[str], by: str) -> None:
    recorded(tmp_path)
    _, head, *lines, last, left = cost(tmp_path, capsys, "--by", by).splitlines()
    assert head.split()[0] == by
    money = [sum(map(Decimal, re.findall(r"\$([0-9.]+)", line))) for line in (*lines, last)]
    assert sum(money[:-1]) == money[-1] == Decimal("4.90")
    names = {line.split()[0] for line in lines}
    assert names == ({"answers", "student", "test"} if by == "stage" else {"big", "student", "(no"})
    assert left == "$15.10 of the budget of $20.00 are left"


def test_the_plan_stands_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path)
    (line,) = [line for line in cost(tmp_path, capsys).splitlines() if line.startswith("  answers")]
    assert line.endswith("$4.90  ≤ 22,114 rows, 90,578,944 tokens out")


def test_what_has_no_price_is_not_free_and_lost_calls_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two models, 10 calls each, of one of which nobody says the price; the other lost one call more, at a cent."""
    journal = Journal(tmp_path / "journal.sqlite3")
    journal.start("20261124-120000-x", "x", "distill.yaml", [("answers", "k", "generate")])
    journal.close()
    log = EventLog(tmp_path / "runs" / "20261124-120000-x" / "events.jsonl")
    log.emit("run started", run="20261124-120000-x", actor="ada", budget={"usd": "1", "calls": 100, "tokens": 5000})
    log.emit("stage started", stage="answers", key="k", kind="generate")
    none: dict[str, Any] = {"calls": 0, "prompt_tokens": 0, "completion_tokens": 0, "usd": "0"}
    for model, usd, prices in (("big", "0.11", {"input": "100", "output": "0", "discount": "0"}), ("free", "0", None)):
        lost = {**none, "calls": 1, "prompt_tokens": 100, "usd": "0.01"} if prices else none
        whole = {"calls": 10 + lost["calls"], "prompt_tokens": 1000 + lost["prompt_tokens"], "completion_tokens": 5, "usd": usd}
        about = {"stage": "answers", "shard": 0, "model": model, "opened": 0.0, "seconds": 1.0, "prices": prices}
        log.emit("spent", **about, answers=10, **whole, lost=lost, in_doubt=none, found={**none, "answers": 0})
    log.emit("stage sealed", stage="answers", key="k", kind="generate", seconds=2.0)
    log.close()
    by_model = cost(tmp_path, capsys, "--by", "model").splitlines()
    assert [line.rstrip().endswith(end) for line, end in zip(by_model[2:4], ("$0.11", "no price"), strict=True)] == [True, True]
    assert by_model[-5].endswith("≥ $0.11  without free")
    assert by_model[-4:] == [
        "1 call of these gave no answer and may be billed; counted at the most, $0.01",
        "$0.89 of the budget of $1.00 are left",
        "79 of 100 calls are left",
        "2,890 of 5,000 tokens are left",  # 1,000 + 100 lost + 5, and 1,000 + 5
    ]
    said = json.loads(cost(tmp_path, capsys, "--by", "model", "--format", "json"))
    assert {one["model"]: one["usd"] for one in said["sums"] if one["model"]} == {"big": "0.11", "free": None}
    assert (said["total"]["usd"], said["total"]["unpriced"]) == ("0.11", 10)


def test_without_a_run_there_is_nothing_to_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--store", str(tmp_path)]) == 2
    assert "nothing has run here yet" in capsys.readouterr().err


def test_a_training_elsewhere_costs_by_tokens_and_a_failed_job_is_paid_for_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The walk-through's training: 18.25 million tokens at $0.4 are $7.3; here after a job that failed at 1 million, $0.4."""
    for run, jobs in (("20261124-100000-grammar", [("job-a", 1_000_000)]), ("20261124-110000-grammar", [("job-b", 18_250_000)] * 2)):
        journal = Journal(tmp_path / "journal.sqlite3")
        journal.start(run, "grammar", "distill.yaml", STAGES)
        journal.close()
        log = EventLog(tmp_path / "runs" / run / "events.jsonl")
        log.emit("run started", run=run, actor="ada")
        for job, tokens in jobs:  # the second job is told of twice: by a run that was killed before it sealed, and by the next
            log.emit("stage started", stage="student", key="k2", kind="train")
            log.emit("trained", stage="student", tokens=tokens, job=job, price="0.4", key_name="env:NEBIUS_API_KEY")
            log.emit("stage failed", stage="student", key="k2", kind="train", seconds=10.0)
        log.close()
    said = json.loads(cost(tmp_path, capsys, "--format", "json"))
    assert (Decimal(said["total"]["usd"]), said["total"]["trained_tokens"]) == (Decimal("7.7"), 19_250_000)
    paid = [(row["model"], row["usd"], row["prices"], row["key_name"]) for row in said["rows"] if row["trained_tokens"]]
    assert paid == [
        ("student", "0.4000000", {"trained": "0.4"}, "env:NEBIUS_API_KEY"),
        ("student", "7.3000000", {"trained": "0.4"}, "env:NEBIUS_API_KEY"),
    ]
