"""A soft loss between models whose tokens differ.

Every id that the data emits must mean the same on both sides, or the student learns the probabilities of other tokens. Cut the student
from the teacher or its base, or learn from the teacher's answers with a hard loss.

    models: {small: {uses: transformers, path: other-model/, …}}
    train:  {s: {model: small, losses: {soft: {uses: forward_kl, teacher: big}}, …}}
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.rules import error, warning
from distillc.spec.diagnostic import Diagnostic


def check(graph: Graph) -> Iterator[Diagnostic]:
    for step in graph.spec.train:
        student = graph.models.get(step)
        for teacher in student.soft if student else ():
            roots = [graph.ancestors(name)[-1] for name in (step, teacher) if name in graph.models]
            if len(set(roots)) < 2:
                continue
            ours, theirs = (graph.models[root] for root in roots)
            where = ("train", step, "losses", next(name for name, loss in graph.spec.train[step].losses.items() if loss.teacher == teacher))
            message = f"`{step}` descends from `{ours.name}` and its teacher `{teacher}` from `{theirs.name}`"
            help = "cut the student from the teacher or its base, or use a hard loss on the teacher's answers"
            a, b = ours.facts.tokenizer, theirs.facts.tokenizer
            sizes = (ours.facts.vocabulary, theirs.facts.vocabulary)
            if a and a == b:
                continue
            if (a and b and a.split(":")[0] == b.split(":")[0]) or (None not in sizes and sizes[0] != sizes[1]):
                notes = tuple(
                    f"{m.name}: {m.facts.vocabulary or 'unknown'} tokens, {m.facts.tokenizer or 'unknown'}" for m in (ours, theirs)
                )
                yield error(graph, "D453", where, f"{message}, whose tokens differ", help, notes)
            else:
                yield warning(graph, "D453", where, f"{message}: nothing here says that their tokens are the same", help)
