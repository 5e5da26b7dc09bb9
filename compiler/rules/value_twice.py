"""Two values of an evaluation have one name, so that one of them would be lost.

Why: a metric's values are called after its plugin, a judge's after the name that the evaluation gives it. So a metric stands once among
`metrics`, and no judge is called as a metric is.

Example:

    evaluate:
      test: {data: pairs.test, models: [student, q8], metrics: [exact_match, {uses: exact_match, ignore_case: true}]}

Use instead:

    evaluate:
      test: {data: pairs.test, models: [student, q8], metrics: [exact_match]}
      loose: {data: pairs.test, models: [student, q8], metrics: [{uses: exact_match, ignore_case: true}]}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("evaluate"):
        seen: set[str] = set()
        for index, metric in enumerate(step.body.get("metrics") or ()):
            name = metric["uses"]
            if name in seen:
                help = "keep one, or add a second evaluation for the other"
                yield error(outline, "D652", (*step.where, "metrics", index), f"metric `{name}` stands twice", help)
            seen.add(name)
        for judge in step.body.get("judges") or ():
            if judge in seen:
                help = "give the judge another name"
                yield error(outline, "D652", (*step.where, "judges", judge), f"judge `{judge}` has the name of a metric", help)
