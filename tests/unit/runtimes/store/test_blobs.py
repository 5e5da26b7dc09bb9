"""The promises of `Blobs`, kept by files, by files without hard links, and by object storage in memory and in a folder."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from obstore.store import HTTPStore, LocalStore, MemoryStore

from distillc.runtimes.store import open_store
from distillc.runtimes.store.blobs import Blobs, LocalBlobs
from distillc.runtimes.store.objects import ObjectBlobs
from distillc.spec.errors import StageFailed, UsageError


def object_folder(folder: Path) -> Blobs:
    (folder / "objects").mkdir()
    return ObjectBlobs(LocalStore(folder / "objects"), folder / "cache")


BACKENDS: dict[str, Callable[[Path], Blobs]] = {
    "files": lambda folder: LocalBlobs(folder / "store"),
    "files without links": lambda folder: LocalBlobs(folder / "store", links=False),
    "objects in memory": lambda folder: ObjectBlobs(MemoryStore(), folder / "cache"),
    "objects in a folder": object_folder,
}


@pytest.fixture(params=list(BACKENDS))
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    return BACKENDS[request.param](tmp_path)


def test_what_was_created_is_read_back(blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(b"from a file")
    assert blobs.create("blobs/a", b"from memory")
    assert blobs.create("blobs/b", file)
    assert blobs.read("blobs/a") == b"from memory"
    assert blobs.path("blobs/b").read_bytes() == b"from a file"
    assert blobs.size("blobs/b") == 11


def test_the_first_of_two_writers_wins_and_the_second_learns_it(blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(b"third")
    assert blobs.create("manifests/k", b"first")
    assert not blobs.create("manifests/k", b"second")
    assert not blobs.create("manifests/k", file)
    assert blobs.read("manifests/k") == b"first"


def test_of_many_writers_at_once_one_wins_and_its_bytes_stay(blobs: Blobs) -> None:
    contents = [bytes([65 + i]) * 100_000 for i in range(16)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda content: blobs.create("manifests/k", content), contents))
    assert sum(won) == 1
    assert blobs.read("manifests/k") == contents[won.index(True)]


def test_a_name_that_is_not_there(blobs: Blobs) -> None:
    assert blobs.size("blobs/none") is None
    with pytest.raises(FileNotFoundError):
        blobs.read("blobs/none")
    with pytest.raises(FileNotFoundError):
        blobs.path("blobs/none")
    blobs.delete("blobs/none")


def test_names_and_deletion(blobs: Blobs) -> None:
    for name in ("blobs/b", "blobs/a", "manifests/m"):
        blobs.create(name, b"x")
    assert list(blobs.names("blobs")) == ["blobs/a", "blobs/b"]
    blobs.delete("blobs/a")
    assert list(blobs.names("blobs")) == ["blobs/b"]
    assert blobs.create("blobs/a", b"again")
    assert blobs.read("blobs/a") == b"again"


def test_a_local_blob_is_the_file_itself_and_read_only(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"w")
    blobs = LocalBlobs(tmp_path / "store")
    blobs.create("blobs/w", file)
    assert blobs.path("blobs/w").stat().st_ino == file.stat().st_ino
    assert blobs.path("blobs/w").stat().st_mode & 0o222 == 0


def test_on_windows_files_are_synced_by_a_writer_and_stay_deletable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There fsync refuses a descriptor that cannot write, and a read-only file cannot be deleted."""
    fcntl = pytest.importorskip("fcntl")
    synced = []

    def fsync(fd: int) -> None:
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_RDWR | os.O_WRONLY), "EBADF"
        synced.append(fd)

    monkeypatch.setattr("distillc.runtimes.store.blobs.sys.platform", "win32")
    monkeypatch.setattr("distillc.runtimes.store.blobs.os.fsync", fsync)
    file = tmp_path / "given"
    file.write_bytes(b"x")
    blobs = LocalBlobs(tmp_path / "store")
    assert blobs.create("blobs/a", file)
    assert blobs.create("blobs/b", b"y")
    assert len(synced) == 2
    assert all(blobs.path(name).stat().st_mode & 0o200 for name in ("blobs/a", "blobs/b"))


def test_a_storage_that_does_not_answer_is_one_line_with_a_way_out(tmp_path: Path) -> None:
    nobody = HTTPStore.from_url("http://127.0.0.1:9", client_options={"allow_http": True}, retry_config={"max_retries": 0})
    with pytest.raises(StageFailed, match="object store") as failure:
        ObjectBlobs(nobody, tmp_path).read("blobs/a")
    assert "\n" not in failure.value.message
    assert failure.value.help


@pytest.mark.parametrize("url", ["https://example.invalid/store", "ftp://example.invalid/store"])
def test_a_place_that_cannot_be_a_store_is_bad_usage(url: str) -> None:
    with pytest.raises(UsageError, match="can't open the store") as failure:
        open_store(url)
    assert "\n" not in failure.value.message
