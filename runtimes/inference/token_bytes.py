"""The bytes that each token of a tokenizer stands for, and the token that some bytes are.

Known of byte-level tokenizers (GPT-2's alphabet: a letter for each byte) and of those that write a blank as ▁ and letters that they lack as
bytes (`<0x0A>`), as tokenizer.json or inside a GGUF file. Of others nobody can say it without encoding a text again, so they are refused.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from distillc.runtimes.given import given
from distillc.spec.errors import StageFailed

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_HELP = "name a tokenizer.json of byte-level BPE or of a SentencePiece kind, its folder, or a .gguf file"


def _alphabet() -> dict[str, int]:
    """GPT-2's letter for each byte: visible Latin-1 letters stand for themselves, the others for those from U+0100 on, in order."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {chr(byte): byte for byte in visible} | {chr(0x100 + place): byte for place, byte in enumerate(hidden)}


_LETTERS = _alphabet()


class TokenBytes:
    """`ordinary` are pieces of text by id; `lone` bytes of letters that have no piece; `marks` what stands in texts as a whole and means
    something else, as an end token."""

    def __init__(self, size: int, ordinary: Mapping[int, bytes], lone: Mapping[int, bytes], marks: Mapping[int, bytes]) -> None:
        self.size = size
        self._ordinary, self._lone, self._marks = ordinary, lone, marks

    @cached_property
    def _ids(self) -> dict[bytes, int]:
        twice = {data for data, count in Counter(self._ordinary.values()).items() if count > 1}
        found = {data: token for token, data in self._ordinary.items() if data not in twice}
        for token, data in (*self._lone.items(), *self._marks.items()):
            if data not in twice:
                found.setdefault(data, token)
        return found

    @cached_property
    def _unclear(self) -> frozenset[bytes]:
        """Texts that several tokens have, once the bytes are left out that are no letter."""
        every = (*self._ordinary.values(), *self._lone.values())
        texts = Counter(data.decode("utf-8", "ignore") for data in every)
        return frozenset(text.encode() for text, count in texts.items() if count > 1)

    def id_of(self, data: bytes, *, by_text: bool = False) -> int | None:
        """The token that these bytes are; `by_text` where bytes that are no letter may be missing. None where there is none, or where two
        may be meant."""
        return None if by_text and data in self._unclear else self._ids.get(data)

    def id_of_written(self, data: bytes) -> int:
        """The token that a model wrote. Raises StageFailed where this cannot be its tokenizer."""
        token = self.id_of(data)
        if token is None:
            raise StageFailed(
                f"the API wrote the token {data!r}, and `tokenizer` has none of these bytes, or two",
                help="name the tokenizer of the model that is behind the API: its tokenizer.json, its folder or a .gguf file",
            )
        return token

    def spelled(self, ids: Iterable[int]) -> bytes:
        """What tokens write; an id that is no piece of text writes nothing."""
        return b"".join(self._ordinary.get(token, self._lone.get(token, b"")) for token in ids)


def token_bytes(place: Path) -> TokenBytes:
    """Of a tokenizer.json, a folder that has one, or a GGUF file. Raises StageFailed for what is none, and for another kind."""
    file = place / "tokenizer.json" if place.is_dir() else place
    if file.suffix.lower() == ".gguf":
        return _of_gguf(file)
    try:
        described = json.loads(file.read_bytes())
        return _of_json(described, file.name)
    except OSError as error:
        raise StageFailed(f"{file.name} cannot be read: {error.strerror}", where=str(place), help=_HELP) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StageFailed(f"{file.name} is no tokenizer: {type(error).__name__}", where=str(place), help=_HELP) from error


def _of_json(described: Mapping[str, Any], name: str) -> TokenBytes:
    vocabulary = described["model"]["vocab"]
    tokens = {int(i): str(t) for t, i in vocabulary.items()} if isinstance(vocabulary, dict) else dict(enumerate(t for t, _ in vocabulary))
    added = {int(token["id"]): token for token in described.get("added_tokens") or ()}
    marks = {i: str(token["content"]) for i, token in added.items() if token.get("special")}
    literal = {i: str(token["content"]) for i, token in added.items() if not token.get("special")}
    pieces = {i: token for i, token in tokens.items() if i not in added}
    size = max([*tokens, *added], default=-1) + 1
    kinds = {str(part.get("type")) for key in ("decoder", "pre_tokenizer") for part in _parts(described.get(key))}
    blank = any(
        part.get("type") == "Metaspace" or (part.get("type") == "Replace" and part.get("content") == " ")
        for part in _parts(described.get("decoder"))
    )
    if "ByteLevel" in kinds:
        return _made(size, pieces, {}, literal, marks, byte_level=True)
    if blank:
        lone = {i: token for i, token in pieces.items() if _BYTE.fullmatch(token)} if "ByteFallback" in kinds else {}
        return _made(size, {i: token for i, token in pieces.items() if i not in lone}, lone, literal, marks, byte_level=False)
    raise StageFailed(f"{name} is a tokenizer of a kind whose bytes are not known here ({', '.join(sorted(kinds)) or 'none'})", help=_HELP)


def _parts(part: Any) -> Iterator[Mapping[str, Any]]:
    """A decoder or pre-tokenizer, or those that a sequence has."""
    if isinstance(part, Mapping):
        yield part
        for inner in (*part.get("decoders", ()), *part.get("pretokenizers", ())):
            yield from _parts(inner)


def _of_gguf(file: Path) -> TokenBytes:
    from gguf import GGUFReader, TokenType

    from distillc.compiler.facts.gguf import read_header

    with given(file.name):
        read_header(file)  # ours first, which believes no length before it has looked at the file
    fields = GGUFReader(file).fields
    said = {key: fields[name].contents() for key in ("model", "tokens", "token_type") if (name := f"tokenizer.ggml.{key}") in fields}
    if said.get("model") not in ("gpt2", "llama") or "tokens" not in said:
        raise StageFailed(f"{file.name} has a tokenizer whose bytes are not known here ({said.get('model')!r})", help=_HELP)
    tokens: Sequence[str] = said["tokens"]
    kinds: Sequence[int] = said.get("token_type") or [int(TokenType.NORMAL)] * len(tokens)
    if len(kinds) != len(tokens):
        raise StageFailed(f"{file.name} has {len(tokens):,} tokens and the kinds of {len(kinds):,}", help="download or convert it again")
    by_kind: dict[int, dict[int, str]] = {}
    for place, (token, kind) in enumerate(zip(tokens, kinds, strict=True)):
        by_kind.setdefault(int(kind), {})[place] = token
    normal, lone, literal, marks = (
        by_kind.get(int(kind), {}) for kind in (TokenType.NORMAL, TokenType.BYTE, TokenType.USER_DEFINED, TokenType.CONTROL)
    )
    return _made(len(tokens), normal, lone, literal, marks, byte_level=said["model"] == "gpt2")


def _made(
    size: int, pieces: Mapping[int, str], lone: Mapping[int, str], literal: Mapping[int, str], marks: Mapping[int, str], *, byte_level: bool
) -> TokenBytes:
    written = _byte_level if byte_level else _blank
    return TokenBytes(
        size,
        {i: written(token) for i, token in pieces.items()} | {i: token.encode() for i, token in literal.items()},
        {i: bytes.fromhex(found[1]) for i, token in lone.items() if (found := _BYTE.fullmatch(token))},
        {i: token.encode() for i, token in marks.items()},
    )


def _byte_level(token: str) -> bytes:
    try:
        return bytes(_LETTERS[letter] for letter in token)
    except KeyError:  # no piece of a byte-level text: it stands for itself
        return token.encode()


def _blank(token: str) -> bytes:
    return token.replace("▁", " ").encode()
