"""What a run may still spend: the plan's `budget`, less what its stages have cost so far, in earlier runs too."""

import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from distillc.compiler.plan import Plan
from distillc.runtimes.ledger import elsewhere, read_ledger, total
from distillc.runtimes.work import Allowance, refuse_late


class Budget:
    """From the start of a run on, for `wall` begins with it. `runs` is the folder of all runs of the store."""

    def __init__(self, plan: Plan, runs: Path) -> None:
        self._limits: Mapping[str, Any] = plan.budget
        self._keys = {stage.key for stage in plan}
        self._runs = runs
        wall = plan.budget.get("wall")
        self._until = None if wall is None else time.time() + wall

    @property
    def counted(self) -> bool:
        """Whether more than the time is limited."""
        return bool(self._limits.keys() - {"wall"})

    def refuse_late(self) -> None:
        """Raises BudgetReached when the time is over: nothing more begins then, and what has begun goes on."""
        refuse_late(Allowance(until=self._until))

    def left(self) -> Allowance:
        """Reads the logs of all runs, where anything but the time is limited. Of calls and tokens those of other machines count."""
        limits = self._limits
        if not self.counted:
            return Allowance(until=self._until)
        rows = read_ledger(self._runs, self._keys)
        spent = elsewhere(rows)
        return Allowance(
            calls=max(limits["calls"] - spent.calls, 0) if "calls" in limits else None,
            tokens=max(limits["tokens"] - spent.tokens, 0) if "tokens" in limits else None,
            usd=max(Decimal(limits["usd"]) - total(rows).usd, Decimal(0)) if "usd" in limits else None,
            until=self._until,
        )
