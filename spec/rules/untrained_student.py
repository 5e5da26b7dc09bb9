"""A model that was cut and never trained is quantized, or answers.

Why: what is left of a model after layers are taken out writes noise until it has been trained again. A step that quantizes or asks
it mostly means the training that starts from it. (Evaluating it is fine: it is the base of the comparison.)

Example:

    quantize:
      q8: {uses: gguf, from: small}

Use instead:

    quantize:
      q8: {uses: gguf, from: student}

Fix: names the training that starts from it, where there is one.
"""

from collections.abc import Iterator

from distillc.spec.check import Reference
from distillc.spec.diagnostic import Diagnostic, Edit, Label
from distillc.spec.node_edits import fix
from distillc.spec.nodes import at, entries, text
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    trained: dict[str, list[str]] = {}
    for step in entries(context.at("train")):
        trained.setdefault(text(at(step.value, "model")) or "", []).append(step.key)
    for reference in context.references:
        use = _use(reference)
        definition = context.definitions.get(reference.text) if use else None
        if definition is None or definition.section != "models" or at(context.at(*definition.path), "from") is None:
            continue
        meant = next(iter(trained.get(reference.text, ())), None)
        help = f"did you mean `{shorten(meant)}`, which is trained from it?" if meant else "train it first"
        mend = fix(context, f"write `{meant}`", Edit(reference.span, meant)) if meant else None
        label = Label(definition.span, "cut here, and not trained")
        yield warning("D412", f"`{shorten(reference.text)}` {use}, and was never trained", reference.span, help, related=(label,), fix=mend)


def _use(reference: Reference) -> str | None:
    """What is done with a model; None for what may be done with an untrained one."""
    if reference.expects != "model":
        return None
    section, key = str(reference.path[0]), str(reference.path[-1] if isinstance(reference.path[-1], str) else reference.path[-2])
    if section == "quantize" and key == "from":
        return "is quantized"
    return "answers" if section == "generate" and key == "model" else None
