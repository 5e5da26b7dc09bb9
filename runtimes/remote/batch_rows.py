"""Which rows of a batch's prompts have no answer yet, which of them are out, and what is set aside for them.

A request is named by the digest of its body, so that an answer finds its row in a later run too. Rows with equal bodies have one another's
answers; a number behind the digest tells their requests apart, and which try it is.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from distillc.plugins.api.artifacts import Completion
from distillc.plugins.api.engines import Meter
from distillc.runtimes.remote import chat
from distillc.runtimes.remote.answering import FILTERED
from distillc.runtimes.remote.batch_lines import Result, digest_of
from distillc.runtimes.remote.failures import says_too_long
from distillc.spec.errors import BudgetReached

TRIES = 2


def digest_in(name: str) -> str:
    return name.partition("-")[0]


def try_in(name: str) -> int:
    return int(name.split("-")[1])


class Rows:
    """`tries`: how often a request has failed in earlier runs, by its digest."""

    def __init__(
        self, prompts: Sequence[str], body: Callable[[str], chat.Body], meter: Meter | None, tries: Mapping[str, int] = {}
    ) -> None:
        self._prompts, self._body, self._meter = prompts, body, meter
        self._waiting: defaultdict[str, list[int]] = defaultdict(list)  # rows by the digest of their request
        self._out: Counter[str] = Counter()
        self._tries = Counter(tries)
        self._reserved: defaultdict[str, list[Any]] = defaultdict(list)
        self._constant = body("")
        self.answered = 0
        for index in range(len(prompts)):
            self._waiting[digest_of(self._content(index))].append(index)

    def __len__(self) -> int:
        return len(self._prompts)

    def _content(self, index: int) -> bytes:
        return chat.encoded(self._body(self._prompts[index]))

    def affordable(self, least: float) -> tuple[Iterator[tuple[str, bytes]], BudgetReached | None]:
        """The names and bodies of rows that are not out: as many as may be paid for.

        None where that is less than the share `least` of all rows: what a batch leaves over of its bound would make ever smaller ones.
        """
        owing = [(digest, index) for digest, indices in self._waiting.items() for index in indices[self._out[digest] :]]
        chosen, reached = len(owing), None
        for number, (digest, index) in enumerate(owing):
            try:
                self._reserve(digest, self._content(index))
            except BudgetReached as error:
                chosen, reached = number, error
                break
        if reached and chosen < least * len(self):
            for digest, _ in owing[:chosen]:
                self._settle(digest, None)
            chosen, reached = 0, self._refusal([index for _, index in owing]) or reached
        for digest, _ in owing[:chosen]:
            self._out[digest] += 1
        return self._named(owing[:chosen]), reached

    def _refusal(self, rows: Sequence[int]) -> BudgetReached | None:
        """What all of them may cost is more than is left: to raise the budget by the next row's cost would bring as little."""
        most = [chat.most(self._constant, self._content(index)) for index in rows]
        return self._meter.refusal(sum(read for read, _ in most), sum(written for _, written in most), len(rows)) if self._meter else None

    def _named(self, chosen: Sequence[tuple[str, int]]) -> Iterator[tuple[str, bytes]]:
        for digest, index in chosen:
            yield f"{digest}-{self._tries[digest] + 1}-{index}", self._content(index)

    def sent(self, names: Iterable[str]) -> bool:
        """These went out in an earlier run. False where less is left than they may cost: they are out all the same."""
        enough = True
        for name in names:
            digest = digest_in(name)
            if len(self._waiting.get(digest, ())) > self._out[digest]:
                self._out[digest] += 1
                self._tries[digest] = try_in(name) - 1
                try:
                    self._reserve(digest, self._content(self._waiting[digest][0]))
                except BudgetReached:
                    enough = False
        return enough

    @property
    def tries(self) -> dict[str, int]:
        """How often the request of a row that has no answer has failed, by its digest. After the last try they are counted anew."""
        return {digest: tries for digest, tries in self._tries.items() if tries and self._waiting.get(digest)}

    def back(self, names: Iterable[str], *, tried: bool, billed: Container[str]) -> None:
        """These came back without an answer. `tried`: the batch came to its end. Those `billed` may have run, and cost what they may."""
        lost = []
        for name in names:
            digest = digest_in(name)
            if name in billed and self._reserved[digest]:
                lost.append(self._reserved[digest].pop())
            elif name in billed and self._out[digest] and self._meter:  # of an earlier run, for which this one had nothing to reserve
                self._meter.settle(None, *chat.most(self._constant, self._content(self._waiting[digest][0])))
            else:
                self._settle(digest, None)
            self._out[digest] = max(self._out[digest] - 1, 0)
            self._tries[digest] = (try_in(name) - (not tried)) % TRIES
        if self._meter and lost:
            self._meter.lose(*lost)

    def take(self, digest: str, answer: Completion | None = None) -> int | None:
        """The row that gets an answer, if one still waits for it. Without an answer, a row that gets none."""
        if not self._waiting.get(digest):
            return None
        if answer is not None:
            self._out[digest] = max(self._out[digest] - 1, 0)
            self._settle(digest, answer)
            self.answered += 1
        return self._waiting[digest].pop()

    def completion(self, result: Result) -> Completion | None:
        """The answer in a result, if there is one. Raises StageFailed where the API passed over what it was asked."""
        if result.code in FILTERED:
            return Completion(text="", finish_reason="content_filter", prompt_tokens=0, completion_tokens=0)
        if says_too_long(f"{result.code} {result.error}"):
            return Completion(text="", finish_reason="too_long", prompt_tokens=0, completion_tokens=0)
        if result.reply is None:
            return None
        try:
            return chat.completion(result.reply, self._constant)
        except chat.NoCompletion:
            return None

    def release(self) -> None:
        """Nobody waits for what is still out."""
        for digest, reserved in self._reserved.items():
            for _ in range(len(reserved)):
                self._settle(digest, None)

    def _reserve(self, digest: str, content: bytes) -> None:
        if self._meter:
            self._reserved[digest].append(self._meter.reserve(*chat.most(self._constant, content), in_job=True))

    def _settle(self, digest: str, answer: Completion | None) -> None:
        if not self._meter:
            return
        reserved = self._reserved[digest].pop() if self._reserved[digest] else None
        if answer is not None and (answer.prompt_tokens or answer.completion_tokens):
            self._meter.settle(reserved, answer.prompt_tokens, answer.completion_tokens)
        elif reserved is not None:
            self._meter.release(reserved)
