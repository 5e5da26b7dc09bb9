"""Forward KL divergence, teacher ‖ student, on the positions the student is trained on.

Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, 2015, arXiv 1503.02531, section 2.
"""

from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.losses.configs import ForwardKLConfig
from distillc.runtimes.training.buckets import divergence, student_classes, teacher_classes


class ForwardKL:
    def __init__(self, config: ForwardKLConfig) -> None:
        self.config = config
        self.temperature = config.temperature

    def per_token(self, logits: Tensor, targets: Tensor, teacher: TeacherLogProbs | None) -> Tensor:
        """KL(teacher ‖ student) for each token, in nats, over the kept ids and one bucket for the rest.

        Args:
            logits: shape (tokens, vocabulary), raw; they are divided by the temperature here.
            targets: not used.
            teacher: at the same temperature.

        Returns:
            Shape (tokens,). Multiplied by temperature², so that its gradient keeps the size of the cross-entropy's.
        """
        assert teacher is not None, "the trainer brings signals for a loss that needs them"
        return divergence(teacher_classes(teacher), student_classes(logits, teacher, self.temperature)) * self.temperature**2
