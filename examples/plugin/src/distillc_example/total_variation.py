"""Total variation distance between teacher and student, on the teacher's kept ids and one bucket for all others.

Wen et al., f-Divergence Minimization for Sequence-Level Knowledge Distillation, 2023, arXiv 2307.15190, section 3.
"""

import torch
from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs
from distillc_example.configs import TotalVariationConfig


class TotalVariation:
    def __init__(self, config: TotalVariationConfig) -> None:
        self.temperature = config.temperature

    def per_token(self, logits: Tensor, targets: Tensor, teacher: TeacherLogProbs | None) -> Tensor:
        """½ Σ |p − q| for each token, shape (tokens,), between 0 and 1.

        `logits` (tokens, vocabulary). All ids that the teacher did not keep are one outcome, so the value is a lower bound of the
        distance over the whole vocabulary.
        """
        assert teacher is not None, "the manifest says that log-probabilities are needed"
        kept = torch.isfinite(teacher.log_probs)  # the rest is padding
        student = torch.log_softmax(logits / self.temperature, dim=-1).exp().gather(-1, teacher.ids)
        student = torch.where(kept, student, torch.zeros_like(student))
        apart = (teacher.log_probs.exp() - student).abs().sum(-1)
        tail = (teacher.tail.exp() - (1 - student.sum(-1))).abs()
        return (apart + tail) / 2
