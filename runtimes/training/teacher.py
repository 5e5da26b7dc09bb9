"""What a teacher says about given answers, as signals."""

from collections.abc import Sequence

from distillc.plugins.api.artifacts import Row, Task
from distillc.plugins.api.engines import Scoring
from distillc.runtimes.training.examples import Example, written
from distillc.runtimes.training.signals import SignalHeader, SignalWriter


def asked(row: Row, task: Task, teacher: Scoring) -> Example:
    """A row in the teacher's own ids, which its engine makes: training compares those of the answer with the student's, row by row."""
    prompt, answer = written(row, task)
    return Example(row.row_id, tuple(teacher.token_ids(prompt)), tuple(teacher.answer_ids(answer)))


def capture(teacher: Scoring, examples: Sequence[Example], header: SignalHeader) -> SignalWriter:
    """Signals for the examples, in their order, whatever the order in which the teacher answers."""
    found: dict[int, SignalWriter] = {}
    for index, log_probs in teacher.log_probs([example.pair for example in examples]):
        found[index] = SignalWriter(header)
        found[index].add(examples[index].row_id, examples[index].answer, log_probs)
    return SignalWriter.joined(header, [found[index] for index in range(len(examples))])
