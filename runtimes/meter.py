"""What may still be spent on a model that costs money or is rationed: reserved before a call, settled after it.

A call's end is not known when it begins, so the meter sets aside the most that it may cost, and refuses a call that could carry the total
over the allowance. Money is `Decimal` and exact: a price is per million tokens, and nothing is ever rounded.

A call that gave no answer and may be billed all the same is lost, at the most that it may have cost. A kill loses calls that nobody is
there to count; so it is always said beforehand how many those may be.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from distillc.plugins.api.artifacts import Completion
from distillc.runtimes.work import Allowance, refuse_late
from distillc.spec.errors import BudgetReached
from distillc.spec.money import cost, dollars

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. `discount` is the share taken off: 0.5 for a batch API at half price."""

    input: Decimal
    output: Decimal
    discount: Decimal = NOTHING

    def of(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        return (cost(prompt_tokens, self.input) + cost(completion_tokens, self.output)) * (1 - self.discount)


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls have cost. `usd` is kept beside the tokens, which alone would be counted again at a later price."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: Decimal = NOTHING

    def plus(self, prompt_tokens: int, completion_tokens: int, price: Price | None, calls: int = 1) -> "Spent":
        """After so many more calls, which took so many tokens each."""
        prompt_tokens, completion_tokens = calls * prompt_tokens, calls * completion_tokens
        usd = self.usd + (price.of(prompt_tokens, completion_tokens) if price else NOTHING)
        return Spent(self.calls + calls, self.prompt_tokens + prompt_tokens, self.completion_tokens + completion_tokens, usd)

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


def spent_on(completions: Iterable[Completion], price: Price | None = None) -> Spent:
    """What the answers in a journal have cost."""
    spent = Spent()
    for completion in completions:
        spent = spent.plus(completion.prompt_tokens, completion.completion_tokens, price)
    return spent


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """The most that one call may cost. Settle, lose or release it once. `in_job`: a kill does not lose it, for the job is found again."""

    prompt_tokens: int
    max_tokens: int
    usd: Decimal
    in_job: bool = False

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.max_tokens


class Meter:
    """One thread uses it. `allowance` is what may be spent from here on.

    `spent` is what calls have cost, the `lost` ones among them. `in_doubt`: the most that calls may have cost which nobody will have heard
    of where a kill comes; `tell` is called before it grows.
    """

    def __init__(self, allowance: Allowance, price: Price | None = None, tell: Callable[[], None] | None = None) -> None:
        self.price = price
        self.spent = self.lost = Spent()
        self.allow(allowance)
        self._open: set[Reservation] = set()
        self._aside_tokens, self._aside_usd = 0, NOTHING  # of all that are open: a batch has tens of thousands
        self._tell = tell
        self._untold = 0  # calls: those that have begun since somebody was told, and those that were open then
        self._doubt = (0, 0, 0)  # the most of them so far, and the most tokens in and out of one

    def allow(self, allowance: Allowance) -> None:
        self._allowance, self._before = allowance, self.spent

    @property
    def in_flight(self) -> int:
        """How many reservations are open."""
        return len(self._open)

    @property
    def in_doubt(self) -> Spent:
        calls, prompt_tokens, completion_tokens = self._doubt
        return Spent().plus(prompt_tokens, completion_tokens, self.price, calls)

    def told(self, *, last: bool = False) -> None:
        """What is spent is known elsewhere. `last`: nothing more will be, and no call is open but in jobs."""
        self._untold = sum(not one.in_job for one in self._open)
        if last:
            self._doubt = (0, 0, 0)

    @property
    def left(self) -> Allowance:
        """What may still be spent: the allowance without what was spent here and what is reserved. Never below zero."""
        allowed, before, now = self._allowance, self._before, self.spent
        calls = now.calls - before.calls + len(self._open)
        tokens = now.tokens - before.tokens + self._aside_tokens
        usd = now.usd - before.usd + self._aside_usd
        return replace(
            allowed,
            calls=None if allowed.calls is None else max(allowed.calls - calls, 0),
            tokens=None if allowed.tokens is None else max(allowed.tokens - tokens, 0),
            usd=None if allowed.usd is None else max(allowed.usd - usd, NOTHING),
        )

    def reserve(self, prompt_tokens: int, max_tokens: int, *, in_job: bool = False) -> Reservation:
        """Sets aside what a call may cost. `prompt_tokens` is an upper bound where the model's tokenizer is not at hand.

        Raises BudgetReached for a call that could overshoot. While others are `in_flight` it may fit once they are settled, for most
        calls cost less than they could.
        """
        wanted = Reservation(prompt_tokens, max_tokens, self._usd(prompt_tokens, max_tokens), in_job)
        if reached := self._refusal(wanted.usd, wanted.tokens, 1):
            raise reached
        self._open.add(wanted)
        self._aside_tokens += wanted.tokens
        self._aside_usd += wanted.usd
        if not in_job:
            self._untold += 1
            self._grow(wanted)
        return wanted

    def refusal(self, prompt_tokens: int, max_tokens: int, calls: int = 1) -> BudgetReached | None:
        """Why so many calls, which may take so many tokens in all, are not allowed; None where they are."""
        return self._refusal(self._usd(prompt_tokens, max_tokens), prompt_tokens + max_tokens, calls)

    def _usd(self, prompt_tokens: int, max_tokens: int) -> Decimal:
        return self.price.of(prompt_tokens, max_tokens) if self.price else NOTHING

    def _refusal(self, usd: Decimal, tokens: int, calls: int) -> BudgetReached | None:
        left = self.left
        what = "the next call" if calls == 1 else f"the next {calls:,} calls"
        if left.usd is not None and usd > left.usd:
            return _reached(f"{what} may cost {dollars(usd)}, and {dollars(left.usd)} may be spent", "usd")
        if left.tokens is not None and tokens > left.tokens:
            return _reached(f"{what} may take {tokens:,} tokens, and {left.tokens:,} are left", "tokens")
        if left.calls is not None and calls > left.calls:
            return _reached(
                f"{what} would be more than the {left.calls:,} that are allowed" if left.calls else "no further call is allowed", "calls"
            )
        try:
            refuse_late(left)
        except BudgetReached as reached:
            return reached
        return None

    def _grow(self, wanted: Reservation) -> None:
        calls, prompt_tokens, max_tokens = self._doubt
        doubt = max(calls, self._untold), max(prompt_tokens, wanted.prompt_tokens), max(max_tokens, wanted.max_tokens)
        if doubt != self._doubt:
            self._doubt = doubt
            if self._tell:
                self._tell()

    def settle(self, reservation: Reservation | None, prompt_tokens: int, completion_tokens: int) -> None:
        """The call has ended and this is what it took.

        None for a call of an earlier run, whose answer is here now and for which this one had nothing to reserve.
        """
        if reservation is not None:
            self._close(reservation)
        self.spent = self.spent.plus(prompt_tokens, completion_tokens, self.price)

    def lose(self, *reservations: Reservation) -> None:
        """The calls gave no answer and may be billed. Of those in jobs it tells at once: no doubt covers them, and no answer may follow."""
        for reservation in reservations:
            self._close(reservation)
            most = (reservation.prompt_tokens, reservation.max_tokens, self.price)
            self.spent, self.lost = self.spent.plus(*most), self.lost.plus(*most)
        if self._tell and any(one.in_job for one in reservations):
            self._tell()

    def release(self, reservation: Reservation) -> None:
        """The call cost nothing: it was refused, or never sent."""
        self._close(reservation)
        self._untold -= not reservation.in_job

    def _close(self, reservation: Reservation) -> None:
        self._open.remove(reservation)
        self._aside_tokens -= reservation.tokens
        self._aside_usd -= reservation.usd


def _reached(message: str, limit: str) -> BudgetReached:
    return BudgetReached(f"the budget is reached: {message}", help=f"raise `budget.{limit}` and run again: what is answered is kept")
