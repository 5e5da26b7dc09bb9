"""Cells that would write one over another. Deploy steps of one cell that do so are a rule's finding (`rules/deploy_path.py`)."""

from collections.abc import Iterator, Sequence

from distillc.compiler.cells import Part
from distillc.compiler.lower.graph import Draft
from distillc.compiler.rules import error
from distillc.compiler.rules.deploy_path import below_spec
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.matrix import Matrix


def meeting(parts: Sequence[Part], matrix: Matrix) -> Iterator[Diagnostic]:
    """One finding a step, about the first two of its cells that meet."""
    at: dict[tuple[str, ...], tuple[Part, Draft]] = {}
    above: dict[tuple[str, ...], tuple[Part, Draft]] = {}
    told: set[str] = set()
    for part in parts:
        for draft in part.own:
            path = draft.config.get("path") if draft.where[0] == "deploy" else None
            folders = below_spec(path) if isinstance(path, str) else None
            if folders is None:
                continue
            around = [folders[:length] for length in range(1, len(folders))]
            other = next((at[each] for each in (folders, *around) if each in at), above.get(folders))
            if other is None:
                at[folders] = (part, draft)
                for each in around:
                    above.setdefault(each, (part, draft))
            elif other[1].key != draft.key and other[0] is not part and draft.id not in told:
                told.add(draft.id)
                yield _finding(part, draft, other, matrix)


def _finding(part: Part, draft: Draft, other: tuple[Part, Draft], matrix: Matrix) -> Diagnostic:
    axis = next(axis for axis, mine, its in zip(matrix.axes, part.cell, other[0].cell, strict=True) if mine != its)
    message = f"`{draft.called}` writes to `{draft.config['path']}`, where `{other[1].called}` writes"
    help = f"let the path say the cell, as in `path: {draft.config['path'].rstrip('/')}/${{{axis.path}}}/`"
    return error(part.outline, "D651", (*draft.where, "path"), message, help)
