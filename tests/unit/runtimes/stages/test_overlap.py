"""Overlap: which test rows count as known, how it is said, and that decontaminated rows pass."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.plan import Input, Stage
from distillc.plugins import registry
from distillc.plugins.api.artifacts import Row, Task
from distillc.plugins.curators.configs import DecontaminateConfig
from distillc.plugins.curators.decontaminate import Decontaminate
from distillc.runtimes.stages import overlap
from distillc.runtimes.stages.context import Artifact, StageContext
from distillc.runtimes.store.rows import write_rows
from distillc.spec.errors import StageFailed

Pairs = Sequence[tuple[str, str]]


def row(split: Any, number: int, input: str, target: str) -> Row:
    return Row(row_id=f"{split}-{number}", payload={"input": input, "target": target}, source="s", split=split)


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """`check(training pairs, NAME=test pairs, …)`: the stage on these rows."""

    def run(train: Pairs, **tests: Pairs) -> dict[str, Any]:
        inputs = {"rows": Input("pairs", "train")} | {f"test.{name}": Input(name, "test") for name in tests}
        for port, entry in inputs.items():
            (tmp_path / port).mkdir()
            pairs = train if port == "rows" else tests[entry.stage]
            rows = [row(entry.split, number, *pair) for number, pair in enumerate(pairs)]
            write_rows(tmp_path / port / f"{entry.split}-00000.parquet", rows)
        config = {"step": "student", "data": "pairs", "tests": {name: f"{name}.test" for name in tests}}
        stage = Stage("student/overlap", "overlap", None, config, inputs, key="k")
        artifacts = {port: Artifact(tmp_path / port) for port in inputs}
        return overlap.run(StageContext(stage, tmp_path, tmp_path, tmp_path, artifacts, registry.load()))

    return run


class Against:
    """A curator's context that protects these rows."""

    task = Task(kind="generate", input="text", target="fixed", prompt="{{ text }}")

    def __init__(self, tests: dict[str, list[Row]]) -> None:
        self.tests = tests

    def rows(self, field: str) -> dict[str, list[Row]]:
        return self.tests if field == "against" else {}


SIX = "one two three four five six"


def test_rows_apart_are_counted(check: Any) -> None:
    assert check([("a", "b"), ("c", "d")], seen=[("e", "f")], other=[("g", "h"), ("i", "j")]) == {
        "rows": 2, "tests": {"seen": {"rows": 1, "overlap": 0}, "other": {"rows": 2, "overlap": 0}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("train", "test", "meets"),
    [
        (("She go home.", "x"), ("  she GO\n home!", "y"), True),
        (("go", "x"), ("Go.", "y"), True),
        (("x", SIX), ("y", f"{SIX.upper()}…"), True),
        (("x", "one two three four five"), ("y", "one two three four five"), False),  # five words: too short to know by
        (("x", SIX), (SIX, "y"), False),  # a target that comes as an input is another question
        (("...", "x"), ("?!", "y"), False),  # no words, nothing to compare
        (("straße", "x"), ("STRASSE", "y"), True),
    ],
)
def test_what_counts_as_known(check: Any, train: tuple[str, str], test: tuple[str, str], meets: bool) -> None:
    if meets:
        with pytest.raises(StageFailed):
            check([train], seen=[test])
    else:
        check([train], seen=[test])


def test_the_error_counts_shows_and_leads_out(check: Any) -> None:
    long = "word " * 40
    with pytest.raises(StageFailed) as raised:
        check([(long, "t"), ("b", "t")], seen=[("a", "t"), (f"{long}!", "t"), ("B", "t")], other=[("c", "t")], third=[("b!", "t")])
    error = raised.value
    assert (error.where, error.exit_code) == ("student/overlap", 5)
    assert "2 of 3 rows of the test set 'seen.test' and 1 of 1 rows of the test set 'third.test'" in error.message
    assert "training rows of 'student'" in error.message
    assert "other" not in error.message
    shown = error.message.partition("for example ")[2].strip("'")
    assert (len(shown), shown[:9], shown[-1]) == (80, "word word", "…")
    assert "{from: pairs, steps: [{uses: decontaminate, against: [seen.test, third.test]}]}" in (error.help or "")
    assert "split: {by: module}" in (error.help or "")


def test_what_was_decontaminated_passes(check: Any) -> None:
    pairs = [("She go.", "She goes."), ("It's of.", f"{SIX}, it's."), (f"{SIX} seven", "t"), ("...", "!"), ("ﬁne", "fine")]
    held = [("she GO", "x"), ("y", f"{SIX} it's"), ("FINE", "z"), ("?", "!!")]
    rows = [row("train", number, *pair) for number, pair in enumerate(pairs)]
    tests = {"seen.test": [row("test", number, *pair) for number, pair in enumerate(held)]}
    curator = Decontaminate(DecontaminateConfig(against=("seen.test",)))
    kept = [pair for pair, reason in zip(pairs, curator.judge(rows, Against(tests)), strict=True) if reason is None]
    assert kept == [(f"{SIX} seven", "t"), ("...", "!")]
    check(kept, seen=held)
