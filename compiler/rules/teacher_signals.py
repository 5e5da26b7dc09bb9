"""A soft loss needs the teacher's log-probabilities for given tokens, and none are to be had.

They come from a model with weights in a form that an engine here can score tokens with (`does: [score_tokens]`). Rules have no
probabilities, and some engines only generate. The other way round, a hard loss looks at no teacher.

    losses: {soft: {uses: forward_kl, teacher: harper}}      # rules
"""

from collections.abc import Iterator

from distillc.compiler.lower.graph import Graph
from distillc.compiler.lower.train import is_soft
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic

SCORING = frozenset({"score_tokens", "hidden_states"})


def check(graph: Graph) -> Iterator[Diagnostic]:
    for step, body in graph.spec.train.items():
        for name, loss in body.losses.items():
            where = ("train", step, "losses", name)
            if not is_soft(graph, loss.uses):
                if loss.teacher:
                    yield error(
                        graph, "D450", (*where, "teacher"), f"`{loss.uses}` looks at no teacher", "take `teacher` out, or use a soft loss"
                    )
            elif loss.teacher is None:
                yield error(graph, "D450", where, f"`{loss.uses}` needs a teacher", "name a model: `teacher: NAME`")
            elif (teacher := graph.models.get(loss.teacher)) and not _scores(graph, teacher.format):
                message = f"`{loss.uses}` needs log-probabilities, and `{teacher.name}` cannot give any"
                notes = (f"its format is {teacher.format}; engines here that read it score no tokens",)
                yield error(graph, "D450", (*where, "teacher"), message, "name a teacher with weights in a Hugging Face folder", notes)


def _scores(graph: Graph, format: str | None) -> bool:
    readers = [name for name in graph.plugins.names("engines") if graph.reads(name, format)]
    return any(SCORING & set(graph.plugins.manifest("engines", name).capabilities.get("does", ())) for name in readers)
