"""The store: seals artifacts, opens them as folders, checks that nothing rotted.

Around the blobs there is a local home (`.distillc/`): `runs/` with the event logs, `work/` with what is not sealed yet, `trees/`
with artifacts as folders, the journal and the run lock. With a remote store only the home is on this machine.
"""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from distillc.runtimes.store.blobs import Blobs, LocalBlobs, protect
from distillc.runtimes.store.sealed import SHARD, File, Sealed, from_json
from distillc.spec.errors import StageFailed, StoreDamaged, UsageError

MANIFESTS = "manifests"
BLOBS = "blobs"


def location(start: Path | None = None) -> Path:
    """`.distillc` of the nearest parent that has `.git`, else of `start` itself (the working directory)."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder / ".distillc"
    return start / ".distillc"


def open_store(where: str | None = None) -> "Store":
    """The store at a folder or a URL (`s3://bucket/prefix`); by default `DISTILLC_STORE`, else `location()`.

    Raises UsageError for a URL that obstore does not know, or that can only be read.
    """
    where = where or os.environ.get("DISTILLC_STORE") or str(location())
    if "://" not in where:
        home = Path(where).expanduser().resolve()
        return Store(home, LocalBlobs(home))
    from distillc.runtimes.store.objects import ObjectBlobs

    way_out = "a folder, or a URL such as s3://bucket/prefix"
    try:
        from obstore.store import HTTPStore, from_url

        remote = from_url(where)
    except Exception as error:  # a missing obstore, a URL that it does not know, a setting that it refuses
        reason = str(error).partition("\n")[0]  # the rest is debug text
        raise UsageError(f"can't open the store {where!r}: {reason}", help=way_out) from error
    if isinstance(remote, HTTPStore):
        raise UsageError(f"can't open the store {where!r}: a web server takes no files", help=way_out)
    home = location()
    return Store(home, ObjectBlobs(remote, home / "cache"), where)


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what its manifest says. `stages` are those whose artifact has it."""

    blob: str
    problem: str
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    manifests: int
    blobs: int
    bytes: int
    damage: tuple[Damage, ...]


@dataclass(slots=True)
class Store:
    """`url` is what another process gives to `open_store` to reach the same store."""

    home: Path
    blobs: Blobs
    url: str = ""
    _seen: dict[str, Sealed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.url = self.url or str(self.home)

    # --- manifests

    def sealed(self, key: str) -> Sealed | None:
        """The manifest under a key, or None. One that a kill tore (only where links are refused) counts as none.

        So does one that calls itself by another key: what deletes by keys would be led to any file.
        """
        if key not in self._seen:
            try:
                found = from_json(self.blobs.read(f"{MANIFESTS}/{key}").decode())
            except (FileNotFoundError, ValueError):
                return None
            if found.key != key:
                return None
            self._seen[key] = found
        return self._seen[key]

    def seal(self, sealed: Sealed, folder: Path | None = None) -> Sealed:
        """Commits an artifact: the blobs of all files in `folder`, then the manifest. Returns the seal that holds: the first one.

        Raises StageFailed for files that are no part of an artifact (links, odd names).
        """
        if folder is not None:
            sealed = replace(sealed, files=self._put_all(folder))
        self.blobs.create(f"{MANIFESTS}/{sealed.key}", sealed.to_json().encode())
        held = self.sealed(sealed.key)
        if held is None:  # what a kill left half written under this name
            self.blobs.delete(f"{MANIFESTS}/{sealed.key}")
            self.blobs.create(f"{MANIFESTS}/{sealed.key}", sealed.to_json().encode())
            held = sealed
        return held

    def all(self) -> Iterator[Sealed]:
        """Every readable manifest, shards included."""
        for name in self.blobs.names(MANIFESTS):
            sealed = self.sealed(PurePosixPath(name).name)
            if sealed is not None:
                yield sealed

    # --- files

    def complete(self, sealed: Sealed) -> bool:
        """Whether all blobs are there in their size: cheap, so the driver asks it before it trusts a seal."""
        return all(self.blobs.size(f"{BLOBS}/{file.sha256}") == file.bytes for file in sealed.files.values())

    def file(self, sealed: Sealed, name: str) -> Path:
        """One file of an artifact, read-only. Raises StoreDamaged, and KeyError for a name that it does not have."""
        file = sealed.files[name]
        try:
            path = self.blobs.path(f"{BLOBS}/{file.sha256}")
        except FileNotFoundError:
            raise self._damaged(sealed, name, "is missing") from None
        if path.stat().st_size != file.bytes:
            raise self._damaged(sealed, name, f"has {path.stat().st_size} bytes, not {file.bytes}")
        return path

    def directory(self, sealed: Sealed) -> Path:
        """The artifact as a folder of hard links (or copies). Read-only: its files are the store's own bytes."""
        folder = self.home / "trees" / sealed.digest
        folder.mkdir(parents=True, exist_ok=True)
        for name, file in sealed.files.items():
            target = folder / name
            if target.exists() and target.stat().st_size == file.bytes:
                continue
            source = self.file(sealed, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            try:
                os.link(source, target)
            except FileExistsError:
                continue  # another process made it just now, from the same blob
            except OSError:
                shutil.copyfile(source, target)
                protect(target)
        return folder

    def verify(self) -> Verified:
        """Hashes every blob that a manifest names. A blob that no manifest names is waste, not damage: `gc` takes it."""
        wanted: dict[str, tuple[int, list[str]]] = {}
        damage: list[Damage] = []
        manifests = 0
        for name in self.blobs.names(MANIFESTS):
            manifests += 1
            key = PurePosixPath(name).name
            try:
                sealed = from_json(self.blobs.read(name).decode())
            except ValueError as error:
                damage.append(Damage(name, f"is no manifest: {error}", ()))
                continue
            if sealed.key != key:
                damage.append(Damage(name, f"is the manifest of {sealed.key}", (sealed.stage,)))
            for file in sealed.files.values():
                wanted.setdefault(file.sha256, (file.bytes, []))[1].append(sealed.stage)
        total = 0
        for digest, (size, stages) in sorted(wanted.items()):
            total += size
            problem = self._problem(digest, size)
            if problem is not None:
                damage.append(Damage(f"{BLOBS}/{digest}", problem, tuple(sorted(set(stages)))))
        return Verified(manifests, len(wanted), total, tuple(damage))

    def forget(self, damage: Iterable[Damage]) -> list[str]:
        """Deletes damaged blobs and every manifest that names one, so that the next run makes them again. Returns the stages."""
        bad = {PurePosixPath(one.blob).name for one in damage}
        stages: list[str] = []
        for one in damage:
            self.blobs.delete(one.blob)
        for sealed in list(self.all()):
            if any(file.sha256 in bad for file in sealed.files.values()):
                self.blobs.delete(f"{MANIFESTS}/{sealed.key}")
                self._seen.pop(sealed.key, None)
                shutil.rmtree(self.home / "trees" / sealed.digest, ignore_errors=True)
                stages.append(sealed.stage)
        return sorted(set(stages))

    def gc(self, keep: Iterable[str] | None = None, unfinished: Collection[str] = ()) -> tuple[int, int]:
        """Deletes what nothing needs: shards of sealed stages, manifests not in `keep` (None: keeps all), blobs without a name.

        Folders made for libraries go too, and work of stages that `keep` does not name; that of stages that are `unfinished` (keys, too)
        stays. Returns (files, bytes) freed. For the holder of the run lock only.
        """
        kept = None if keep is None else set(keep)
        named: set[str] = set()
        freed = [0, 0]
        for sealed in list(self.all()):
            done = sealed.kind == SHARD and self.sealed(str(sealed.meta.get("stage_key"))) is not None
            if done or (kept is not None and sealed.kind != SHARD and sealed.key not in kept):
                self._drop(f"{MANIFESTS}/{sealed.key}", freed)
                self._seen.pop(sealed.key, None)
            else:
                named.update(file.sha256 for file in sealed.files.values())
        for name in list(self.blobs.names(BLOBS)):
            if PurePosixPath(name).name not in named:
                self._drop(name, freed)
        for folder in ("trees", "tmp"):
            shutil.rmtree(self.home / folder, ignore_errors=True)
        for work in (self.home / "work").glob("*"):  # of an unfinished stage it is what resumes it
            resumed = self.sealed(work.name) is None and (kept is None or work.name in kept)
            if not resumed and work.name not in unfinished:
                shutil.rmtree(work, ignore_errors=True)
        return freed[0], freed[1]

    # --- below

    def _put_all(self, folder: Path) -> Mapping[str, File]:
        files: dict[str, File] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise StageFailed(f"{path.relative_to(folder)} is a link or a special file, and can't be part of an artifact")
            if path.is_file():
                files[path.relative_to(folder).as_posix()] = self._put(path)
        return files

    def _put(self, path: Path) -> File:
        file = File(_hash(path), path.stat().st_size)
        name = f"{BLOBS}/{file.sha256}"
        # A blob of another length under this name is a torn or damaged one: the bytes at hand are the right ones.
        if not self.blobs.create(name, path) and self.blobs.size(name) != file.bytes:
            self.blobs.delete(name)
            self.blobs.create(name, path)
        return file

    def _problem(self, digest: str, size: int) -> str | None:
        found = self.blobs.size(f"{BLOBS}/{digest}")
        if found is None:
            return "is missing"
        if found != size:
            return f"has {found} bytes, not {size}"
        if isinstance(self.blobs, LocalBlobs):
            actual = _hash(self.blobs.path(f"{BLOBS}/{digest}"))
        else:
            actual = hashlib.sha256(self.blobs.read(f"{BLOBS}/{digest}")).hexdigest()
        return None if actual == digest else "has other bytes than were sealed"

    def _drop(self, name: str, freed: list[int]) -> None:
        freed[0] += 1
        freed[1] += self.blobs.size(name) or 0
        self.blobs.delete(name)

    def _damaged(self, sealed: Sealed, name: str, problem: str) -> StoreDamaged:
        return StoreDamaged(
            f"file {name!r} of the artifact {problem}",
            where=sealed.stage,
            help="`distillc verify --forget` removes what is damaged; the next run makes it again",
        )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
