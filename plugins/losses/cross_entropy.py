"""Cross-entropy with the target tokens: the negative log-likelihood of what was written."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.losses.configs import CrossEntropyConfig


class CrossEntropy:
    def __init__(self, config: CrossEntropyConfig) -> None:
        self.config = config

    def per_token(self, logits: Tensor, targets: Tensor, teacher: TeacherLogProbs | None) -> Tensor:
        """Nats for each token, shape (tokens,). The teacher is not asked."""
        return cross_entropy(logits, targets, reduction="none", label_smoothing=self.config.label_smoothing)
