"""Where the rows behind a reference come from, so that two references can be compared without reading a row."""

from dataclasses import dataclass

from distillc.compiler.lower.graph import Graph, split_reference
from distillc.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Origin:
    """Rows `start` to `stop` (None: to the end) of one split of a data step. `cleaned_of`: steps that a curator keeps it apart from."""

    data: str
    split: str
    start: int = 0
    stop: int | None = None
    cleaned_of: frozenset[str] = frozenset()

    def meets(self, other: "Origin") -> bool:
        """Whether the two have rows in common. A validation or test split enters whole, so ranges count for training rows alone."""
        if (self.data, self.split) != (other.data, other.split):
            return False
        if self.split != "train":
            return True
        return (other.stop is None or self.start < other.stop) and (self.stop is None or other.start < self.stop)


def origins(graph: Graph, reference: str, bare: str | None) -> list[Origin]:
    """One origin for each split that enters. `bare` is the split that a bare name means (None: all)."""
    name, split = split_reference(reference)
    step = graph.rows.get(name)
    if step is None:
        return []
    wanted = [split or bare] if split or bare else list(step.splits)
    data, start, stop, cleaned = _walk(graph, name)
    return [Origin(data, split, start, stop, cleaned) for split in wanted if split in step.splits]


def _walk(graph: Graph, name: str) -> tuple[str, int, int | None, frozenset[str]]:
    """Down to the data step. The range is that of the step next to the data; later ones only take parts of it."""
    spec: Spec = graph.spec
    start, stop = 0, None
    cleaned: set[str] = set()
    while name not in spec.data:
        if name in spec.generate:
            generate = spec.generate[name]
            start, stop = generate.skip, None if generate.limit is None else generate.skip + generate.limit
            name = split_reference(generate.from_)[0]
        else:
            curate = spec.curate[name]
            for item in curate.steps:
                for marked in graph.marks("curators", item.uses):
                    value = item.fields.get(marked.field)
                    names = value if isinstance(value, list) else [value]
                    cleaned |= {split_reference(text)[0] for text in names if marked.mark == "rows" and isinstance(text, str)}
            name = split_reference(curate.from_)[0]
    return name, start, stop, frozenset(cleaned)
