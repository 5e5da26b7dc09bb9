"""The split: whole groups on one side, exact numbers, an order that hangs on nothing but seed and ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillc.plugins.api.artifacts import Row, Split
from distillc.runtimes.stages.split import divide
from distillc.spec.errors import StageFailed


def rows(*sizes: int) -> list[Row]:
    """Groups of the given sizes, one behind the other."""
    return [
        Row(row_id=f"{group}-{i}", payload={"input": "x"}, source="s", group=f"g{group}")
        for group, size in enumerate(sizes)
        for i in range(size)
    ]


def sides(found: dict[Split, list[Row]]) -> dict[str, set[str]]:
    return {split: {row.row_id for row in side} for split, side in found.items()}


@given(st.lists(st.integers(1, 30), min_size=6, max_size=25), st.integers(1, 12), st.integers(1, 12), st.integers(0, 3))
def test_no_group_is_on_two_sides_and_each_side_has_what_was_asked(sizes: list[int], test: int, validation: int, seed: int) -> None:
    data = rows(*sizes)
    try:
        found, surplus = divide(data, [("test", test), ("validation", validation)], by_group=True, seed=seed, where="prose")
    except StageFailed:
        # Only where a side could not be filled beside the others: two sides take at most the largest groups whole.
        assert len(sizes) < 3 or sum(sizes) - 2 * max(sizes) < test + validation
        return
    assert (len(found["test"]), len(found["validation"])) == (test, validation)
    assert sum(map(len, found.values())) + surplus == len(data)
    groups = {split: {row.group for row in side} for split, side in found.items()}
    assert not groups["test"] & groups["validation"]
    assert not groups["train"] & (groups["test"] | groups["validation"])


def test_groups_that_fit_go_in_whole_and_nothing_is_left_over() -> None:
    found, surplus = divide(rows(*[2] * 20), [("test", 6), ("validation", 4)], by_group=True, seed=0, where="prose")
    assert surplus == 0
    assert {len([row for row in found["test"] if row.group == group]) for group in {row.group for row in found["test"]}} == {2}


def test_the_order_of_the_source_does_not_matter() -> None:
    data = rows(*[3] * 10)
    one = divide(data, [("test", 5)], by_group=False, seed=1, where="x")
    other = divide(data[::-1], [("test", 5)], by_group=False, seed=1, where="x")
    assert one == other
    assert [row.row_id for row in one[0]["train"]] != sorted(row.row_id for row in one[0]["train"])


def test_another_seed_takes_other_rows() -> None:
    data = rows(*[1] * 40)
    taken = {frozenset(sides(divide(data, [("test", 8)], by_group=False, seed=seed, where="x")[0])["test"]) for seed in range(4)}
    assert len(taken) == 4


@pytest.mark.parametrize(
    ("sizes", "by_group", "message"),
    [
        ((2, 2), True, "4 rows in 2 groups are too few for 9 test rows"),
        ((9,), True, "leaves no rows for training"),
        ((5, 4), False, "leaves no rows for training"),
    ],
)
def test_too_few_rows_are_one_clear_error(sizes: tuple[int, ...], by_group: bool, message: str) -> None:
    with pytest.raises(StageFailed, match=message):
        divide(rows(*sizes), [("test", 9)], by_group=by_group, seed=0, where="prose")


def test_rows_without_a_module_cannot_be_split_by_module() -> None:
    with pytest.raises(StageFailed, match="belong to no module, document or group"):
        divide([Row(row_id="1", payload={}, source="s")], [("test", 1)], by_group=True, seed=0, where="prose")
