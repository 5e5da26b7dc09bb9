"""A model has to run, and no installed engine reads its format.

Why: engines say what they read, teachers, trainers and quantizers what they write; the compiler matches the two. `engine:` picks one by
name, and it must read the format too. Else the run ends when the export is first asked, after all of the training.

Example:

    quantize: {q8: {uses: gguf, from: student, type: q8_0, engine: transformers}}

Use instead:

    quantize: {q8: {uses: gguf, from: student, type: q8_0, engine: llama_cpp}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline, Where
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for name, where in asked(outline).items():
        model = outline.models[name]
        format = outline.known(model, "format")
        if model.engine is not None:
            if format and not outline.reads(model.engine["uses"], format):
                message = f"engine `{model.engine['uses']}` does not read {format}, the format of `{name}`"
                yield error(outline, "D551", (*model.where, "engine"), message, _help(outline, format))
        elif "format" in model.facts and not outline.default_readers(format):
            message = f"no installed engine reads {format or 'a model of unknown format'}, the format of `{name}`"
            yield error(outline, "D551", where, message, _help(outline, format))


def misfits(outline: Outline) -> set[str]:
    """The engines that every asked model which names them has a format for that they do not read."""
    chosen = [(model.engine["uses"], model.format) for name in asked(outline) if (model := outline.models[name]).engine]
    read = {engine for engine, format in chosen if not format or outline.reads(engine, format)}
    return {engine for engine, _ in chosen} - read


def asked(outline: Outline) -> dict[str, Where]:
    """The models that answer, are measured or are exported, with the first place that says so."""
    found: dict[str, Where] = {}
    for step in outline.order:
        if step.section == "quantize":
            found.setdefault(step.name, step.where)
        elif step.section == "generate":
            for index, item in enumerate(step.body["steps"]):
                for name in outline.named("generators", item, "model"):
                    found.setdefault(name, (*step.where, "steps", index))
        elif step.section == "evaluate":
            for index, name in enumerate(step.body["models"]):
                found.setdefault(name, (*step.where, "models", index))
            for judge, body in (step.body.get("judges") or {}).items():
                for name in outline.named("judges", body, "model"):
                    found.setdefault(name, (*step.where, "judges", judge))
    return found


def _help(outline: Outline, format: str | None) -> str:
    known = outline.readers(format)
    return (
        f"engines that do: {', '.join(known)}"
        if known
        else "install a plugin with an engine for it (`distillc plugins` lists what there is)"
    )
