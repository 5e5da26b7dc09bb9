"""The pages of the findings are made, never written: `make generate` writes what rules, texts and pairs say today."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from distillc.spec.codes import ALL_CODES, page

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rule_pages", DOCS / "rule_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_in_the_repository_are_fresh(generator: ModuleType) -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in (DOCS / "rules").glob("*.md")}
    made = generator.pages()
    assert written.keys() == made.keys()
    assert [name for name in made if written[name] != made[name]] == []


def test_every_code_has_the_page_that_its_findings_name(generator: ModuleType) -> None:
    made = generator.pages()
    for code, known in ALL_CODES.items():
        assert page(code).endswith(f"docs/rules/{code}.md")
        assert f"# {code} {known.name}\n" in made[f"{code}.md"]


def test_a_page_shows_the_findings_of_its_code_alone(generator: ModuleType) -> None:
    shown = generator.pages()["D601.md"]
    assert shown.count("error[D601]") == 2
    assert "error[D2" not in shown and "gate-outside.yaml" in shown
