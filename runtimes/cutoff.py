"""Early cut-off: the key of the same work on the same bytes, whatever the inputs were called and however they were made.

A stage key names its inputs by their keys; a content key names them by the digests of what they hold. So after a change upstream
that changes no bytes (a comment in a filter, another name of a model), all that hangs on it is adopted, not done again.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from distillc.compiler.keys import result_config, stage_key
from distillc.compiler.plan import Stage
from distillc.spec.marks import Marked, marked_fields


class Schemas(Protocol):
    """The part of the registry that tells which fields of a config change the result."""

    def config_schema(self, kind: str, name: str) -> Mapping[str, Any]: ...
    def names(self, kind: str) -> Any: ...


def content_key(stage: Stage, digests: Mapping[str, str], schemas: Schemas) -> str:
    """`digests` maps each port to the digest of what enters. The versions of plugins and libraries stand in the stage's config."""

    def marks_of(kind: str, name: str) -> tuple[Marked, ...]:
        return marked_fields(schemas.config_schema(kind, name)) if name in schemas.names(kind) else ()

    config = result_config(stage.kind, stage.uses, stage.config, marks_of)
    return stage_key(f"content:{stage.kind}", stage.uses, config, {port: (digests[port], ref.split) for port, ref in stage.inputs.items()})
