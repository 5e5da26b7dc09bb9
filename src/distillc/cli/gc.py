"""`distillc gc`: frees what nothing needs: finished shards, copies of artifacts as folders, files without an artifact."""

import argparse
import json

from distillc.spec.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep-last", type=int, metavar="N", help="also forget artifacts that none of the last N runs used")
    parser.add_argument("--store", metavar="PLACE", help="a folder or a URL (default: DISTILLC_STORE, else .distillc of this repository)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is printed")


def run(args: argparse.Namespace) -> int:
    from distillc.runtimes.journal import Journal
    from distillc.runtimes.lock import run_lock
    from distillc.runtimes.store import open_store

    store = open_store(args.store)
    if not store.home.exists():
        raise UsageError("there is no store here", where=str(store.home), help="run something first, or name one with --store")
    if args.keep_last is not None and args.keep_last < 1:
        raise UsageError("--keep-last must be 1 or more", help="without it every artifact is kept")
    with run_lock(store.home, "gc"):
        journal = Journal(store.home / "journal.sqlite3")
        keep = None
        if args.keep_last is not None:
            keep = {stage.key for one in journal.runs()[: args.keep_last] for stage in journal.stages(one.id)}
        files, size = store.gc(keep)
        journal.rebuild(store.all())
        journal.close()
    print(json.dumps({"files": files, "bytes": size}) if args.format == "json" else f"freed {size:,} bytes in {files} files")
    return 0
