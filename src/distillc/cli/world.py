"""What `lint --world` and `plan` learn of the world: what they find, and what they pin in `distill.lock`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from distillc.compiler import lock
from distillc.compiler.front import Compiled
from distillc.compiler.lint import ask_world
from distillc.plugins.registry import Registry
from distillc.spec.lint import Linted
from distillc.spec.suppress import AS_IT_IS, Selection


def look_at_world(path: Path, registry: Registry, profile: str | None, overrides: Sequence[str], selection: Selection = AS_IT_IS) -> Linted:
    """What `lint --world` finds, with what it found pinned. Raises OSError where the spec cannot be read."""
    linted, compiled = ask_world(path, registry, profile, overrides, every_profile=profile is None, selection=selection)
    for one in compiled:
        pin(one)
    return linted


def pin(compiled: Compiled) -> None:
    """Writes the lock, and what moved since the last one on stderr; what is tried with --set pins nothing."""
    plan = compiled.plan
    if plan.overrides:
        return
    for line in lock.moved(lock.read_lock(compiled.folder, plan.profile), plan.lock):
        print(f"{lock.FILE_NAME}: {line}", file=sys.stderr)
    lock.write_lock(compiled.folder, plan.lock, plan.profile)
