"""What a manifest declares of its plugin's results: a fact as plain data over the plugin's fields, so that nothing need be imported.

A text names a field, whose value is the fact; `{const: VALUE}` is VALUE; any other mapping, `{FIELD: {VALUE: …}}`, takes the entry for
the field's value, which is such a declaration again; a number is itself. So `{precision: {fp32: 1, int4: block_size}}` is 1, or what
`block_size` says.
"""

from collections.abc import Mapping
from typing import Any


def evaluated(declared: Any, fields: Mapping[str, Any]) -> Any:
    """The fact; None where the field, or an entry for its value, is missing."""
    if isinstance(declared, str):
        return fields.get(declared)
    if isinstance(declared, Mapping):
        ((field, choices),) = declared.items()
        return choices if field == "const" else evaluated(choices.get(str(fields.get(field))), fields)
    return declared
