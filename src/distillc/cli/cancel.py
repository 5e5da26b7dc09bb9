"""`distillc cancel [RUN]`: stops a run, and its jobs on other machines, which would go on billing. Without a name: the newest.

What they have made so far is kept: the same spec, run again, takes it and has the rest made anew. What was sent for them is deleted there
where `privacy` asks for that.
"""

import argparse
import sys

from distillc.cli import which_run
from distillc.spec.errors import DistillError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which_run.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from distillc.runtimes.cancelling import cancel_job, jobs_in, stop
    from distillc.runtimes.work import work_folder

    home, found, stages, _ = which_run.find(args)
    if stop(home, found.id):
        print(f"{found.id}: stopped", file=sys.stderr)
    failed: DistillError | None = None
    jobs = jobs_in(work_folder(home, stage.key) for stage in stages)
    for job in jobs:
        try:
            said, left = cancel_job(job)
            what = f"{said}; what was sent for it may still be there: {left.message}" if left else said
            failed = failed or left
        except DistillError as error:  # the others may go on billing too
            failed, what = failed or error, f"may go on: {error.message}"
        print(f"{job.place.strip('/')} {job.id or job.token} at {job.base_url}: {what}")
    if failed:
        raise failed
    if not jobs:
        print(f"{found.id}: nothing of it is on other machines", file=sys.stderr)
    return 0
