"""A term of the objective weighs nothing, or so little beside another that it might as well.

Why: distillc's built-in losses are all in nats for a token, and soft ones are multiplied by the square of their temperature, so that
terms are of one size and weights mean what they say. Weights carried over from tools where they are not (there, the soft term was 100 to
1000 times smaller, https://github.com/modelscope/easydistill/issues/34) leave one term alone. A soft term of weight 0 still asks its
teacher about every row. Where all weights are 0 nothing is learnt, which is an error; what one weight is worth is a judgement.

Example:

    train:
      student:
        model: small
        data: clean
        losses: {hard: {uses: cross_entropy, weight: 1}, soft: {uses: forward_kl, teacher: teacher, weight: 1000}}

Use instead:

    train:
      student:
        model: small
        data: clean
        losses: {hard: {uses: cross_entropy, weight: 0.5}, soft: {uses: forward_kl, teacher: teacher, weight: 0.5}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label, Span
from distillc.spec.nodes import Entry, at, entries, number, uses
from distillc.spec.rules import Context, error, warning
from distillc.spec.variants import profile_applied, varied_steps
from distillc.spec.wording import shorten

_IN_NATS = frozenset({"cross_entropy", "forward_kl", "reverse_kl", "jsd"})
MOST = 100
"""Times that one weight may be another's."""


def check(context: Context) -> Iterator[Diagnostic]:
    on_purpose = profile_applied(context.root)  # to see what a term is worth
    varied = varied_steps(context.root)
    for step in entries(context.at("train")):
        weights = [(loss, _weight(loss)) for loss in entries(at(step.value, "losses"))]
        nothing = [loss for loss, weight in weights if weight == 0]
        if nothing and len(nothing) == len(weights):
            losses = at(step.value, "losses")
            if losses is not None:
                yield error(
                    "D405", f"all losses of `{shorten(step.key)}` have weight 0: it learns nothing", losses.span, "give one a weight"
                )
            continue
        for loss in nothing if not on_purpose and ("train", step.key) not in varied else ():
            yield _finding(loss, f"the loss `{shorten(loss.key)}` has weight 0", "take it out, or give it a weight")
        yield from _uneven([(loss, weight) for loss, weight in weights if weight and uses(loss.value) in _IN_NATS])


def _weight(loss: Entry) -> float | None:
    """1 where it is not written; None for what is no number."""
    node = at(loss.value, "weight")
    return 1.0 if node is None else number(node)


def _uneven(weights: list[tuple[Entry, float]]) -> Iterator[Diagnostic]:
    if len(weights) < 2:
        return
    least, most = min(weights, key=lambda pair: pair[1]), max(weights, key=lambda pair: pair[1])
    if least[1] > 0 and most[1] >= MOST * least[1]:
        label = Label(_place(most[0]), f"weighs {most[1]:g}")
        message = f"the loss `{shorten(least[0].key)}` weighs {least[1]:g}, and another {most[1] / least[1]:,.0f} times as much"
        yield _finding(least[0], message, "built-in losses are of one size: give both about the same weight", (label,))


def _finding(loss: Entry, message: str, help: str, related: tuple[Label, ...] = ()) -> Diagnostic:
    return warning("D405", message, _place(loss), help, related=related)


def _place(loss: Entry) -> Span:
    weight = at(loss.value, "weight")
    return weight.span if weight is not None else loss.key_span
