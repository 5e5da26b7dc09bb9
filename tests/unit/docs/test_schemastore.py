"""What is kept for SchemaStore is what SchemaStore would take: its checks (`cli.js` of its repository), made with jsonschema."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from distillc.plugins import registry
from distillc.spec.lint import lint
from distillc.spec.nodes import to_plain
from distillc.spec.parse import parse
from distillc.spec.schema import SCHEMA_FILE
from distillc.spec.source import Source

FOLDER = Path(__file__).parents[3] / "docs" / "schemastore"
SCHEMA: dict[str, Any] = json.loads((FOLDER / "src" / "schemas" / "json" / "distill.json").read_text(encoding="utf-8"))
GOOD = sorted((FOLDER / "src" / "test" / "distill").iterdir())
BAD = sorted((FOLDER / "src" / "negative_test" / "distill").iterdir())
PRAGMA = "# yaml-language-server: $schema=../../schemas/json/distill.json"


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("schemastore_make", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def validator() -> Any:
    return jsonschema.Draft7Validator(SCHEMA)


def plain(file: Path) -> Any:
    root, found = parse(Source(file.name, file.read_text(encoding="utf-8")))
    assert root is not None
    assert not found
    return to_plain(root)


def test_the_schema_is_fresh(make: ModuleType) -> None:
    """Written by `make generate`."""
    language = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert (FOLDER / "src" / "schemas" / "json" / "distill.json").read_text(encoding="utf-8") == make.dump(make.portable(language))


def test_it_is_draft_7_and_has_the_address_of_the_catalogue() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    entry = json.loads((FOLDER / "catalog-entry.json").read_text(encoding="utf-8"))
    assert entry["url"] == SCHEMA["$id"] == "https://www.schemastore.org/distill.json"


def test_the_entry_follows_the_rules_of_the_catalogue() -> None:
    entry = json.loads((FOLDER / "catalog-entry.json").read_text(encoding="utf-8"))
    assert entry.keys() == {"name", "description", "fileMatch", "url"}
    for word in (entry["name"], entry["description"]):
        assert "schema" not in word.lower()
        assert "\n" not in word
        assert not re.search(r"[,. \t-]$", word)
    assert all("/" not in pattern and pattern.endswith((".yaml", ".yml")) for pattern in entry["fileMatch"])


def test_it_has_only_words_that_strict_mode_knows() -> None:
    """Those of ours are gone, and no `$ref` has a neighbour: readers of draft-07 pass over what stands beside one."""
    text = json.dumps(SCHEMA)
    assert "x-distillc" not in text
    assert '"discriminator"' not in text
    assert "$defs" not in text
    assert not re.search(r'"\$ref": "[^"]*",|, "\$ref"', text)
    assert '"enum": []' not in text


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_right_specs_are_accepted(file: Path, validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(plain(file))] == []


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_wrong_specs_are_refused(file: Path, validator: Any) -> None:
    assert not validator.is_valid(plain(file))


@pytest.mark.parametrize("file", [*GOOD, *BAD], ids=lambda file: file.stem)
def test_each_names_its_schema_in_the_first_line(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith(PRAGMA + "\n")


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_each_wrong_spec_is_wrong_for_one_reason_to_lint_too(file: Path) -> None:
    found = lint(file.read_text(encoding="utf-8"), file.name, registry.load()).diagnostics
    assert len([diagnostic for diagnostic in found if diagnostic.code < "D150"]) == 1


def test_a_plugin_that_is_unknown_is_no_mistake_and_one_that_is_known_is_checked(validator: Any) -> None:
    spec: dict[str, Any] = {"distill": 1, "name": "x", "task": {"kind": "embed", "input": "text"}}
    assert validator.is_valid({**spec, "models": {"a": {"uses": "somebody.elses", "any": 1}, "b": "another"}})
    assert not validator.is_valid({**spec, "models": {"a": {"uses": "prune", "any": 1}}})
    assert not validator.is_valid({**spec, "models": {"a": "prune"}})
