"""What is known of the rows behind a name without reading one: where they come from, who answered them, how many they can be.

One view for the rules of the language and for the compiler, worked out from plain bodies and from what manifests declare of their
plugins; so third parties' plugins are seen as the built-ins are. A plugin that declares nothing leaves things open: None.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from distillc.spec.check import Walker
from distillc.spec.declared import evaluated
from distillc.spec.filled import filled
from distillc.spec.marks import marked_fields, named
from distillc.spec.nodes import Node, at, items, text, uses
from distillc.spec.references import split_name
from distillc.spec.rules import Context
from distillc.spec.table import PluginTable

SECTIONS = ("data", "generate", "curate")
NO_TARGET, OWN_TARGET, ANSWER = "none", "own", "answer"


class Effect(NamedTuple):
    """What a generator does to a row. `target`: what stands in its target then, `none`, `own` (its own) or `answer`; None where that is as
    before, or not `known`. `answers`: the field that takes an answer of its model. `times`: how many rows it makes of one at the most."""

    target: str | None
    answers: str | None
    known: bool
    times: int | None = None


class Rows(NamedTuple):
    """A step that yields rows. `splits` are those that may hold any; `data` is the step of that section that all of them come from.

    `start` to `stop` (None: to the end) is the range of its training rows; later steps only take parts of the one next to the data.
    `teachers` answered them; `cleaned_of` are the steps whose rows a curator took out. `at_most`: an upper bound of the training rows,
    `held_out` of the others by split. `unsifted`: nothing on the way from the data takes rows out but by that range. `bare`: the step
    that left them without targets. `answered`: the generator whose answers their targets are, as its step and place.
    """

    name: str
    section: str
    data: str
    source: str | None = None
    splits: tuple[str, ...] = ("train",)
    start: int = 0
    stop: int | None = None
    teachers: tuple[str, ...] = ()
    cleaned_of: frozenset[str] = frozenset()
    at_most: int | None = None
    held_out: Mapping[str, int] = {}
    unsifted: bool = True
    bare: str | None = None
    answered: tuple[str, int] | None = None
    effects: tuple[Effect, ...] = ()

    def meets(self, split: str, other: "Rows", its: str) -> bool:
        """Whether one split and one of another step have rows in common. Ranges count for training rows alone: the others enter whole."""
        if (self.data, split) != (other.data, its):
            return False
        if split != "train":
            return True
        return (other.stop is None or self.start < other.stop) and (self.stop is None or other.start < self.stop)

    def most(self, split: str) -> int | None:
        """An upper bound of the rows in a split that may hold any; None where nothing is known."""
        return None if split not in self.splits else self.at_most if split == "train" else self.held_out.get(split)

    def taken(self, split: str | None) -> tuple[str, ...]:
        """Of the splits that are meant (None: all) those that may hold rows."""
        return tuple(name for name in self.splits if split in (None, name))


def make_rows(section: str, name: str, body: Mapping[str, Any], known: Mapping[str, Rows], plugins: PluginTable) -> Rows | None:
    """Of a step with all its defaults (`spec/filled.py`); None where nothing is known of what it is made from."""
    if section == "data":
        return _data(name, body, plugins)
    origin, split = split_name(body["from"])
    source = known.get(origin)
    if source is None:
        return None
    splits = source.splits if split is None else (split,)
    made = source._replace(name=name, section=section, source=origin, splits=splits, effects=())
    return (_generate if section == "generate" else _curate)(made, body, plugins)


def _data(name: str, body: Mapping[str, Any], plugins: PluginTable) -> Rows:
    split: Mapping[str, Any] = body.get("split") or {}
    held_out = {side: split[side] for side in ("validation", "test") if split.get(side)}
    able = plugins.capabilities("sources", body["uses"])
    most = evaluated(able.get("rows"), body)
    most = max(0, most - sum(held_out.values())) if isinstance(most, int) else None  # exactly so many are held out, and first
    bare = name if evaluated(able.get("target"), body) == NO_TARGET else None
    return Rows(name, "data", name, splits=("train", *held_out), at_most=most, held_out=held_out, bare=bare)


def _generate(made: Rows, body: Mapping[str, Any], plugins: PluginTable) -> Rows:
    skip, limit = body.get("skip", 0), body.get("limit")
    next_to_data = made.data == made.source
    if next_to_data:
        made = made._replace(start=skip, stop=None if limit is None else skip + limit)
    bounds = [number for number in (limit, None if made.at_most is None else max(0, made.at_most - skip)) if number is not None]
    effects = tuple(effect_of(item, plugins) for item in body["steps"])
    times = _product([effect.times for effect in effects])
    bare, answered, teachers = made.bare, made.answered, list(made.teachers)
    for index, (item, effect) in enumerate(zip(body["steps"], effects, strict=True)):
        if effect.target is not None or not effect.known:
            bare = made.name if effect.target == NO_TARGET else None
            answered = (made.name, index) if effect.target == ANSWER else None
        if effect.target == ANSWER or not effect.known:
            teachers += _named("generators", item, "model", plugins)
    return made._replace(
        teachers=tuple(dict.fromkeys(teachers)),
        at_most=min(bounds) * times if bounds and times else None,
        held_out={split: count * times for split, count in made.held_out.items()} if times else {},
        unsifted=made.unsifted and times is not None and (next_to_data or not (skip or limit)),
        bare=bare,
        answered=answered,
        effects=effects,
    )


def _curate(made: Rows, body: Mapping[str, Any], plugins: PluginTable) -> Rows:
    against = [split_name(text)[0] for item in body["steps"] for text in _named("curators", item, "rows", plugins)]
    return made._replace(cleaned_of=made.cleaned_of | frozenset(against), unsifted=False)


def effect_of(item: Mapping[str, Any], plugins: PluginTable) -> Effect:
    able = plugins.capabilities("generators", item["uses"])
    times = _times(item, able.get("rows"), plugins)
    if "answers" in able:
        field = evaluated(able["answers"], item)
        return Effect(ANSWER if field == "target" else None, field, known=True, times=times)
    target = evaluated(able.get("target"), item)
    return Effect(target, None, known=target is not None, times=times)


def _times(item: Mapping[str, Any], declared: Any, plugins: PluginTable) -> int | None:
    match declared if isinstance(declared, str) else evaluated(declared, item):
        case "one":
            return 1
        case "one a model":
            return len(_named("generators", item, "model", plugins))
    return None


def _product(factors: Sequence[int | None]) -> int | None:
    known = [factor for factor in factors if factor is not None]
    return prod(known) if len(known) == len(factors) else None


def _named(kind: str, body: Mapping[str, Any], mark: str, plugins: PluginTable) -> list[str]:
    return named(marked_fields(plugins.config_schema(kind, body["uses"])), body, mark)


# for rules of the language


def all_rows(context: Context) -> Mapping[str, Rows]:
    """By name, of the steps whose shape is right. One that is made from itself, or from what is not known, is left out."""
    if "rows" not in context.memo:
        context.memo["rows"] = _read(context)
    found: Mapping[str, Rows] = context.memo["rows"]
    return found


def rows_of(reference: str | None, context: Context) -> Rows | None:
    """The step that a reference names, with or without a split."""
    return all_rows(context).get(split_name(reference)[0]) if reference else None


def way(rows: Rows | None, context: Context) -> Iterator[Rows]:
    """The step itself, then what it is made from, up to the data."""
    while rows is not None:
        yield rows
        rows = all_rows(context).get(rows.source) if rows.source else None


def step_of(rows: Rows, context: Context) -> Node | None:
    return context.at(rows.section, rows.name)


def items_of(rows: Rows, context: Context) -> Sequence[Node]:
    """The generators or curators of a step, in order."""
    return items(at(step_of(rows, context), "steps"))


def kept_apart(rows: Rows, context: Context) -> list[Node]:
    """The places where the curators of a step name rows that nothing of it may repeat."""
    if rows.section != "curate":
        return []
    found = []
    for item in items_of(rows, context):
        fields = marked_fields(context.table.config_schema("curators", uses(item) or ""))
        found += [at(item, marked.field) for marked in fields if marked.mark == "rows"]
    return [node for node in found if node is not None]


def _read(context: Context) -> dict[str, Rows]:
    walker = Walker(context.table.language_schema())
    found: dict[str, Rows] = {}
    lost: set[str] = set()
    for name in context.definitions:
        trail: dict[str, None] = {}  # a way can be long: no recursion
        following: str | None = name
        while following is not None and following not in found and following not in lost and following not in trail:
            definition = context.definitions.get(following)
            if definition is None or definition.kind != "rows" or definition.path in context.malformed:
                lost.add(following)
                break
            trail[following] = None
            origin = text(at(context.at(*definition.path), "from")) if definition.section != "data" else None
            following = split_name(origin)[0] if origin else None
        for step in reversed(trail):
            definition = context.definitions[step]
            made = _made(definition.section, step, context, walker, found)
            if made is None:
                lost.add(step)
            else:
                found[step] = made
    return found


def _made(section: str, name: str, context: Context, walker: Walker, known: Mapping[str, Rows]) -> Rows | None:
    node = context.at(section, name)
    schema = walker.root["properties"][section].get("additionalProperties", {})
    return make_rows(section, name, filled(node, schema, walker), known, context.table) if node is not None else None
