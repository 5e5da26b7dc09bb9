"""What changes: the state of runs, and an index from content keys to manifests. SQLite, for the driver alone.

Nothing here is needed to resume: the store's manifests say what is done, and the index is made again from them.
"""

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from distillc.runtimes.store.sealed import SHARD, Sealed

SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, spec TEXT NOT NULL, started REAL NOT NULL, ended REAL,
  state TEXT NOT NULL, exit INTEGER, message TEXT
);
CREATE TABLE IF NOT EXISTS stages (
  run TEXT NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
  state TEXT NOT NULL, seconds REAL, PRIMARY KEY (run, id)
);
CREATE TABLE IF NOT EXISTS contents (content_key TEXT PRIMARY KEY, key TEXT NOT NULL);
"""
VERSION = 1


@dataclass(frozen=True, slots=True)
class StageState:
    """`state`: waiting, running, sealed (by this run), kept (was sealed), adopted, skipped, failed, stopped by the budget, interrupted."""

    id: str
    key: str
    kind: str
    state: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class RunState:
    """`state`: running, finished, failed, stopped (by the budget), interrupted. A `running` run whose lock nobody holds was killed."""

    id: str
    name: str
    spec: str
    started: float
    ended: float | None
    state: str
    exit: int | None
    message: str | None


class Journal:
    """Opens or makes the file; one that is no database of this version is moved aside and made again."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.fresh = not path.exists()
        try:
            self._db = self._open(path)
        except sqlite3.DatabaseError:
            path.replace(path.with_name(path.name + f".damaged-{int(time.time())}"))
            self.fresh = True
            self._db = self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=30, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            db.close()
            raise sqlite3.DatabaseError("another version")
        db.executescript(SCHEMA)
        db.execute(f"PRAGMA user_version={VERSION}")
        return db

    # --- runs

    def start(self, run: str, name: str, spec: str, stages: Iterable[tuple[str, str, str]]) -> None:
        """`stages`: (id, key, kind) in the order of the plan."""
        self._db.execute("BEGIN")
        self._db.execute("INSERT INTO runs VALUES (?,?,?,?,NULL,'running',NULL,NULL)", (run, name, spec, time.time()))
        rows = [(run, i, *stage, "waiting", None) for i, stage in enumerate(stages)]
        self._db.executemany("INSERT INTO stages VALUES (?,?,?,?,?,?,?)", rows)
        self._db.execute("COMMIT")

    def mark(self, run: str, stage: str, state: str, seconds: float | None = None) -> None:
        self._db.execute("UPDATE stages SET state=?, seconds=? WHERE run=? AND id=?", (state, seconds, run, stage))

    def end(self, run: str, state: str, exit: int, message: str | None) -> None:
        self._db.execute("UPDATE runs SET ended=?, state=?, exit=?, message=? WHERE id=?", (time.time(), state, exit, message, run))

    def runs(self) -> list[RunState]:
        """Newest first."""
        found = self._db.execute("SELECT id,name,spec,started,ended,state,exit,message FROM runs ORDER BY started DESC, id DESC")
        return [RunState(*row) for row in found]

    def stages(self, run: str) -> list[StageState]:
        found = self._db.execute("SELECT id,key,kind,state,seconds FROM stages WHERE run=? ORDER BY position", (run,))
        return [StageState(*row) for row in found]

    # --- the index

    def find(self, content_key: str) -> str | None:
        row = self._db.execute("SELECT key FROM contents WHERE content_key=?", (content_key,)).fetchone()
        return None if row is None else str(row[0])

    def record(self, sealed: Sealed) -> None:
        if sealed.content_key and sealed.kind != SHARD:
            self._db.execute("INSERT OR IGNORE INTO contents VALUES (?,?)", (sealed.content_key, sealed.key))

    def rebuild(self, manifests: Iterable[Sealed]) -> None:
        self._db.execute("BEGIN")
        self._db.execute("DELETE FROM contents")
        for sealed in manifests:
            self.record(sealed)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()
