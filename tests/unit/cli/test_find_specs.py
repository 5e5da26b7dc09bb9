"""Which specs `distillc lint` takes; of git's patterns, git itself says what they mean."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from distillc.cli import find_specs, gitignore
from distillc.spec.errors import UsageError


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """`tree("a/distill.yaml", …)` makes files, and `tree(**{".gitignore": text})` too; in a repository."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)

    def make(*names: str, **texts: str) -> Path:
        for name in (*names, *texts):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts.get(name, ""), encoding="utf-8")
        return tmp_path

    return make


def test_all_specs_of_the_repository_from_any_of_its_folders(tree, monkeypatch):
    root = tree("distill.yaml", "b/small.distill.yml", "a/deep/distill.yaml", "a/other.yaml", "a/mydistill.yaml", "b/distill.yaml.orig")
    assert find_specs.of_repository() == ["a/deep/distill.yaml", "b/small.distill.yml", "distill.yaml"]
    monkeypatch.chdir(root / "a")
    assert find_specs.of_repository() == ["deep/distill.yaml", "../b/small.distill.yml", "../distill.yaml"]


def test_folders_of_others_and_of_what_was_made_are_passed_over(tree):
    tree(*(f"{folder}/distill.yaml" for folder in (".hidden", "node_modules", "dist", "build", "venv", "x/site-packages", "mine")))
    assert find_specs.of_repository() == ["mine/distill.yaml"]


def test_what_git_ignores_is_passed_over(tree):
    tree(
        "out/distill.yaml", "a/tmp/distill.yaml", "a/distill.yaml", "a/kept/distill.yaml", "secret/distill.yaml", "b/distill.yaml",
        **{".gitignore": "/out/\n**/tmp\n", "a/.gitignore": "*\n!kept/\n!kept/distill.yaml\n", ".git/info/exclude": "secret\n"},
    )  # fmt: skip
    assert find_specs.of_repository() == ["a/kept/distill.yaml", "b/distill.yaml"]


def test_a_file_that_is_named_is_taken_and_a_folder_is_looked_into(tree):
    tree("out/distill.yaml", "out/new/distill.yaml", "out/new/tmp/distill.yaml", **{".gitignore": "out/\ntmp/\n"})
    assert find_specs.named(["out/distill.yaml", "none.yaml"]) == ["out/distill.yaml", "none.yaml"]
    assert find_specs.named(["./out"]) == ["out/distill.yaml", "out/new/distill.yaml"]
    assert find_specs.named(["out", "out/distill.yaml", str(Path("out/distill.yaml").absolute())]) == [
        "out/distill.yaml",
        "out/new/distill.yaml",
    ]
    with pytest.raises(UsageError, match=r"no distill\.yaml in this folder"):  # mistyped, as a rule: that nothing is wrong would mislead
        find_specs.named(["out", "."])


@pytest.mark.parametrize("name", ["distill.yaml", "./distill.yaml", "a//b/./c.yaml", "../x/distill.yaml", "/tmp/../x.yaml", ".", "a/.."])
def test_a_name_is_written_as_everywhere_else(name):
    """Findings name the file as pathlib writes it."""
    assert find_specs._plain(name) == str(Path(name))


def test_nothing_to_lint_is_bad_usage(tree):
    tree("other.yaml")
    with pytest.raises(UsageError):
        find_specs.of_repository()


def test_outside_of_a_repository_it_is_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "distill.yaml").touch()
    (tmp_path / ".gitignore").write_text("distill.yaml\n", encoding="utf-8")
    assert find_specs.below(".") == ["distill.yaml"]


PATTERNS = (
    "a", "/a", "a/", "/a/", "*.yaml", "!b.yaml", "a/b", "a/b/", "**/b", "**/b/", "a/**", "a/**/b.yaml", "**", "*", "?", "[ab]", "[!a]",
    "[^a]", "[a-", "[]]", "a*b", "a/*", "/*", "a/*/b", "# no", r"\#x", r"\!x", "x ", r"x\ ", "", "!", "/", "b.y?ml", "**/a/**", "a**b",
    "[z-a]", "fé*", "a/b/**/", "**/c/**/b.yaml", "*/b", "!a/", "a/b.yaml/", "*.y[a-z]ml",
)  # fmt: skip
FILES = (
    "b.yaml", "ab", "#x", "!x", "x", "x ", "-", "]", "fée", "a/b.yaml", "a/b/b.yaml", "a/b/c", "a/c/b", "a/c/d/b.yaml", "a/x.yaml", "b/a/c",
    "b/b", "c/a/b", "c/b/a.yaml", "c/a.yaml/b", "d/a",
)  # fmt: skip


@pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="git is not installed, or files cannot be called so")
@pytest.mark.parametrize("first", PATTERNS)
def test_patterns_mean_what_git_says(tmp_path, first):
    """Each pattern alone, before one that takes back, and taking back itself."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for text in (f"{first}\n", f"{first}\n!*b*\n", f"*\n!*/\n!{first}\n", f"/*\n!{first}\n"):
        (tmp_path / ".gitignore").write_text(text, encoding="utf-8")
        command = ["git", "-C", str(tmp_path), "ls-files", "--others", "--exclude-standard", "-z"]
        by_git = set(subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")) & {*FILES}
        known = gitignore.patterns(str(tmp_path))
        assert {file for file in FILES if not _ignored(str(tmp_path), file, known)} == by_git, text


def _ignored(top: str, file: str, known: list[gitignore.Pattern]) -> bool:
    """As the walk does it: nothing is below a folder that is ignored."""
    parts = file.split("/")
    folders = ["/".join([top, *parts[:depth]]) for depth in range(1, len(parts))]
    return any(gitignore.is_ignored(folder, True, known) for folder in folders) or gitignore.is_ignored(f"{top}/{file}", False, known)
