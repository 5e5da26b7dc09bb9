"""`distillc gc`: frees what nothing needs: finished shards, copies of artifacts as folders, files without an artifact.

Work whose jobs on other machines are not collected is kept: without it nobody could cancel them.
"""

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
    from distillc.runtimes.open_jobs import open_jobs
    from distillc.runtimes.store import open_store

    store = open_store(args.store)
    if not store.home.exists():
        raise UsageError("there is no store here", where=str(store.home), help="run something first, or name one with --store")
    if args.keep_last is not None and args.keep_last < 1:
        raise UsageError("--keep-last must be 1 or more", help="without it every artifact is kept")
    with run_lock(store.home, "gc"):
        journal = Journal(store.home / "journal.sqlite3")
        keys = {one.id: {stage.key for stage in journal.stages(one.id)} for one in journal.runs()}  # the newest run first
        keep = None if args.keep_last is None else set().union(*list(keys.values())[: args.keep_last])
        jobs = open_jobs(store.home)
        files, size = store.gc(keep, unfinished=jobs)
        journal.rebuild(store.all())
        journal.close()
    out = [(next((run for run, of_run in keys.items() if key in of_run), None), job) for key in jobs for job in jobs[key]]
    if args.format == "json":
        print(json.dumps({"files": files, "bytes": size, "jobs": [{"run": run, **job._asdict()} for run, job in out]}))
        return 0
    print(f"freed {size:,} bytes in {files} files")
    for run, job in out:
        cancel = f"; `distillc cancel {run}` stops it" if run else ""
        print(f"kept the work of {job}, which is not collected yet{cancel}")
    return 0
