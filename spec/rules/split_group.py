"""Rows are to be split by group and have none, or have groups that the split tears apart.

Why: rows of one document, thread or patient are alike. On both sides of a split they make a test set that was half seen in training. A
file source knows groups only by its `group`, and without it a split by group stops the run (an error); `group` alone keeps nothing
together, since a split is by row unless it says otherwise (a warning, for they may be alike in nothing that matters; see scikit-learn's
GroupKFold for the same trap, https://scikit-learn.org/stable/modules/cross_validation.html#cross-validation-iterators-for-grouped-data).

Example:

    data:
      mine: {uses: jsonl, path: mine.jsonl, group: document, split: {validation: 100, test: 200}}

Use instead:

    data:
      mine: {uses: jsonl, path: mine.jsonl, group: document, split: {by: group, validation: 100, test: 200}}

Fix: splits by group.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.node_edits import fix, insert, replace
from distillc.spec.nodes import MappingNode, at, entries, text, uses
from distillc.spec.rules import Context, error, warning


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("data")):
        split = at(step.value, "split")
        field = context.table.capabilities("sources", uses(step.value) or "").get("group")
        if field is None or not isinstance(step.value, MappingNode) or not isinstance(split, MappingNode):
            continue
        by, group = split.get("by"), step.value.entries.get(field)
        if group is None and by is not None and text(by) in ("module", "document", "group"):
            help = f"name the column: `{field}: NAME`; or split `by: row`"
            yield error("D308", f"rows are split by {text(by)}, and the source names no `{field}`", by.span, help)
        elif group is not None and text(group.value) and split.entries and text(by) in (None, "row"):
            edit = replace(by, "group") if by else insert(split, next(iter(split)).key, "by: group")
            yield warning(
                "D308",
                "rows of one group can end up on both sides of the split",
                by.span if by else split.span,
                "write `by: group`",
                related=(Label(group.key_span, "the groups"),),
                fix=fix(context, "split by group", edit),
            )
