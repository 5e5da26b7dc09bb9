"""README and the other pages name only what is there: files, commands, make targets; and README's spec is accepted."""

import re
from pathlib import Path

import pytest

from distillc.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*/README.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = {link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link}
    assert {link for link in links if not (page.parent / link).exists()} == set()
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", text):
        if "://" not in link:
            assert anchor in _anchors(page.parent / link if link else page), f"{link}#{anchor}"
    # As code alone: prose may say "distillc makes a plan".
    code = "\n".join(re.findall(r"^(?:\$ )?(?:distillc|make) .*$|`(?:distillc|make) [^`]*`", text, re.MULTILINE))
    assert set(re.findall(r"distillc ([a-z]+)", code)) <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", code)) <= targets


def _anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_spec_in_the_readme_has_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILLC_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    found = re.search(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    (tmp_path / "distill.yaml").write_text(found[1], encoding="utf-8")
    assert main(["plan", "--format", "json", "--strict"]) == 0
