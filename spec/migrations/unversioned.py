"""Specs that do not say their version, or say it as other tools do: `version: 1`. They mean what version 1 means."""

from distillc.spec.diagnostic import Edit, Fix
from distillc.spec.node_edits import insert, replace
from distillc.spec.nodes import MappingNode, ScalarNode
from distillc.spec.variants import within

FROM, TO = None, 1


def fix(root: MappingNode) -> Fix | None:
    said = root.entries.get("version")
    if said is not None:
        if not isinstance(said.value, ScalarNode) or said.value.text not in ("1", "1.0"):
            return None  # whose version it is, only the author knows
        value = () if said.value.value == 1 and said.value.text == "1" else (replace(said.value, "1"),)
        return Fix("call it `distill: 1`", (Edit(said.key_span, "distill"), *value))
    # Before the first key of this file: what comes before that is a comment on the file.
    here = [entry for entry in root if within(entry.key_span, root.span)]
    first = min(here, key=lambda entry: entry.key_span, default=None)
    edit = insert(root, first.key, "distill: 1") if first else None
    return Fix("begin with `distill: 1`", (edit,)) if edit else None
