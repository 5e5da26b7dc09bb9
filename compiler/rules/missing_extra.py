"""A plugin is installed, and what it needs to run is not.

Why: a base install has the language and the compiler; running needs an extra, and the finding names it. It is an error of the plan, so
that nothing starts that could not end. `lint` alone does not ask, for where a spec is checked need not be where it runs.

Example:

    quantize: {q8: {uses: gguf, from: student, type: q8_0}}     # pip install distillc

Use instead:

    quantize: {q8: {uses: gguf, from: student, type: q8_0}}     # pip install 'distillc[local]'
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error
from distillc.compiler.rules.no_engine import misfits
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.errors import DistillError


def check(outline: Outline) -> Iterator[Diagnostic]:
    computed, misfit = _losses_computed_here(outline), misfits(outline)
    for (kind, name), where in outline.used.items():
        if (kind == "losses" and name not in computed) or (kind == "engines" and name in misfit):
            continue  # an engine that does not read its model is D551's: to install it would not help
        try:
            manifest = outline.plugins.manifest(kind, name)
        except DistillError:
            continue  # reported as an unknown or broken plugin
        if missing := outline.plugins.missing(manifest):
            message = f"{kind} '{name}' needs {', '.join(missing)}, not installed here"
            yield error(outline, "D152", where, message, outline.plugins.remedy(manifest))


def _losses_computed_here(outline: Outline) -> set[str]:
    trains = [step.body for step in outline.of("train")]
    here = [body for body in trains if not outline.capabilities("trainers", body["trainer"]["uses"]).get("remote")]
    return {loss["uses"] for body in here for loss in body["losses"].values()}
