"""The registry: which plugins there are, what their configs look like, and the way from a name to an implementation.

Built-ins come through the same door as third parties: entry points (see `discovery.py`). What `lint` needs is kept in one JSON file
per interpreter, so that it loads neither pluggy nor pydantic; the file is stale as soon as a folder of `sys.path` or a source file
that a manifest or config came from has changed.
"""

import functools
import hashlib
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from distillc.plugins import freshness
from distillc.plugins.api.manifest import Manifest
from distillc.spec.errors import UsageError

CACHE_FORMAT = 2


class Entry(NamedTuple):
    """One installed plugin. `error` says why it cannot be used, if it cannot."""

    manifest: Manifest
    distribution: str
    version: str
    schema: Mapping[str, Any] = {}
    error: str | None = None


class Registry:
    """Implements `spec.table.PluginTable`, and gives classes to those who plan and run."""

    def __init__(self, entries: Iterable[Entry], language: Mapping[str, Any], broken: Sequence[Mapping[str, str]] = ()) -> None:
        """`broken`: distributions whose manifests could not be read, with the error."""
        self.entries = tuple(sorted(entries, key=lambda e: (e.manifest.kind, e.manifest.name, e.distribution)))
        self.broken = tuple(broken)
        self._language = language
        self._by_name: dict[tuple[str, str], Entry] = {(e.manifest.kind, e.manifest.name): e for e in reversed(self.entries)}
        self._names: dict[str, tuple[str, ...]] = {}

    def names(self, kind: str) -> Sequence[str]:
        if kind not in self._names:
            self._names[kind] = tuple(sorted(name for (k, name) in self._by_name if k == kind))
        return self._names[kind]

    def entry(self, kind: str, name: str) -> Entry:
        """Raises UsageError where the plugin is missing or broken."""
        try:
            entry = self._by_name[kind, name]
        except KeyError:
            known = ", ".join(self.names(kind)) or "none"
            raise UsageError(f"no plugin '{name}' of kind {kind} is installed", help=f"installed: {known}") from None
        if entry.error:
            raise UsageError(
                f"plugin '{name}' of {entry.distribution} {entry.version} cannot be used: {entry.error}",
                help=f"update or uninstall {entry.distribution}",
            )
        return entry

    def manifest(self, kind: str, name: str) -> Manifest:
        return self.entry(kind, name).manifest

    def capabilities(self, kind: str, name: str) -> Mapping[str, Any]:
        entry = self._by_name.get((kind, name))
        return entry.manifest.capabilities if entry and not entry.error else {}

    def config_schema(self, kind: str, name: str) -> Mapping[str, Any]:
        return self.entry(kind, name).schema

    def language_schema(self) -> Mapping[str, Any]:
        return self._language

    def config_class(self, kind: str, name: str) -> Any:
        return attribute(self.manifest(kind, name).config)

    def implementation(self, kind: str, name: str) -> Any:
        """Imports the implementation. Raises UsageError naming the extra when what it needs is not installed."""
        manifest = self.manifest(kind, name)
        missing = self.missing(manifest)
        if missing:
            raise UsageError(f"plugin '{name}' needs {', '.join(missing)}, not installed here", help=self.remedy(manifest))
        return attribute(manifest.impl)

    def missing(self, manifest: Manifest) -> tuple[str, ...]:
        """The modules that the implementation needs and that are not installed. Imports none of them."""
        return tuple(module for module in manifest.modules if not installed(module))

    def remedy(self, manifest: Manifest) -> str:
        entry = self._by_name[manifest.kind, manifest.name]
        extra = f"[{manifest.extra}]" if manifest.extra else ""
        return f"pip install '{entry.distribution}{extra}'"

    def conflicts(self) -> list[str]:
        """One line for each kind and name that two distributions claim."""
        seen: dict[tuple[str, str], list[str]] = {}
        for entry in self.entries:
            seen.setdefault((entry.manifest.kind, entry.manifest.name), []).append(f"{entry.distribution} {entry.version}")
        return [f"{kind} '{name}' is offered by {' and '.join(owners)}" for (kind, name), owners in seen.items() if len(owners) > 1]


def attribute(reference: str) -> Any:
    """The object behind `"module:Name"`."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


@functools.cache
def installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def load() -> Registry:
    """The installed plugins. Raises UsageError when two of them claim one kind and name."""
    data = read_cache() or build_cache()
    entries = [Entry(**{**e, "manifest": manifest_of(e["manifest"])}) for e in data["entries"]]
    registry = Registry(entries, data["language"], data["broken"])
    if conflicts := registry.conflicts():
        raise UsageError("; ".join(conflicts), help='uninstall one of them, or set DISTILLC_PLUGINS="" to use built-ins alone')
    return registry


def manifest_of(data: Mapping[str, Any]) -> Manifest:
    return Manifest(**{**data, "modules": tuple(data["modules"])})


def cache_folder() -> Path:
    return Path(freshness.cache_folder())


def cache_file() -> Path:
    owner = json.dumps([CACHE_FORMAT, *freshness.interpreter()])
    return cache_folder() / f"plugins-{hashlib.sha256(owner.encode()).hexdigest()[:16]}.json"


def read_cache() -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(cache_file().read_bytes())
        fresh = data["folders"] == freshness.watched_folders() and freshness.unchanged(data["files"])
    except (OSError, ValueError, KeyError):
        return None
    return data if fresh else None


def build_cache() -> dict[str, Any]:
    """Runs discovery in a child process and keeps what it finds. A cache that cannot be written is no error, only slower."""
    import subprocess  # a third of a bare interpreter, and seldom needed

    child = subprocess.run([sys.executable, "-P", "-m", "distillc.plugins.discovery"], capture_output=True, text=True, check=False)
    if child.returncode:
        told = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise UsageError(f"the plugins could not be read: {told}", help="see `python -m distillc.plugins.discovery`")
    data: dict[str, Any] = json.loads(child.stdout)
    target = cache_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{os.getpid()}")
        partial.write_text(child.stdout, encoding="utf-8")
        partial.replace(target)
    except OSError:
        pass
    return data
