from hypothesis import given
from hypothesis import strategies as st

from distillc.testing.server.texts import count, pieces


@given(st.text())
def test_pieces_give_the_text_back(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_long_words_and_signs_are_pieces_of_their_own() -> None:
    assert pieces("Proofreading, 2024!") == ["Proofr", "eading", ",", " 202", "4", "!"]
    assert count("Proofreading, 2024!") == 6
