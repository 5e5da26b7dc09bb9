"""A key is nowhere but where it was put: in no plan, lock, store, log or report, nor on the screen, whether a run goes well or not."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from distillc.testing.server import Script, serve
from tests.e2e.test_api import ROWS, Place, place

KEY = "sk-canary-that-may-be-nowhere-0123456789"
RING = f"""\
from keyring.backend import KeyringBackend

class Ring(KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        return "{KEY}" if (service, username) == ("teachers", "big") else None
    def set_password(self, service, username, password): ...
"""


@pytest.mark.parametrize(("scheme", "accepted"), [("env", True), ("env", False), ("file", True), ("cmd", True), ("keyring", True)])
def test_the_key_is_in_nothing_that_a_run_leaves_or_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, accepted: bool
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    (elsewhere / "key").write_text(f"{KEY}\n", encoding="utf-8")
    (elsewhere / "ring.py").write_text(RING, encoding="utf-8")
    monkeypatch.setenv("CANARY", KEY)
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "ring.Ring")
    references = {
        "env": "env:CANARY",
        "file": f"file:{elsewhere / 'key'}",
        "cmd": f"cmd:{sys.executable} -c 'print(open(\\\"{elsewhere / 'key'}\\\").read())'",
        "keyring": "keyring:teachers/big",
    }
    with serve(Script(keys=(KEY if accepted else "another",)), process=True) as server:
        found = place(here, server)
        spec = here / "distill.yaml"
        spec.write_text(spec.read_text(encoding="utf-8").replace("env:TEACHER_KEY", references[scheme]), encoding="utf-8")
        said = shown(found, RUN if scheme != "env" else ALL)
        assert len(server.calls("/v1/chat/completions")) == (ROWS if accepted else 0)
    assert ("answers: 120 rows" in said) == accepted, said
    events = next(here.rglob("events.jsonl")).read_text(encoding="utf-8")
    assert (f'"key_name": "{scheme}:' in events) == accepted  # its name is there
    left = [path for path in here.rglob("*") if path.is_file()]
    assert len(left) > 10
    assert [path for path in left if KEY.encode() in path.read_bytes()] == []
    assert KEY not in said


RUN = (["run", "distill.yaml", "--until", "answers", "--debug"],)
ALL = (
    ["lint", "distill.yaml"],
    ["plan", "distill.yaml", "--format", "json"],
    *RUN,
    ["status", "--format", "json"],
    ["cost", "--format", "json"],
    ["why", "distill.yaml", "answers"],
)


def shown(here: Place, commands: Sequence[list[str]]) -> str:
    """What commands print, of a plan and of a run to its end or to its error, tracebacks too."""
    done = [here.distillc(*command) for command in commands]
    return "".join(one.stdout + one.stderr for one in done)
