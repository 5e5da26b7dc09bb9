"""The page: one file without scripts, safe with any text, and small."""

import copy
import html.parser
from typing import Any

import pytest

from distillc.runtimes.report.page import LIMIT, render_page, verdict, words_apart

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}</style></title>'


class Elements(html.parser.HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag


def poisoned(value: Any) -> Any:
    """The same structure with hostile text in every string and in every key that is not the structure's own."""
    if isinstance(value, str):
        return value if value in {"teacher", "student", "export", "base", "reference", "pass", "fail", "error", "warn"} else value + EVIL
    if isinstance(value, list):
        return [poisoned(entry) for entry in value]
    if isinstance(value, dict):
        named = {"metrics", "slices", "curves", "dropped", "versions", "keys", "directions", "seconds"}
        return {key: _renamed(entry) if key in named and isinstance(entry, dict) else poisoned(entry) for key, entry in value.items()}
    return value


def _renamed(entries: dict[str, Any]) -> dict[str, Any]:
    return {name + EVIL: poisoned(entry) for name, entry in entries.items()}


def test_the_page_is_one_file_without_scripts_or_network(report: dict[str, Any], details: dict[str, Any]) -> None:
    page = render_page(report, details)
    elements = Elements(page).found
    assert not {tag for tag, _ in elements} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not [attributes for _, attributes in elements if {"src", "href", "style"} & set(attributes)]
    policy = next(attributes["content"] for tag, attributes in elements if tag == "meta" and attributes.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "http://" not in page and "https://" not in page
    assert len(page.encode()) < 200_000


def test_hostile_text_never_becomes_markup(report: dict[str, Any], details: dict[str, Any]) -> None:
    clean = [tag for tag, _ in Elements(render_page(report, details)).found]
    page = render_page(poisoned(report), poisoned(details))
    elements = Elements(page).found
    assert "alert(1)" in page, "the poison arrived"
    assert not {tag for tag, _ in elements} - set(clean)
    assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
    assert "{{ 7*7 }}" in page, "text is no template"


def test_a_report_with_nothing_but_names_renders(report: dict[str, Any]) -> None:
    rows = [{**row, "metrics": {}, "slices": {}, "bytes": None, "tokens_per_second": None, "latency_ms": None} for row in report["rows"]]
    page = render_page({"run": {"name": "bare"}, "rows": rows, "gates": []}, {})
    assert "no gate that counts" in page and "<svg" not in page


def test_a_page_that_grows_too_large_loses_its_keys_first(report: dict[str, Any], details: dict[str, Any]) -> None:
    grown = copy.deepcopy(details)
    grown["reproduce"]["keys"] = {f"stage-{i}": "a" * 64 for i in range(8000)}
    page = render_page(report, grown)
    assert len(page.encode()) <= LIMIT
    assert "What q8 writes" in page and "stage-17" not in page


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ([], "none"),
        ([("pass", "error"), ("pass", "error")], "pass"),
        ([("pass", "error"), ("undecided", "error")], "undecided"),
        ([("undecided", "error"), ("fail", "error")], "fail"),
        ([("pass", "error"), ("fail", "warn")], "pass"),
        ([("fail", "warn")], "none"),
    ],
)
def test_the_verdict_is_the_worst_of_the_gates_that_count(gates: list[tuple[str, str]], expected: str) -> None:
    assert verdict([{"verdict": v, "level": level} for v, level in gates]) == expected


def test_words_of_output_and_gold_are_told_apart() -> None:
    assert list(words_apart("He go to school", "He goes to the school")) == [
        ("same", "He"),
        ("own", "go"),
        ("gold", "goes"),
        ("same", "to"),
        ("gold", "the"),
        ("same", "school"),
    ]
