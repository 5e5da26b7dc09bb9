"""The store: sealing, opening, verifying, forgetting, on files and on object storage."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from distillc.runtimes.store import File, LocalBlobs, Sealed, Store, location, open_store
from distillc.runtimes.store.objects import ObjectBlobs
from distillc.runtimes.store.sealed import SHARD, from_json
from distillc.spec.errors import StageFailed, StoreDamaged


@pytest.fixture(params=["files", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    home = tmp_path / "home"
    blobs = LocalBlobs(home) if request.param == "files" else ObjectBlobs(MemoryStore(), home / "cache")
    return Store(home, blobs)


def files(folder: Path, **content: str) -> Path:
    for name, text in content.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_sealed_artifact_opens_as_a_folder(store: Store, tmp_path: Path) -> None:
    sealed = store.seal(Sealed(key="k", stage="s", kind="train", meta={"n": 1}), files(tmp_path / "out", a="alpha", sub__b="beta"))
    assert sealed.files["a"].sha256 == hashlib.sha256(b"alpha").hexdigest()
    folder = store.directory(sealed)
    assert {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()} == {"a": "alpha", "sub/b": "beta"}
    assert store.sealed("k") == sealed


def test_a_manifest_survives_its_text(store: Store, tmp_path: Path) -> None:
    sealed = Sealed(key="k", stage="s", kind="gate", config={"ü": [1, None]}, inputs={"p": "q"}, digests={"p": "d"}, content_key="c")
    sealed = store.seal(sealed, files(tmp_path / "out", a="1"))
    assert from_json(sealed.to_json()) == sealed
    with pytest.raises(ValueError, match="not a manifest"):
        from_json("{}")


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/../../b", "a\\b", "c:a", ""])
def test_a_manifest_cannot_name_a_file_outside(name: str) -> None:
    text = Sealed(key="k", stage="s", kind="x", files={name: File("0" * 64, 1)}).to_json()
    with pytest.raises(ValueError, match="not one that an artifact can have"):
        from_json(text)


@pytest.mark.parametrize("digest", ["../../etc/passwd", "0" * 63, "Z" * 64])
def test_a_manifest_cannot_name_a_blob_that_is_none(digest: str) -> None:
    text = Sealed(key="k", stage="s", kind="x", files={"a": File(digest, 1)}).to_json()
    with pytest.raises(ValueError, match="not one that an artifact can have"):
        from_json(text)


@pytest.mark.parametrize(
    "text",
    ['{"distillc_manifest": 1}', '{"distillc_manifest": 1, "files": [], "key": "k"}', '{"distillc_manifest": 1, "files": {}, "x": 1}'],
)
def test_json_that_is_no_manifest_counts_as_none_and_is_found(store: Store, text: str) -> None:
    store.blobs.create("manifests/k", text.encode())
    assert store.sealed("k") is None
    assert [damage.blob for damage in store.verify().damage] == ["manifests/k"]


def test_a_manifest_under_another_key_deletes_nothing_outside(tmp_path: Path) -> None:
    precious = files(tmp_path, precious="mine") / "precious"
    store = Store(tmp_path / "home", LocalBlobs(tmp_path / "home"))
    store.blobs.create("manifests/k", Sealed(key="../../precious", stage="s", kind="x").to_json().encode())
    store.gc(keep=[])
    assert store.sealed("k") is None
    store.forget(store.verify().damage)
    assert precious.read_text() == "mine"
    assert store.verify().damage == ()


def test_the_first_seal_holds(store: Store, tmp_path: Path) -> None:
    first = store.seal(Sealed(key="k", stage="s", kind="x"), files(tmp_path / "one", a="1"))
    second = store.seal(Sealed(key="k", stage="s", kind="x"), files(tmp_path / "two", a="2"))
    assert second == first
    assert store.file(second, "a").read_text() == "1"


def test_the_digest_says_names_bytes_and_meta_and_nothing_else(store: Store, tmp_path: Path) -> None:
    one = store.seal(Sealed(key="k1", stage="s", kind="x", meta={"m": 1}), files(tmp_path / "1", a="1"))
    assert dataclasses.replace(one, key="other", stage="t", config={"c": 1}, inputs={"p": "k"}).digest == one.digest
    assert dataclasses.replace(one, meta={"m": 2}).digest != one.digest
    assert store.seal(Sealed(key="k2", stage="s", kind="x", meta={"m": 1}), files(tmp_path / "2", b="1")).digest != one.digest


def test_verify_finds_a_changed_a_short_and_a_missing_blob_and_forget_heals(store: Store, tmp_path: Path) -> None:
    whole = store.seal(Sealed(key="whole", stage="whole", kind="x"), files(tmp_path / "w", a="intact"))
    contents = {"changed": "abcdef", "short": "ghijkl", "missing": "mnopqr"}
    sealed = {n: store.seal(Sealed(key=n, stage=n, kind="x"), files(tmp_path / n, a=text)) for n, text in contents.items()}
    assert store.verify().damage == ()
    for name, replacement in (("changed", b"abcdeX"), ("short", b"ghi"), ("missing", None)):
        blob = f"blobs/{sealed[name].files['a'].sha256}"
        store.blobs.delete(blob)
        if replacement is not None:
            store.blobs.create(blob, replacement)
    found = {damage.stages[0]: damage.problem for damage in store.verify().damage}
    assert found == {"changed": "has other bytes than were sealed", "short": "has 3 bytes, not 6", "missing": "is missing"}
    assert not store.complete(sealed["short"])
    with pytest.raises(StoreDamaged, match="is missing"):
        store.directory(sealed["missing"])
    assert store.forget(store.verify().damage) == ["changed", "missing", "short"]
    assert store.verify().damage == ()
    assert store.sealed("changed") is None
    assert store.sealed("whole") == whole


def test_sealing_again_puts_right_bytes_over_a_torn_blob(store: Store, tmp_path: Path) -> None:
    store.blobs.create(f"blobs/{hashlib.sha256(b'whole').hexdigest()}", b"who")
    sealed = store.seal(Sealed(key="k", stage="s", kind="x"), files(tmp_path / "out", a="whole"))
    assert store.file(sealed, "a").read_text() == "whole"


def test_a_torn_manifest_counts_as_none_and_is_replaced(store: Store, tmp_path: Path) -> None:
    store.blobs.create("manifests/k", b'{"distillc_manifest":1,"key":"k"')
    assert store.sealed("k") is None
    sealed = store.seal(Sealed(key="k", stage="s", kind="x"), files(tmp_path / "out", a="1"))
    assert store.sealed("k") == sealed


def test_links_are_no_part_of_an_artifact(store: Store, tmp_path: Path) -> None:
    out = files(tmp_path / "out", a="1")
    (out / "link").symlink_to("/etc/hostname")
    with pytest.raises(StageFailed, match="link is a link"):
        store.seal(Sealed(key="k", stage="s", kind="x"), out)
    assert store.sealed("k") is None


def test_gc_frees_shards_of_sealed_stages_and_blobs_without_an_artifact(store: Store, tmp_path: Path) -> None:
    store.seal(Sealed(key="done shard", stage="s", kind=SHARD, meta={"stage_key": "k"}), files(tmp_path / "1", a="part"))
    store.seal(Sealed(key="open shard", stage="t", kind=SHARD, meta={"stage_key": "unfinished"}), files(tmp_path / "2", a="kept part"))
    store.seal(Sealed(key="k", stage="s", kind="x"), files(tmp_path / "3", a="all"))
    store.blobs.create("blobs/waste", b"12345")
    for key in ("k", "unfinished"):
        (store.home / "work" / key).mkdir(parents=True)
    shard = store.blobs.size("manifests/done shard")
    assert shard is not None
    assert store.gc() == (3, shard + len("part") + len("12345"))
    assert [store.sealed(key) is not None for key in ("done shard", "open shard", "k")] == [False, True, True]
    assert [path.name for path in (store.home / "work").iterdir()] == ["unfinished"]
    assert store.verify().damage == ()


def test_gc_leaves_unfinished_work_alone_whether_or_not_its_stage_is_sealed_or_kept(store: Store, tmp_path: Path) -> None:
    store.seal(Sealed(key="sealed", stage="s", kind="x"), files(tmp_path / "1", a="all"))
    for key in ("sealed", "open", "idle"):
        (store.home / "work" / key).mkdir(parents=True)
    store.gc(keep=[], unfinished=["sealed", "open"])
    assert sorted(path.name for path in (store.home / "work").iterdir()) == ["open", "sealed"]


def test_gc_forgets_what_no_kept_run_used(store: Store, tmp_path: Path) -> None:
    for key in ("old", "new"):
        store.seal(Sealed(key=key, stage="s", kind="x"), files(tmp_path / key, a=key, b="shared"))
    store.gc(keep=["new"])
    assert store.sealed("old") is None
    new = store.sealed("new")
    assert new is not None
    assert store.complete(new)


def test_the_place_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    deep = tmp_path / "repository" / "examples" / "grammar"
    deep.mkdir(parents=True)
    assert location(deep) == tmp_path / "repository" / ".distillc"
    monkeypatch.chdir(deep)
    monkeypatch.delenv("DISTILLC_STORE", raising=False)
    assert open_store().home == tmp_path / "repository" / ".distillc"
    monkeypatch.setenv("DISTILLC_STORE", str(tmp_path / "elsewhere"))
    assert open_store().home == tmp_path / "elsewhere"
    assert open_store(str(tmp_path / "named")).home == tmp_path / "named"
