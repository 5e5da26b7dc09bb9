"""A training has so few steps that it can hardly learn.

Why: a step takes `batch` rows, so a few hundred rows make a handful of steps, and the warm-up is among them. In a report from the field,
three epochs of 175 examples came down to 9 steps. Counted from the limits in the spec, where they say how many rows there can be; not
where `steps` says it outright, and not below 50 rows, which is a trial.

Example:

    generate:
      pairs: {from: prose, limit: 100, steps: [corrupt]}
    train:
      teacher: {model: base, data: pairs, batch: 64, epochs: 3, losses: {hard: cross_entropy}}     # 6 steps

Use instead:

    generate:
      pairs: {from: prose, limit: 100, steps: [corrupt]}
    train:
      teacher: {model: base, data: pairs, batch: 8, epochs: 3, losses: {hard: cross_entropy}}      # 39 steps
"""

import math
from collections.abc import Iterator

from distillc.spec.defaults import of_language
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import MappingNode, entries, number, text, whole
from distillc.spec.references import split_name
from distillc.spec.rows import rows_of
from distillc.spec.rules import Context, warning
from distillc.spec.variants import profile_applied, varied_steps
from distillc.spec.wording import shorten

LEAST = 20
_TRIAL = 50
"""Whoever trains on fewer rows is trying something out, and knows."""


def check(context: Context) -> Iterator[Diagnostic]:
    if profile_applied(context.root):  # to be quick is what a profile may be for
        return
    varied = varied_steps(context.root)
    for step in entries(context.at("train")):
        if not isinstance(step.value, MappingNode) or "steps" in step.value.entries or ("train", step.key) in varied:
            continue
        data = text(step.value.get("data"))
        found = rows_of(data, context) if data and split_name(data)[1] in (None, "train") else None
        rows = found.at_most if found else None
        batch = whole(step.value.get("batch")) if "batch" in step.value.entries else of_language(context, "TrainStep", "batch")
        epochs = number(step.value.get("epochs")) if "epochs" in step.value.entries else of_language(context, "TrainStep", "epochs")
        if rows is None or not batch or batch < 1 or epochs is None or rows < _TRIAL or not 0 < epochs < 1e9:
            continue
        steps = max(1, math.ceil(epochs * math.ceil(rows / batch)))  # as the trainer counts
        if steps < LEAST:
            place = step.value.entries.get("batch") or step.value.entries.get("epochs") or step
            counted = f"{rows:,} rows, {batch} in a step, {epochs:g} epoch{'' if epochs == 1 else 's'}"
            yield warning(
                "D409",
                f"`{shorten(step.key)}` trains for {steps} {'step' if steps == 1 else 'steps'} at most: {counted}",
                place.key_span,
                "take more rows or epochs or a smaller batch; or say `steps`",
            )
