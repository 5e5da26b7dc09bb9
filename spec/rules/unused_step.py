"""Rows or a model that nothing evaluates, delivers or builds on.

Why: `run` makes them all the same. Most often a reference was forgotten: a model was trained, and its base is what gets quantized;
or a profile meant to replace a step and misspelt its name, so that it adds one that nobody asks for. Steps that a profile or the
matrix uses count as used, and a spec without `evaluate` and `deploy` is not looked at: its last steps are what it is for. So are the rows
that a spec without `train` makes.

Example:

    generate:
      long_ones: {from: prose, steps: [corrupt]}

Use instead:

    generate:
      long_ones: {from: prose, steps: [corrupt]}
    evaluate:
      test: {data: {usual: pairs.test, long: long_ones.test}, models: [teacher, student, q8], metrics: [exact_match]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode, at, entries, text
from distillc.spec.references import Definition, owner, split_name
from distillc.spec.rules import Context, warning
from distillc.spec.variants import in_profiles, profile_applied
from distillc.spec.wording import closest, shorten

_KINDS = ("rows", "model")
_MAX_LOST = 50
"""So many references to nothing are compared with an unused name; whoever has more has another problem."""


def check(context: Context) -> Iterator[Diagnostic]:
    if not any(entries(context.at(section)) for section in ("evaluate", "deploy")):
        return
    used, lost = _named(context)
    with_profile = profile_applied(context.root)
    for definition in context.definitions.values():
        if definition.kind not in _KINDS or definition.name in used or definition.span.file != context.root.span.file:
            continue
        added = in_profiles(context.root, definition.span)
        if added != with_profile:  # with a profile, only what the profile itself adds
            continue
        if definition.section in ("generate", "curate") and not entries(context.at("train")):
            continue
        if not any(closest(name, [definition.name]) for name in lost):  # that reference is another rule's finding
            yield warning("D208", f"nothing uses `{shorten(definition.name)}`", definition.span, _help(definition, context, added))


def _named(context: Context) -> tuple[set[str], set[str]]:
    """The names that anything refers to, and those of them that no step has."""
    used = {
        split_name(reference.text)[0]
        for reference in context.references
        if reference.expects in _KINDS and owner(reference) != _step(reference.text, context)
    }
    lost = set(sorted(used - context.definitions.keys())[:_MAX_LOST])
    for section in ("profiles", "matrix"):
        used.update(split_name(word)[0] for word in _texts(context.at(section)))
    return used, lost


def _step(reference: str, context: Context) -> tuple[str, ...] | None:
    definition = context.definitions.get(split_name(reference)[0])
    return definition.path if definition else None


def _texts(node: Node | None) -> Iterator[str]:
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, ScalarNode) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, SequenceNode):
            stack.extend(part.items)
        elif isinstance(part, MappingNode):
            stack.extend(entry.value for entry in part)


def _help(definition: Definition, context: Context, added: bool) -> str:
    if added:
        others = [entry.key for entry in entries(context.at(definition.section)) if entry.key != definition.name]
        if near := closest(definition.name, others):
            return f"did you mean `{near}`? this profile adds a step of its own"
    if definition.section in ("generate", "curate"):
        return "refer to it; take it out; or, if its rows are what you want, ignore this with that as the reason"
    if definition.section != "train":
        return "refer to it, or take it out"
    base = text(at(context.at(*definition.path), "model"))
    return f"is it meant somewhere in place of `{shorten(base)}`? else take it out" if base else "refer to it, or take it out"
