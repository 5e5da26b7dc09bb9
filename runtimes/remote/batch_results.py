"""What the files of a batch have given, beside what its platform says of it: which answers lie there still, which rows may be billed, and
whether a run can go on.

A platform may say that a batch has ended before its files are there, and a file may be gone. What was completed is paid for all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from distillc.runtimes.remote.batch_lines import Result
from distillc.runtimes.remote.jobs import CANCELLED, Job, Told

DONE = frozenset({"completed", "done"})
AGAIN = "run again: what is answered is kept, and the others are asked in a new batch"


class Failure(NamedTuple):
    message: str
    help: str


@dataclass(slots=True)
class Given:
    """`answered`: the requests that need no answer any more. `failed`: what the API says of requests that failed.

    `unclear`: how many results are neither, for they name no request, or have a reply without an answer.
    """

    answered: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    unclear: int = 0

    def none(self, result: Result) -> None:
        """A result that is no answer."""
        if result.error:
            self.failed[result.custom_id] = result.error
        else:
            self.unclear += 1

    def billed(self, told: Told, missing: Sequence[str]) -> list[str]:
        """Those of the requests without an answer that may have run: none that failed, and no more than the API says it completed.

        Where it says no number, a batch that ran to its end has completed them all.
        """
        untold = [name for name in missing if name not in self.failed]
        counts = told.get("request_counts")
        completed, failed = (counts.get("completed"), counts.get("failed")) if isinstance(counts, Mapping) else (None, None)
        if isinstance(completed, int) and (completed or failed):
            return untold[: max(completed - len(self.answered), 0)]
        return untold if state_of(told) in DONE else []

    def lacking(self, told: Told, missing: Sequence[str]) -> int:
        """How many answers there should be, by what the API says, that are in no file."""
        return max(len(self.billed(told, missing)) - self.unclear, 0)

    @property
    def first_error(self) -> str:
        return next(iter(self.failed.values()), "")


def state_of(told: Told) -> str:
    return str(told["status"]).lower()


def failure(job: Job, told: Told, *, missing: int, lost: int, none_answered: bool, error: str) -> Failure | None:
    """Why a run cannot go on after a batch of which so many rows have no answer, and so many of these failed for the last time.

    `none_answered`: no row of any batch has an answer. `error`: what is said of one of them.
    """
    state = state_of(told)
    if state == "failed" or (lost and none_answered and missing > 1):
        why = _why(told) or error or "nobody says why"
        return Failure(f"batch {job.id} failed: {why}", "change what it does not take, then run again")
    if state == "cancelled" and missing and not job.about.get(CANCELLED):
        return Failure(f"batch {job.id} was cancelled, and {missing} of its rows have no answer", AGAIN)
    if state == "expired" and lost:
        return Failure(f"batch {job.id} has expired, as one before it: {lost} rows have no answer", AGAIN)
    return None


def _why(told: Told) -> str:
    """What the API says of a batch that failed as a whole."""
    errors = told.get("errors")
    data = errors.get("data") if isinstance(errors, Mapping) else None
    found = [one for one in data or () if isinstance(one, Mapping) and one.get("message")]
    if not found:
        return ""
    line = f"line {found[0]['line']}: " if found[0].get("line") else ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{line}{found[0]['message']}{more}"
