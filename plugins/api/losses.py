"""Losses score a student's tokens against targets or against what a teacher knew about them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class TeacherLogProbs:
    """A sparse teacher distribution for each token, at one temperature.

    Shapes: `ids` (tokens, k) int64, padded with any id where `log_probs` is -inf; `log_probs` (tokens, k) float32, normalised
    over the whole vocabulary at that temperature; `tail` (tokens,) float32, the log of the mass of all other ids. Where nothing is known
    of a token (an end token, of which APIs tell none) no id is kept and `tail` is 0: there a loss is 0.
    """

    ids: "Tensor"
    log_probs: "Tensor"
    tail: "Tensor"


class Loss(Protocol):
    """Made as `impl(config)`. The manifest's capability `needs` is `none` or `log_probabilities`.

    A config with a temperature exposes it as the field `temperature`; signals are read at it.
    """

    def per_token(self, logits: "Tensor", targets: "Tensor", teacher: TeacherLogProbs | None) -> "Tensor":
        """Nats for each token, shape (tokens,). `logits` (tokens, vocabulary) float32, `targets` (tokens,) int64."""
        ...
