"""Licenses of everything that the exports descend from: their texts, and a NOTICE with what they ask.

Texts come from the installed distribution that a model's file came from, else from distillc's own copies; where there is neither, the
NOTICE gives the address, and says that the text is missing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from distillc.compiler.tables import licenses
from distillc.plugins.api.targets import Delivery

_LICENSE_FILE = re.compile(r"^(licen[cs]e|copying|notice|.*_terms)", re.IGNORECASE)
_LONGEST = 400_000  # bytes of one license text; longer is no license


def license_files(delivery: Delivery) -> dict[str, str]:
    """File name in LICENSES/ -> text, sorted."""
    found: dict[str, str] = {}
    for entry in delivery.lineage:
        if text := licenses.text(entry.get("license")):
            found[f"{_file_name(entry['license'])}.txt"] = text
        for name, text in _from_distribution(entry.get("path")):
            found[name] = text
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Owed:
    """What one license asks, and the models of the lineage that are under it. `terms` is None for a license that is not in the table."""

    models: tuple[str, ...]
    license: str | None
    terms: licenses.Terms | None
    obligations: tuple[str, ...]


def owed(delivery: Delivery) -> list[Owed]:
    """One entry for each license of the lineage, in its order."""
    models: dict[str | None, list[str]] = {}
    for entry in delivery.lineage:
        if entry["name"] in delivery.exports:
            continue
        models.setdefault(entry.get("license"), []).append(str(entry["name"]))
    return [Owed(tuple(names), license, licenses.terms(license), licenses.obligations(license)) for license, names in models.items()]


def notice(delivery: Delivery, license: str | None) -> str:
    """The NOTICE file: what is in here, what it descends from, what the licenses ask of whoever passes it on."""
    lines = [
        f"{_line(delivery.name)}: a distilled model, made with distillc.",
        f"Passed on under: {_line(license) if license else 'not stated'}.",
        "The weights were changed: fine-tuned, distilled, pruned or quantized as distill.yaml says.",
        "",
        "It descends from, or learnt from the answers of:",
    ]
    for entry in owed(delivery):
        lines += ["", f"* {_line(', '.join(entry.models))}, license: {_line(entry.license or 'not stated')}"]
        lines += [f"    - {_line(obligation)}" for obligation in entry.obligations]
        answers = {"yes": "allowed", "conditions": "allowed under a condition", "no": "not allowed"}
        terms = entry.terms
        training = f"training another model on its outputs: {answers[terms.outputs_may_train] if terms else 'unknown'}"
        lines.append(f"    - {training}" + (f" ({_line(terms.condition)})" if terms and terms.condition else ""))
        if terms:
            basis = "text read" if terms.source == "text" else "general knowledge, not the text"
            lines.append(f"    - {terms.url} (as of {terms.checked}; {basis})")
    if delivery.data:
        lines += ["", "Data, none of which is in this bundle except the prompts of golden.jsonl:"]
        lines += [f"* {_line(source['name'])} ({_line(source.get('uses') or 'source')}): {_revisions(source)}" for source in delivery.data]
    lines += ["", "This list was computed from a table, with its date; it is no legal advice."]
    return "\n".join(lines) + "\n"


def _from_distribution(path: Any) -> Iterator[tuple[str, str]]:
    """License files of the distribution in `pkg://distribution/…`."""
    match = re.match(r"pkg://([A-Za-z0-9._-]+)/", str(path or ""))
    if not match:
        return
    try:
        distribution = metadata.distribution(match[1])
    except metadata.PackageNotFoundError:
        return
    for file in distribution.files or ():
        if not _LICENSE_FILE.match(file.name) or file.suffix in {".py", ".pyc"}:
            continue
        located = file.locate()
        try:
            text = located.read_bytes()[:_LONGEST].decode("utf-8")  # type: ignore[attr-defined]
        except (OSError, UnicodeDecodeError):
            continue
        suffix = "" if "." in file.name else ".txt"
        yield f"{_file_name(match[1])}-{_file_name(file.name)}{suffix}", text


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "license"


def _line(text: Any) -> str:
    return " ".join(str(text).split())


def _revisions(source: Mapping[str, Any]) -> str:
    revisions = source.get("revisions") or {}
    return ", ".join(f"{_line(name)} {_line(revision)}" for name, revision in sorted(revisions.items())) or "revision not stated"
