"""Checks that what is read from the world is still what the plan was made for."""

from pathlib import Path
from typing import Any

from distillc.runtimes.stages.context import StageContext
from distillc.spec.errors import StageFailed


def check_revisions(context: StageContext, config: Any) -> None:
    """Compares `config.revisions(folder)` with those that the plan pinned. Raises StageFailed for a leaf that changed since."""
    pinned = context.config.get("revisions")
    revisions = getattr(config, "revisions", None)
    if not pinned or not callable(revisions):
        return
    # As the compiler names them: a leaf with an absolute path is called by its file's name.
    said: Any = revisions(context.folder)
    found = {Path(name).name if Path(name).is_absolute() else name: str(value) for name, value in said.items()}
    changed = sorted(name for name in {*found, *pinned} if found.get(name) != pinned.get(name))
    if changed:
        raise StageFailed(
            f"{', '.join(changed)} changed since the plan was made",
            where=context.stage.id,
            help="make the plan again, or run the spec itself",
        )
