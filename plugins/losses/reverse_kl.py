"""Reverse KL divergence, student ‖ teacher: the student gives up what it cannot follow and stays where the teacher is sure.

Gu et al.: MiniLLM, 2023, arXiv 2306.08543, eq. 1; here for each token on given targets, not on sampled sequences.
"""

from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.losses.configs import ReverseKLConfig
from distillc.runtimes.training.buckets import divergence, student_classes, teacher_classes

# A class to which the teacher gives nothing would cost infinitely much; no float16 log-probability is below this.
_LEAST = -100.0


class ReverseKL:
    def __init__(self, config: ReverseKLConfig) -> None:
        self.config = config
        self.temperature = config.temperature

    def per_token(self, logits: Tensor, targets: Tensor, teacher: TeacherLogProbs | None) -> Tensor:
        """KL(student ‖ teacher) for each token, in nats, times temperature²; shapes as in `forward_kl`."""
        assert teacher is not None, "the trainer brings signals for a loss that needs them"
        student = student_classes(logits, teacher, self.temperature)
        return divergence(student, teacher_classes(teacher).clamp_min(_LEAST)) * self.temperature**2
