"""The role of each model in a report (design, section 8); the first that fits.

`teacher`: named by a loss or by a generator's model field. `student`: trained with a soft loss or on a teacher's answers, or descending
from such a step. `base`: an untrained input of a student. `export`: made by a quantizer. `reference`: all else.
"""

from collections.abc import Sequence

from distillc.compiler.lower.graph import Graph


def roles(graph: Graph, models: Sequence[str]) -> dict[str, str]:
    """Role by model. An export of a student is a student: it descends from one, and its format tells that it is an export."""
    teachers = {name for model in graph.models.values() for name in model.soft}
    teachers |= {name for step in graph.rows.values() for name in step.teachers}
    students = {name for name, model in graph.models.items() if model.section == "train" and _taught(graph, name)}
    bases = {
        parent for name in students if (parent := graph.models[name].parent) in graph.models and graph.models[parent].section == "models"
    }

    def role(name: str) -> str:
        if name in teachers:
            return "teacher"
        if any(ancestor in students for ancestor in graph.ancestors(name)):
            return "student"
        if name in bases:
            return "base"
        return "export" if name in graph.models and graph.models[name].section == "quantize" else "reference"

    return {name: role(name) for name in models}


def _taught(graph: Graph, name: str) -> bool:
    """Whether this step itself, or one it starts from, was taught: `teachers` holds what was handed down too."""
    return bool(graph.models[name].teachers)
