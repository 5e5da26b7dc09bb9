"""`distill.lock`, beside the spec: what the plan was made from that the spec does not say.

The digest or version of every leaf (file, package, revision), the facts that were read of models, and the distribution of every
plugin. Keys depend on it, so it belongs into version control; it holds no secret, no absolute path and no time. TOML, sorted.
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from distillc.compiler.pinned import FIELDS
from distillc.spec.errors import UsageError

LOCK_VERSION = 1
FILE_NAME = "distill.lock"
PARTS = ("leaves", "facts", "plugins")
HEADER = "# Written by `distillc plan` and `distillc run`. Commit it: it pins what this spec reads.\n"


def make_lock(
    leaves: Mapping[str, Mapping[str, str]], facts: Mapping[str, Mapping[str, Any]], plugins: Mapping[str, str]
) -> dict[str, Any]:
    """Plain data, sorted. `leaves` by step, `plugins` from `KIND.NAME` to `DISTRIBUTION VERSION`.

    `facts` by model; among them, as `fields`, what they were read for (`compiler/pinned.py`).
    """
    return {
        "version": LOCK_VERSION,
        "leaves": {step: dict(sorted(found.items())) for step, found in sorted(leaves.items())},
        "facts": {
            name: {key: value for key, value in sorted(found.items()) if value is not None}
            for name, found in sorted(facts.items())
            if any(value is not None for value in found.values())
        },
        "plugins": dict(sorted(plugins.items())),
    }


def to_text(lock: Mapping[str, Any]) -> str:
    """The text of a lock: TOML that `tomllib` reads back as the same data."""
    return "\n".join([HEADER + f"version = {lock['version']}", *_tables(lock)]) + "\n"


def _tables(lock: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for part in ("leaves", "facts"):
        for name, found in lock[part].items():
            yield f"\n[{prefix}{part}.{_key(name)}]"
            yield from (f"{_key(key)} = {_value(value)}" for key, value in found.items())
    yield f"\n[{prefix}plugins]"
    yield from (f"{_key(key)} = {_value(value)}" for key, value in lock["plugins"].items())


def read_lock(folder: Path, profile: str | None = None) -> dict[str, Any] | None:
    """The lock beside a spec, of the spec as it is or of one profile; None where it was never written.

    Raises UsageError on a file that is no lock of this version.
    """
    data = _read(folder)
    if data is None or (found := data if profile is None else data["profile"].get(profile)) is None:
        return None
    return {"version": LOCK_VERSION, **{part: found[part] for part in PARTS}}


def write_lock(folder: Path, lock: Mapping[str, Any], profile: str | None = None) -> bool:
    """Writes the lock where its text has changed; says whether it did. What stands there for other profiles stays.

    Raises UsageError where the folder cannot be written.
    """
    held = _read(folder) or {"version": LOCK_VERSION, **{part: {} for part in PARTS}, "profile": {}}
    if profile is None:
        held = {**lock, "profile": held["profile"]}
    else:
        held["profile"] = {**held["profile"], profile: lock}
    tables = [line for name, part in sorted(held["profile"].items()) for line in _tables(part, f"profile.{_key(name)}.")]
    text = (to_text(held) + "".join(f"{line}\n" for line in tables)).encode()
    path = folder / FILE_NAME
    try:
        if path.is_file() and path.read_bytes() == text:
            return False
        # Beside it and moved over it: what a kill would cut short is no lock, and the next run would ask to delete it.
        partial = path.with_name(f".{FILE_NAME}.{os.getpid()}")
        partial.write_bytes(text)
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"{FILE_NAME} cannot be written: {error.strerror}", help="make the spec's folder writable") from error
    return True


def _read(folder: Path) -> dict[str, Any] | None:
    path = folder / FILE_NAME
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"{FILE_NAME} cannot be read: {error}", help="delete it: the next plan writes it again") from error
    if data.get("version") != LOCK_VERSION:
        raise UsageError(
            f"{FILE_NAME} has version {data.get('version')!r}, this distillc writes {LOCK_VERSION}",
            help="delete it, or use the distillc that wrote it",
        )
    parts = {part: data.get(part, {}) for part in (*PARTS, "profile")}
    try:
        parts["profile"] = {name: _sound({part: found.get(part, {}) for part in PARTS}) for name, found in parts["profile"].items()}
        return {"version": LOCK_VERSION, **_sound(parts)}
    except AttributeError as error:
        raise UsageError(f"{FILE_NAME} is damaged", help="delete it: the next plan writes it again") from error


def _sound(parts: dict[str, Any]) -> dict[str, Any]:
    """Raises AttributeError where a table of names has something else in it."""
    for part in ("leaves", "facts"):
        for found in parts[part].values():
            found.items()
    parts["plugins"].items()
    return parts


def moved(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[str]:
    """What differs from an older lock, a line each: `data.prose numpy 2.3.1 -> 2.4.0`."""
    if old is None:
        return []
    before, after = _flat(old), _flat(new)
    return [f"{key} {before[key]} -> {after[key]}" for key in sorted(before.keys() & after.keys()) if before[key] != after[key]]


def _flat(lock: Mapping[str, Any]) -> dict[str, str]:
    nested = {
        f"{name} {key}": str(value)
        for part in ("leaves", "facts")
        for name, found in lock[part].items()
        for key, value in found.items()
        if key != FIELDS or part != "facts"  # that a spec names another file, its author knows
    }
    return nested | {f"plugin {name}": str(value) for name, value in lock["plugins"].items()}


def _key(text: str) -> str:
    return text if text and all(c.isascii() and (c.isalnum() or c in "_-") for c in text) else _string(text)


def _value(value: Any) -> str:
    return str(value) if type(value) is int else _string(str(value))


def _string(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL and for surrogates, which no text of ours has."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
