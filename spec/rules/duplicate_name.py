"""Two steps, or a step and a gate, have the same name.

Why: names are unique in the file, whatever section they stand in, since references, `why` and `--until` take a bare name: with two
`clean`, `from: clean` would mean one of them by chance.

Example:

    generate:
      clean: {from: prose, steps: [corrupt]}
    curate:
      clean: {from: answers, steps: [dedup]}

Use instead:

    generate:
      corrupted: {from: prose, steps: [corrupt]}
    curate:
      clean: {from: answers, steps: [dedup]}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.references import Definition, all_definitions
from distillc.spec.rules import Context, error
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    first: dict[str, Definition] = {}
    for definition in all_definitions(context.root):
        other = first.setdefault(definition.name, definition)
        if other is not definition:
            message = f"the name `{shorten(definition.name)}` is taken: a step of `{other.section}` has it"
            if other.kind == "gate":
                message = f"the name `{shorten(definition.name)}` is taken: a gate has it"
            yield error("D203", message, definition.span, "names are unique in the file", related=(Label(other.span, "first used here"),))
