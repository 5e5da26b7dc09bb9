"""Turns a model into an export."""

from dataclasses import replace
from typing import Any

from distillc.plugins.api.manifest import Kind
from distillc.plugins.api.quantizers import Quantizer
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.models import describe


def run(context: StageContext) -> dict[str, Any]:
    name = context.config["name"]
    quantizer: Quantizer = context.plugin(Kind.QUANTIZERS)
    info = quantizer.quantize(context.model("model"), context.out, name=name)
    return describe(context.out, replace(info, name=name))
