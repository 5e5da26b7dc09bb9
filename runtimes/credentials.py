"""Whether the keys are there that stages need: asked before the first begins, and by `plan`, which may be made elsewhere.

Variables and files are looked at. Commands and keyrings are not: one may cost, or ask a person, and is for the moment of use.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from distillc.compiler.keys import NESTED, OWN
from distillc.compiler.plan import Plan, Stage
from distillc.runtimes.cutoff import Schemas, content_key
from distillc.runtimes.store import Store
from distillc.spec.errors import UsageError
from distillc.spec.marks import marked_fields
from distillc.spec.secret import missing_secret
from distillc.spec.values import counted


class Missing(NamedTuple):
    """A key that is not there: the model that says it, else where it is asked for first; what is wrong, and the way out."""

    where: str
    message: str
    help: str


def refuse_missing(plan: Plan, stages: Sequence[Stage], folder: Path, store: Store, plugins: Schemas) -> None:
    """Raises UsageError where a stage that is to be made needs a key that is not there."""
    if found := missing_keys(plan, stages, folder, store, plugins):
        messages, ways = ("; ".join(dict.fromkeys(texts)) for texts in zip(*(one[1:] for one in found), strict=True))
        raise UsageError(messages, where=found[0].where, help=f"{ways}; nothing has begun")


def missing_keys(plan: Plan, stages: Sequence[Stage], folder: Path, store: Store, plugins: Schemas) -> list[Missing]:
    """`folder` is the spec's. What is sealed, or will be adopted as far as that can be known, needs no key."""
    needed: dict[str, list[Stage]] = {}
    for stage, reference in _references(stages, plugins):
        needed.setdefault(reference, []).append(stage)
    lacking = {reference: error for reference in needed if (error := missing_secret(reference, folder))}
    made = _made(stages, store, plugins) if lacking else set()
    found = []
    for reference, error in lacking.items():
        if waiting := [stage for stage in needed[reference] if stage.id not in made]:
            first, others = waiting[0], len(waiting) - 1
            whose = f"`{first.id}`" + (f" and {counted(others, 'more stage')}" if others else "")
            says = (stage for stage in plan.stages if stage.kind == "build-model" and reference in stage.config.values())
            line = next(says, first).line
            where = plan.spec if line is None else f"{plan.spec}:{line}"
            found.append(Missing(where, f"{error.message}, and {whose} need{'' if others else 's'} it", error.help or ""))
    return found


def _references(stages: Sequence[Stage], plugins: Schemas) -> Iterator[tuple[Stage, str]]:
    """The secrets of the plugins of each stage. A model's own are left out: they are handed on to whoever asks the model."""

    @cache
    def secret_fields(kind: str, name: str) -> tuple[str, ...]:
        schema = plugins.config_schema(kind, name) if name in plugins.names(kind) else {}
        return tuple(marked.field for marked in marked_fields(schema) if marked.mark == "secret")

    for stage in stages:
        if stage.kind == "build-model":
            continue
        bodies: list[tuple[str, Mapping[str, Any]]] = [
            (kind, {**stage.config, "uses": stage.uses}) for kind in OWN.get(stage.kind, ()) if stage.uses
        ]
        bodies += [body for key in NESTED if key in stage.config for body in _bodies(NESTED[key], stage.config[key])]
        for kind, body in bodies:
            yield from ((stage, reference) for field in secret_fields(kind, body["uses"]) if (reference := body.get(field)))


def _bodies(kind: str, value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A plugin's mapping, or those in a list or map of them."""
    if isinstance(value, Mapping) and isinstance(value.get("uses"), str):
        yield kind, value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _bodies(kind, item)


def _made(stages: Sequence[Stage], store: Store, plugins: Schemas) -> set[str]:
    """The stages that are sealed, and those after them whose content is there under another key: the driver will adopt them."""
    contents = {one.content_key: one for one in store.all()}
    digests: dict[str, str] = {}
    for stage in stages:
        sealed = store.sealed(stage.key)
        if sealed is None and all(ref.stage in digests for ref in stage.inputs.values()):
            sealed = contents.get(content_key(stage, {port: digests[ref.stage] for port, ref in stage.inputs.items()}, plugins))
            sealed = sealed if sealed and store.complete(sealed) else None
        if sealed is not None:
            digests[stage.id] = sealed.digest
    return set(digests)
