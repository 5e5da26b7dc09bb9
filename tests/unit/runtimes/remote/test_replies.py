"""JSON that a text can be made of again, whatever was in it."""

import json

import pytest

from distillc.runtimes.remote.replies import parsed


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (rb'"bad \ud83d"', "bad \ufffd"),
        (rb'"\uDE00 bad"', "\ufffd bad"),
        (rb'{"a\ud83d": ["b\ud83d"]}', {"a\ufffd": ["b\ufffd"]}),
        (rb'"\ud83d\ude00 and \ud83d"', "\N{GRINNING FACE} and \ufffd"),
        (b'"\xed\xa0\xbd"', "\ufffd"),
        (rb'"\\ud83d"', r"\ud83d"),
        (rb'["\ud83d", 1e999]', ["\ufffd", float("inf")]),
    ],
)
def test_half_a_pair_of_surrogates_is_replaced(content: bytes, told: object) -> None:
    assert parsed(content) == told
    json.dumps(parsed(content), ensure_ascii=False).encode()


@pytest.mark.parametrize("content", [b"[" * 200_000, b"", b"{", b"\xff"])
def test_what_is_no_json_is_one_kind_of_error(content: bytes) -> None:
    with pytest.raises(ValueError):
        parsed(content)
