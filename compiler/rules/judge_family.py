"""A judge comes from the family of a model that it judges, or of that model's teacher.

Why: models prefer texts of their own kind, so such a verdict favours the student for its accent. Take rules (`harper`), or a model of
another family; names of one family and lineage count as one (`distillc.compiler.tables.families`). How much it favours nobody knows
beforehand, and beside metrics it may be worth having: so this is a warning, which `lint.levels` can raise. Preference Leakage: A
Contamination Problem in LLM-as-a-judge, 2025. https://arxiv.org/abs/2502.01534

Example:

    models: {rules: harper}
    generate: {answers: {from: learner, steps: [{uses: answer, model: rules}]}}
    evaluate: {test: {data: pairs.test, models: [rules, teacher, student], metrics: [exact_match], judges: {lints: harper}}}

Use instead:

    models: {rules: harper}
    generate: {answers: {from: learner, steps: [{uses: answer, model: rules}]}}
    evaluate: {test: {data: pairs.test, models: [rules, teacher, student], metrics: [exact_match, errant]}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.outline.roles import roles
from distillc.compiler.rules import label, warning
from distillc.compiler.tables.families import kin
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("evaluate"):
        judges = step.body.get("judges") or {}
        if not judges:
            continue
        found = roles(outline, step.body["models"])
        students = [name for name in step.body["models"] if found[name] in ("student", "teacher", "base")]
        teachers = [teacher for name in students for teacher in outline.models[name].teachers]
        for judge, body in judges.items():
            for family, judging in _families(outline, body):
                relative = next((name for name in dict.fromkeys([*teachers, *students]) if family & kin_of(outline, name)), None)
                if relative:
                    shared = ", ".join(sorted(family & kin_of(outline, relative)))
                    message = f"judge `{judge}` ({judging}) is of the family {shared}, as `{relative}` is"
                    related = label(outline, outline.models[relative].where, f"`{relative}`")
                    help = "take rules, or a model of another family"
                    yield warning(outline, "D650", (*step.where, "judges", judge), message, help, related=related)


def _families(outline: Outline, judge: dict[str, str]) -> Iterator[tuple[frozenset[str], str]]:
    """The families of a judge: those of its models, and what its manifest says."""
    for name in outline.named("judges", judge, "model"):
        yield kin_of(outline, name), name
    family = outline.capabilities("judges", judge["uses"]).get("family")
    if isinstance(family, str):
        yield kin(family), judge["uses"]


def kin_of(outline: Outline, name: str) -> frozenset[str]:
    return frozenset().union(*(kin(family) for family in outline.models[name].families))
