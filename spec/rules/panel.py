"""A panel of teachers, and its keys do not say what becomes of the answers.

Why: where `model` is a list all of its models answer each row, and are paid for it. What is kept of that can be one text on which most of
them agree, the answer that a judge likes best, or all of them: few sure rows, as many as came in, or a row for each model. Those make
different students, so there is no default: `keep` says which. What belongs to one of these means nothing beside another, nor beside a
single model, and answers under test are those of one model.

Example:

    models:
      big: {uses: transformers, path: models/big}
      other: {uses: transformers, path: models/other}
      third: {uses: transformers, path: models/third}
    generate:
      answers: {from: learner, steps: [{uses: answer, model: [big, other, third]}]}

Use instead:

    models:
      big: {uses: transformers, path: models/big}
      other: {uses: transformers, path: models/other}
      third: {uses: transformers, path: models/third}
    generate:
      answers: {from: learner, steps: [{uses: answer, model: [big, other, third], keep: agreement}]}
"""

from collections.abc import Iterator, Mapping

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.marks import REFERENCES, marked_fields
from distillc.spec.nodes import Entry, MappingNode, ScalarNode, SequenceNode, at, entries, items, text, uses, whole
from distillc.spec.rules import Context, error
from distillc.spec.values import counted
from distillc.spec.wording import listing, shorten

KEEPS = (
    "`keep: agreement` for the text that most of them give, `best` for the one that a `judge` likes best, `all` for a row of each answer"
)


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("generate")):
        for item in items(at(step.value, "steps")):
            if isinstance(item, MappingNode) and uses(item) == "answer":
                said = {entry.key: entry for entry in item if not (isinstance(entry.value, ScalarNode) and entry.value.value is None)}
                if "model" in said:
                    sound = ("generate", step.key) not in context.malformed
                    several = isinstance(said["model"].value, SequenceNode)
                    yield from _panel(said, context, sound=sound) if several else _single(said, context)


def _single(said: Mapping[str, Entry], context: Context) -> Iterator[Diagnostic]:
    for key in ("keep", "agree", "judge"):
        if key in said:
            message = f"`{key}` is about the answers of several models, and `model` names one"
            yield error("D319", message, said[key].key_span, "take it out, or name several: `model: [ONE, OTHER]`")


def _panel(said: Mapping[str, Entry], context: Context, *, sound: bool) -> Iterator[Diagnostic]:
    """`sound`: whether the step's shape is right; else what it says of `keep` may be misspelt, which is told already."""
    models = items(said["model"].value)
    keep = text(said["keep"].value) if "keep" in said else None
    names = [text(model) for model in models]
    for index, model in enumerate(models):
        if names[index] and names[index] in names[:index]:
            message = f"`{shorten(names[index] or '')}` is asked twice, and would have two votes"
            yield error("D319", message, model.span, "name another, or take it out")
    if sound and "keep" not in said:
        message = f"{len(models)} models answer each row, and nothing says what is kept of it"
        yield error("D319", message, said["model"].key_span, KEEPS)
    if "into" in said and text(said["into"].value) == "output":
        message = "answers under test are those of one model"
        yield error("D319", message, said["into"].key_span, "name one model; `evaluate` asks several, and compares them")
    for key, belongs in (("agree", "agreement"), ("judge", "best")):
        if sound and key in said and keep not in (belongs, None):
            message = f"`{key}` belongs to `keep: {belongs}`: here it does nothing"
            yield error("D319", message, said[key].key_span, f"take it out, or write `keep: {belongs}`")
    votes = whole(said["agree"].value) if "agree" in said else None
    if votes is not None and votes > len(models):
        message = f"{votes} models cannot agree where {len(models)} are asked"
        yield error("D319", message, said["agree"].value.span, f"write {len(models)} or less")
    if keep == "best":
        yield from _judge(said, context)


def _judge(said: Mapping[str, Entry], context: Context) -> Iterator[Diagnostic]:
    if "judge" not in said:
        able = listing(name for name in context.table.names("judges") if not _why_not(name, context))
        yield error("D319", "`keep: best`, and nothing says who finds that out", said["keep"].key_span, f"name a `judge`: {able}")
        return
    name = uses(said["judge"].value) or ""
    if why := _why_not(name, context):
        yield error("D319", f"judge `{shorten(name)}` {why}", said["judge"].value.span, "take rules, which give one number")


def _why_not(name: str, context: Context) -> str | None:
    """Why a judge cannot choose; None for one that can, and for one that is not installed."""
    if name not in context.table.names("judges"):
        return None
    if any(marked.mark in REFERENCES for marked in marked_fields(context.table.config_schema("judges", name))):
        return "asks a model, and chooses no answers to learn from"
    values = context.table.capabilities("judges", name).get("values", {"": "higher"})
    return f"gives {counted(len(values), 'number')}, and nothing says which decides" if len(values) > 1 else None
