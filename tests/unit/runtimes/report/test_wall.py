"""Wall time of a chain counts every stage that a model hangs on, once."""

from distillc.runtimes.report.wall import chains, with_times

INPUTS = {
    "student": {"model": "small", "rows": "answers"},
    "answers": {"model": "teacher"},
    "small": {"model": "teacher"},
    "gold": {"model": "small"},
}
SECONDS = {"teacher": 100.0, "small": 2.0, "answers": 40.0, "student": 60.0, "gold": 70.0}


def test_a_stage_on_two_ways_counts_once() -> None:
    assert chains({"s": "student", "g": "gold"}, INPUTS, SECONDS) == {"s": 202.0, "g": 172.0}


def test_a_chain_with_an_unknown_time_is_unknown() -> None:
    assert chains({"s": "student"}, INPUTS, {**SECONDS, "answers": None} | {}) == {"s": None}  # type: ignore[dict-item]
    assert with_times({"run": {"name": "x"}, "rows": []}, {"s": None, "g": 1.04})["run"] == {"name": "x", "seconds": {"g": 1.0}}
