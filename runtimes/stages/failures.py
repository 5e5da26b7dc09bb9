"""Whatever goes wrong in a stage becomes one clear message: what, where, and the way out."""

import errno
import re
import sqlite3

from distillc.spec.errors import DistillError, StageFailed

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Libraries that write through C or Rust give the system's words only: safetensors, SQLite, Arrow, llama.cpp.
FULL_WORDS = re.compile(r"no space left on device|disk is full|disk quota exceeded|file too large|code: 28\b", re.IGNORECASE)
MEMORY_WORDS = re.compile(r"out of memory|can't allocate memory|cannot allocate memory|bad_alloc", re.IGNORECASE)


def as_distill_error(error: BaseException, stage: str) -> DistillError:
    """A DistillError stays as it is, but learns its stage where it names no place."""
    if isinstance(error, DistillError):
        if error.where is None:
            error.where = stage
        return error
    text = " ".join(str(error).split())
    if (isinstance(error, OSError) and error.errno in FULL) or FULL_WORDS.search(text):
        return StageFailed(
            "the disk is full", where=stage, help="free some space (`distillc gc` helps), then run again: what is done is kept"
        )
    if isinstance(error, MemoryError) or MEMORY_WORDS.search(text):
        return StageFailed(
            "there is not enough memory",
            where=stage,
            help="close other programs or make `batch` smaller, then run again: what is done is kept",
        )
    if isinstance(error, ImportError):
        return StageFailed(
            f"module {error.name or text!r} can't be imported",
            where=stage,
            help="install what the plugin needs: `distillc plugins` names it",
        )
    if isinstance(error, sqlite3.Error):
        return StageFailed(
            f"the journal of runs can't be used: {text}",
            where=stage,
            help="see whether the disk is full or failing; without the file journal.sqlite3 it is made again",
        )
    shown = text if len(text) <= 500 else text[:500] + " …"
    return StageFailed(
        f"{type(error).__name__}: {shown}" if shown else type(error).__name__,
        where=stage,
        help="the traceback is in the run's log.txt, or run again with --debug",
    )
