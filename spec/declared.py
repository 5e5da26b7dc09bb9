"""What a manifest declares of its plugin's results: a fact as plain data over the plugin's fields, so that nothing need be imported.

A text names a field, whose value is the fact; `{const: VALUE}` is VALUE; any other mapping, `{FIELD: {VALUE: …}}`, takes the entry for
the field's value, which is such a declaration again; a number is itself. So `{precision: {fp32: 1, int4: block_size}}` is 1, or what
`block_size` says.
"""

from collections.abc import Mapping
from typing import Any


def named_values(name: str, capabilities: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The values of a metric or a judge by the names that a gate writes, NAME or NAME_VALUE: the value itself, and which way is better."""
    declared: Mapping[str, str] = capabilities.get("values", {"": "higher"})
    return {f"{name}_{value}" if value else name: (value, better) for value, better in declared.items()}


def reads_teacher(capabilities: Mapping[str, Any]) -> bool:
    """Whether a loss learns from what a teacher knew."""
    return str(capabilities.get("needs", "none")) != "none"


def evaluated(declared: Any, fields: Mapping[str, Any]) -> Any:
    """The fact; None where the field, or an entry for its value, is missing."""
    if isinstance(declared, str):
        return fields.get(declared)
    if isinstance(declared, Mapping):
        ((field, choices),) = declared.items()
        return choices if field == "const" else evaluated(choices.get(str(fields.get(field))), fields)
    return declared
