"""The front end in one call: text in, a resolved spec and all findings out. Never raises on bad input."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from distillc.spec.check import MAX_FINDINGS, Walker
from distillc.spec.codes import CODES, COMPILER_CODES
from distillc.spec.comments import Comments, comments
from distillc.spec.composition import MISSING_KEY, Composition, Variant
from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.errors import InvalidSpec
from distillc.spec.hidden import hidden_characters
from distillc.spec.nodes import MappingNode, Node, entries, to_plain
from distillc.spec.parse import parse_as_far_as_it_goes
from distillc.spec.references import definitions
from distillc.spec.resolve import (
    MAX_PROFILES,
    Assignment,
    Read,
    Resolved,
    Stop,
    apply,
    extended,
    override_assignment,
    profile_assignments,
)
from distillc.spec.rules import Context, run_rules
from distillc.spec.rules.unused_ignore import unused
from distillc.spec.source import Source, decode, read_file
from distillc.spec.suppress import AS_IT_IS, EVERYTHING, Policy, Selection, policy_of
from distillc.spec.table import PluginTable

if TYPE_CHECKING:
    from pydantic import BaseModel

    from distillc.spec.model import Spec

Typed = TypeVar("Typed", bound="BaseModel")

NOT_EXTENDED = "D022"
UNSURE = frozenset({"D020", "D021", "D024"})
"""What seems to be missing may stand in a spec that should have been extended and could not be."""


More = Callable[[Context], tuple[Sequence[Diagnostic], Collection[str]]]
"""Rules of another room (`compiler/lint.py`): what they find, and the codes of those that cannot tell yet."""


class Linted(NamedTuple):
    """`resolved` is None where the text could not be read at all, and so is `context`, what rules saw of it.

    `sources`: every text that a span may point into. `policy` says which findings are shown; it is to be asked of later ones too.
    `waiting` are the codes of rules that could not look at all that they want to know.
    """

    resolved: Resolved | None
    diagnostics: list[Diagnostic]
    sources: Mapping[str, Source] = {}
    context: Context | None = None
    policy: Policy = EVERYTHING
    waiting: frozenset[str] = frozenset()

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


def lint_text(
    content: str, filename: str, table: PluginTable, profile: str | None = None, overrides: Sequence[str] = ()
) -> tuple[Resolved | None, list[Diagnostic]]:
    """The resolved spec (None where it cannot be read), and the findings in order of place, none twice."""
    linted = lint(content, filename, table, profile, overrides)
    return linted.resolved, linted.diagnostics


def lint_file(
    path: Path,
    table: PluginTable,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    *,
    every_profile: bool = False,
    more: More | None = None,
    read: Read = read_file,
    selection: Selection = AS_IT_IS,
) -> Linted:
    """As `lint`, of a file. Raises OSError where it cannot be read."""
    content, wrong = decode(read(path), str(path))
    if wrong:
        return Linted(None, wrong, {str(path): Source(str(path), content)})
    return lint(content, str(path), table, profile, overrides, every_profile=every_profile, read=read, more=more, selection=selection)


def lint(
    content: str,
    filename: str,
    table: PluginTable,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    *,
    every_profile: bool = False,
    read: Read = read_file,
    more: More | None = None,
    selection: Selection = AS_IT_IS,
) -> Linted:
    """Lints a spec as it is with `profile` and `overrides`. `every_profile` adds what is wrong with each other profile alone.

    `more` are rules beside those of the language; `selection` is what the command line says of findings.
    """
    source = Source(filename, content)
    sources = {filename: source}
    read_text = parse_as_far_as_it_goes(source)
    root, found = read_text.root, read_text.diagnostics
    schema = table.language_schema()
    if not isinstance(root, MappingNode):
        if root is not None:
            message = "a spec is a mapping of sections"
            found.append(Diagnostic("D103", Severity.ERROR, message, root.span, help="begin it with `distill: 1`"))
        elif read_text.before is not None:
            from distillc.spec.unfinished import checked

            found += checked(read_text, source, schema)
        found += hidden_characters(source)
        policy = Policy((selection,), comments={filename: comments(source)}, main=filename)
        return Linted(None, tidy(policy.shown(found), sources), sources)
    came: dict[str, Span] = {}
    replaced: dict[Span, Span] = {}
    root, wrong = extended(root, source, read, sources, came, replaced)
    found += wrong
    complete = not any(finding.code == NOT_EXTENDED for finding in wrong)
    spoken = {name: comments(each) for name, each in sources.items()}
    for each in sources.values():
        found += hidden_characters(each)
    if read_text.unused:
        from distillc.spec.anchors import unused_anchors

        found += unused_anchors(source, read_text.unused)
    sections: Mapping[str, Any] = schema.get("properties", {})
    assignments: list[Assignment] = []
    for number, override in enumerate(overrides):
        try:
            assignments.append(override_assignment(override, number, sources))
        except Stop as stop:
            found.append(stop.diagnostic)
    wanted: list[str | None] = [profile]
    if every_profile:
        profiles = entries(root.get("profiles"))
        wanted += [entry.key for entry in profiles if entry.key != profile] if len(profiles) <= MAX_PROFILES else []
    final, seen, its = root, None, None
    walker = Walker(schema)
    composition = Composition(sources, walker, sections, came, replaced)
    waiting: set[str] = set()
    told: list[tuple[str | None, list[tuple[Variant, list[Diagnostic]]]]] = []
    for name in wanted:
        try:
            values = profile_assignments(root, name) if name is not None else []
        except Stop as stop:
            found.append(stop.diagnostic)
            values = []
        changed, wrong = apply(root, [*values, *assignments], sections)
        found += wrong
        cells, wrong = composition.cells(changed, [*values, *assignments])
        found += wrong
        told.append((name, []))
        for variant in composition.variants(changed, cells):
            wrong, context = findings(variant.root, table, walker, spoken if name == profile else {}, complete=complete)
            its_more, cannot_tell = more(context) if more and complete else ((), ())
            waiting.update(cannot_tell)
            told[-1][1].append((variant, variant.sound([*wrong, *its_more])))
            if name == profile and seen is None:
                final, seen, its = variant.root, context, cells
            elif name != profile and changed.get("matrix") is root.get("matrix"):
                break  # the cells have been seen without the profile
    found += composition.gathered(root, told)
    if not complete:
        found = [each for each in found if each.code not in UNSURE and not (each.code == MISSING_KEY and each.span == root.span)]
    policy = policy_of(final, spoken, selection)
    if (
        every_profile and not overrides and not any(finding.code < "D1" and finding.severity is Severity.ERROR for finding in found)
    ):  # else rules have not seen all
        whole = more and not any(finding.severity is Severity.ERROR for finding in found)  # steps with errors are kept from `more`
        looked = CODES.keys() | (COMPILER_CODES.keys() - waiting if whole else set())
        found += list(unused(policy, found, looked - {"D904"}))
    resolved = Resolved(final, filename, content, profile, tuple(overrides), sources, its, composition)
    return Linted(resolved, tidy(policy.shown(composition.explained(root, found)), sources), sources, seen, policy, frozenset(waiting))


def findings(
    root: MappingNode, table: PluginTable, walker: Walker, spoken: Mapping[str, Comments], *, complete: bool = True
) -> tuple[list[Diagnostic], Context]:
    """What is wrong with a resolved spec, its shape, then its rules, if all that it extends is there; and what the rules saw."""
    checked = walker.check(root)
    context = Context(
        root,
        table,
        definitions(root),
        tuple(checked.references),
        frozenset(checked.malformed),
        tuple(comment for each in spoken.values() for comment in each.found),
    )
    if len(checked.diagnostics) >= MAX_FINDINGS:
        *found, last = checked.diagnostics
        return [*found, last._replace(notes=(*last.notes, "there are more; the rest is looked at when these are mended"))], context
    return [*checked.diagnostics, *(run_rules(context) if complete else ())], context


def tidy(found: Sequence[Diagnostic], sources: Mapping[str, Source]) -> list[Diagnostic]:
    """In order of place, each finding once, with a fix that can be applied or with none."""
    nowhere = Span("", 0, 0, 0, 0)
    kept: dict[tuple[str, Span | None, str], Diagnostic] = {}
    for finding in found:
        kept.setdefault((finding.code, finding.span, finding.message), finding)
    ordered = sorted(kept.values(), key=lambda d: (d.span or nowhere, d.code, d.message))
    if any(finding.fix for finding in ordered):
        from distillc.spec.edit import settle

        ordered = [settle(finding, sources) for finding in ordered]
    return ordered


def load(resolved: Resolved) -> "Spec":
    """The typed spec. Raises InvalidSpec with a place for each finding, should pydantic see more than the linter did."""
    from distillc.spec.model import Spec

    return validated(Spec, resolved.root, resolved)


def validated(model: "type[Typed]", node: Node, resolved: Resolved, where: Sequence[str] = ()) -> "Typed":
    """The typed form of a part of the spec, which stands at `where`. Raises InvalidSpec."""
    from pydantic import ValidationError

    try:
        return model.model_validate(to_plain(node))
    except ValidationError as error:
        raise InvalidSpec([_finding(resolved, (*where, *problem["loc"]), problem["msg"]) for problem in error.errors()]) from None


def _finding(resolved: Resolved, loc: Sequence[str | int], message: str) -> Diagnostic:
    """At the nearest place that exists: pydantic's path also names the branches of unions."""
    return Diagnostic("D103", Severity.ERROR, f"`{'.'.join(map(str, loc))}`: {message}", resolved.span_of(loc) or resolved.root.span)
