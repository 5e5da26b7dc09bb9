"""What a manifest declares of its plugin's results: a fact as plain data over the plugin's fields, so that nothing need be imported.

A text names a field, whose value is the fact; a mapping `{FIELD: {VALUE: …}}` takes the entry for the field's value, which is such a
declaration again; anything else is the fact itself. So `{"precision": {"fp32": 1, "int4": "block_size"}}` is 1 or the block's size.
"""

from collections.abc import Mapping
from typing import Any


def evaluated(declared: Any, fields: Mapping[str, Any]) -> Any:
    """The fact; None where the field, or an entry for its value, is missing."""
    if isinstance(declared, str):
        return fields.get(declared)
    if isinstance(declared, Mapping):
        for field, choices in declared.items():
            return evaluated(choices.get(str(fields.get(field))), fields) if isinstance(choices, Mapping) else None
    return declared
