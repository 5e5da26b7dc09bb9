"""Rows are drawn alike for every model, spread over the set, and fewer of them are a part of more."""

from distillc.plugins.api.artifacts import Row
from distillc.runtimes.proof.drawn import drawn

ROWS = [Row(row_id=f"r{number}", payload={"input": str(number)}, source="s") for number in range(400)]


def ids(rows: list[Row]) -> list[str]:
    return [row.row_id for row in rows]


def test_a_draw_hangs_on_ids_and_seed_alone() -> None:
    assert set(ids(drawn(ROWS, 50, 7))) == set(ids(drawn(ROWS[::-1], 50, 7)))
    assert set(ids(drawn(ROWS, 50, 7))) != set(ids(drawn(ROWS, 50, 8)))


def test_rows_keep_their_order() -> None:
    found = drawn(ROWS, 50, 0)
    assert found == [row for row in ROWS if row in found]


def test_fewer_rows_are_a_part_of_more() -> None:
    assert set(ids(drawn(ROWS, 20, 3))) < set(ids(drawn(ROWS, 50, 3)))


def test_they_are_not_the_first_ones() -> None:
    """Of 400 rows 50 are drawn: by chance 6.25 of the first 50, and with 20 or more of them (5 sigma) it was none."""
    assert len(set(ids(drawn(ROWS, 50, 0))) & set(ids(ROWS[:50]))) < 20


def test_without_a_limit_and_with_one_beyond_the_set_all_are_there() -> None:
    assert drawn(ROWS, None, 0) == ROWS == drawn(ROWS, 400, 0)
