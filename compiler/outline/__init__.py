"""What is known of a spec beyond its text, without pydantic, config classes or files: what the rules here look at, and lowering too.

Made from checked nodes, from manifests and schemas, and from `learn`, the one way by which facts of models come in: from the lock where
`lint` works offline (`compiler/pinned.py`), from headers and config classes where `plan` looks at the world (`compiler/world.py`).
So one rule serves both. See docs/adr/0004-one-rule-for-lint-and-plan.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from distillc.compiler.outline.models import Learn, Model, make_model
from distillc.compiler.outline.steps import Step, sound_steps
from distillc.spec.check import Walker, resolve_ref
from distillc.spec.declared import evaluated, reads_teacher
from distillc.spec.diagnostic import Span
from distillc.spec.errors import DistillError
from distillc.spec.filled import defaults, filled
from distillc.spec.marks import Marked, marked_fields, named
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode
from distillc.spec.references import KINDS, split_name
from distillc.spec.resolve import find, nearest
from distillc.spec.rows import Rows, all_rows, make_rows
from distillc.spec.rules import Context

if TYPE_CHECKING:
    from distillc.compiler.plugins import Plugins

Where = Sequence[str | int]


class Outline:
    """`order` has the steps that are sound, each after what it names; `rows` and `models` are filled in that order.

    `used`: the plugins that a plan of it uses, each with a place; lowering fills it. `waited`: whether somebody has asked for a fact
    that is not known yet; whoever runs a rule clears it first.
    """

    def __init__(self, context: Context, plugins: "Plugins", learn: Learn) -> None:
        self.root = context.root
        self.plugins = plugins
        self.learn = learn
        self.used: dict[tuple[str, str], Where] = {}
        self.waited = False
        self._walker = Walker(plugins.language_schema())
        self.malformed = context.malformed
        self._marks: dict[tuple[str, str], tuple[Marked, ...]] = {}
        self._readers: dict[str | None, list[str]] = {}
        self._parts: dict[str, tuple[Node | None, Mapping[str, Any]]] = {}
        self.order: list[Step] = sound_steps(context, self._walker)
        self.rows: dict[str, Rows] = {}
        self.models: dict[str, Model] = {}
        known = all_rows(context)
        for step in self.order:
            if step.name in known:
                self.rows[step.name] = known[step.name]
            else:
                self.fill(step)

    def fill(self, step: Step) -> None:
        """Works out what is known of a step's rows, or of its model; all before it are there."""
        if KINDS[step.section] == "rows":
            rows = make_rows(step.section, step.name, step.body, self.rows, self.plugins)
            assert rows is not None, "a step that is sound comes after what it is made from"
            self.rows[step.name] = rows
        elif KINDS[step.section] == "model":
            self.models[step.name] = make_model(self, step)

    def variant(self, root: MappingNode, changed: Mapping[str, Step]) -> "Outline":
        """Of another spec in which some steps are `changed` and all name the same. Its rows and models are still to be filled, in order."""
        found = copy(self)
        found.root = root
        found.order = [changed.get(step.name, step) for step in self.order]
        found.rows, found.models, found.used, found.waited = {}, {}, {}, False
        return found

    # -- steps and places ---------------------------------------------------------------------------------------------------

    def of(self, section: str) -> Iterator[Step]:
        """The sound steps of a section, in an order in which each comes after what it names."""
        return (step for step in self.order if step.section == section)

    def part(self, name: str) -> Mapping[str, Any]:
        """A section that has no steps (`task`, `decoding`), with its defaults; empty where its shape is wrong."""
        node = self.root.get(name)
        known = self._parts.get(name)
        if known is None or known[0] is not node:
            known = self._parts[name] = (node, self._part(name, node))
        return known[1]

    def _part(self, name: str, node: Node | None) -> Mapping[str, Any]:
        schema = self._walker.root.get("properties", {}).get(name, {})
        if (name,) in self.malformed:
            return {}
        return defaults(resolve_ref(schema, self._walker.root)) if node is None else filled(node, schema, self._walker)

    def span(self, where: Where) -> Span | None:
        """The place of a plain value, of the name of anything larger, or of the nearest thing around that stands in a file."""
        found = nearest(self.root, where)
        if isinstance(found, Entry):
            return found.value.span if isinstance(found.value, ScalarNode) else found.key_span
        return found.span if found else None

    def exists(self, where: Where) -> bool:
        """Whether something is written at a place."""
        return find(self.root, [str(part) for part in where]) is not None

    # -- plugins ------------------------------------------------------------------------------------------------------------

    def capabilities(self, kind: str, name: str) -> Mapping[str, Any]:
        """Of a plugin that is not installed or broken, nothing is known."""
        return self.plugins.capabilities(kind, name)

    def declared(self, kind: str, body: Mapping[str, Any], capability: str) -> Any:
        """A capability that the manifest declares as a table over the plugin's fields."""
        return evaluated(self.capabilities(kind, body["uses"]).get(capability), body)

    def marks(self, kind: str, name: str) -> tuple[Marked, ...]:
        if (kind, name) not in self._marks:
            try:
                self._marks[kind, name] = marked_fields(self.plugins.config_schema(kind, name))
            except DistillError:
                self._marks[kind, name] = ()
        return self._marks[kind, name]

    def named(self, kind: str, body: Mapping[str, Any], mark: str) -> list[str]:
        """The references of one kind (`rows`, `model`, `gate`) in a plugin's fields."""
        return named(self.marks(kind, body["uses"]), body, mark)

    def model_kind(self, uses: str) -> str:
        """`models:` takes teachers and students; no name may be both."""
        return "students" if uses in self.plugins.names("students") else "teachers"

    def is_soft(self, loss: str) -> bool:
        """Whether a loss reads what a teacher knew."""
        return reads_teacher(self.capabilities("losses", loss))

    def reads(self, engine: str, format: str | None) -> bool:
        return format in self.capabilities("engines", engine).get("reads", ())

    def readers(self, format: str | None) -> list[str]:
        """The engines that read a format, by name."""
        if format not in self._readers:
            self._readers[format] = [name for name in self.plugins.names("engines") if self.reads(name, format)]
        return self._readers[format]

    def default_readers(self, format: str | None) -> list[str]:
        """Those of them that run a model whose spec names no engine."""
        return [name for name in self.readers(format) if not self.capabilities("engines", name).get("asked")]

    def is_leased(self, engine: str | None) -> bool:
        """Whether an engine asks a server of its own."""
        return bool(engine and self.capabilities("engines", engine).get("lease"))

    def does(self, model: Model, what: str) -> bool:
        """Whether the engine that runs a model, or one that may, has a capability."""
        engines = [model.engine["uses"]] if model.engine else self.readers(model.format)
        return any(what in self.capabilities("engines", name).get("does", ()) for name in engines)

    def gathers(self, model: Model) -> bool:
        """Whether all that is to be had of a teacher's log-probabilities is what it tells of its own answers."""
        return not self.does(model, "score_tokens") and self.does(model, "generate_logprobs")

    # -- models and rows ----------------------------------------------------------------------------------------------------

    def known(self, model: Model, fact: str) -> Any:
        """A fact; None where nobody says it, or where it is not known yet: the rule that asks has to wait."""
        self.waited |= fact not in model.facts
        return model.facts.get(fact)

    def ancestors(self, name: str) -> list[str]:
        """A model and those whose weights it was made from, nearest first."""
        found: list[str] = []
        current: str | None = name
        while current is not None and current in self.models:
            found.append(current)
            current = self.models[current].parent
        return found

    def behind(self, name: str) -> list[str]:
        """A model, those whose weights it was made from, and those that taught it or one of these: what they saw, it may know."""
        found: dict[str, None] = {}
        waiting = [name]
        while waiting:
            for ancestor in self.ancestors(waiting.pop(0)):
                if ancestor not in found:
                    found[ancestor] = None
                    waiting += self.models[ancestor].teachers
        return list(found)

    def meet(self, one: str, its: str | None, other: str, others: str | None) -> bool:
        """Whether two references have rows in common. `its` and `others`: the split that a bare name means (None: all)."""
        (a, b), (c, d) = split_name(one), split_name(other)
        first, second = self.rows[a], self.rows[c]
        return any(first.meets(x, second, y) for x in first.taken(b or its) for y in second.taken(d or others))
