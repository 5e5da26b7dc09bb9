"""A student is evaluated, and the model that taught it is not.

Why: how near the student comes to its teacher is what distillation is about, and it stays unknown. The public walk-through that many
start from says that its student almost matches the teacher, and never evaluates the teacher; a mistake in the teacher's prompt or
decoding goes unseen in the same way (https://github.com/nebius/token-factory-cookbook).

Example:

    evaluate:
      test: {data: pairs.test, models: [small, student], metrics: [errant]}

Use instead:

    evaluate:
      test: {data: pairs.test, models: [teacher, small, student], metrics: [errant]}

Fix: adds the teacher to the models of that evaluation. It is unsafe: the teacher has to answer all test rows.
"""

from collections.abc import Iterator

from distillc.spec.claims import evaluated, evaluations
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import append, fix
from distillc.spec.pedigree import pedigree
from distillc.spec.rules import Context, warning
from distillc.spec.variants import in_profiles
from distillc.spec.wording import listing, shorten


def check(context: Context) -> Iterator[Diagnostic]:
    family = pedigree(context)
    seen = {model for name in evaluated(context) for model in family.exported_from(name)}
    for step, listed, models in evaluations(context):
        taught = {teacher: name for name in reversed(models) for teacher in family.taught_by(name)}
        missing = [teacher for teacher in reversed(taught) if teacher not in seen and teacher in family.sections]
        if not missing or in_profiles(context.root, listed.value.span):
            continue
        seen.update(missing)
        verb = "teaches" if len(missing) == 1 else "teach"
        yield warning(
            "D602",
            f"{listing(missing)} {verb} `{shorten(taught[missing[0]])}` and {'is' if len(missing) == 1 else 'are'} not evaluated",
            listed.key_span,
            f"add {listing(missing)} to the models of `{shorten(step.key)}`",
            fix=fix(context, "evaluate the teacher too", append(listed.value, missing[0]) if len(missing) == 1 else None),
        )
