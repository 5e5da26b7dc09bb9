"""Which model is made from which and what taught it, of a whole spec at once, read from its references: for rules, which have no plan.

Names that lead nowhere stay in it as they are written; that they do is another rule's finding.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from distillc.spec.check import Reference
from distillc.spec.nodes import at, text
from distillc.spec.references import owner, split_name
from distillc.spec.rules import Context

_MADE_FROM = {"models": "from", "train": "model", "quantize": "from", "choose": "among"}
_SAME_MODEL = ("quantize", "choose")


class Pedigree(NamedTuple):
    """`parents`: what a model is made from; of a choice, its candidates. `teachers`: of a train step, what it learns from itself.

    `forms` are those parents that a model is only another form of.
    """

    parents: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, tuple[str, ...]]
    teachers: Mapping[str, tuple[str, ...]]
    sections: Mapping[str, str]

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The model itself, then all that its weights come from, the nearest first."""
        return _reached(name, self.parents)

    def exported_from(self, name: str) -> tuple[str, ...]:
        """The model itself, then the models that it is another form of: through quantizing and choosing, not through training."""
        return _reached(name, self.forms)

    def taught_by(self, name: str) -> tuple[str, ...]:
        """The teachers of a model and of all that it descends from."""
        return tuple(dict.fromkeys(teacher for behind in self.ancestors(name) for teacher in self.teachers.get(behind, ())))

    def trained(self, name: str) -> bool:
        return any(self.sections.get(behind) == "train" for behind in self.ancestors(name))


def pedigree(context: Context) -> Pedigree:
    parents: dict[str, list[str]] = {}
    teachers: dict[str, list[str]] = {}
    origins: dict[str, list[str]] = {}
    answering: dict[str, list[str]] = {}
    learned: dict[str, str] = {}  # train step -> its rows
    for reference in context.references:
        step = owner(reference)
        if step is None:
            continue
        section, name = step
        key = reference.path[2] if len(reference.path) > 2 else None
        if reference.expects == "model":
            if key == _MADE_FROM.get(section):
                parents.setdefault(name, []).append(reference.text)
            elif section == "train" and key == "losses":
                teachers.setdefault(name, []).append(reference.text)
            elif section == "generate" and teaches(reference, context):
                answering.setdefault(name, []).append(reference.text)
        elif reference.expects == "rows":
            rows = split_name(reference.text)[0]
            if key == "from":
                origins.setdefault(name, []).append(rows)
            elif section == "train" and key == "data":
                learned[name] = rows
    for name, rows in learned.items():
        found = [teacher for behind in _reached(rows, origins) for teacher in answering.get(behind, ())]
        if found:
            teachers.setdefault(name, []).extend(found)
    sections = {definition.name: definition.section for definition in context.definitions.values() if definition.kind == "model"}
    forms = {name: of for name, of in parents.items() if sections.get(name) in _SAME_MODEL}
    return Pedigree(_frozen(parents), _frozen(forms), _frozen(teachers), sections)


def teaches(reference: Reference, context: Context) -> bool:
    """Whether what a generator's model writes becomes the target of its rows; else it is only written down beside it."""
    return text(at(context.root, *reference.path[:-1], "into")) != "output"


def _reached(name: str, edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    found = {name: None}
    waiting = [name]
    for at_hand in waiting:
        for following in edges.get(at_hand, ()):
            if following not in found:
                found[following] = None
                waiting.append(following)
    return tuple(found)


def _frozen(lists: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(dict.fromkeys(values)) for name, values in lists.items()}
