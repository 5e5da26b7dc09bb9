"""Writes `docs/rules`: a page a code, made of its text and of what `lint` prints for its spec in tests/diagnostics, and a table of all.

`make generate` runs it; a test holds the pages and the rules together. What is unclear on a page is made clear in the docstring of the
rule, or in `spec/texts`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from distillc.spec.codes import ALL_CODES, is_binding
from distillc.spec.explanation import Explanation, as_markdown, explanation

FOLDER = Path(__file__).parent / "rules"
PAIRS = Path(__file__).parents[1] / "tests" / "diagnostics"
MADE = "<!-- made by `make generate`; edits here are lost -->\n"
FAMILIES = {
    "D0": "Text, paths and overrides",
    "D1": "Shape",
    "D2": "Names and steps",
    "D3": "Data and prompts",
    "D4": "Losses and training",
    "D5": "Models and exports",
    "D6": "Proof",
    "D7": "Deployment, money, privacy",
    "D8": "Licenses and security",
    "D9": "The linter itself",
}
HEAD = f"""\
{MADE}# The findings of `distillc lint`

Each has a code and a name, and a page; `distillc explain CODE` prints the same. Examples on the pages stand on top of
[a small spec](base.yaml). A finding is made where the text of the spec suffices to see it; numbers from x50 take the plan, and facts of
models and files. *Always* means that the finding can be neither ignored nor lowered: with it no plan can be made, or no run can end well.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What lint prints of a code: the levels, and the findings of the spec that shows it best."""

    levels: tuple[str, ...]
    spec: Path | None
    findings: str


def pages() -> dict[str, str]:
    """File name to text."""
    told = {code: explanation(code, ALL_CODES[code]) for code in sorted(ALL_CODES)}
    outputs = {out: out.read_text(encoding="utf-8") for out in sorted(PAIRS.glob("*.out"))}
    shown = {code: _shown(told[code], outputs) for code in told}
    made = {f"{code}.md": _page(told[code], shown[code]) for code in told}
    return {"README.md": "\n".join(_table(told, shown)), **made}


def _shown(told: Explanation, outputs: Mapping[Path, str]) -> Shown:
    found: dict[Path, list[str]] = {}
    levels = set()
    for out, text in outputs.items():
        for block in text.split("\n\n"):
            head = re.match(rf"\S+ (error|warning|info)\[{told.code}\]", block)
            if head:
                found.setdefault(out, []).append(block)
                levels.add(head[1])
    if not found:
        return Shown(("error",), None, "")
    own = PAIRS / f"{told.name}.out"
    best = own if own in found else min(found, key=lambda out: (len(outputs[out]), out))
    return Shown(tuple(sorted(levels)), best.with_suffix(".yaml"), "\n\n".join(found[best]))


def _page(told: Explanation, shown: Shown) -> str:
    parts = [f"{MADE}# {told.code} {told.name}", f"*{_level(told.code, shown)}*", told.summary, as_markdown(told)]
    if shown.spec:
        parts.append(f"**What lint prints** of [{shown.spec.name}](../../tests/diagnostics/{shown.spec.name}):")
        parts.append(f"```text\n{shown.findings}\n```")
    parts.append("[All findings](README.md)")
    return "\n\n".join(part for part in parts if part) + "\n"


def _level(code: str, shown: Shown) -> str:
    """As what it is shown. An error that binds is so whatever is said of it."""
    return " or ".join(f"{level}, always" if level == "error" and is_binding(code) else level for level in shown.levels)


def _table(told: Mapping[str, Explanation], shown: Mapping[str, Shown]) -> Iterator[str]:
    yield HEAD.rstrip()
    for family, title in FAMILIES.items():
        codes = [code for code in told if code.startswith(family)]
        if codes:
            yield f"\n## {title}\n\n| code | name | level | fix | what is found |\n|---|---|---|---|---|"
        for code in codes:
            level = _level(code, shown[code])
            cells = [f"[{code}]({code}.md)", f"`{told[code].name}`", level, "yes" if told[code].fix else "", told[code].summary]
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


if __name__ == "__main__":
    made = pages()
    for stale in FOLDER.glob("*.md"):
        if stale.name not in made:
            stale.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(FOLDER)
