"""Log-probabilities as servers tell them: which bytes are a token's, which tokens are the answer's, and that packing loses nothing.

The shapes are those of OpenAI (bytes of part of a letter, its text escaped), of vLLM (U+FFFD in text and bytes, the end token last) and of
llama-cpp-python's server (no bytes, what is no letter left out).
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillc.runtimes.inference.logprobs import Candidate, pack, packed, read, trimmed, unpack


def told(token: str, *others: tuple[str, float], value: float = -0.5, data: Any = "own") -> dict[str, Any]:
    def entry(token: str, value: float, data: Any) -> dict[str, Any]:
        return {"token": token, "logprob": value, "bytes": list(token.encode()) if data == "own" else data}

    return {**entry(token, value, data), "top_logprobs": [entry(other, its, "own" if data == "own" else None) for other, its in others]}


def tokens(content: list[dict[str, Any]], answer: str, **more: Any) -> list[bytes]:
    found = packed(read({"content": content}), answer, **more)
    return [position[0].token for position in unpack(found)[0]] if found else []


def test_candidates_come_with_their_values_and_the_written_one_first() -> None:
    content = [told("It", ("He", -0.25), ("It", -2.0)), told(" goes", value=-1.5)]
    positions, by_text = unpack(packed(read({"content": content}), "It goes"))
    assert positions == [[Candidate(b"It", -0.5), Candidate(b"He", -0.25)], [Candidate(b" goes", -1.5)]]
    assert not by_text


@pytest.mark.parametrize(
    ("written", "answer", "kept"),
    [
        (["It", " goes"], "It goes", ["It", " goes"]),
        ([" It", " goes", "\n"], "It goes", [" It", " goes"]),
        (["\n\n", "It", " goes", ".\n"], "It goes.", ["It", " goes", ".\n"]),
        (["It", " goes", "<|im_end|>"], "It goes", ["It", " goes"]),
        (["<think>", "It", " goes", "</think>", "\n\n", "It", " goes"], "It goes", ["It", " goes"]),
        (["It", " goes", " It"], "It goes It", ["It", " goes", " It"]),
        (["|", "<|im_end|>"], "|", ["|"]),
        (["It", " goes"], "It went", []),
        (["It", " goes", " on", " and", " on"], "It goes", []),
        (["so>It", " goes"], "It goes", []),
        (["It"], "", []),
    ],
)
def test_an_answer_s_tokens_are_found_among_all_that_was_written(written: list[str], answer: str, kept: list[str]) -> None:
    assert tokens([told(token) for token in written], answer) == [token.encode() for token in kept]


def test_a_stop_that_was_written_in_several_tokens_is_left_out() -> None:
    content = [told(token) for token in ("It", " goes", " #", "##")]
    assert tokens(content, "It goes", stops=["###"]) == [b"It", b" goes"]


def test_a_letter_in_two_tokens_is_known_by_its_bytes_alone() -> None:
    e = "é".encode()
    assert tokens([told("caf"), told("\\xc3", data=[e[0]]), told("\\xa9", data=[e[1]])], "café") == [b"caf", e[:1], e[1:]]
    vllm = [told("caf"), told("\ufffd", data=[0xEF, 0xBF, 0xBD]), told("é", data=list(e))]
    assert tokens(vllm, "café") == []
    llama = [told("caf", data=None), told("", data=None), told("", data=None)]
    assert tokens(llama, "café") == []


def test_of_a_candidate_that_nobody_knows_only_its_mass_is_left_to_the_rest() -> None:
    content = [told("It", ("\ufffd", -0.25), ("", -0.5), ("He", -1.0), ("She", -9999.0))]
    assert unpack(packed(read({"content": content}), "It"))[0] == [[Candidate(b"It", -0.5), Candidate(b"He", -1.0)]]


def test_what_has_texts_alone_is_marked() -> None:
    assert unpack(packed(read({"content": [told("It", data=None)]}), "It"))[1]
    one_without = told("It", ("He", -1.0))
    del one_without["top_logprobs"][0]["bytes"]
    assert unpack(packed(read({"content": [one_without]}), "It"))[1]


@pytest.mark.parametrize("data", [10**13, "It", {"0": 73}])
def test_bytes_are_a_list_of_numbers(data: Any) -> None:
    """`bytes` of a number would be that many zeros, as much memory as a server likes."""
    with pytest.raises(ValueError, match="a token has not"):
        read({"content": [told("It", data=data)]})


def test_a_number_beyond_all_floats_is_another_shape() -> None:
    with pytest.raises(ValueError, match="a token has not"):
        read({"content": [told("It") | {"logprob": -(10**400)}]})


def test_a_token_longer_than_can_be_packed_is_unknown() -> None:
    longest = "a" * 0xFFFF
    assert tokens([told(longest)], longest) == [longest.encode()]
    assert tokens([told(f"{longest}a")], f"{longest}a") == []
    [[written, *others]], _ = unpack(packed(read({"content": [told("It", (f"{longest}a", -1.0))]}), "It"))
    assert (written.token, others) == (b"It", [])


def test_none_told_is_none_and_another_shape_is_an_error() -> None:
    assert read(None) == read({"content": None}) == read({"content": []}) == []
    for shape in ({"content": ["It"]}, {"content": [{"token": "It"}]}, {"content": [{"token": 5, "logprob": -1.0}]}, [[-1.0]]):
        with pytest.raises(ValueError, match="a token has not"):
            read(shape)
    with pytest.raises(ValueError, match="a token has not"):
        read({"content": [told("It", value=float("nan"))]})


CANDIDATES = st.builds(Candidate, st.binary(min_size=1, max_size=300), st.floats(-9999.0, 0.0, width=32))


@given(st.lists(st.lists(CANDIDATES, min_size=1, max_size=21), max_size=5), st.booleans())
def test_packing_loses_nothing(positions: list[list[Candidate]], by_text: bool) -> None:
    data = pack(positions, by_text=by_text)
    assert unpack(data) == (positions, by_text)
    assert unpack(trimmed(data, 2)) == ([position[:3] for position in positions], by_text)
    assert len(data) == 5 + len(positions) + sum(6 + len(one.token) for position in positions for one in position)
