"""Parity: where two tokenizers first differ."""

from distillc.runtimes.proof.parity import NASTY, first_mismatch


def codes(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_equal_tokenizers_agree_on_everything() -> None:
    assert first_mismatch(NASTY, codes, codes) == (len(NASTY), None)


def test_the_first_difference_is_named() -> None:
    equal, found = first_mismatch(["ab", "abd", "x"], codes, lambda text: codes(text.replace("d", "D")))
    assert equal == 1
    assert found is not None
    assert (found.prompt, found.position, found.model, found.export) == ("abd", 2, ord("d"), ord("D"))


def test_a_second_bos_and_a_lost_token_are_differences() -> None:
    _, longer = first_mismatch(["ab"], codes, lambda text: [*codes(text), 0])
    assert longer is not None and (longer.position, longer.model, longer.export) == (2, None, 0)
    _, shorter = first_mismatch(["ab"], codes, lambda text: codes(text)[:1])
    assert shorter is not None and (shorter.position, shorter.model, shorter.export) == (1, ord("b"), None)
