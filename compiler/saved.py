"""A plan that was saved: whether its keys are those of what it would do here.

A key names a result in the store, which whoever runs the same spec will trust, and a folder of unfinished work, which is deleted
when the stage is done. So neither a plan that somebody edited nor one that older plugins made is run under the keys that it brings.
"""

import re

from distillc.compiler.keys import STAGE_VERSIONS, library_version, result_config, stage_key
from distillc.compiler.plan import Plan, Stage
from distillc.compiler.plugins import Plugins
from distillc.plugins.api.manifest import Kind
from distillc.spec.errors import UsageError
from distillc.spec.marks import Marked, marked_fields
from distillc.spec.values import NAME_PATTERN

AGAIN = "make the plan again from its spec: distillc plan SPEC --format json"


def check_saved(plan: Plan, plugins: Plugins) -> None:
    """Raises UsageError, naming the stage, unless the plan is as `distillc plan` makes it with the plugins that are installed here."""
    if not re.fullmatch(NAME_PATTERN, plan.name):
        raise UsageError("the name of the plan is none that a spec can have", help=AGAIN)
    keys: dict[str, str] = {}
    for stage in plan:
        if stage.id in keys or any(ref.stage not in keys for ref in stage.inputs.values()):
            raise UsageError("the stages of the plan are not in an order in which they can run", where=stage.id, help=AGAIN)
        inputs = {port: (keys[ref.stage], ref.split) for port, ref in stage.inputs.items()}
        config = result_config(stage.kind, stage.uses, stage.config, lambda kind, name: _marks(plugins, kind, name))
        if stage.key != stage_key(stage.kind, stage.uses, config, inputs):
            raise UsageError(
                "the plan was changed after it was made: the key of a stage is not that of its content", where=stage.id, help=AGAIN
            )
        keys[stage.id] = stage.key
        _same_versions(stage, plugins)


def _marks(plugins: Plugins, kind: str, name: str) -> tuple[Marked, ...]:
    return marked_fields(plugins.config_schema(kind, name)) if name in plugins.names(kind) else ()


def _same_versions(stage: Stage, plugins: Plugins) -> None:
    """The versions of plugins and libraries are part of the key: other ones would give another result under it."""
    for name, made in {f"stages.{stage.kind}": 1, **stage.config.get("versions", {})}.items():
        kind, _, plugin = str(name).partition(".")
        if kind == "stages":
            here: int | str | None = STAGE_VERSIONS.get(plugin, 1)
        else:
            here = plugins.manifest(kind, plugin).cache_version if kind in set(Kind) else library_version(name)
        if here != made:
            raise UsageError(f"the plan was made with {name} {made}, here it is {here or 'not installed'}", where=stage.id, help=AGAIN)
