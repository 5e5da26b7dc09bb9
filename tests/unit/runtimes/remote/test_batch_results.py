"""What may be billed, and what is in no file yet, of a batch's rows: ten, of which the first have an answer, and the next failed."""

from pathlib import Path
from typing import Any

import pytest

from distillc.runtimes.remote.batch_lines import Result, results_in
from distillc.runtimes.remote.batch_results import Given

NAMES = [str(number) for number in range(10)]
UNKNOWN: dict[str, Any] = {"completed": None, "failed": None, "total": None}


def counts(completed: int, failed: int) -> dict[str, Any]:
    return {"completed": completed, "failed": failed, "total": 10}


@pytest.mark.parametrize(
    ("state", "told", "answered", "failed", "unclear", "billed", "lacking"),
    [
        ("done", counts(10, 0), 10, 0, 0, 0, 0),
        ("done", counts(10, 0), 7, 0, 0, 3, 3),  # three are told nowhere
        ("completed", counts(10, 0), 7, 0, 3, 3, 0),  # three lines that nobody can match: they are in a file
        ("completed", counts(7, 3), 7, 3, 0, 0, 0),  # an error file that says all
        ("done", counts(7, 3), 7, 0, 0, 0, 0),  # failed, and told nowhere
        ("done", counts(10, 0), 7, 3, 0, 0, 0),  # failed inside the output file, which the API counts as completed
        ("done", counts(10, 0), 0, 0, 0, 10, 10),  # no file at all
        ("done", UNKNOWN, 0, 0, 0, 10, 10),
        ("COMPLETED", {}, 7, 1, 0, 2, 2),
        ("done", counts(0, 0), 0, 0, 0, 10, 10),  # not counted yet
        ("done", counts(0, 10), 0, 0, 0, 0, 0),
        ("expired", counts(7, 0), 7, 0, 0, 0, 0),
        ("expired", counts(7, 0), 5, 0, 0, 2, 2),
        ("cancelled", None, 7, 0, 0, 0, 0),
        ("failed", {}, 0, 0, 0, 0, 0),
    ],
)
def test_what_the_api_says_it_completed_is_paid_and_lies_in_a_file(
    state: str, told: Any, answered: int, failed: int, unclear: int, billed: int, lacking: int
) -> None:
    given = Given(answered=set(NAMES[:answered]), failed=dict.fromkeys(NAMES[answered : answered + failed], "no"), unclear=unclear)
    said, missing = {"status": state, "request_counts": told}, NAMES[answered:]
    assert given.billed(said, missing) == NAMES[answered + failed :][:billed]
    assert given.lacking(said, missing) == lacking


def test_a_line_that_nobody_can_read_or_match_is_a_result_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text(
        '{"custom_id": "a", "response": {"status_code": 200, "body": {"id": 1}}}\n{"custom_id": "b", "resp\n{"response": {"id": 1}}\n[]\n'
        '{"custom_id": "c", "response": null, "error": {"message": "no", "code": "x"}}\n',
        encoding="utf-8",
    )
    results = list(results_in(tmp_path / "results.jsonl"))
    assert results == [Result("a", reply={"id": 1}), Result(""), Result(""), Result(""), Result("c", error="no", code="x")]
