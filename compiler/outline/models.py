"""What is known of a model before it is made: its lineage, who taught it, and facts such as its width or its tokenizer.

Named tuples, and in `rows.py` too: a frozen dataclass takes eight times as long to define, which each `lint` does.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from distillc.compiler.outline.steps import Step
from distillc.spec.declared import evaluated
from distillc.spec.references import split_name

if TYPE_CHECKING:
    from distillc.compiler.outline import Outline

FACTS = (
    "format",
    "file",
    "architecture",
    "width",
    "layers",
    "vocabulary",
    "tokenizer",
    "license",
    "parameters",
    "context",
    "precision",
    "block",
)
"""What may be known of a model: what its files say (`compiler/facts/model.py`), and of an export its precision and its block, the
number of weights in a row that share a scale. `format` is what its plugin builds, `file` what that is made of."""

TRAINED_FORMAT = "hf"
ELSEWHERE = frozenset({"api", "recorded"})
"""Formats of models whose weights are not on this machine: no file says more of them than what tokens they have, and there is no speed to
measure."""
OF_TOKENS = ("tokenizer", "vocabulary")


class Origin(NamedTuple):
    """What facts can be learned from: a model's plugin, the fields that are the plugin's own, and the model it is made of.

    `elsewhere`: its weights are not on this machine, and its files only say which tokens it has.
    """

    where: tuple[str, str]
    kind: str
    uses: str
    fields: Mapping[str, Any]
    parent: "Model | None"
    elsewhere: bool = False


Learn = Callable[[Origin], Mapping[str, Any] | None]
"""What is known beyond the manifest; None where that has not been asked yet."""


class Model(NamedTuple):
    """A model: of `models:`, of a train step or an export. `parent` is the model whose weights it was made from, `root` the first of them.

    `teachers` taught it (by a soft loss or through their answers), `soft` is those of its own soft losses. `families` has its own
    family first, then those of its ancestors. `data` is what it was trained on, as a reference. A fact that is missing is not known
    yet; one that is None is known to be said nowhere.
    """

    name: str
    section: str
    kind: str
    uses: str
    root: str
    facts: Mapping[str, Any]
    fields: Mapping[str, Any]
    parent: str | None = None
    family: str | None = None
    families: tuple[str, ...] = ()
    engine: Mapping[str, Any] | None = None
    teachers: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    data: str | None = None

    @property
    def where(self) -> tuple[str, str]:
        return (self.section, self.name)

    @property
    def format(self) -> str | None:
        return self.facts.get("format")

    @property
    def license(self) -> str | None:
        return self.facts.get("license")

    @property
    def has_weights(self) -> bool:
        return not (self.format or "").startswith("rules/")

    @property
    def runs_here(self) -> bool:
        return self.has_weights and self.format not in ELSEWHERE


def make_model(outline: "Outline", step: Step) -> Model:
    return _trained(outline, step) if step.section == "train" else _made(outline, step)


def _made(outline: "Outline", step: Step) -> Model:
    """Of `models` and `quantize`."""
    body = step.body
    kind = outline.model_kind(body["uses"]) if step.section == "models" else "quantizers"
    parent = outline.models[body["from"]] if body.get("from") else None
    own = outline.plugins.config_schema(kind, body["uses"]).get("properties", {})
    origin = Origin(
        where=step.where, kind=kind, uses=body["uses"], fields={key: value for key, value in body.items() if key in own}, parent=parent
    )
    family = body.get("family") or outline.capabilities(kind, body["uses"]).get("family")
    return Model(
        name=step.name,
        section=step.section,
        kind=kind,
        uses=origin.uses,
        root=parent.root if parent else step.name,
        parent=parent.name if parent else None,
        family=family or (parent.family if parent else None),
        families=_families(family, parent),
        facts=_facts(outline, origin, body.get("license")),
        fields=origin.fields,
        engine=body.get("engine"),
        teachers=parent.teachers if parent else (),
    )


def _trained(outline: "Outline", step: Step) -> Model:
    body = step.body
    parent = outline.models[body["model"]]
    soft = [loss["teacher"] for loss in body["losses"].values() if loss.get("teacher") and outline.is_soft(loss["uses"])]
    answered = outline.rows[split_name(body["data"])[0]].teachers
    uses = body["trainer"]["uses"]
    remote = outline.capabilities("trainers", uses).get("remote")
    return Model(
        name=step.name,
        section=step.section,
        kind="trainers",
        uses=uses,
        root=parent.root,
        parent=parent.name,
        family=parent.family,
        families=parent.families,
        facts={**parent.facts, "format": trained_format(outline, uses)},  # training moves numbers: what the files say of the model stays
        fields=parent.fields if remote else {},  # the key is that of the base
        engine=body.get("engine"),
        teachers=tuple(dict.fromkeys([*soft, *answered, *parent.teachers])),
        soft=tuple(dict.fromkeys(soft)),
        data=body["data"],
    )


def _without_weights(outline: "Outline", origin: Origin, capabilities: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing but which tokens a model elsewhere has, and only where its entry names a tokenizer."""
    nothing: dict[str, Any] = dict.fromkeys(FACTS)
    if not origin.fields.get(capabilities.get("tokenizer", "")):
        return nothing
    learned = outline.learn(origin._replace(elsewhere=True))
    if learned is None:
        return {fact: value for fact, value in nothing.items() if fact not in OF_TOKENS}
    return nothing | {fact: learned.get(fact) for fact in OF_TOKENS}


def trained_format(outline: "Outline", trainer: str) -> str:
    """The format of the models that a trainer takes, and makes."""
    return str(outline.capabilities("trainers", trainer).get("format", TRAINED_FORMAT))


def _families(own: str | None, parent: Model | None) -> tuple[str, ...]:
    inherited = parent.families if parent else ()
    return tuple(dict.fromkeys((own, *inherited) if own else inherited))


def _facts(outline: "Outline", origin: Origin, license: str | None) -> Mapping[str, Any]:
    """What the plugin keeps of the parent and what its manifest declares, then what there is to learn beyond."""
    capabilities = outline.capabilities(origin.kind, origin.uses)
    inherited = origin.parent.facts if origin.parent else {}
    known = {key: inherited[key] for key in ("license", *capabilities.get("keeps", ())) if key in inherited}
    known |= {key: evaluated(rule, origin.fields) for key, rule in capabilities.get("facts", {}).items()}
    format = capabilities.get("writes" if origin.kind == "quantizers" else "format") or inherited.get("format")
    known |= {"format": format} if format else {}
    known |= {"license": license} if license else {}
    if isinstance(format, str) and (format.startswith("rules/") or format in ELSEWHERE):
        return _without_weights(outline, origin, capabilities) | known
    learned = outline.learn(origin)
    if learned is None:
        return known
    # A license that the spec names stands above the file's, what a teacher's plugin builds above what it reads.
    settled = {"license", "format"} if origin.kind == "teachers" else {"license"}
    more = {key: value for key, value in learned.items() if value is not None and (key not in settled or known.get(key) is None)}
    return dict.fromkeys(FACTS) | known | more | {"file": learned.get("format")}
