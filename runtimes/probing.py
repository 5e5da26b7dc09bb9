"""Has the models of a probe answer, and compares those that did: one that cannot be reached does not cost the others their ranking.

Rows and models that are not there yet are made on the way. What may cost is told before anybody is asked, and bounded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from distillc.compiler.plan import Plan, Stage
from distillc.compiler.probe import Probe
from distillc.plugins.registry import Registry
from distillc.runtimes import driver
from distillc.runtimes.at_most import at_most
from distillc.runtimes.budget import Budget
from distillc.runtimes.contracts import spends
from distillc.runtimes.driver import Outcome, Progress
from distillc.runtimes.executors import open_executor
from distillc.runtimes.selection import select
from distillc.runtimes.store import Store
from distillc.spec.errors import DistillError, UsageError
from distillc.spec.money import dollars

MADE = frozenset({"ingest", "split", "generate", "curate", "build-model"})
"""The kinds of stages that a probe makes where they are not there, as far as they cost nothing."""


class NotReached(NamedTuple):
    """Why a model has not answered. `key` is that of its answers, some of which may be there, and paid for."""

    key: str
    error: DistillError


@dataclass(frozen=True, slots=True)
class Probed:
    """`probe` has the models that were reached; `outcome` is that of the last run, which compared them where it ended well."""

    probe: Probe
    outcome: Outcome
    not_reached: Mapping[str, NotReached]


@dataclass(frozen=True, slots=True)
class Probing:
    """`progress` is told of events, `say` in words of what comes next."""

    store: Store
    plugins: Registry
    progress: Progress
    say: Callable[[str], None]
    debug: bool = False

    def ask(self, compiled: Callable[[Sequence[str]], Probe], models: Sequence[str]) -> Probed:
        """Asks all models; where some fail, the others go on without them. What was answered is kept.

        `compiled` makes the probe of these models. Raises UsageError for a stage that a probe does not make, and BudgetReached where
        the answers may cost more than is left, both before anybody is asked. What happens then is in the outcome: an error where none
        was reached.
        """
        probe = compiled(models)
        self.say(f"{', '.join(probe.models)}: {'; '.join((*probe.notes, f'{probe.limit} rows at most'))}")
        not_reached: dict[str, NotReached] = {}
        while True:
            outcome = self._run(probe)
            lost = _not_reached(probe, outcome)
            if not lost or len(lost) == len(probe.models):
                return Probed(probe, outcome, not_reached)
            for name, (_, error) in lost.items():
                self.say(f"`{name}` was not reached: {error.message}{f' ({error.help})' if error.help else ''}")
            not_reached |= lost
            probe = compiled([name for name in probe.models if name not in lost])

    def _run(self, probe: Probe) -> Outcome:
        """Makes what the answers need, tells what they may cost, and has them given and compared."""
        plan, asked = probe.plan, list(probe.answers.values())
        needed = {ref.stage for stage in asked for ref in stage.inputs.values()}
        missing = [stage for stage in select(plan, needed) if self.store.sealed(stage.key) is None]
        for stage in missing:
            if stage.kind not in MADE or spends(stage, self.plugins):
                raise _not_made(plan, stage)
        if missing:
            outcome = self._drive(probe, needed)
            if outcome.error is not None or outcome.exit_code:
                return outcome
        most = at_most(asked, {stage.id: stage.key for stage in plan}, self.store, probe.folder, self.plugins)
        if most.calls:
            beside = f", not counting {', '.join(most.unpriced)}: no price" if most.unpriced else ""
            self.say(f"{most.calls:,} answers of APIs, which cost at most {dollars(most.usd)}{beside}")
            most.refuse(Budget(plan, self.store.home / "runs"), "ask fewer models or fewer rows (--limit)")
        return self._drive(probe, {probe.source})

    def _drive(self, probe: Probe, until: set[str]) -> Outcome:
        return driver.run(
            probe.plan,
            folder=probe.folder,
            store=self.store,
            executor=open_executor(probe.plan, self.plugins),
            plugins=self.plugins,
            until=until,
            progress=self.progress,
            debug=self.debug,
        )


def _not_reached(probe: Probe, outcome: Outcome) -> dict[str, NotReached]:
    """The models whose answers failed, or hang on a stage that did: a model's own, or, for all of them, that of the rows."""
    failed = {id for id, state in outcome.states.items() if state == "failed"}
    if outcome.error is None:
        return {}
    return {
        model: NotReached(stage.key, outcome.error)
        for model, stage in probe.answers.items()
        if any(one.id in failed for one in select(probe.plan, {stage.id}))
    }


def _not_made(plan: Plan, stage: Stage) -> UsageError:
    step = plan.origins[stage.id]
    what = f"`{step}` is not there yet, and the probe hangs on it"
    return UsageError(what, help=f"make it first (distillc run --until {step}), or probe other models or on other rows")
