"""Verification sees every change; publishing never takes what is not its own."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillc.runtimes import bundle
from distillc.runtimes.bundle import SUMS, publish, same, unsafe, verify_bundle
from distillc.spec.errors import StageFailed

FILES = {"MODEL_CARD.md": b"# card\n", "models/q8/m.gguf": bytes(range(40)), "empty": b"", "with space/ünïcode.txt": b"x"}


def make(folder: Path) -> Path:
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    bundle.write_sums(folder)
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return make(tmp_path / "bundle")


def test_a_fresh_bundle_has_no_problems(made: Path) -> None:
    assert verify_bundle(made) == []


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_change_of_one_byte_in_any_file_is_seen(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder))
        path = data.draw(st.sampled_from(sorted(p for p in made.rglob("*") if p.is_file())))
        content = bytearray(path.read_bytes())
        change = data.draw(st.sampled_from(["flip", "insert", "delete"] if content else ["insert"]))
        at = data.draw(st.integers(0, len(content) - (change != "insert")))
        if change == "flip":
            content[at] ^= data.draw(st.integers(1, 255))
        elif change == "insert":
            content.insert(at, data.draw(st.integers(0, 255)))
        else:
            del content[at]
        path.write_bytes(content)
        assert verify_bundle(made)


@settings(max_examples=40, deadline=None)
@given(name=st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=30).filter(lambda s: s not in {".", ".."}))
def test_any_added_file_is_seen(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder))
        if not (made / name).exists():
            (made / name).write_bytes(b"")
            assert len(verify_bundle(made)) == 1


def test_a_removed_file_is_named(made: Path) -> None:
    (made / "empty").unlink()
    assert verify_bundle(made) == ["'empty': missing"]


def test_a_symlink_is_refused_even_to_equal_bytes(made: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(FILES["MODEL_CARD.md"])
    (made / "MODEL_CARD.md").unlink()
    (made / "MODEL_CARD.md").symlink_to(outside)
    assert verify_bundle(made) == ["'MODEL_CARD.md': is no plain file (a link, socket or device)"]


def test_a_symlink_to_a_folder_is_refused(made: Path) -> None:
    (made / "models" / "more").symlink_to("/tmp", target_is_directory=True)
    assert verify_bundle(made) == ["'models/more': is no plain file (a link, socket or device)"]


def test_a_listed_name_that_leaves_the_folder_is_never_read(made: Path) -> None:
    sums = made / SUMS
    sums.write_text("0" * 64 + "  ../../etc/hostname\n" + sums.read_text())
    assert "'../../etc/hostname': the name leaves its folder" in verify_bundle(made)


def test_a_folder_without_checksums_is_no_bundle(tmp_path: Path) -> None:
    assert verify_bundle(tmp_path) == [f"{SUMS}: missing or unreadable; this is no bundle"]
    assert verify_bundle(tmp_path / "none") == [f"{tmp_path / 'none'} is no folder"]


@pytest.mark.parametrize(
    "name", ["", "/a", "a/../b", "..", "a//b", "a\\b", "C:/x", "a\x1b[2J", "a\nb", "con", "x/NUL.txt", "dot.", "\u202ea", "x" * 241]
)
def test_names_that_escape_or_confuse_are_unsafe(name: str) -> None:
    assert unsafe(name)


@pytest.mark.parametrize("name", ["a", "models/q8/m-q8_0.gguf", ".hidden", "ünï.txt", "a b", "...x", "console.txt"])
def test_plain_names_are_safe(name: str) -> None:
    assert unsafe(name) is None


def test_publishing_copies_and_replaces_an_earlier_bundle(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "dist"
    publish(made, target)
    assert same(made, target)
    (made / "new").write_bytes(b"1")
    (made / "empty").unlink()
    bundle.write_sums(made)
    assert not same(made, target)
    publish(made, target)
    assert same(made, target)
    assert not (target / "empty").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "dist"]


@pytest.mark.parametrize("change", ["foreign file", "edited file", "no bundle"])
def test_what_no_bundle_put_there_is_never_touched(made: Path, tmp_path: Path, change: str) -> None:
    target = tmp_path / "dist"
    if change == "no bundle":
        (target / "sub").mkdir(parents=True)
        (target / "sub" / "mine.txt").write_text("mine")
    else:
        publish(made, target)
        (target / ("mine.txt" if change == "foreign file" else "MODEL_CARD.md")).write_text("mine")
    before = {p: p.read_bytes() for p in target.rglob("*") if p.is_file()}
    with pytest.raises(StageFailed, match="put there or changed by somebody else"):
        publish(made, target)
    assert {p: p.read_bytes() for p in target.rglob("*") if p.is_file()} == before


def test_a_kill_between_the_two_renames_is_repaired(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "dist"
    publish(made, target)
    target.rename(tmp_path / ".dist.old")
    (tmp_path / ".dist.new").mkdir()
    (tmp_path / ".dist.new" / "half").write_bytes(b"")
    publish(made, target)
    assert same(made, target)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "dist"]


@pytest.mark.parametrize("path", ["../up", "/abs", "a/../../b", ".", "a\nb"])
def test_a_target_outside_the_folder_of_the_spec_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(StageFailed):
        bundle.target_folder(tmp_path, path)


def test_a_target_behind_a_symlink_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/tmp", target_is_directory=True)
    with pytest.raises(StageFailed, match="symlink"):
        bundle.target_folder(tmp_path, "link/dist")
    with pytest.raises(StageFailed, match="symlink"):
        bundle.target_folder(tmp_path, "link")
