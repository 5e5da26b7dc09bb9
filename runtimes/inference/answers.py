"""The journal of a shard's finished answers: a kill loses at most the batch in flight.

A record is its length, the CRC-32 of its bytes (both little-endian, 32 bits), then JSON: an answer counts once its record is whole.
Opening the file cuts off what a kill tore. One process writes it; others may read it meanwhile.
"""

import hashlib
import json
import os
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from distillc.plugins.api.artifacts import Completion, Decoding
from distillc.plugins.api.engines import Running
from distillc.runtimes.inference.batching import groups

HEAD = struct.Struct("<II")


class AnswerJournal:
    def __init__(self, path: Path) -> None:
        self.answers: dict[str, Completion] = {}
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
        data = path.read_bytes()
        end = 0
        for key, completion, stop in _records(data):
            self.answers[key] = completion
            end = stop
        os.ftruncate(self._fd, end)
        os.lseek(self._fd, end, os.SEEK_SET)

    def append(self, key: str, completion: Completion) -> None:
        fields = {**asdict(completion), "logprobs": b64encode(completion.logprobs).decode()}
        data = json.dumps([key, fields], ensure_ascii=False).encode()
        record = HEAD.pack(len(data), zlib.crc32(data)) + data
        while record:  # a full disk may take a part: the rest of the record then raises, and the part is cut off next time
            record = record[os.write(self._fd, record) :]
        self.answers[key] = completion

    def close(self) -> None:
        os.close(self._fd)


def read_answers(path: Path) -> Iterator[tuple[str, Completion]]:
    """The whole records of a journal that somebody else writes: what is torn there may be at work, and stays."""
    return ((key, completion) for key, completion, _ in _records(path.read_bytes()))


def _records(data: bytes) -> Iterator[tuple[str, Completion, int]]:
    """(key, answer, where its record ends), up to the first record that is not whole."""
    place = 0
    while place + HEAD.size <= len(data):
        length, crc = HEAD.unpack_from(data, place)
        start, place = place + HEAD.size, place + HEAD.size + length
        if place > len(data) or zlib.crc32(data[start:place]) != crc:
            return
        key, fields = json.loads(data[start:place])
        yield key, Completion(**{**fields, "logprobs": b64decode(fields.get("logprobs", ""))}), place


def answer_key(field: str, row_id: str, prompt: str) -> str:
    return f"{field}\0{row_id}\0{hashlib.sha256(prompt.encode()).hexdigest()}"


def row_in(key: str) -> str:
    """The row's id in an answer's key."""
    return key.split("\0")[1]


def answer_all(
    running: Running,
    keys: Sequence[str],
    prompts: Sequence[str],
    inputs: Sequence[str],
    decoding: Decoding,
    journal: AnswerJournal,
    size: int,
) -> Generator[list[Completion], None, None]:
    """Answers group by group into the journal, skipping groups that are whole there; yields what each group newly cost.

    A group is one batch of the engine. One that a kill cut is asked again whole, so that its batch is the one it would have been.
    """
    for group in groups(prompts, size):
        if all(keys[i] in journal.answers for i in group):
            yield []
            continue
        fresh = []
        for index, completion in running.generate([prompts[i] for i in group], [inputs[i] for i in group], decoding):
            journal.append(keys[group[index]], completion)
            fresh.append(completion)
        yield fresh


def answer_each(
    running: Running,
    keys: Sequence[str],
    prompts: Sequence[str],
    inputs: Sequence[str],
    decoding: Decoding,
    journal: AnswerJournal,
    size: int,
) -> Generator[list[Completion], None, None]:
    """As `answer_all`, for an engine whose answers do not hang on what else it is asked: only what the journal lacks is asked.

    Yields, too, after each `size` answers. What it yields last was journalled when it came, as all the others were.
    """
    missing = [index for index, key in enumerate(keys) if key not in journal.answers]
    yield from ([] for _ in range((len(keys) - len(missing)) // size))
    fresh: list[Completion] = []
    for index, completion in running.generate([prompts[i] for i in missing], [inputs[i] for i in missing], decoding):
        journal.append(keys[missing[index]], completion)
        fresh.append(completion)
        if len(fresh) == size:
            yield fresh
            fresh = []
    yield fresh
