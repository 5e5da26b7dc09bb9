"""Docstrings of a package made for the test, and of the standard library."""

import sys
from pathlib import Path

import pytest

from distillc.plugins.api.artifacts import Row, Task
from distillc.plugins.api.sources import SourceContext
from distillc.plugins.sources.configs import DocstringsConfig
from distillc.plugins.sources.docstrings import Docstrings
from distillc.spec.errors import StageFailed, UsageError

TASK = Task(kind="generate", input="text", target="fixed", prompt="{{ text }}")


def read(*packages: str, limit: int | None = None) -> list[Row]:
    source = Docstrings(DocstringsConfig(packages=packages, limit=limit))
    return list(source.read(SourceContext(folder=Path(), task=TASK, seed=0)))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "zoo_of_docs"
    (folder / "tests").mkdir(parents=True)
    (folder / "__init__.py").write_text('"""This package has all of the animals in it."""\nraise SystemExit("imported")\n')
    (folder / "cats.py").write_text(
        '\ndef feed():\n    """Give the cat the food that it likes."""\n\n'
        'class Cat:\n    """Give the cat the fish that it likes."""\n\n'
        '    def sleep(self):\n        """The cat can sleep for a long time."""\n        x = "The cat is not a docstring in here."\n'
    )
    (folder / "broken.py").write_text('"""This file cannot be read by a parser."""\ndef (:\n')
    (folder / "tests" / "test_cats.py").write_text('"""This test is not a part of the prose."""\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    return "zoo_of_docs"


def test_sentences_come_with_module_and_line_and_nothing_is_imported(package: str) -> None:
    rows = read(package)
    # "Give the cat the fish …" differs in one word from the sentence before it; the broken file and the tests have no rows.
    assert [(row.payload["input"], row.group, row.source) for row in rows] == [
        ("This package has all of the animals in it.", "zoo_of_docs", "zoo_of_docs:zoo_of_docs:1"),
        ("Give the cat the food that it likes.", "zoo_of_docs.cats", "zoo_of_docs:zoo_of_docs.cats:3"),
        ("The cat can sleep for a long time.", "zoo_of_docs.cats", "zoo_of_docs:zoo_of_docs.cats:9"),
    ]
    assert package not in sys.modules


def test_the_standard_library_gives_the_same_rows_each_time_with_ids_of_their_own() -> None:
    rows = read("argparse", "logging", "json")
    assert len(rows) > 100
    assert len({row.row_id for row in rows}) == len(rows)
    assert rows == read("argparse", "logging", "json")
    assert read("argparse", "logging", limit=7) == rows[:7]
    assert {row.source.split(":")[0] for row in rows} <= {"argparse", "logging", "json"}


def test_revisions_name_the_version_of_each_package() -> None:
    import numpy

    revisions = DocstringsConfig(packages=("numpy", "email", "stdlib", "google.protobuf")).revisions(Path())
    python = "python " + ".".join(map(str, sys.version_info[:3]))
    assert {name: revisions[name] for name in ("numpy", "email", "stdlib")} == {
        "numpy": numpy.__version__,
        "email": python,
        "stdlib": python,
    }
    assert set(revisions) == {"numpy", "email", "stdlib", "google.protobuf"}


def test_a_package_that_is_not_installed_is_named_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="'no_such_package' is not installed") as plan:
        DocstringsConfig(packages=("no_such_package",)).revisions(Path())
    assert plan.value.help == "pip install no_such_package, or take it out of `packages`"
    with pytest.raises(StageFailed, match="'no_such_package' is not installed"):
        read("no_such_package")
