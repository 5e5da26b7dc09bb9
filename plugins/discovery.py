"""Looks for plugins: loads every entry point of the group, asks each for its manifests, and makes the schemas of their configs.

Imports pluggy, importlib.metadata and pydantic, which cost more than a whole `lint`; so it runs in a child process, and
`registry.py` keeps what it prints. A plugin that raises is recorded with its error and harms only the specs that use it.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, distributions
from importlib.util import find_spec
from traceback import walk_tb
from typing import Any

import pluggy

from distillc.plugins.api import hooks
from distillc.plugins.api.manifest import API_VERSION, Manifest
from distillc.plugins.freshness import stamp, watched_folders
from distillc.plugins.registry import Entry, Registry, attribute
from distillc.spec.schema import compose


def discover(allowed: str | None) -> dict[str, Any]:
    """Everything the registry keeps, as plain data. `allowed`: value of DISTILLC_PLUGINS (None: all distributions)."""
    entries: list[Entry] = []
    broken: list[dict[str, str]] = []
    files = {__file__}
    points = list(entry_points(allowed))
    for distribution, version, point in points:
        try:
            manifests = list(manifests_of(point))
        except Exception as error:
            broken.append({"distribution": distribution, "error": f"{type(error).__name__}: {error}"})
            files.update(_blamed(error))
            continue
        entries += [describe(manifest, distribution, version) for manifest in manifests]
    files.update(path for _, _, point in points for path in (*_loaded(point.module), *_origin(point.module)))
    files.update(path for entry in entries if entry.error for path in _origin(entry.manifest.config.partition(":")[0]))
    registry = Registry(entries, {}, broken)
    language = compose(registry) if not registry.conflicts() else {}
    return {
        "folders": watched_folders(),
        "files": [stamp(path) for path in sorted(files)],
        "entries": [entry._asdict() | {"manifest": entry.manifest._asdict()} for entry in registry.entries],
        "broken": broken,
        "language": language,
    }


def entry_points(allowed: str | None) -> Iterable[tuple[str, str, EntryPoint]]:
    """(distribution, version, entry point), our own first, then by name."""
    names = None if allowed is None else {name.strip().lower() for name in allowed.split(",") if name.strip()}
    found: dict[str, tuple[str, str, EntryPoint]] = {}
    for distribution in distributions():
        for point in distribution.entry_points:
            if point.group == hooks.GROUP:
                name = str(distribution.metadata["Name"])
                if name == "distillc" or names is None or name.lower() in names:
                    found.setdefault(f"{name}:{point.name}", (name, distribution.version, point))
    return sorted(found.values(), key=lambda item: (item[0] != "distillc", item[0], item[2].name))


def manifests_of(point: EntryPoint) -> Iterable[Manifest]:
    manager = pluggy.PluginManager(hooks.GROUP)
    manager.add_hookspecs(hooks)
    manager.register(point.load(), name=point.name)
    manager.check_pending()
    for manifests in manager.hook.distillc_manifests():
        for manifest in manifests:
            if not isinstance(manifest, Manifest):
                raise TypeError(f"`distillc_manifests` gives a list of Manifest, and not of {type(manifest).__name__}")
            yield manifest


def describe(manifest: Manifest, distribution: str, version: str) -> Entry:
    """The entry of one manifest; what is wrong with it stands in `error`."""
    entry = Entry(manifest=manifest, distribution=distribution, version=version)
    if manifest.api_version != API_VERSION:
        return entry._replace(error=f"made for plugin API {manifest.api_version}, this distillc has {API_VERSION}")
    try:
        config = attribute(manifest.config)
        entry = entry._replace(schema={**config.model_json_schema(), "description": manifest.summary})
        json.dumps([entry.schema, manifest._asdict()])
    except Exception as error:
        return entry._replace(schema={}, error=f"{type(error).__name__}: {error}")
    return entry


def _loaded(module: str) -> Iterator[str]:
    """The files that make the cache stale when they change: all that was imported of the package that a plugin stands in."""
    package = module.partition(".")[0]
    for name, found in list(sys.modules.items()):
        path = getattr(found, "__file__", None)
        if path and name.partition(".")[0] == package:
            yield path


def _origin(module: str) -> Iterator[str]:
    """The file of a module that may not be importable."""
    try:
        found = find_spec(module)
    except Exception:
        return
    if found and found.has_location and found.origin:
        yield found.origin


def _blamed(error: BaseException) -> Iterator[str]:
    """The files that an exception came through, and the one that is no Python: to mend a plugin is to change one of them."""
    places = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        places.append(error.filename)
    yield from (place for place in places if os.path.isfile(place))  # noqa: PTH113 - as freshness.py


def main() -> None:
    data: Mapping[str, Any] = discover(os.environ.get("DISTILLC_PLUGINS"))
    sys.stdout.write(json.dumps(data))  # in the order of the models: it is the order in which people read and editors offer keys


if __name__ == "__main__":
    main()
