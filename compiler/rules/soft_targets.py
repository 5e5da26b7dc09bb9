"""A soft loss on a trainer that takes hard targets alone.

Fine-tuning services train on texts; a teacher's distribution cannot be handed to them. Train here, or learn from the teacher's answers
with a hard loss.

    train: {s: {trainer: some.service, losses: {soft: {uses: forward_kl, teacher: big}}, …}}
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.lower.train import is_soft
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for step, body in graph.spec.train.items():
        trainer = body.trainer.uses
        if trainer not in graph.plugins.names("trainers") or graph.plugins.manifest("trainers", trainer).capabilities.get("soft_targets"):
            continue
        for name, loss in body.losses.items():
            if is_soft(graph, loss.uses):
                message = f"trainer `{trainer}` takes no soft targets, which `{loss.uses}` needs"
                yield error(graph, "D451", ("train", step, "losses", name), message, "train with `trainer: local`, or use a hard loss")
