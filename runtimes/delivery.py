"""Puts a sealed bundle where its spec wants it. The store keeps its own copy, so a deleted folder comes back with the next run."""

from pathlib import Path

from distillc.runtimes.bundle import publish, target_folder
from distillc.runtimes.store import Sealed, Store


def deliver(store: Store, sealed: Sealed, folder: Path, path: str) -> Path:
    """The folder with the bundle's files: as it is if they are there in their sizes, else published anew.

    Raises StageFailed for a path that leaves the spec's folder, or where something else than a bundle stands.
    """
    target = target_folder(folder, path)
    if not _there(sealed, target):
        publish(store.directory(sealed), target)
    return target


def _there(sealed: Sealed, target: Path) -> bool:
    """By names and sizes alone: `distillc verify PATH` is for the bytes."""
    if not target.is_dir():
        return False
    found = {path.relative_to(target).as_posix(): path.stat().st_size for path in target.rglob("*") if path.is_file()}
    return found == {name: file.bytes for name, file in sealed.files.items()}
