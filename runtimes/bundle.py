"""A bundle on disk: names that are safe, checksums, verification, and putting it where the spec says.

`SHA256SUMS` has the form that `sha256sum -c` reads: 64 hex digits, two spaces, a path with `/`; one line a file, sorted, and
every file of the folder but itself.
"""

import hashlib
import os
import re
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from distillc.runtimes.store.blobs import sync
from distillc.spec.errors import StageFailed

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_LONGEST = 240  # bytes of one name; file systems allow 255, and a suffix must fit
# Names that Windows opens as devices, with any extension.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def unsafe(name: str) -> str | None:
    """Why a relative path with `/` must not be a file of a bundle, or None.

    Refused: what leaves the folder on any system (absolute, `..`, drive letters, backslashes), control and invisible characters, names
    that Windows cannot hold.
    """
    if not name:
        return "is empty"
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in name):
        return "has control characters"
    if "\\" in name or ":" in name:
        return "has a backslash or a colon"
    if name.startswith("/"):
        return "is absolute"
    for part in name.split("/"):
        if part in {"", ".", ".."}:
            return "leaves its folder"
        if len(part.encode()) > _LONGEST:
            return "is too long"
        if part.endswith((".", " ")) or part.split(".")[0].strip().lower() in _DEVICES:
            return "is no file name on every system"
    return None


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every entry below `folder` that is no plain folder, as (path with `/`, path), sorted. Symlinks are not followed."""
    found: list[tuple[str, Path]] = []
    stack = [folder]
    while stack:
        for entry in os.scandir(stack.pop()):
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                stack.append(path)
            else:
                found.append((path.relative_to(folder).as_posix(), path))
    yield from sorted(found)


def write_sums(folder: Path) -> str:
    """Writes `SHA256SUMS` over all that is in `folder`; returns its own digest. Raises StageFailed for a name that is not safe."""
    lines = []
    for name, path in files(folder):
        if name == SUMS:
            continue
        if problem := unsafe(name):
            raise StageFailed(f"a file of the bundle {problem}: {name!r}", help="rename it where it is made")
        if not stat.S_ISREG(path.lstat().st_mode):
            raise StageFailed(f"{name} is no plain file", help="a bundle holds no links, sockets or devices")
        lines.append(f"{digest(path)}  {name}\n")
    text = "".join(lines)
    (folder / SUMS).write_text(text, encoding="utf-8", newline="\n")
    return hashlib.sha256(text.encode()).hexdigest()


def verify_bundle(path: Path | str) -> list[str]:
    """What is wrong with a bundle, a sentence each, sorted by file; empty when it is what was sealed. Never raises on bad content."""
    folder = Path(path)
    if not folder.is_dir():
        return [f"{folder} is no folder"]
    try:
        text = (folder / SUMS).read_bytes().decode("utf-8")
        if (folder / SUMS).is_symlink():
            return [f"{SUMS}: is a symlink"]
    except OSError:
        return [f"{SUMS}: missing or unreadable; this is no bundle"]
    except UnicodeDecodeError:
        return [f"{SUMS}: is not text"]
    listed, problems = _read_sums(text)
    present = dict(files(folder))
    present.pop(SUMS, None)
    for name, file in present.items():
        if not stat.S_ISREG(file.lstat().st_mode):
            problems.append(f"{name!r}: is no plain file (a link, socket or device)")
        elif name not in listed:
            problems.append(f"{name!r}: not listed in {SUMS}")
        else:
            try:
                if digest(file) != listed[name]:
                    problems.append(f"{name!r}: its bytes have changed")
            except OSError as error:
                problems.append(f"{name!r}: cannot be read ({error.strerror})")
    problems += [f"{name!r}: missing" for name in listed if name not in present]
    return sorted(problems)


def _read_sums(text: str) -> tuple[dict[str, str], list[str]]:
    """The canonical form only: sorted, each name once, a newline after each line. So each change of a byte is seen, also here."""
    listed: dict[str, str] = {}
    problems: list[str] = []
    if not text.endswith("\n"):
        problems.append(f"{SUMS}: cut off or empty")
    # split, not splitlines: the latter also breaks at form feeds and the like
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        match = _LINE.fullmatch(line)
        if not match:
            problems.append(f"{SUMS}: line {number} is no checksum")
        elif problem := unsafe(match[2]):
            problems.append(f"{match[2]!r}: the name {problem}")
        elif match[2] in listed:
            problems.append(f"{match[2]!r}: listed twice")
        else:
            listed[match[2]] = match[1]
    if list(listed) != sorted(listed):
        problems.append(f"{SUMS}: not sorted")
    return listed, problems


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def target_folder(folder: Path, path: str) -> Path:
    """Where a spec in `folder` puts a bundle. Raises StageFailed for a path that leaves the spec's folder."""
    relative = PurePosixPath(path)
    if problem := unsafe(relative.as_posix()):
        raise StageFailed(f"the path of a bundle {problem}: {path!r}", help="name a folder below the spec, `path: dist/` for example")
    target = folder / relative
    if not target.parent.resolve().is_relative_to(folder.resolve()) or target.is_symlink():
        raise StageFailed(f"{path} is or lies behind a symlink", help="name a real folder below the spec")
    return target


def publish(source: Path, target: Path) -> None:
    """Puts a copy of the bundle in `source` at `target`; an earlier bundle there is replaced as a whole.

    Written beside and swapped, so that a kill leaves the old one or the new one (for an instant under its `.old` name, which the next
    call puts back). Anything at `target` that no bundle put there, edited files among it, is never touched: StageFailed.
    """
    new, old = (target.with_name(f".{target.name}.{suffix}") for suffix in ("new", "old"))
    if old.is_dir() and not target.exists():
        old.rename(target)
    _refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if new.exists():
        shutil.rmtree(new)  # ours by name: a copy that a kill cut off
    for name, path in files(source):
        place = new / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        place.chmod(0o755 if name.endswith(".sh") else 0o644)
        sync(place)
    if old.is_dir():
        shutil.rmtree(old)
    if target.exists():
        target.rename(old)
    new.rename(target)
    if old.is_dir():
        shutil.rmtree(old)


def same(source: Path, target: Path) -> bool:
    """Whether `target` already is the bundle in `source`, byte for byte."""
    sums = target / SUMS
    return sums.is_file() and sums.read_bytes() == (source / SUMS).read_bytes() and not verify_bundle(target)


def _refuse_foreign(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise StageFailed(f"{target.name} is a file", help="move it, or change the step's `path`")
    sums = target / SUMS
    listed = _read_sums(sums.read_text("utf-8", errors="replace"))[0] if sums.is_file() else {}
    present = dict(files(target))
    present.pop(SUMS, None) if listed else None
    foreign = [n for n, p in present.items() if n not in listed or p.is_symlink() or not p.is_file() or digest(p) != listed[n]]
    if foreign:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise StageFailed(
            f"{target.name}/ holds files that were put there or changed by somebody else: {shown}",
            help="move them, or change the step's `path`; nothing there was touched",
            where=str(target.name),
        )
