import pytest

from distillc.spec.wording import closest, did_you_mean, distance, shorten


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [("kitten", "sitting", 3), ("limt", "limit", 1), ("ab", "ba", 1), ("", "abc", 3), ("same", "same", 0), ("a", "bcdefgh", 5)],
)
def test_distance_counts_edits_and_swaps_up_to_the_limit(a, b, edits):
    assert distance(a, b, 4) == edits


def test_the_nearest_name_is_near():
    assert closest("epocs", ["epochs", "steps"]) == "epochs"
    assert closest("Gguf", ["gguf", "onnx"]) == "gguf"
    assert closest("q4_k", ["q2_k", "q4_0", "q4_k_m", "q4_k_s"]) == "q4_k_m"
    assert closest("form", ["from", "form_of_it"]) == "from"
    assert closest("data", ["losses"]) is None
    assert closest("x" * 10_000, ["xx"]) is None


def test_without_a_near_name_all_are_listed():
    assert did_you_mean("zzz", ["b", "a"], "one of") == "one of: `a`, `b`"
    assert did_you_mean("zzz", []) is None


def test_long_text_is_one_short_line():
    assert shorten("a\nb") == "a\\nb" and len(shorten("x" * 500)) == 60
