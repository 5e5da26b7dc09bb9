"""How long, how fast: the number of steps, and the learning rate of each."""

import math

from distillc.plugins.api.trainers import TrainSettings


def total_steps(settings: TrainSettings, steps_per_epoch: int) -> int:
    """`steps` wins over `epochs`."""
    return settings.steps if settings.steps is not None else max(1, math.ceil(settings.epochs * steps_per_epoch))


def learning_rate(settings: TrainSettings, step: int, total: int) -> float:
    """Of step `step`, from 0: linear up to the peak over the first `warmup` of all steps, then half a cosine down to 0 after the last."""
    rising = math.ceil(settings.warmup * total)
    if step < rising:
        return settings.learning_rate * (step + 1) / rising
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(total - rising, 1)))
