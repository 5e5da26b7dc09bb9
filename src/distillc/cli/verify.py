"""`distillc verify [BUNDLE]`: hashes every file of a bundle, or of the store, and says which are not what was sealed."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from distillc.spec.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", nargs="?", metavar="BUNDLE", help="a bundle's folder (default: the store)")
    parser.add_argument("--forget", action="store_true", help="remove what is damaged from the store; the next run makes it again")
    parser.add_argument("--store", metavar="PLACE", help="a folder or a URL (default: DISTILLC_STORE, else .distillc of this repository)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is printed")


def run(args: argparse.Namespace) -> int:
    return _bundle(args) if args.bundle else _store(args)


def _bundle(args: argparse.Namespace) -> int:
    from distillc.runtimes.bundle import verify_bundle

    path = Path(args.bundle)
    if not path.is_dir():
        raise UsageError("there is no such folder", where=args.bundle, help="name a bundle's folder, or nothing for the store")
    problems = verify_bundle(path)
    _print(
        args.format,
        {"bundle": str(path), "problems": problems},
        [*problems, f"{path}: {_verdict(len(problems), 'every file is what was sealed')}"],
    )
    return 1 if problems else 0


def _store(args: argparse.Namespace) -> int:
    from distillc.runtimes.journal import Journal
    from distillc.runtimes.lock import run_lock
    from distillc.runtimes.store import open_store

    store = open_store(args.store)
    if not store.home.exists():
        raise UsageError("there is no store here", where=str(store.home), help="run something first, or name one with --store")
    found = store.verify()
    lines = [f"{one.blob} {one.problem}" + (f" (of {', '.join(one.stages)})" if one.stages else "") for one in found.damage]
    forgotten: list[str] = []
    if found.damage and args.forget:
        with run_lock(store.home, "verify --forget"):
            forgotten = store.forget(found.damage)
            # Else the index keeps the names of what is gone, and what is made again under other keys is never adopted.
            journal = Journal(store.home / "journal.sqlite3")
            journal.rebuild(store.all())
            journal.close()
        lines.append(f"forgotten, to be made again: {', '.join(forgotten) or 'nothing that is used'}")
    elif found.damage:
        lines.append("`distillc verify --forget` removes what is damaged; the next run makes it again")
    fine = f"{found.manifests} artifacts, {found.blobs} files, {found.bytes:,} bytes: all as sealed"
    lines.append(f"{store.url}: {_verdict(len(found.damage), fine)}")
    body = {
        "store": store.url,
        "manifests": found.manifests,
        "blobs": found.blobs,
        "bytes": found.bytes,
        "problems": [{"blob": one.blob, "problem": one.problem, "stages": list(one.stages)} for one in found.damage],
        "forgotten": forgotten,
    }
    _print(args.format, body, lines)
    return 1 if found.damage and not args.forget else 0


def _verdict(problems: int, fine: str) -> str:
    return fine if not problems else f"{problems} damaged"


def _print(form: str, body: dict[str, Any], lines: list[str]) -> None:
    text = json.dumps(body, indent=1, ensure_ascii=False) if form == "json" else "\n".join(lines)
    sys.stdout.write(text + "\n")
