"""Only models that were taught, and their teachers, are evaluated.

Why: a number says little by itself. On JFLEG, a test set of grammar correction, leaving every sentence as it is scores a GLEU of 40.5
and a person's correction 62.4, so a student with 45 has learnt next to nothing (https://github.com/keisks/jfleg). What distillation is
worth shows against what there is without it: the model that the student starts from, one trained on gold data alone, or `identity`.

Example:

    evaluate:
      test: {data: pairs.test, models: [teacher, student], metrics: [errant]}

Use instead:

    models: {as_is: identity}
    evaluate:
      test: {data: pairs.test, models: [as_is, teacher, student], metrics: [errant]}
"""

from collections.abc import Iterable, Iterator

from distillc.spec.claims import evaluated, evaluations
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.pedigree import Pedigree, pedigree
from distillc.spec.rules import Context, warning
from distillc.spec.variants import in_profiles
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    family = pedigree(context)
    everything = evaluated(context)
    teachers = {teacher for taught in family.teachers.values() for teacher in taught}
    forms = {name: set(family.exported_from(name)) for name in everything}
    if any(name not in family.sections or not (family.taught_by(name) or teachers & forms[name]) for name in everything):
        return
    starts = set(_starts(everything, family))
    if any(starts & form for form in forms.values()):
        return
    for step, listed, models in evaluations(context):
        taught = [name for name in models if family.taught_by(name)]
        if not taught or in_profiles(context.root, listed.value.span):
            continue
        start = next(iter(_starts(taught[:1], family)), None)
        help = f"add `{shorten(start)}`, which `{shorten(taught[0])}` starts from, or" if start else "add"
        yield warning(
            "D603",
            f"`{shorten(step.key)}` has no baseline: every model in it teaches or was taught",
            listed.key_span,
            f"{help} a model of gold data alone, or `identity`",
        )
        return


def _starts(models: Iterable[str], family: Pedigree) -> list[str]:
    """The models that training starts from, behind each model the nearest first: a teacher may be one of them."""
    trained = [behind for behind in family.ancestors(*models) if family.sections.get(behind) == "train"]
    return [start for step in trained for start in family.parents.get(step, ()) if not family.taught_by(start)]
