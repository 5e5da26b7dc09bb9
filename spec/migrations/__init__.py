"""Versions of the language: what makes a spec of one version a spec of the next. One migration a file.

A migration is a module with `FROM` and `TO`, the versions, and `fix(root)`: edits that keep every comment, or None where nobody but the
author can say what was meant. A new one is a file here, a name in MIGRATIONS, and its TO as LATEST. The rule `version` offers the same fix.
"""

from importlib import import_module

from distillc.spec.diagnostic import Fix
from distillc.spec.edit import apply, settled
from distillc.spec.nodes import MappingNode, number
from distillc.spec.parse import parse
from distillc.spec.source import Source

LATEST = 1
MIGRATIONS = ("unversioned",)


def next_fix(root: MappingNode) -> Fix | None:
    """The way from the version that a spec says to the next; None where there is none."""
    node = root.get("distill")
    says = None if node is None else number(node)
    if node is not None and says is None:
        return None  # the schema has something to say
    for name in MIGRATIONS:
        module = import_module(f"{__name__}.{name}")
        if says == module.FROM:
            found: Fix | None = module.fix(root)
            return found
    return None


def migrated(source: Source) -> tuple[str, list[str]]:
    """The text in the latest version that there is a way to, and what was done on it."""
    done: list[str] = []
    for _ in MIGRATIONS:
        root, _ = parse(source)
        found = next_fix(root) if isinstance(root, MappingNode) else None
        fix = settled(found, source) if found else None
        if fix is None:
            break
        source = Source(source.name, apply(source, [fix])[0])
        done.append(fix.message)
    return source.text, done
