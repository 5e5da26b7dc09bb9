"""What GitHub and GitLab read."""

import json

import pytest

from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.render import render

PLACE = Span("f.yaml", 2, 3, 2, 7)


def finding(span: Span | None = PLACE, message: str = "bad", severity: Severity = Severity.ERROR, **more) -> Diagnostic:
    return Diagnostic("D101", severity, message, span, **more)


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def test_github_gets_one_command_for_each_finding():
    shown = render("github", [finding(help="do"), finding(severity=Severity.WARNING), finding(severity=Severity.INFO)], {})
    assert shown.splitlines()[0] == "::error title=distillc D101,file=work/f.yaml,line=2,col=3,endLine=2,endColumn=7::bad%0Ado"
    assert [line.split(" ")[0] for line in shown.splitlines()] == ["::error", "::warning", "::notice"]


def test_github_properties_and_data_are_escaped():
    shown = render("github", [finding(Span("a,b:c%.yaml", 1, 1, 1, 2), "100 %: a, b\r\n::error::x\x1b[31m")], {})
    assert shown == (
        "::error title=distillc D101,file=work/a%2Cb%3Ac%25.yaml,line=1,col=1,endLine=1,endColumn=2::"
        "100 %25: a, b\\r\\n::error::x\\x1b[31m\n"
    )


def test_github_gets_no_columns_of_a_place_of_several_lines():
    assert render("github", [finding(Span("f.yaml", 1, 4, 3, 2))], {}) == (
        "::error title=distillc D101,file=work/f.yaml,line=1,endLine=3::bad\n"
    )


@pytest.mark.parametrize("span", [None, Span("--set", 1, 1, 1, 2)])
def test_github_gets_no_file_where_there_is_none(span):
    assert render("github", [finding(span)], {}) == "::error title=distillc D101::bad\n"


def test_gitlab_gets_a_list_of_issues():
    assert json.loads(render("gitlab", [], {})) == []
    issue = json.loads(render("gitlab", [finding(help="do")], {}))[0]
    assert len(issue.pop("fingerprint")) == 64
    assert issue == {
        "description": "bad; do",
        "check_name": "D101",
        "severity": "major",
        "location": {"path": "work/f.yaml", "positions": {"begin": {"line": 2, "column": 3}, "end": {"line": 2, "column": 7}}},
    }


def test_gitlab_knows_a_finding_again_when_its_line_has_moved():
    def marks(*findings):
        return [issue["fingerprint"] for issue in json.loads(render("gitlab", findings, {}))]

    moved = finding(Span("f.yaml", 9, 3, 9, 7))
    assert marks(finding()) == marks(moved)
    assert len(set(marks(finding(), moved, finding(message="worse")))) == 3


def test_gitlab_severities():
    levels = [finding(severity=severity) for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)]
    assert [issue["severity"] for issue in json.loads(render("gitlab", levels, {}))] == ["major", "minor", "info"]


def test_gitlab_always_gets_a_path_and_a_line():
    location = json.loads(render("gitlab", [finding(None)], {}))[0]["location"]
    assert location["path"] == "." and location["positions"]["begin"]["line"] == 1
