"""The role of each model in a report (design, section 8); the first that fits.

`teacher`: named by a loss, or by a generator whose answers become targets. `student`: trained with a soft loss or on a teacher's answers,
or descending from such a step. `base`: an untrained input of a student. `export`: made by a quantizer. `reference`: all else.
"""

from collections.abc import Sequence

from distillc.compiler.outline import Outline


def roles(outline: Outline, names: Sequence[str]) -> dict[str, str]:
    """Role by model. An export of a student is a student: it descends from one, and its format tells that it is an export."""
    models = outline.models
    teachers = {name for model in models.values() for name in model.soft}
    teachers |= {name for step in outline.rows.values() for name in step.teachers}
    # `teachers` of a train step hold what was handed down too, so a step that goes on from a student is one.
    students = {name for name, model in models.items() if model.section == "train" and model.teachers}
    bases = {parent for name in students if (parent := models[name].parent) in models and models[parent].section == "models"}

    def role(name: str) -> str:
        if name in teachers:
            return "teacher"
        if any(ancestor in students for ancestor in outline.ancestors(name)):
            return "student"
        if name in bases:
            return "base"
        return "export" if name in models and models[name].section == "quantize" else "reference"

    return {name: role(name) for name in names}
