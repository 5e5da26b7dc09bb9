"""What a probe says: the order, the front, the sentence, the table; each worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from distillc.runtimes.report.probe import on_front, ranked
from distillc.runtimes.report.probe_text import part_of, render, sentence

Apart = tuple[float, float, float]


def model(name: str, value: float, usd: str | None, **more: Any) -> dict[str, Any]:
    return {
        "model": name,
        "metric": {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 50, "failed": 0},
        "rows": 50,
        "lost": {"share": 0.04, "reasons": {"refused": 1, "truncated": 1}},
        "prompt_tokens": 600,
        "completion_tokens": 425,
        "mode": "sync",
        "usd_per_1000": usd,
        "usd_job": None,
        "seconds_per_row": None,
        **more,
    }


def found(*models: dict[str, Any], higher: bool = True, **apart: Apart) -> list[dict[str, Any]]:
    """Ranked. `apart`: for each model but the best what lies between it and the best."""
    best = max(models, key=lambda one: one["metric"]["value"] if higher else -one["metric"]["value"])["model"]
    known: dict[tuple[str, str], Any] = {(name, best): dict(zip(("value", "low", "high"), gap, strict=True)) for name, gap in apart.items()}
    return ranked(models, known, higher=higher)


def names(models: list[dict[str, Any]]) -> list[str]:
    return [one["model"] for one in models]


def test_the_best_comes_first_and_of_equals_the_cheaper_then_what_has_no_price() -> None:
    models = found(model("a", 0.5, "1"), model("none", 0.7, None), model("dear", 0.7, "3"), model("cheap", 0.7, "2"))
    assert names(models) == ["cheap", "dear", "none", "a"]


def test_where_less_is_better_the_lowest_comes_first() -> None:
    models = found(model("a", 0.5, "1"), model("b", 0.2, "2"), higher=False)
    assert names(models) == ["b", "a"]
    assert all(one["front"] for one in models)


def test_the_front_has_those_that_no_other_beats_in_both() -> None:
    """d is worse and dearer than c; e is as good as c, and dearer; f is as cheap as b, and worse; g has no price, and beats nobody."""
    models = [
        model("a", 0.9, "10"),
        model("b", 0.5, "1"),
        model("c", 0.8, "4"),
        model("d", 0.7, "5"),
        model("e", 0.8, "6"),
        model("f", 0.4, "1"),
        model("g", 0.95, None),
    ]
    assert [one["model"] for one in models if on_front(one, models, higher=True)] == ["a", "b", "c"]


def test_two_that_are_alike_in_both_are_both_on_it() -> None:
    models = [model("a", 0.5, "1"), model("b", 0.5, "1.0")]
    assert all(on_front(one, models, higher=True) for one in models)


def test_a_difference_that_was_kept_the_other_way_round_is_turned() -> None:
    models = ranked([model("a", 0.5, "1"), model("b", 0.6, "1")], {("b", "a"): {"value": 0.1, "low": -0.02, "high": 0.3}}, higher=True)
    assert models[1]["difference"] == {"value": -0.1, "low": -0.3, "high": 0.02}
    assert (models[0]["difference"], models[0]["as_good"], models[1]["as_good"]) == (None, False, True)


def test_the_cheapest_of_those_that_are_as_good_is_named() -> None:
    models = found(
        model("big", 0.80, "6"),
        model("mid", 0.79, "3"),
        model("small", 0.79, "1"),
        model("tiny", 0.30, "0.1"),
        mid=(-0.01, -0.03, 0.01),
        small=(-0.01, -0.04, 0.02),
        tiny=(-0.5, -0.6, -0.4),
    )
    assert sentence(models) == "`small` is as good as the best, `big`, on 50 rows (−0.010 [−0.040, +0.020]), at a sixth of the price."


def test_the_best_may_be_better_than_all_that_cost_less() -> None:
    models = found(
        model("big", 0.8, "6"), model("dear", 0.79, "9"), model("mid", 0.6, "3"), mid=(-0.2, -0.3, -0.1), dear=(-0.01, -0.1, 0.1)
    )
    assert sentence(models) == ("`big` is better on 50 rows than `mid` (−0.200 [−0.300, −0.100]), which comes at half the price.")
    more = found(model("big", 0.8, "6"), model("mid", 0.6, "3"), model("low", 0.5, "1"), mid=(-0.2, -0.3, -0.1), low=(-0.3, -0.4, -0.2))
    assert sentence(more) == (
        "`big` is better on 50 rows than all that cost less; the best of those is `mid` (−0.200 [−0.300, −0.100]), at half the price."
    )


def test_better_than_all_that_cost_less_is_said_where_each_interval_is_known() -> None:
    """One row has no interval: `summary.json` says null of what is not finite."""
    big, mid, small = model("big", 0.8, "6"), model("mid", 0.6, "3"), model("small", 0.5, "1")
    known = {"value": -0.2, "low": -0.3, "high": -0.1}
    apart: dict[tuple[str, str], Any] = {("mid", "big"): known, ("small", "big"): {"value": -0.3, "low": None, "high": None}}
    assert sentence(ranked([big, mid, small], apart, higher=True)) == (
        "`big` is the best on 50 rows; of those that cost less, `mid` is the best, at half the price."
    )
    assert sentence(ranked([big, mid, small], {("mid", "big"): known}, higher=True)).startswith("`big` is the best on 50 rows;")


def test_where_no_answer_has_a_value_none_is_the_best() -> None:
    models = [model("a", 0.0, "1"), model("b", 0.0, "2")]
    for one in models:
        one["metric"] = {"value": None, "low": None, "high": None, "n": 0, "failed": 50}
    assert sentence(ranked(models, {}, higher=True)) == "No answer has a value to choose by."


def test_the_best_may_be_the_cheapest() -> None:
    models = found(model("big", 0.8, "1"), model("other", 0.5, "3"), model("local", 0.79, None), other=(-0.3, -0.4, -0.2), local=(0, -1, 1))
    assert sentence(models) == "`big` is the best on 50 rows, and none is cheaper; `local` is as good."


def test_the_best_may_have_no_price() -> None:
    models = found(model("local", 0.8, None), model("api", 0.79, "3"), api=(-0.01, -0.1, 0.1))
    assert sentence(models) == "`local` is the best on 50 rows and has no price; `api` is as good."
    assert sentence(found(model("local", 0.8, None), model("api", 0.1, "3"), api=(-0.7, -0.8, -0.6))) == (
        "`local` is the best on 50 rows and has no price."
    )


def test_rows_that_all_answer_alike_name_no_best() -> None:
    """Three that get nothing right: the cheapest of them is no good teacher."""
    same: dict[str, Any] = {"b": (0.0, 0.0, 0.0), "c": (-0.0, -0.0, -0.0)}
    said = "All 3 have 0.500 [0.400, 0.600] on 50 rows, which do not tell them apart"
    assert sentence(found(model("a", 0.5, "1"), model("b", 0.5, "2"), model("c", 0.5, "3"), **same)) == f"{said}; `a` is the cheapest."
    assert sentence(found(model("a", 0.5, "1"), model("b", 0.5, "1"), model("c", 0.5, "3"), **same)) == f"{said}."
    assert sentence(found(model("a", 0.5, "1"), model("b", 0.5, "2"), model("c", 0.5, None), **same)) == f"{said}."
    assert sentence(found(model("a", 0.5, "1"), model("b", 0.5, "2"), b=(0.0, 0.0, 0.0))) == (
        "Both have 0.500 [0.400, 0.600] on 50 rows, which do not tell them apart; `a` is the cheaper."
    )


def test_one_alone_is_compared_with_none() -> None:
    assert sentence(found(model("a", 0.5, "1"))) == "`a` has 0.500 [0.400, 0.600] on 50 rows; there is no other to compare it with."


@pytest.mark.parametrize(
    ("price", "whole", "said"),
    [
        ("1", "2", "at half the price"),
        ("1", "6", "at a sixth of the price"),
        ("0.35", "1", "at a third of the price"),  # 0.35 · 3 = 1.05
        ("0.4", "1", "at 40 % of the price"),  # neither half (0.8) nor a third (1.2)
        ("0.97", "1", "at 97 % of the price"),
        ("0.1", "1", "at a tenth of the price"),
        ("0.04", "1", "at 4 % of the price"),
        ("0.001", "1", "at less than 1 % of the price"),
        ("0", "1", "for nothing"),
    ],
)
def test_a_share_of_a_price_in_words(price: str, whole: str, said: str) -> None:
    assert part_of(Decimal(price), Decimal(whole)) == said


def test_the_table_has_a_line_a_model_and_ends_with_the_sentence() -> None:
    big = model("big", 0.8, "0.072", usd_job="144", seconds_per_row=0.126, mode="batch")
    local = model("local", 0.5, None, lost={"share": 0.0, "reasons": {}})
    models = found(big, local, local=(-0.3, -0.4, -0.2))
    job = {"steps": ["answers"], "rows": 2_000_000}
    about = {"data": "pairs.validation", "by": "gleu", "rows": 50, "job": job, "spent_usd": "0.0036", "says": "So it is."}
    text = render({**about, "models": models, "not_reached": {"far": "nobody answers"}})
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    assert next(line for line in lines if line.startswith("  big ")).split() == [
        "big", "*", "0.800", "[0.700,", "0.900]", "4", "%", "12.0", "8.5", "$0.0720", "$144.00", "0.13",
    ]  # fmt: skip
    assert next(line for line in lines if line.startswith("  local ")).split() == [
        "local", "0.500", "[0.400,", "0.600]", "−0.300", "[−0.400,", "−0.200]", "0", "%", "12.0", "8.5", "no", "price", "no", "price", "–",
    ]  # fmt: skip
    assert next(line for line in lines if line.startswith("  far ")).split() == ["far", "not", "reached"]
    assert "far was not reached: nobody answers" in lines
    assert {"the job: 2,000,000 rows of answers at most", "lost to a student: big 1 refused, 1 truncated"} < set(lines)
    assert lines[-1] == "So it is."
