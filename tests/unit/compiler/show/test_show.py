"""Plans as trees and as JSON."""

import json
from typing import Any

from distillc.compiler.plan import Estimate, Input, Plan, Stage, from_json
from distillc.compiler.show import json as as_json
from distillc.compiler.show import tree

PLAN = Plan(
    "demo",
    "distill.yaml",
    "",
    (
        Stage("d/ingest", "ingest", "jsonl", {}, {}, "k1", Estimate(rows=2000)),
        Stage("d", "split", None, {}, {"rows": Input("d/ingest")}, "k2"),
        Stage("t", "train", "local", {"steps": 30, "batch": 8, "epochs": 1}, {"rows": Input("d", "train")}, "k3"),
    ),
    {"d/ingest": "d", "d": "d", "t": "t"},
    {},
    profile="quick",
)


def test_the_tree_groups_stages_by_step() -> None:
    assert tree.render(PLAN).splitlines() == [
        "demo (quick)",
        "├─ d            2 stages",
        "│  ├─ d/ingest  ingest: jsonl    ≤ 2,000 rows",
        "│  └─ d         split            ← d/ingest",
        "└─ t            train: local     ← d.train · ≤ 30 steps of 8",
        "",
        "3 stages",
    ]


def test_the_tree_says_what_is_done() -> None:
    text = tree.render(PLAN, lambda key: key == "k1")
    assert "d            2 stages       1 of 2 to run" in text
    assert text.splitlines()[-1] == "3 stages · 1 done, 2 to run"


def answering(config: dict[str, Any], tokens: int | None = None) -> str:
    """The last line of a plan whose one stage answers."""
    stage = Stage("a", "generate", "answer", config, {}, "k", Estimate(tokens=tokens))
    return tree.render(Plan("demo", "distill.yaml", "", (stage,), {"a": "a"}, {}), lambda key: False).splitlines()[-1]


def test_the_tree_says_where_nothing_is_known_of_what_models_write() -> None:
    """Of one model and of a panel; silence would read as nothing to pay."""
    known = "1 stage · 0 done, 1 to run · models write at most 80 tokens"
    assert answering({"engine": {"uses": "http"}}, tokens=80) == known
    for config in ({"engine": {"uses": "http"}}, {"engines": {"a": {"uses": "http"}}}):
        assert "what models write is not known" in answering(config)
    assert answering({}) == "1 stage · 0 done, 1 to run"


def test_models_whose_price_nobody_says_are_named() -> None:
    """Of two stages: in the one `big` costs $0.02 and `other` nobody knows what, in the other `other` is asked alone."""

    def last_line(*models: dict[str, dict[str, Any]]) -> str:
        stages = tuple(
            Stage(f"a{number}", "generate", "answer", {}, {}, f"k{number}", Estimate(models=each)) for number, each in enumerate(models)
        )
        return tree.render(Plan("demo", "distill.yaml", "", stages, {one.id: one.id for one in stages}, {})).splitlines()[-1]

    both: dict[str, Any] = {"big": {"usd": "0.02"}, "other": {"usd": None}}
    alone: dict[str, Any] = {"other": {"usd": None}}
    assert last_line(both, alone) == "2 stages · what is paid for costs about $0.0200 without other, answers as long as they may be"
    assert last_line(alone) == "1 stage · nobody says what other costs"
    assert last_line({"here": {"rows": 3}}) == "1 stage"


def test_json_is_a_plan_that_also_says_what_is_done() -> None:
    text = as_json.render(PLAN, lambda key: key == "k1")
    assert [stage["done"] for stage in json.loads(text)["stages"]] == [True, False, False]
    assert from_json(text) == PLAN
    assert from_json(as_json.render(PLAN)) == PLAN
