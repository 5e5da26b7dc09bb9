"""Two steps are the same but for their names.

Why: they make the same thing, so a comparison of the two compares a thing with itself. A step was copied and not edited: both exports
have one type, both trainings one loss. The public walk-through that distillation is often learnt from ends like this: its baseline,
called 3.5 times larger, became the student's own base
(https://github.com/nebius/token-factory-cookbook, distillation-1, revision of 2026-03-14). An alias (`*other`) says that it is meant.

Example:

    quantize:
      q8: {uses: gguf, from: student, type: q8_0}
      q4: {uses: gguf, from: student, type: q8_0}

Use instead:

    quantize:
      q8: {uses: gguf, from: student, type: q8_0}
      q4: {uses: gguf, from: student, type: q4_0}
"""

from collections.abc import Iterable, Iterator

from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Entry, Node, entries, to_plain
from distillc.spec.rules import Context, warning
from distillc.spec.variants import profile_applied, varied_steps
from distillc.spec.wording import shorten

_SECTIONS = ("data", "generate", "curate", "models", "train", "quantize")


def check(context: Context) -> Iterator[Diagnostic]:
    for before, step in twins(context):
        label = Label(before.key_span, "the other one")
        message = f"`{shorten(step.key)}` is the same as `{shorten(before.key)}`"
        yield warning("D209", message, step.key_span, "edit one of them, or take one out", related=(label,))


def twins(context: Context, sections: Iterable[str] = _SECTIONS) -> Iterator[tuple[Entry, Entry]]:
    """Steps that are the same as one before, after that one."""
    if profile_applied(context.root):  # a quick profile may make everything small and alike
        return
    varied = varied_steps(context.root)
    for section in sections:
        first: dict[tuple[str, str], Entry] = {}  # of one file: a spec that is extended may be anybody's
        for step in entries(context.at(section)):
            if (section, step.key) in varied:
                continue
            before = first.setdefault((step.key_span.file, _content(step.value)), step)
            if before.value is not step.value:
                yield before, step


def _content(step: Node) -> str:
    """What the step says, whatever the order of its keys; a bare plugin as the mapping that it stands for."""
    plain = to_plain(step)
    return repr(sorted(plain.items())) if isinstance(plain, dict) else repr([("uses", plain)])
