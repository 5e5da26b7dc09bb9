"""`verify --forget`: what is damaged goes, from the index of contents too."""

from pathlib import Path

import pytest

from distillc.cli.main import main
from distillc.runtimes.journal import Journal
from distillc.runtimes.store import Sealed, open_store


def test_what_was_forgotten_is_in_no_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An entry that leads nowhere would keep what is made again from ever being adopted."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "a").write_text("whole")
    store = open_store(str(tmp_path / "store"))
    sealed = store.seal(Sealed(key="old", stage="s", kind="x", content_key="content"), out)
    journal = Journal(store.home / "journal.sqlite3")
    journal.record(sealed)
    journal.close()
    store.blobs.delete(f"blobs/{sealed.files['a'].sha256}")
    assert main(["verify", "--forget", "--store", str(store.home)]) == 0
    assert "forgotten, to be made again: s" in capsys.readouterr().out
    journal = Journal(store.home / "journal.sqlite3")
    journal.record(Sealed(key="new", stage="s", kind="x", content_key="content"))
    assert journal.find("content") == "new"
    journal.close()
