"""An ONNX export in fp32 has keys that only int4 reads.

Why: they say how weights share scales, and fp32 has no scales: nothing happens. Most often `precision` was changed for a comparison and
stayed, and a file of eight times the size is delivered.

Example:

    quantize:
      int4: {uses: onnx, from: student, precision: fp32, block_size: 16}

Use instead:

    quantize:
      int4: {uses: onnx, from: student, precision: int4, block_size: 16}

Fix: takes the key out, where there is one. That is safe: nothing read it.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.node_edits import fix, remove
from distillc.spec.nodes import MappingNode, entries, text, uses
from distillc.spec.rules import Context, warning
from distillc.spec.wording import listing, shorten

_KEYS = ("block_size", "accuracy_level", "algorithm", "symmetric")


def check(context: Context) -> Iterator[Diagnostic]:
    for step in entries(context.at("quantize")):
        if not isinstance(step.value, MappingNode) or uses(step.value) != "onnx" or text(step.value.get("precision")) != "fp32":
            continue
        idle = [key for key in _KEYS if key in step.value.entries]
        if idle:
            verb = "does" if len(idle) == 1 else "do"
            yield warning(
                "D502",
                f"{listing(idle)} {verb} nothing for `{shorten(step.key)}`: its weights stay fp32",
                step.value.entries[idle[0]].key_span,
                "write `precision: int4`, or take this out",
                fix=fix(context, f"take out `{idle[0]}`", remove(step.value, idle[0]), safe=True) if len(idle) == 1 else None,
            )
