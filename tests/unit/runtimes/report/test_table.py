"""The terminal table: everything is there, it fits, and no text of a model moves the cursor."""

from typing import Any

from distillc.runtimes.report.table import render


def test_no_line_is_wider_than_120_columns(report: dict[str, Any]) -> None:
    assert max(map(len, render(report).splitlines())) <= 120


def test_a_system_stands_with_interval_size_speed_and_latency(report: dict[str, Any]) -> None:
    line = next(line for line in render(report).splitlines() if line.startswith("  q8 "))
    assert line.split() == [
        "q8",
        "student",
        "0.441",
        "[0.385,",
        "0.497]",
        "77.0",
        "MB",
        "171",
        "374",
        "402",
        "20",
        "min",
        "53",
        "s",
        "0.300",
        "[0.248,",
        "0.352]",
    ]


def test_figures_that_do_not_exist_are_dashes(report: dict[str, Any]) -> None:
    line = next(line for line in render(report).splitlines() if line.startswith("  as_is "))
    assert line.split()[5:10] == ["–", "–", "–", "–", "–"]


def test_columns_that_do_not_fit_follow_under_the_same_names(report: dict[str, Any]) -> None:
    lines = render(report).splitlines()
    heads = [line for line in lines if line.startswith("  system ")]
    assert "gleu" not in heads[0] and "gleu" in heads[1]
    assert sum(line.startswith("  q8 ") for line in lines) > 2


def test_slices_differences_and_gates_are_printed(report: dict[str, Any]) -> None:
    text = render(report)
    assert "on unseen:\n" in text
    assert "−0.241  [−0.309, −0.173]  300" in text
    assert "  pass      better: q8 better than gold on errant_f0.5; +0.110 [+0.042, +0.178]" in text
    assert "  fail      close (warns only): q8 at most 0.05 worse than teacher on errant_f0.5" in text


def test_control_characters_never_reach_the_terminal(report: dict[str, Any]) -> None:
    report["rows"][0]["name"] = "\x1b[2Jgone\x07\u202e"
    report["run"]["name"] = "a\nb"
    text = render(report)
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert text.startswith("a b ·")


def test_a_report_without_metrics_is_a_table_of_names() -> None:
    row = {"name": "x", "role": "reference", "format": None, "metrics": {}, "slices": {}, "bytes": None, "tokens_per_second": None}
    assert "x  " in render({"run": {"name": "n"}, "rows": [{**row, "latency_ms": None}], "gates": []})


def test_what_was_set_on_the_command_line_stands_in_the_heading(report: dict[str, Any]) -> None:
    report["run"]["overrides"] = ["train.student.epochs=1"]
    assert " · --set train.student.epochs=1 · " in render(report).splitlines()[0]
