"""What is known of the rows behind a name without reading one: where they come from, who answered them, how many they can be."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from distillc.compiler.outline.steps import Step
from distillc.spec.references import split_name

if TYPE_CHECKING:
    from distillc.compiler.outline import Outline


class Rows(NamedTuple):
    """A step that yields rows. `splits` are those that may hold any; `data` is the step of that section that all of them come from.

    `start` to `stop` (None: to the end) is the range of its training rows; later steps only take parts of the one next to the data.
    `teachers` answered them; `cleaned_of` are the steps whose rows a curator took out. `at_most`: an upper bound of the training rows,
    `held_out` of the others by split. `unsifted`: nothing on the way from the data takes rows out but by that range.
    """

    name: str
    data: str
    splits: tuple[str, ...] = ("train",)
    start: int = 0
    stop: int | None = None
    teachers: tuple[str, ...] = ()
    cleaned_of: frozenset[str] = frozenset()
    at_most: int | None = None
    held_out: Mapping[str, int] = {}
    unsifted: bool = True

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


def make_rows(outline: "Outline", step: Step) -> Rows:
    return {"data": _data, "generate": _generate, "curate": _curate}[step.section](outline, step)


def _data(outline: "Outline", step: Step) -> Rows:
    split: Mapping[str, Any] = step.body.get("split") or {}
    held_out = {name: split[name] for name in ("validation", "test") if split.get(name)}
    most = outline.declared("sources", step.body, "rows")
    if isinstance(most, int):  # rows are held out first
        most = max(0, most - sum(held_out.values())) if split.get("by", "row") == "row" else most
    return Rows(step.name, step.name, ("train", *held_out), at_most=most if isinstance(most, int) else None, held_out=held_out)


def _generate(outline: "Outline", step: Step) -> Rows:
    made = _made(outline, step)
    skip, limit = step.body.get("skip", 0), step.body.get("limit")
    next_to_data = made.data == split_name(step.body["from"])[0]
    if next_to_data:
        made = made._replace(start=skip, stop=None if limit is None else skip + limit)
    known = [number for number in (limit, None if made.at_most is None else max(0, made.at_most - skip)) if number is not None]
    one_each = all(outline.capabilities("generators", item["uses"]).get("rows") == "one" for item in step.body["steps"])
    asked = [name for item in step.body["steps"] for name in outline.named("generators", item, "model")]
    return made._replace(
        teachers=tuple(dict.fromkeys([*made.teachers, *asked])),
        at_most=min(known, default=None) if one_each else None,
        held_out=made.held_out if one_each else {},
        unsifted=made.unsifted and one_each and (next_to_data or not (skip or limit)),
    )


def _curate(outline: "Outline", step: Step) -> Rows:
    made = _made(outline, step)
    against = [split_name(text)[0] for item in step.body["steps"] for text in outline.named("curators", item, "rows")]
    return made._replace(cleaned_of=made.cleaned_of | frozenset(against), unsifted=False)


def _made(outline: "Outline", step: Step) -> Rows:
    """What a step makes of another: it carries the other's splits, or the one that it was given."""
    name, split = split_name(step.body["from"])
    source = outline.rows[name]
    return source._replace(name=step.name, splits=source.splits if split is None else (split,))
