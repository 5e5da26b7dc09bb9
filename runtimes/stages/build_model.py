"""Fetches a model, or cuts one from another: what `models:` says."""

from dataclasses import replace
from typing import Any

from distillc.plugins.api.manifest import Kind
from distillc.plugins.api.models import BuildContext
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.leaves import check_revisions
from distillc.runtimes.stages.models import describe


def run(context: StageContext) -> dict[str, Any]:
    config = context.config
    name, family, license = config.get("called", config["name"]), config.get("family"), config.get("license")
    build = BuildContext(
        folder=context.folder,
        name=name,
        cache=context.cache or context.work,
        seed=context.seed,
        family=family,
        license=license,
    )
    if "model" in context.ports():
        info = context.plugin(Kind.STUDENTS).build(context.model("model"), context.out, build)
    else:
        check_revisions(context, context.plugin_config(Kind.TEACHERS, str(context.stage.uses), config))
        info = context.plugin(Kind.TEACHERS).build(context.out, build)
    info = replace(info, name=name, family=family or info.family, license=license or info.license)
    return describe(context.out, info)
