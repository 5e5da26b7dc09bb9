"""What a teacher knows about given target tokens, kept in few bytes: the form on disk, and reading it at a temperature.

For each target token the smallest set of ids that holds `mass` of the teacher's probability (at most `top_k`), their
log-probabilities at T = 1, and for each temperature of the grid the log-sum of exp(log-probability / T) over all other ids. With
those sums the distribution over kept ids and one bucket is exact at every temperature of the grid, up to float16.

Signals may be gathered: an API told them of its own answers. Then the targets are the tokens that it wrote, and training takes them as they
are. Of the end token it tells nothing; there the signals read as all mass in the bucket, of which every soft loss is 0, as is its gradient.

A file holds some rows: `offsets` (rows + 1) into the tokens, `starts` (tokens + 1) into the kept ids, `targets` (tokens), `ids` and
`log_probs` (kept), `tails` (tokens, temperatures), and in its header one JSON text with the row ids and where it all came from.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.runtimes.training.examples import Example
from distillc.spec.errors import StageFailed

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalHeader:
    """`tokenizer` and `model` are digests: a student with another vocabulary must not read these. `vocabulary`: how many ids there are."""

    vocabulary: int
    temperatures: tuple[float, ...]
    mass: float
    top_k: int
    tokenizer: str
    model: str
    gathered: bool = False


@dataclass(slots=True)
class SignalWriter:
    """Gathers rows and writes one file; the same rows give the same bytes."""

    header: SignalHeader
    rows: list[str] = field(default_factory=list)
    _parts: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    def add(self, row_id: str, targets: Sequence[int], log_probs: Tensor) -> None:
        """One row; `log_probs` (tokens, vocabulary) float32 at T = 1, one for each target."""
        self.add_kept(row_id, targets, sparsify(log_probs, self.header))

    def add_kept(self, row_id: str, targets: Sequence[int], kept: "Kept") -> None:
        """One row of which no more is known than what is kept."""
        header = self.header
        self.rows.append(row_id)
        self._parts.append(
            {
                "targets": np.asarray(targets, dtype=np.uint32),
                "counts": np.asarray(kept.counts, dtype=np.uint8 if header.top_k < 256 else np.int32),
                "ids": np.asarray(kept.ids, dtype=np.uint16 if header.vocabulary <= 1 << 16 else np.uint32),
                "log_probs": np.asarray(kept.log_probs, dtype=np.float16),
                "tails": np.asarray(kept.tails, dtype=np.float16).reshape(len(targets), len(header.temperatures)),
            }
        )

    @classmethod
    def joined(cls, header: SignalHeader, writers: Sequence["SignalWriter"]) -> "SignalWriter":
        """All rows of some writers, in their order."""
        return cls(header, [row for writer in writers for row in writer.rows], [part for writer in writers for part in writer._parts])

    @property
    def tokens(self) -> int:
        return sum(len(part["targets"]) for part in self._parts)

    def write(self, path: Path) -> None:
        counts = np.concatenate([part["counts"] for part in self._parts])
        sizes = [len(part["targets"]) for part in self._parts]
        tensors = {name: np.concatenate([part[name] for part in self._parts]) for name in ("targets", "ids", "log_probs", "tails")}
        tensors["offsets"] = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        tensors["counts"] = counts
        header = {
            "version": VERSION,
            "rows": self.rows,
            "vocabulary": self.header.vocabulary,
            "temperatures": self.header.temperatures,
            "mass": self.header.mass,
            "top_k": self.header.top_k,
            "tokenizer": self.header.tokenizer,
            "model": self.header.model,
            **({"gathered": True} if self.header.gathered else {}),
        }
        # One key: safetensors does not keep the order of several.
        save_file(tensors, path, metadata={"distillc_signals": json.dumps(header, sort_keys=True)})


class Kept(NamedTuple):
    """Of some tokens: how many ids are kept of each, these ids and their log-probabilities one behind the other, and the tails (tokens,
    temperatures)."""

    counts: ArrayLike
    ids: ArrayLike
    log_probs: ArrayLike
    tails: ArrayLike


def sparsify(log_probs: Tensor, header: SignalHeader) -> Kept:
    values, ids = log_probs.topk(min(header.top_k, log_probs.shape[1]), dim=1)
    before = values.exp().cumsum(1) - values.exp()
    kept = before < header.mass
    counts = kept.sum(1)
    rest = log_probs.scatter(1, ids, torch.where(kept, float("-inf"), values))
    tails = torch.stack([(rest / temperature).logsumexp(1) for temperature in header.temperatures], 1)
    return Kept(counts.numpy(), ids[kept].numpy(), values[kept].numpy(), tails.numpy())


class Signals:
    """All files of a folder, by row id."""

    def __init__(self, folder: Path) -> None:
        """Raises StageFailed for a folder without signals or with files that do not belong together."""
        self.headers: list[SignalHeader] = []
        self._files: list[dict[str, NDArray[Any]]] = []
        self._rows: dict[str, tuple[int, int]] = {}
        for number, path in enumerate(sorted(folder.glob("*.safetensors"))):
            with safe_open(path, framework="numpy") as file:
                header = json.loads(file.metadata()["distillc_signals"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
            tensors["starts"] = np.concatenate([[0], np.cumsum(tensors["counts"], dtype=np.int64)])
            self._files.append(tensors)
            self._rows |= {row: (number, place) for place, row in enumerate(header["rows"])}
            names = ("vocabulary", "mass", "top_k", "tokenizer", "model")
            gathered = bool(header.get("gathered"))
            self.headers.append(
                SignalHeader(temperatures=tuple(header["temperatures"]), gathered=gathered, **{name: header[name] for name in names})
            )
        if len(set(self.headers)) != 1:
            raise StageFailed(
                f"{len(set(self.headers))} kinds of signals where one is expected", where=str(folder), help="capture them again"
            )
        self.header = self.headers[0]

    def __len__(self) -> int:
        return len(self._rows)

    def targets(self, row_id: str) -> tuple[int, ...]:
        """The tokens that the signals of a row are about; of gathered ones without an end token."""
        file, start, stop = self._place(row_id)
        return tuple(int(token) for token in file["targets"][start:stop])

    def read(self, examples: Sequence[Example], temperature: float) -> TeacherLogProbs:
        """The teacher on the answer tokens of these examples, one behind the other.

        Raises StageFailed for a temperature that was not captured, a row without signals, or targets that are others now.
        """
        column = self._column(temperature)
        ids, logs, tails, counts = [], [], [], []
        for example in examples:
            file, start, stop = self._place(example.row_id)
            self._check(example, file["targets"][start:stop])
            first, last = file["starts"][start], file["starts"][stop]
            ids.append(file["ids"][first:last])
            logs.append(file["log_probs"][first:last])
            tails.append(file["tails"][start:stop, column])
            counts.append(file["counts"][start:stop])
            if self.header.gathered:  # the end token: nothing is kept, all is in the bucket
                tails.append(np.zeros(1, dtype=np.float16))
                counts.append(np.zeros(1, dtype=file["counts"].dtype))
        count = torch.from_numpy(np.concatenate(counts).astype(np.int64))
        filled = torch.arange(int(count.max()))[None] < count[:, None]
        sparse_ids = torch.zeros(filled.shape, dtype=torch.long)
        sparse_ids[filled] = torch.from_numpy(np.concatenate(ids).astype(np.int64))
        kept = torch.full(filled.shape, float("-inf"))
        kept[filled] = torch.from_numpy(np.concatenate(logs).astype(np.float32)) / temperature
        tail = torch.from_numpy(np.concatenate(tails).astype(np.float32))
        norm = torch.logaddexp(kept.logsumexp(1), tail)
        return TeacherLogProbs(sparse_ids, kept - norm[:, None], tail - norm)

    def mass(self, temperature: float) -> float:
        """Mean over all tokens of what the kept ids hold at a temperature."""
        column = self._column(temperature)
        total, tokens = 0.0, 0
        for file in self._files:
            powers = np.exp(file["log_probs"].astype(np.float64) / temperature)
            kept = np.add.reduceat(powers, file["starts"][:-1])
            total += float((kept / (kept + np.exp(file["tails"][:, column].astype(np.float64)))).sum())
            tokens += len(kept)
        return total / tokens

    def _column(self, temperature: float) -> int:
        for column, captured in enumerate(self.header.temperatures):
            if abs(captured - temperature) < 1e-6:
                return column
        raise StageFailed(
            f"no signals at temperature {temperature}; captured are {', '.join(map(str, self.header.temperatures))}",
            help="set the loss's `temperature` to one of them",
        )

    def _place(self, row_id: str) -> tuple[dict[str, NDArray[Any]], int, int]:
        try:
            number, place = self._rows[row_id]
        except KeyError:
            raise StageFailed(f"no signals for row {row_id}", where=row_id, help="capture them again on these rows") from None
        file = self._files[number]
        start, stop = (int(at) for at in file["offsets"][place : place + 2])
        return file, start, stop

    def _check(self, example: Example, targets: NDArray[Any]) -> None:
        written = example.answer[:-1] if self.header.gathered else example.answer
        if not np.array_equal(targets, np.asarray(written, dtype=np.uint32)):
            raise StageFailed(
                f"the signals of row {example.row_id} are for other tokens",
                where=example.row_id,
                help="teacher and student must have the same tokenizer; capture the signals again",
            )
