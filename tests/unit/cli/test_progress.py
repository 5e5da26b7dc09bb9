"""Progress as plain lines: when a stage starts and ends, how far it is, and nothing that could fool a terminal."""

import pytest

from distillc.cli.progress import Bars, Lines, amounts, left


def said(capsys: pytest.CaptureFixture[str], *events: dict[str, object]) -> list[str]:
    lines = Lines()
    for event in events:
        lines(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_a_stage_starts_and_ends(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(
        capsys,
        {"event": "stage started", "stage": "pairs", "kind": "generate", "uses": "corrupt"},
        {"event": "stage sealed", "stage": "pairs", "kind": "generate", "uses": "corrupt", "seconds": 1.26},
        {"event": "stage kept", "stage": "prose"},
        {"event": "stage skipped", "stage": "edge", "message": "edge is not deployed: gate 'better' said no"},
    ) == ["pairs: generate corrupt …", "pairs: done in 1.3 s", "edge: edge is not deployed: gate 'better' said no"]


def test_rate_and_time_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 105.0, 120.0])
    monkeypatch.setattr("distillc.cli.progress.time.monotonic", lambda: next(clock))
    events: list[dict[str, object]] = [
        {"event": "progress", "stage": "a", "done": done, "total": 300, "unit": "rows"} for done in (0, 50, 100)
    ]
    # 100 rows in 20 s are 5 rows/s; the other 200 take 40 s. The event after 5 s is too early for a line.
    assert said(capsys, *events) == ["a: 100 of 300 rows, 5.0 rows/s, 40 s left"]


def test_what_goes_on_elsewhere_and_what_is_odd_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(
        capsys,
        {"event": "job", "stage": "answers", "job": "batch_1", "state": "in_progress"},
        {"event": "job event", "stage": "student", "job": "ftjob-1", "level": "info", "message": "Step 3: training loss=2.114"},
        {"event": "warning", "stage": "answers", "message": "3 of 20 rows of batch batch_1 have no answer\x1b[2J"},
        {"event": "answers lost", "stage": "answers", "of": 40, "models": {"big": {"refused": 12, "truncated": 1}, "other": {"empty": 2}}},
        {"event": "waits", "stage": "answers", "model": "big", "why": "429", "seconds": 8.0},
        {"event": "waits", "stage": "answers", "model": "big", "why": "no connection: refused", "seconds": 3.6, "next": 3, "tries": 6},
    ) == [
        "answers: batch_1 is in_progress",
        "student: Step 3: training loss=2.114",
        r"answers: warning: 3 of 20 rows of batch batch_1 have no answer\x1b[2J",
        "answers: of 40 answers each are lost: big 12 refused, 1 truncated; other 2 empty",
        "answers: big: 429, waits 8 s",
        "answers: big: no connection: refused, try 3 of 6 in 4 s",
    ]


def test_rows_that_were_dropped_are_counted_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    sealed = {"event": "stage sealed", "stage": "answers", "generated": 40, "kept": 27, "dropped": {"refused": 13}}
    whole = {"event": "stage sealed", "stage": "test", "generated": 2000, "kept": 2000, "dropped": {}}
    assert said(capsys, {**sealed, "seconds": 1.13}, {**whole, "seconds": 83.0}, {**sealed, "event": "stage kept"}) == [
        "answers: 27 of 40 kept (13 refused), 1.1 s",
        "test: 2,000 rows, 1 min 23 s",
    ]
    with Bars() as bars:
        bars({**sealed, "seconds": 1.13})
    assert "answers: 27 of 40 kept (13 refused), 1.1 s" in capsys.readouterr().err


def test_the_time_that_is_left_is_not_the_time_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """`left` stands behind a time that is known and is left, or nowhere."""
    now = 100.0
    with Bars() as bars:
        bars._progress.get_time = lambda: now
        bars({"event": "stage started", "stage": "answers", "kind": "generate"})
        [task] = bars._progress.tasks
        shown = [task.fields["rate"]]
        for done in (0, 10, 20, 20):
            bars({"event": "progress", "stage": "answers", "done": done, "total": 40, "unit": "rows"})
            shown.append(task.fields["rate"])
            now += 5.0
    assert shown[:2] == ["", "rows"]
    assert shown[-1] == "rows, 2.0/s, 10 s left", "20 rows in 10 s; the other 20 take 10 s more"


def test_two_stages_at_work_have_a_bar_each(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as bars:
        for stage in ("answers", "student"):
            bars({"event": "stage started", "stage": stage, "kind": "train"})
        bars({"event": "progress", "stage": "answers", "done": 5, "total": 20, "unit": "rows"})
        bars({"event": "progress", "stage": "student", "done": 1, "total": 4, "unit": "rows"})
        shown = {task.description: (task.completed, task.total) for task in bars._progress.tasks}
        bars({"event": "stage sealed", "stage": "student", "seconds": 2.0})
        assert [task.description for task in bars._progress.tasks] == ["answers"]
    assert shown == {"answers": (5, 20), "student": (1, 4)}
    assert "student: done in 2.0 s" in capsys.readouterr().err


def test_steps_of_a_trainer_are_progress_too() -> None:
    assert amounts({"event": "train step", "step": 3, "steps": 10}) == (3, 10, "steps")
    assert amounts({"event": "shard sealed", "shard": 1}) is None


def test_times_in_words() -> None:
    assert [left(s) for s in (0.4, 59, 200, 3900)] == ["0 s", "59 s", "3 min 20 s", "1 h 05 min"]


def test_a_name_cannot_send_commands_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = said(capsys, {"event": "stage failed", "stage": "a\x1b[2Jb"})
    assert "\x1b" not in line
