"""Walks the schema of the language over the nodes of a spec: what is wrong with its shape, and what its references are.

No pydantic and no jsonschema: their import alone costs more than a whole lint. The branch of a step is picked by `uses` first and
then checked, so a finding is about the plugin that was meant. All findings come in one pass; nothing raises.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from distillc.spec.diagnostic import Diagnostic, Fix, Severity, Span
from distillc.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode, to_plain, uses
from distillc.spec.secret import INTERPOLATION, is_reference, secret_findings
from distillc.spec.values import (
    NOUNS,
    broken_limit,
    counted,
    form_help,
    got,
    is_of_type,
    kinds_in_words,
    range_help,
    types_of,
    way_out,
    with_article,
)
from distillc.spec.wording import closest, did_you_mean, listing, shorten

Path = tuple[str | int, ...]
Schema = Mapping[str, Any]
MAX_FINDINGS = 200
"""About one spec. Where there are so many, the rest of it is not looked at."""
REFERENCES = frozenset({"rows", "model", "gate", "metric"})


class Reference(NamedTuple):
    """A name that stands for something defined elsewhere. `expects`: rows, model, gate or metric; `path` is where it stands."""

    text: str
    expects: str
    span: Span
    path: Path


class Checked:
    """`malformed`: the sections and steps in which something was found, as (section,) and (section, name)."""

    __slots__ = ("diagnostics", "malformed", "references", "secrets")

    def __init__(self, *found: Diagnostic) -> None:
        self.diagnostics = list(found)
        self.references: list[Reference] = []
        self.malformed: list[Path] = []
        self.secrets: list[Path] = []


def check(root: Node, schema: Schema) -> Checked:
    """What `schema` has to say about `root`."""
    return Walker(schema).check(root)


def resolve_ref(schema: Schema, root: Schema) -> Schema:
    """The schema behind `$ref`s; a definition is named by the last part."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


class Walker:
    """Checks variants of one spec (its profiles): sections and steps that they share are walked once."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.known: dict[tuple[Path, int], tuple[Node, Checked]] = {}  # with the node, so that no other can get its id

    def check(self, root: Node) -> Checked:
        return self.visit(root, self.root, (), root.span)

    def of_step(self, section: str, entry: Entry) -> Checked:
        """What there is to say about one step, as `check` says it of the whole."""
        path = (section, entry.key)
        if (known := self.known.get((path, id(entry.value)))) is None:
            schema = self.root["properties"][section].get("additionalProperties", {})
            known = self.known[path, id(entry.value)] = (entry.value, self.visit(entry.value, schema, path, entry.key_span))
        return known[1]

    def visit(self, node: Node, schema: Schema, path: Path, anchor: Span) -> Checked:
        """`anchor` is the place to point at for something that is missing from `node`: the key before it."""
        schema = resolve_ref(schema, self.root)
        if "x-distillc-uses" in schema:
            return self.step(node, schema["x-distillc-uses"], path, anchor)
        if "discriminator" in schema:
            return self.discriminated(node, schema, path, anchor)
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            return self.alternatives(node, options, path, anchor)
        out = Checked()
        out.diagnostics += self.type_findings(node, schema, path)
        if out.diagnostics:
            return out
        if isinstance(node, MappingNode):
            self.mapping(node, schema, path, anchor, out)
        elif isinstance(node, SequenceNode):
            self.sequence(node, schema, path, anchor, out)
        else:
            self.scalar(node, schema, path, out)
        return out

    # steps that name a plugin

    def step(self, node: Node, choice: Schema, path: Path, anchor: Span) -> Checked:
        branches: Mapping[str, str] = choice["branches"]
        kinds = kinds_in_words(choice["kinds"])
        if isinstance(node, SequenceNode) or (isinstance(node, ScalarNode) and not isinstance(node.value, str)):
            message = f"expected {with_article(kinds)}, got {got(node)}"
            return _only("D103", message, node.span, help="write its name, or `{uses: NAME, …}` with its keys")
        name = uses(node)
        where = node.get("uses") if isinstance(node, MappingNode) else node
        if where is None:
            help = f"name {with_article(kinds)}: {listing(sorted(branches))}" if branches else None
            return _only("D102", f"{_subject(path)} lacks `uses`", anchor, help=help)
        if name is None:
            return _only("D103", f"`uses` must be a name, got {got(where)}", where.span)
        if name not in branches:
            fix = respelling(where, closest(name, branches))
            help = self.plugin_help(name, branches)
            return _only("D107", f"there is no {kinds} called `{shorten(name)}`", where.span, help, fix)
        branch = self.root["$defs"][branches[name]]
        if "x-distillc-broken" in branch:
            return _only(
                "D111", f"the {kinds} `{name}` cannot be used: {branch['x-distillc-broken']}", where.span, help="see `distillc plugins`"
            )
        if isinstance(node, MappingNode):
            return self.visit(node, branch, path, anchor)
        missing = [key for key in branch["required"] if key != "uses"]
        if not missing:
            return Checked()
        keys = ", ".join(f"{key}: …" for key in missing)
        return _only("D102", f"`{name}` needs {listing(missing)}", node.span, help=f"write `{{uses: {name}, {keys}}}`")

    def plugin_help(self, name: str, branches: Mapping[str, str]) -> str | None:
        near = closest(name, branches)
        if near:
            return f"did you mean `{near}`?"
        for definition in self.root["$defs"].values():
            other = definition.get("x-distillc-uses", {})
            if name in other.get("branches", ()):
                return f"`{name}` is one of the {' or '.join(other['kinds'])}"
        return did_you_mean(name, branches, "installed") or "none is installed"

    # choices

    def discriminated(self, node: Node, schema: Schema, path: Path, anchor: Span) -> Checked:
        key, mapping = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
        if not isinstance(node, MappingNode):
            return _only("D103", f"{_subject(path)} must be a mapping, got {got(node)}", node.span)
        chosen = node.get(key)
        if chosen is None:
            return _only("D102", f"{_subject(path)} lacks `{key}`", anchor, help=f"one of {listing(mapping)}")
        value = chosen.value if isinstance(chosen, ScalarNode) else None
        if not isinstance(value, str) or value not in mapping:
            fix = respelling(chosen, closest(str(value), mapping))
            help = did_you_mean(str(value), mapping, "one of")
            return _only("D104", f"{_subject((*path, key))} cannot be {got(chosen)}", chosen.span, help, fix)
        return self.visit(node, {"$ref": mapping[value]}, path, anchor)

    def alternatives(self, node: Node, options: list[Schema], path: Path, anchor: Span) -> Checked:
        """The alternative that was meant: the only one of the node's type, else the one with the fewest findings."""
        fitting = [option for option in options if self.fits(node, option)]
        if not fitting:
            wanted = " or ".join(dict.fromkeys(self.words(option) for option in options if self.words(option) != "nothing"))
            schemas = [resolve_ref(option, self.root) for option in options]
            return _only("D103", f"{_subject(path)} must be {wanted}, got {got(node)}", node.span, *way_out(node, wanted, schemas))
        found = min((self.visit(node, option, path, anchor) for option in fitting), key=lambda checked: len(checked.diagnostics))
        alone = node.items[0] if isinstance(node, SequenceNode) and len(node.items) == 1 else None
        if isinstance(alone, ScalarNode) and any(self.fits(alone, option) for option in options):  # a list of one, where lists have more
            help = f"write `{shorten(alone.text)}` without brackets, or name another one too"
            found.diagnostics = [d._replace(help=help) if (d.code, d.span) == ("D105", node.span) else d for d in found.diagnostics]
        return found

    def fits(self, node: Node, option: Schema) -> bool:
        option = resolve_ref(option, self.root)
        if "x-distillc-uses" in option:
            return isinstance(node, MappingNode) or (isinstance(node, ScalarNode) and isinstance(node.value, str))
        inner = option.get("anyOf") or option.get("oneOf")
        if inner:
            return any(self.fits(node, each) for each in inner)
        return "type" not in option or any(is_of_type(node, name) for name in types_of(option))

    def words(self, option: Schema) -> str:
        option = resolve_ref(option, self.root)
        if "x-distillc-uses" in option:
            return with_article(kinds_in_words(option["x-distillc-uses"]["kinds"]))
        inner = option.get("anyOf") or option.get("oneOf")
        if inner:
            return " or ".join(dict.fromkeys(self.words(each) for each in inner))
        return " or ".join(NOUNS[name] for name in types_of(option)) or "a value"

    # values

    def type_findings(self, node: Node, schema: Schema, path: Path) -> Iterator[Diagnostic]:
        names = types_of(schema)
        if names and not any(is_of_type(node, name) for name in names):
            wanted = " or ".join(NOUNS[name] for name in names if name != "null")
            yield _error("D103", f"{_subject(path)} must be {wanted}, got {got(node)}", node.span, *way_out(node, wanted, [schema]))
            return
        if "const" in schema or "enum" in schema:
            if schema.get("x-distillc") == "version":
                return  # a rule says it better
            values = schema["enum"] if "enum" in schema else [schema["const"]]
            plain = to_plain(node)
            if not any(plain == value and isinstance(plain, bool) == isinstance(value, bool) for value in values):
                words = {str(value): value for value in values if value is not None}
                near = closest(str(plain), words)
                fix = respelling(node, words[near]) if near else None
                yield _error("D104", f"{_subject(path)} cannot be {got(node)}", node.span, did_you_mean(str(plain), words, "one of"), fix)

    def mapping(self, node: MappingNode, schema: Schema, path: Path, anchor: Span, out: Checked) -> None:
        properties: Mapping[str, Schema] = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        pattern = schema.get("propertyNames", {}).get("pattern")
        for entry in node:
            if len(out.diagnostics) >= MAX_FINDINGS:
                return
            inner: Schema | bool = properties.get(entry.key, rest)
            if inner is False:
                out.diagnostics.append(self.unknown(entry, properties, node, path))
                continue
            if pattern and entry.key not in properties and not _compiled(pattern).search(entry.key):
                help = schema["propertyNames"].get("description")
                out.diagnostics.append(_error("D106", f"`{shorten(entry.key)}` cannot be a name", entry.key_span, help))
            below = (*path, entry.key)
            known = self.known.get((below, id(entry.value))) if len(below) <= 2 else None
            found = known[1] if known else self.visit(entry.value, {} if inner is True else inner, below, entry.key_span)
            if len(below) <= 2:
                self.known[below, id(entry.value)] = (entry.value, found)
                out.malformed += [*found.malformed, below] if found.diagnostics else ()
            out.diagnostics += found.diagnostics
            out.references += found.references
            out.secrets += found.secrets
        missing = [key for key in schema.get("required", ()) if key not in node.entries]
        missing = [key for key in missing if properties.get(key, {}).get("x-distillc") != "version"]
        if missing:
            text = "; ".join(f"`{key}`: {properties[key]['description']}" for key in missing if "description" in properties.get(key, {}))
            out.diagnostics.append(_error("D102", f"{_subject(path)} lacks {listing(missing)}", anchor, help=text or None))
        _count("D105", len(node.entries), "entry", schema.get("minProperties"), schema.get("maxProperties"), node.span, path, out)

    def unknown(self, entry: Entry, properties: Mapping[str, Schema], node: MappingNode, path: Path) -> Diagnostic:
        message = f"unknown key `{shorten(entry.key)}`" + (f" in `{_dotted(path)}`" if path else "")
        absent = [key for key in properties if key not in node.entries]
        near = closest(entry.key, absent) or closest(entry.key, properties)
        if near:
            help: str | None = f"did you mean `{near}`?"
        elif places := [place for place in self.places.get(entry.key, ()) if place]:
            help = f"`{entry.key}` is valid under {listing(places, 3)}, not here"
        else:
            help = f"known here: {listing(absent, 12)}" if absent else "no more keys are known here"
        fix = None
        if near and near not in node.entries:
            from distillc.spec.fixes import respelled

            fix = respelled(entry.key_span, entry.key, near)
        return _error("D101", message, entry.key_span, help, fix)

    @functools.cached_property
    def places(self) -> Mapping[str, list[str]]:
        """For each key, where it is valid: a section, a class of steps, or a plugin."""
        found: dict[str, list[str]] = {}
        for name in self.root.get("properties", ()):
            found.setdefault(name, []).append("the top level")
        for name, definition in sorted(self.root["$defs"].items(), key=lambda item: "." in item[0]):  # sections before plugins
            step, _, plugin = name.partition(".")
            keys: Mapping[str, Schema] = definition.get("properties", {})
            kind = keys.get("kind", {}).get("const")  # how a task says which it is
            for key in keys:
                found.setdefault(key, []).append(plugin or (f"kind: {kind}" if kind else _spoken(step)))
        return {key: list(dict.fromkeys(places)) for key, places in found.items()}

    def sequence(self, node: SequenceNode, schema: Schema, path: Path, anchor: Span, out: Checked) -> None:
        for index, item in enumerate(node.items):
            if len(out.diagnostics) >= MAX_FINDINGS:
                return
            found = self.visit(item, schema.get("items", {}), (*path, index), item.span)
            out.diagnostics += found.diagnostics
            out.references += found.references
            out.secrets += found.secrets
        _count("D105", len(node.items), "item", schema.get("minItems"), schema.get("maxItems"), node.span, path, out)
        if schema.get("uniqueItems") and len({repr(to_plain(item)) for item in node.items}) < len(node.items):
            out.diagnostics.append(_error("D105", f"{_subject(path)} names something twice", node.span))

    def scalar(self, node: ScalarNode, schema: Schema, path: Path, out: Checked) -> None:
        value = node.value
        if isinstance(value, str):
            marker = schema.get("x-distillc")
            if marker == "secret":
                out.secrets.append(path)
                out.diagnostics += secret_findings(node, _subject(path))
                return
            if INTERPOLATION.search(node.text):
                message = (
                    f"`{shorten(value)}` is not allowed in {_subject(path)}"
                    if is_reference(value)
                    else f"`${{…}}` is not allowed in {_subject(path)}"
                )
                out.diagnostics.append(
                    _error("D109", message, node.span, help="only fields typed secret take references such as `${env:NAME}`")
                )
            if marker in REFERENCES:
                out.references.append(Reference(value, str(marker), node.span, path))
            _count("D105", len(value), "character", schema.get("minLength"), schema.get("maxLength"), node.span, path, out)
            pattern = schema.get("pattern")
            if pattern and not _compiled(pattern).search(value):
                out.diagnostics.append(_error("D106", f"{_subject(path)} cannot be {got(node)}", node.span, form_help(schema)))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            limits = broken_limit(value, schema)
            if limits:
                message = f"{_subject(path)} must be {limits}, got {shorten(node.text)}"
                out.diagnostics.append(_error("D105", message, node.span, range_help(schema)))


def _count(code: str, n: int, what: str, least: int | None, most: int | None, span: Span, path: Path, out: Checked) -> None:
    if least is not None and n < least:
        out.diagnostics.append(_error(code, f"{_subject(path)} must have at least {counted(least, what)}, got {n}", span))
    if most is not None and n > most:
        out.diagnostics.append(_error(code, f"{_subject(path)} may have at most {counted(most, what)}, got {n}", span))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """`$` is the end, as in JSON Schema and pydantic; Python's would let a line break follow."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") and not pattern.endswith(r"\$") else pattern)


def _dotted(path: Path) -> str:
    return shorten(".".join(map(str, path)))


def _subject(path: Path) -> str:
    return f"`{_dotted(path)}`" if path else "the spec"


def _spoken(step: str) -> str:
    """`EarlyStopping` as `early_stopping`, `TrainStep` as `train`: what a user calls the class of a definition."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", step.removesuffix("Step")).lower()


def respelling(node: Node, near: object) -> Fix | None:
    """The fix that writes `near` in the place of a scalar; None where nothing is near."""
    if near is None or not isinstance(node, ScalarNode):
        return None
    from distillc.spec.fixes import respelled

    return respelled(node.span, node.text, near)


def _error(code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, help=help, fix=fix)


def _only(code: str, message: str, span: Span, help: str | None = None, fix: Fix | None = None) -> Checked:
    return Checked(_error(code, message, span, help, fix))
