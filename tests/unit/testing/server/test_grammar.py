import pytest

from distillc.testing.server.grammar import corrected


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("he don't like teh apples", "He doesn't like the apples."),
        ("The the cat sat on a old mat .", "The cat sat on an old mat."),
        ("She go to school , and they was late.", "She goes to school, and they were late."),
        ("i could of gone to an big park", "I could have gone to a big park."),
        ("It have a hour.", "It has a hour."),
        ("He goes to a university, i.e. here.", "He goes to a university, i.e. here."),
        ("", ""),
    ],
)
def test_simple_errors_are_taken_back_and_the_rest_is_left_alone(wrong: str, right: str) -> None:
    assert corrected(wrong) == right


def test_what_is_corrected_stays_as_it_is() -> None:
    once = corrected("they goes to a old school , becuase he know alot")
    assert once == "They go to an old school, because he knows a lot."
    assert corrected(once) == once
