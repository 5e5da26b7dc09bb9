"""The reference of the language is made, never written: the page in the repository is what the language and its plugins say today."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from distillc.plugins import registry

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("language", DOCS / "language.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_in_the_repository_is_fresh(generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written by `make generate`."""
    monkeypatch.setenv("DISTILLC_PLUGINS", "")
    assert (DOCS / "language.md").read_text(encoding="utf-8") == generator.page(registry.load())


def test_every_definition_stands_on_the_page_and_every_link_leads_somewhere(generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLC_PLUGINS", "")
    found = registry.load()
    page = generator.page(found)
    steps = {name for name in found.language_schema()["$defs"] if "." not in name}
    headings = {line.lstrip("# ") for line in page.splitlines() if line.startswith("#")}
    assert steps <= headings
    links = {part.split(")")[0] for part in page.split("](#")[1:]}
    assert links <= {heading.lower().replace(".", "") for heading in headings}  # as GitHub makes anchors
