"""What a spec evaluates and what its gates claim, read for rules from nodes that may be wrong in shape."""

from collections.abc import Iterator
from typing import NamedTuple

from distillc.spec.diagnostic import Span
from distillc.spec.nodes import Entry, MappingNode, Node, SequenceNode, at, entries, items, text
from distillc.spec.rules import Context


class Claim(NamedTuple):
    """A gate with its three names in place. `span` is that of its own name; `margin` the node, where one is written."""

    evaluation: str
    name: str
    span: Span
    body: MappingNode
    model: str
    metric: str
    against: str
    margin: Node | None

    @property
    def fails(self) -> bool:
        """Whether a no of this gate changes the exit code."""
        return text(self.body.get("level")) != "warn"

    def span_of(self, key: str) -> Span:
        node = self.body.get(key)
        return node.span if node else self.span


def claims(context: Context) -> Iterator[Claim]:
    for evaluation in entries(context.at("evaluate")):
        for gate in entries(at(evaluation.value, "gates")):
            model, metric, against = (text(at(gate.value, key)) for key in ("model", "metric", "against"))
            if isinstance(gate.value, MappingNode) and model and metric and against:
                margin = gate.value.get("margin")
                yield Claim(evaluation.key, gate.key, gate.key_span, gate.value, model, metric, against, margin)


def evaluations(context: Context) -> Iterator[tuple[Entry, Entry, dict[str, Node]]]:
    """Each evaluation that lists models: its step, the entry of the list, and the models in it by name."""
    for step in entries(context.at("evaluate")):
        listed = step.value.entries.get("models") if isinstance(step.value, MappingNode) else None
        if listed and isinstance(listed.value, SequenceNode):
            yield step, listed, {name: node for node in listed.value.items if (name := text(node))}


def evaluated(context: Context) -> set[str]:
    """The models that any evaluation lists."""
    return {name for _, _, models in evaluations(context) for name in models}


def candidates(context: Context, choice: str) -> list[str]:
    """The models that a choice is one of; none for any other model."""
    return [name for item in items(context.at("choose", choice, "among")) if (name := text(item))]


def delivered(step: Node) -> dict[str, Node]:
    """The models of a deploy step by name."""
    return {name: node for node in items(at(step, "from")) if (name := text(node))}
