"""Which model is made from which and what taught it, of a whole spec at once, read from its references: for rules, which have no plan.

Names that lead nowhere stay in it as they are written; that they do is another rule's finding.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from distillc.spec.check import Reference
from distillc.spec.declared import reads_teacher
from distillc.spec.nodes import uses
from distillc.spec.references import owner
from distillc.spec.rows import ANSWER, rows_of
from distillc.spec.rules import Context

_MADE_FROM = {"models": "from", "train": "model", "quantize": "from", "choose": "among"}
_SAME_MODEL = ("quantize", "choose")


class Pedigree(NamedTuple):
    """`parents`: what a model is made from; of a choice, its candidates. `teachers`: of a train step, what it learns from itself.

    `forms` are those parents that a model is only another form of. `taught` has the teachers of a model and of all that it descends
    from, `steps` says whether any of those is a train step.
    """

    parents: Mapping[str, tuple[str, ...]]
    forms: Mapping[str, tuple[str, ...]]
    teachers: Mapping[str, tuple[str, ...]]
    sections: Mapping[str, str]
    taught: Mapping[str, tuple[str, ...]]
    steps: Mapping[str, tuple[str, ...]]

    def ancestors(self, *names: str) -> tuple[str, ...]:
        """The models themselves, then all that their weights come from, the nearest first."""
        return _reached(names, self.parents)

    def descended_from(self, names: Iterable[str]) -> Mapping[str, str]:
        """Of each model that descends from one of `names`, and of those themselves, the one: all in one walk."""
        children: dict[str, list[str]] = {}
        for child, parents in self.parents.items():
            for parent in parents:
                children.setdefault(parent, []).append(child)
        found = {name: name for name in names}
        waiting = list(found)
        for at_hand in waiting:
            for child in children.get(at_hand, ()):
                if child not in found:
                    found[child] = found[at_hand]
                    waiting.append(child)
        return found

    def exported_from(self, name: str) -> tuple[str, ...]:
        """The model itself, then the models that it is another form of: through quantizing and choosing, not through training."""
        return _reached((name,), self.forms)

    def taught_by(self, name: str) -> tuple[str, ...]:
        """The teachers of a model and of all that it descends from."""
        return self.taught.get(name, ())

    def trained(self, name: str) -> bool:
        """Whether a model, or one that it descends from, was made by a train step."""
        return bool(self.steps.get(name))


def pedigree(context: Context) -> Pedigree:
    """Worked out once for all rules that ask."""
    if "pedigree" not in context.memo:
        context.memo["pedigree"] = _read(context)
    found: Pedigree = context.memo["pedigree"]
    return found


def _read(context: Context) -> Pedigree:
    parents: dict[str, list[str]] = {}
    teachers: dict[str, list[str]] = {}
    answering: dict[str, tuple[str, ...]] = {}  # train step -> whose answers it learns
    for reference in context.references:
        step = owner(reference)
        if step is None:
            continue
        section, name = step
        key = reference.path[2] if len(reference.path) > 2 else None
        if reference.expects == "model":
            if key == _MADE_FROM.get(section):
                parents.setdefault(name, []).append(reference.text)
            elif section == "train" and key == "losses" and _is_soft(reference, context):
                teachers.setdefault(name, []).append(reference.text)
        elif section == "train" and key == "data" and (rows := rows_of(reference.text, context)) and rows.teachers:
            answering[name] = rows.teachers
    for name, answered in answering.items():
        teachers.setdefault(name, []).extend(answered)
    sections = {definition.name: definition.section for definition in context.definitions.values() if definition.kind == "model"}
    forms = {name: of for name, of in parents.items() if sections.get(name) in _SAME_MODEL}
    steps = {name: ("train",) for name, section in sections.items() if section == "train"}
    own = _frozen(teachers)
    return Pedigree(_frozen(parents), _frozen(forms), own, sections, _handed_down(own, parents), _handed_down(steps, parents))


def _is_soft(reference: Reference, context: Context) -> bool:
    """Of a teacher that a loss names. A loss that is not installed is taken for one that needs it."""
    loss = uses(context.at(*reference.path[:4])) or ""
    return loss not in context.table.names("losses") or reads_teacher(context.table.capabilities("losses", loss))


def teaches(reference: Reference, context: Context) -> bool:
    """Whether what a generator's model writes becomes the target of its rows; else it is only written down beside it."""
    rows, place = rows_of(str(reference.path[1]), context), reference.path[3] if len(reference.path) > 3 else None
    if rows is None or not isinstance(place, int) or place >= len(rows.effects):
        return True  # its shape is wrong, or what it is made from
    effect = rows.effects[place]
    return effect.target == ANSWER or not effect.known


def _reached(names: Iterable[str], edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    found = dict.fromkeys(names)
    waiting = list(found)
    for at_hand in waiting:
        for following in edges.get(at_hand, ()):
            if following not in found:
                found[following] = None
                waiting.append(following)
    return tuple(found)


def _handed_down(own: Mapping[str, tuple[str, ...]], parents: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """What each model has itself and from all that it descends from: each model once, however long the way. A loop hands down nothing."""
    found: dict[str, tuple[str, ...]] = {}
    for start in parents.keys() | own.keys():
        trail = [start]
        entered = {start}
        while trail:
            name = trail[-1]
            above = next((parent for parent in parents.get(name, ()) if parent not in found and parent not in entered), None)
            if above is not None:
                trail.append(above)
                entered.add(above)
                continue
            inherited = (value for parent in parents.get(name, ()) for value in found.get(parent, ()))
            found[trail.pop()] = tuple(dict.fromkeys((*own.get(name, ()), *inherited)))
    return found


def _frozen(lists: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(dict.fromkeys(values)) for name, values in lists.items()}
