"""Generalised Jensen-Shannon divergence between teacher and student.

Agarwal et al.: On-Policy Distillation of Language Models, 2023, arXiv 2306.13649, eq. 1:
β KL(teacher ‖ mixture) + (1 − β) KL(student ‖ mixture), with mixture = β teacher + (1 − β) student.
"""

import math

import torch
from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.losses.configs import JSDConfig
from distillc.runtimes.training.buckets import divergence, student_classes, teacher_classes


class JSD:
    def __init__(self, config: JSDConfig) -> None:
        self.config = config
        self.temperature = config.temperature

    def per_token(self, logits: Tensor, targets: Tensor, teacher: TeacherLogProbs | None) -> Tensor:
        """The divergence for each token, in nats, times temperature²; shapes as in `forward_kl`."""
        assert teacher is not None, "the trainer brings signals for a loss that needs them"
        beta = self.config.beta
        p, q = teacher_classes(teacher), student_classes(logits, teacher, self.temperature)
        # Padding is -inf on both sides, and -inf beside -inf has no gradient that is a number.
        padding = p == float("-inf")
        padding &= q == float("-inf")
        p, q = p.masked_fill(padding, -1e4), q.masked_fill(padding, -1e4)
        mixture = torch.logaddexp(p + math.log(beta), q + math.log1p(-beta))
        return (beta * divergence(p, mixture) + (1 - beta) * divergence(q, mixture)) * self.temperature**2
