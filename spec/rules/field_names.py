"""A file's columns are matched with fields that the task does not have, or one column with both of its fields.

Why: `names` leads from the task's name of a field to the file's. The other way round it names no field, and the run stops at the first
row. With one column for input and target, a student is trained to repeat its input, and scores well at it.

Example:

    data:
      mine: {uses: csv, path: mine.csv, names: {sentence: text, correction: fixed}}

Use instead:

    data:
      mine: {uses: csv, path: mine.csv, names: {text: sentence, fixed: correction}}

Fix: turns a pair round, or takes the nearest of the task's names.
"""

import re
from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Edit, Fix, Label
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import Entry, MappingNode, at, entries, text, uses
from distillc.spec.rules import Context, error
from distillc.spec.wording import closest, listing, shorten

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def check(context: Context) -> Iterator[Diagnostic]:
    node = context.at("task", "target")
    fields = [name for name in (text(context.at("task", "input")), text(node)) if name]
    if len(fields) < 2 or text(context.at("task", "kind")) != "generate":
        return
    able = [
        (step.value, context.table.capabilities("sources", uses(step.value) or "").get("columns")) for step in entries(context.at("data"))
    ]
    files = [(file, field) for file, field in able if field]
    if files and fields[0] == fields[1] and node is not None:
        message = f"input and target are both called `{shorten(fields[0])}`, and so are read from one column"
        yield error("D307", message, node.span, "give the target a name of its own")
        return
    for file, field in files:
        names = at(file, field)
        if isinstance(names, MappingNode):
            yield from _check(names, fields, context)


def _check(names: MappingNode, fields: list[str], context: Context) -> Iterator[Diagnostic]:
    for entry in names:
        if entry.key not in fields:
            message = f"`{shorten(entry.key)}` is no field of the task"
            yield error("D307", message, entry.key_span, _help(entry, fields), fix=_mended(entry, fields, context))
    input, target = (names.entries.get(field) for field in fields)
    columns = [text(entry.value) if entry else field for entry, field in ((input, fields[0]), (target, fields[1]))]
    last = target or input
    if last and columns[0] is not None and columns[0] == columns[1]:
        label = (Label(input.value.span, "the input"),) if input and target else ()
        message = f"input and target are both read from `{shorten(columns[0])}`"
        yield error("D307", message, last.value.span, "name the column that has the other one", related=label)


def _help(entry: Entry, fields: list[str]) -> str:
    column = text(entry.value)
    if column in fields:
        return f"the task's name comes first: `{column}: {shorten(entry.key)}`"
    near = closest(entry.key, fields)
    return f"did you mean `{near}`?" if near else f"the task's fields: {listing(fields)}"


def _mended(entry: Entry, fields: list[str], context: Context) -> Fix | None:
    column = text(entry.value)
    if column in fields and _WORD.fullmatch(entry.key):
        return fix(context, "turn it round", Edit(entry.key_span, column), replace(entry.value, entry.key))
    near = closest(entry.key, fields)
    return fix(context, f"write `{near}`", Edit(entry.key_span, near)) if near else None
