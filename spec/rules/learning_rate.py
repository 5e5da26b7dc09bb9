"""A learning rate is off by orders of magnitude.

Why: AdamW moves each weight by about the learning rate in a step, and weights are of the size of 0.02: at 0.1 a model is noise after one
step, below 1e-8 it does not move within any training. Mostly a minus sign is missing (`5e4`), or a share was meant. Rates for training
language models lie between 1e-6 and 1e-3; models that were cut want the upper end.

Example:

    train:
      student: {model: small, data: clean, learning_rate: 5e4, losses: {hard: cross_entropy}}

Use instead:

    train:
      student: {model: small, data: clean, learning_rate: 5e-4, losses: {hard: cross_entropy}}

Fix: puts the minus sign in, where one is missing.
"""

import re
from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import ScalarNode, at, entries, number
from distillc.spec.rules import Context, warning

LEAST, MOST = 1e-8, 0.02
_NO_MINUS = re.compile(r"([0-9.]+[eE])\+?([1-9])")


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("train")):
        node = at(step.value, "learning_rate")
        rate = number(node)
        if not isinstance(node, ScalarNode) or rate is None or not rate > 0 or LEAST <= rate <= MOST:
            continue
        meant = _NO_MINUS.sub(r"\1-\2", node.text) if rate > MOST and _NO_MINUS.fullmatch(node.text) else None
        size = "large" if rate > MOST else "small"
        help = f"did you mean `{meant}`?" if meant else "rates lie between 1e-6 and 1e-3"
        mend = fix(context, f"write {meant}", replace(node, meant)) if meant else None
        yield warning("D408", f"a learning rate of {node.text[:20]} is too {size} for any model", node.span, help, fix=mend)
