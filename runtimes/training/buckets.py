"""A student's distribution over the classes that a sparse teacher knows: the kept ids, and everything else as one bucket.

Divergences between two such distributions are lower bounds of those over the whole vocabulary (data processing inequality), equal
where the teacher keeps all ids. Within the bucket the student is free: its shape there has no gradient.
"""

import torch
from torch import Tensor

from distillc.plugins.api.losses import TeacherLogProbs

# The student's bucket is 1 minus its kept mass. In float32 that difference is noise below about 1e-7; there it is held and has no gradient.
_FLOOR = 1e-7


def student_classes(logits: Tensor, teacher: TeacherLogProbs, temperature: float) -> Tensor:
    """Log-probabilities (tokens, k + 1) at a temperature, the bucket last. Where the teacher's padding stands they are -inf.

    Args:
        logits: (tokens, vocabulary), raw.
        teacher: what the teacher keeps; only `ids` and where `log_probs` is -inf are used.
    """
    scaled = logits if temperature == 1.0 else logits / temperature
    kept = scaled.gather(1, teacher.ids) - scaled.logsumexp(1, keepdim=True)
    kept = kept.masked_fill(teacher.log_probs == float("-inf"), float("-inf"))
    rest = (1 - kept.exp().sum(1, keepdim=True)).clamp_min(_FLOOR)
    return torch.cat([kept, rest.log()], 1)


def teacher_classes(teacher: TeacherLogProbs) -> Tensor:
    """Log-probabilities (tokens, k + 1), the bucket last."""
    return torch.cat([teacher.log_probs, teacher.tail[:, None]], 1)


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) in nats for each row of two log-distributions. A class without mass in p counts nothing, also where q has none."""
    empty = p == float("-inf")
    safe_p = p.masked_fill(empty, 0.0)
    return ((safe_p - q.masked_fill(empty, 0.0)) * safe_p.exp()).masked_fill(empty, 0.0).sum(1)
