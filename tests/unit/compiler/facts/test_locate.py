"""Paths of a spec lead to files below it or inside of packages, and digests see contents and names alone."""

import hashlib
from pathlib import Path

import pytest

from distillc.compiler.facts.locate import NotLocated, digest, locate


def test_a_path_starts_at_the_spec(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("x")
    assert locate("rows.jsonl", tmp_path) == tmp_path / "rows.jsonl"


def test_a_file_in_a_package_is_found_without_importing_it(tmp_path: Path) -> None:
    import sys

    sys.modules.pop("yaml.loader", None)
    found = locate("pkg://PyYAML/loader.py", tmp_path)  # the distribution's name, the import package is `yaml`
    assert found.name == "loader.py"
    assert found.parent.name == "yaml"
    assert locate("pkg://pyyaml/yaml/loader.py", tmp_path) == found
    assert "yaml.loader" not in sys.modules


@pytest.mark.parametrize(
    "path",
    [
        "",
        "none.txt",
        "a\0b",
        "pkg://",
        "pkg://x",
        "pkg://x/",
        "pkg:///x",
        "pkg://-x/y",
        "pkg://pyyaml/../x",
        "pkg://pyyaml//etc/passwd",
        "x" * 5000,
    ],
)
def test_what_leads_nowhere_says_so(tmp_path: Path, path: str) -> None:
    with pytest.raises(NotLocated) as raised:
        locate(path, tmp_path)
    assert raised.value.help


def test_a_missing_package_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(NotLocated) as raised:
        locate("pkg://no-such-thing-here/x", tmp_path)
    assert raised.value.help == "pip install 'no-such-thing-here'"


def test_a_package_that_is_nearly_an_installed_one_is_not_recommended(tmp_path: Path) -> None:
    with pytest.raises(NotLocated) as raised:
        locate("pkg://PyYML/x", tmp_path)
    assert raised.value.help == "did you mean `PyYAML`, which is installed?"


def test_what_may_be_the_name_of_a_model_on_a_hub_says_how_it_gets_here(tmp_path: Path) -> None:
    name = "Qwen/Qwen2.5-0.5B-Instruct"
    with pytest.raises(NotLocated) as raised:
        locate(name, tmp_path)
    assert raised.value.help and raised.value.help.endswith(f"hf download {name} --local-dir {name}")


@pytest.mark.parametrize("path", ["models/teacher.gguf", "here/other", "a/b/c", "base"])
def test_what_is_plainly_a_path_is_no_name_of_a_hub(tmp_path: Path, path: str) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(NotLocated) as raised:
        locate(path, tmp_path)
    assert "hf download" not in (raised.value.help or "")


def test_the_digest_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == "sha256:" + hashlib.sha256(b"abc").hexdigest()


def test_the_digest_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    def folder(name: str, **files: str) -> Path:
        for path, content in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
        return tmp_path / name

    first = digest(folder("1", a="x", b="y"))
    assert digest(folder("2", b="y", a="x")) == first
    assert digest(folder("3", a="y", b="x")) != first
    assert digest(folder("4", a="x", c="y")) != first
