"""Installed packages and the standard library: where their Python files lie and in which version. Nothing is imported."""

import functools
import importlib.machinery
import importlib.metadata
import platform
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path

STDLIB = "stdlib"

# Folders whose docstrings are no prose, or are somebody else's (vendored copies would repeat what another package says).
SKIPPED_FOLDERS = frozenset(
    {"test", "tests", "testing", "idlelib", "lib2to3", "site-packages", "_vendor", "vendor", "externals", "__pycache__"}
)


class NotInstalled(LookupError):
    """The package is not there: the argument is its name."""


def version(package: str) -> str:
    """The version of the distribution that brings `package`; Python's own for what belongs to the standard library."""
    top = _import_name(package)
    if package == STDLIB or top in sys.stdlib_module_names:
        return f"python {platform.python_version()}"
    for name in (package, top):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    owners = _owners().get(top, [])
    if not owners:
        raise NotInstalled(package)
    return importlib.metadata.version(sorted(owners)[0])


@functools.cache
def _owners() -> Mapping[str, list[str]]:
    """Import name to distributions. Reads the records of all that is installed: half a second, and seldom needed."""
    return importlib.metadata.packages_distributions()


def python_files(package: str) -> Iterator[tuple[str, Path]]:
    """(module name, file) in the order of the module names. A dotted name (`xml.etree`) means that part of a package alone."""
    found = sorted(_stdlib_files() if package == STDLIB else _package_files(package))
    if not found:
        raise NotInstalled(package)
    yield from found


def _stdlib_files() -> Iterator[tuple[str, Path]]:
    root = Path(sysconfig.get_path("stdlib"))
    for name in sys.stdlib_module_names - SKIPPED_FOLDERS:
        yield from _files_at(name, root / name)


def _package_files(package: str) -> Iterator[tuple[str, Path]]:
    top, *rest = _import_name(package, dotted=True).split(".")
    spec = importlib.machinery.PathFinder.find_spec(top)
    if spec is None:
        return
    if spec.submodule_search_locations:
        roots = [Path(location) for location in spec.submodule_search_locations]
    elif spec.origin:
        roots = [Path(spec.origin).with_suffix("")]
    else:
        return
    for root in roots:
        yield from _files_at(".".join([top, *rest]), root.joinpath(*rest))


def _files_at(name: str, root: Path) -> Iterator[tuple[str, Path]]:
    """The files of a module (`root`.py) or of a package (all below the folder `root`)."""
    if root.is_dir():
        for path in root.rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if not SKIPPED_FOLDERS.intersection(parts):
                yield ".".join([name, *(part for part in parts if part != "__init__")]), path
    elif root.with_suffix(".py").is_file():
        yield name, root.with_suffix(".py")


def _import_name(package: str, *, dotted: bool = False) -> str:
    """The name under which a package is imported: distributions write `-` where modules have `_`."""
    name = re.sub(r"-", "_", package)
    return name if dotted else name.partition(".")[0]
