"""What gates said, and the exit code that follows from it (design, section 8)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from distillc.runtimes.store import Sealed, Store

FAILED, UNDECIDED = 1, 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verdict`: pass, fail, undecided; `level`: error or warn."""

    name: str
    level: str
    verdict: str


def verdict_of(gate: Sealed, store: Store) -> Verdict:
    """Of a sealed gate, from its `gate.json`."""
    said = json.loads(store.file(gate, "gate.json").read_text(encoding="utf-8"))
    return Verdict(str(said["name"]), str(said["level"]), str(said["verdict"]))


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """1 if a gate of level error said no, else 3 if one cannot decide, else 0."""
    found = {verdict.verdict for verdict in verdicts if verdict.level == "error"}
    return FAILED if "fail" in found else UNDECIDED if found - {"pass"} else 0
