"""A license is not called by its SPDX identifier.

Why: what must be passed on with a student, and whether a teacher's answers may train another model, is looked up by this name. Under
another one it is found nowhere: the bundle says to read the license, and its bill of materials has no identifier in it
(https://spdx.org/licenses). Upper and lower case count as equal, and names that resemble none are left alone: a license of your own may
be called as you like.

Example:

    models:
      big: {uses: transformers, path: models/big, license: Apache License v2}

Use instead:

    models:
      big: {uses: transformers, path: models/big, license: Apache-2.0}

Fix: writes the identifier. That is safe where only the spelling differs, and unsafe where letters are wrong or the version is missing.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import Node, ScalarNode, at, entries, text
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    for section in ("models", "deploy"):
        for step in entries(context.at(section)):
            node = at(step.value, "license")
            name = text(node)
            if node is not None and name:
                yield from _check(name, node, context)


def _check(name: str, node: Node, context: Context) -> Iterator[Diagnostic]:
    from distillc.spec.licenses import canonical, nearest
    from distillc.spec.node_edits import fix, replace

    meant = canonical(name)
    if meant and meant.lower() == name.strip().lower():
        return
    near = meant or nearest(name)
    if near:
        quoted = isinstance(node, ScalarNode) and not node.plain
        spelling = meant is not None and (any(map(str.isdigit, name)) or not any(map(str.isdigit, meant)))  # `bsd` is one of several
        yield warning(
            "D801",
            f"`{shorten(name)}` is not the identifier of a license",
            node.span,
            f"write `{near}`" if meant else f"did you mean `{near}`?",
            fix=fix(context, f"write `{near}`", replace(node, f'"{near}"' if quoted else near), safe=spelling),
        )
