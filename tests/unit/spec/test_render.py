import json

from distillc.spec import codes
from distillc.spec.diagnostic import Applicability, Diagnostic, Edit, Fix, Label, Severity, Span
from distillc.spec.render import render
from distillc.spec.source import Source


def finding(span, **more):
    return Diagnostic("D101", Severity.ERROR, "bad", span, **more)


def test_json_has_the_fields_of_the_design():
    diagnostic = finding(Span("f.yaml", 2, 3, 2, 7), help="do")
    assert json.loads(render("json", [diagnostic], {})) == [
        {"code": "D101", "level": "error", "message": "bad", "file": "f.yaml", "line": 2, "column": 3, "end_line": 2, "end_column": 7,
         "help": "do", "fix": None, "url": "docs/rules/D101.md"}
    ]  # fmt: skip
    assert json.loads(render("json", [], {})) == []


def test_json_says_what_a_fix_would_change():
    edits = (Edit(Span("f.yaml", 2, 3, 2, 7), "limit"), Edit(Span("f.yaml", 3, 1, 4, 1), ""))
    shown = json.loads(render("json", [finding(Span("f.yaml", 2, 3, 2, 7), fix=Fix("rename it", edits, Applicability.UNSAFE))], {}))
    assert shown[0]["fix"] == {
        "applicability": "unsafe",
        "message": "rename it",
        "edits": [
            {"line": 2, "column": 3, "end_line": 2, "end_column": 7, "content": "limit"},
            {"line": 3, "column": 1, "end_line": 4, "end_column": 1, "content": ""},
        ],
    }


def test_the_full_form_says_what_a_fix_would_do_and_whether_it_is_a_guess():
    fix = Fix("write 8", (Edit(Span("f", 1, 1, 1, 2), "8"),))
    assert render("full", [finding(None, fix=fix)], {}) == "error[D101]: bad\n  = fix: write 8\n\n"
    guess = Fix("write 8", fix.edits, Applicability.UNSAFE)
    assert render("full", [finding(None, fix=guess)], {}) == "error[D101]: bad\n  = fix: write 8 (unsafe)\n\n"


def test_the_code_is_a_link_on_a_terminal_where_its_page_has_an_address(monkeypatch):
    diagnostic = finding(Span("f", 1, 1, 1, 2))
    assert "\x1b]8;" not in render("full", [diagnostic], {}, color=True)
    monkeypatch.setattr(codes, "PAGES", "https://example.org/rules/")
    assert "\x1b]8;;https://example.org/rules/D101.md\x1b\\" in render("full", [diagnostic], {}, color=True)
    assert "\x1b" not in render("full", [diagnostic], {})


def test_concise_is_one_line():
    assert render("concise", [finding(Span("f.yaml", 2, 3, 2, 7), help="do")], {}) == "f.yaml:2:3 D101 bad; do\n"


def test_carets_stand_under_wide_and_combined_characters():
    source = Source("f", "文字e\u0301: bad")  # cells: 2 + 2 + 1 + 0, then ": "
    shown = render("full", [finding(Span("f", 1, 7, 1, 10))], {"f": source}).splitlines()
    assert shown[2] == "1 | 文字e\u0301: bad"
    assert shown[3] == "  | " + " " * 7 + "^^^"


def test_terminal_codes_in_a_spec_are_not_obeyed():
    source = Source("f", "a\x1b[31m: 1")
    shown = render("full", [finding(Span("f", 1, 1, 1, 2), notes=("\x1b]0;x\x07",))], {"f": source})
    assert "\x1b" not in shown and "\\x1b[31m" in shown


def test_a_long_line_is_cut_around_the_place():
    source = Source("f", "x" * 300 + "HERE" + "y" * 300)
    shown = render("full", [finding(Span("f", 1, 301, 1, 305))], {"f": source}).splitlines()
    assert len(shown[2]) < 130 and shown[2].index("HERE") == shown[3].index("^^^^")


def test_a_second_place_in_another_file_is_named():
    label = Label(Span("g", 1, 1, 1, 2), "first here")
    shown = render("full", [finding(Span("f", 1, 1, 1, 2), related=(label,))], {"f": Source("f", "a"), "g": Source("g", "b")})
    assert ":: g:1:1" in shown and "- first here" in shown


def test_colours_come_only_when_asked():
    diagnostic, sources = finding(Span("f", 1, 1, 1, 2)), {"f": Source("f", "a")}
    assert "\x1b[" in render("full", [diagnostic], sources, color=True)
    assert "\x1b[" not in render("full", [diagnostic], sources)


def test_a_secret_is_masked_in_the_excerpt():
    source = Source("f", "api_key: hunter2, next: 1")
    diagnostic = Diagnostic("D205", Severity.ERROR, "secret", Span("f", 1, 10, 1, 17))
    assert "hunter2" not in render("full", [diagnostic], {"f": source})
