"""The lock reads back as what was written, says what moved, and is written only when it changed."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillc.compiler.lock import FILE_NAME, make_lock, moved, read_lock, to_text, write_lock
from distillc.spec.errors import UsageError

LOCK = make_lock(
    {"data.prose": {"numpy": "2.3.1", "a b.jsonl": "sha256:1"}},
    {"big": {"width": 576, "license": "apache-2.0", "layers": None}, "rules": {"width": None}},
    {"sources.docstrings": "distillc 0.1.0"},
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def test_it_is_toml_that_says_the_same() -> None:
    assert tomllib.loads(to_text(LOCK)) == LOCK
    assert LOCK["facts"] == {"big": {"license": "apache-2.0", "width": 576}}


@given(st.dictionaries(text, st.dictionaries(text, text, max_size=3), max_size=3), st.dictionaries(text, text, max_size=3))
def test_any_text_reads_back(leaves: dict[str, dict[str, str]], plugins: dict[str, str]) -> None:
    lock = make_lock(leaves, {}, plugins)
    read = tomllib.loads(to_text(lock))
    assert (read.get("leaves", {}), read["plugins"]) == (lock["leaves"], lock["plugins"])


def test_it_is_written_once(tmp_path: Path) -> None:
    assert write_lock(tmp_path, LOCK) is True
    assert write_lock(tmp_path, LOCK) is False
    assert read_lock(tmp_path) == LOCK


def test_a_kill_while_it_is_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lock(tmp_path, LOCK)

    def cut_short(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", cut_short)
    with pytest.raises(KeyboardInterrupt):
        write_lock(tmp_path, make_lock({}, {}, {}))
    assert read_lock(tmp_path) == LOCK


def test_a_profile_has_its_own_and_leaves_the_others_alone(tmp_path: Path) -> None:
    tiny = make_lock({"models.big": {"torch": "2.13"}}, {}, {"teachers.random": "distillc 0.1.0"})
    write_lock(tmp_path, LOCK)
    write_lock(tmp_path, tiny, "tiny")
    assert write_lock(tmp_path, LOCK) is False
    assert read_lock(tmp_path) == LOCK
    assert read_lock(tmp_path, "tiny") == tiny
    assert read_lock(tmp_path, "quick") is None


def test_it_says_what_moved() -> None:
    newer = make_lock({"data.prose": {"numpy": "2.4.0", "a b.jsonl": "sha256:1"}}, {}, {"sources.docstrings": "distillc 0.1.0"})
    assert moved(LOCK, newer) == ["data.prose numpy 2.3.1 -> 2.4.0"]
    assert moved(None, newer) == []


@pytest.mark.parametrize("content", ["version = 2", "not toml", "version = 1\nleaves = 3", "version = 1\n[profile]\nx = 1", "\udcff"])
def test_what_is_no_lock_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=r"distill\.lock"):
        read_lock(tmp_path)


def test_no_lock_is_no_error(tmp_path: Path) -> None:
    assert read_lock(tmp_path) is None
