"""`migrate` brings a spec to the version of the language that is read here."""

import pytest

from distillc.cli.main import main

OLD = "# mine\nname: x\n"
NEW = "# mine\ndistill: 1\nname: x\n"


@pytest.fixture
def spec(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "distill.yaml"
    file.write_text(OLD, encoding="utf-8")
    return file


def test_the_specs_of_the_repository_are_rewritten_once(spec, capsys):
    assert main(["migrate"]) == 0
    assert spec.read_text(encoding="utf-8") == NEW
    assert capsys.readouterr().out == "distill.yaml: is now at version 1: begin with `distill: 1`\n"
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == "distill.yaml: at version 1 already\n"


def test_check_and_diff_change_nothing(spec, capsys):
    assert main(["migrate", "--check"]) == 1
    assert main(["migrate", "--diff", "distill.yaml"]) == 0
    assert "+distill: 1\n" in capsys.readouterr().out
    assert spec.read_text(encoding="utf-8") == OLD
    spec.write_text(NEW, encoding="utf-8")
    assert main(["migrate", "--check"]) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("distill: 2\n", "needs a newer distillc: it is written in version 2 of the language, this one reads 1"),
        ("version: 3\n", "cannot be migrated; `distillc lint` says what is wrong"),
        ("distill: [1]\n", "cannot be migrated"),
        ("name: [\n", "cannot be migrated"),
    ],
)
def test_a_spec_that_cannot_be_migrated_says_so_and_is_left_alone(spec, capsys, text, told):
    spec.write_text(text, encoding="utf-8")
    assert main(["migrate"]) == 1
    assert told in capsys.readouterr().out
    assert spec.read_text(encoding="utf-8") == text
