"""What a teacher says about given answers, as signals."""

from collections.abc import Sequence

from distillc.plugins.api.engines import Scoring
from distillc.runtimes.training.examples import Example
from distillc.runtimes.training.signals import SignalHeader, SignalWriter


def capture(teacher: Scoring, examples: Sequence[Example], header: SignalHeader) -> SignalWriter:
    """Signals for the examples, in their order, whatever the order in which the teacher answers."""
    found: dict[int, SignalWriter] = {}
    for index, log_probs in teacher.log_probs([example.pair for example in examples]):
        found[index] = SignalWriter(header)
        found[index].add(examples[index].row_id, examples[index].answer, log_probs)
    return SignalWriter.joined(header, [found[index] for index in range(len(examples))])
