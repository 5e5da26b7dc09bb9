"""MODEL_CARD.md: Hugging Face metadata on top, then lineage, data, evaluation with intervals, limits. Only what is known is said."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from distillc.plugins.api.targets import Delivery
from distillc.plugins.targets.bundle import notices
from distillc.runtimes.report import figures, table

_TASKS = {"generate": "text-generation", "classify": "text-classification", "rank": "text-ranking", "embed": "feature-extraction"}
# Ids that the Hugging Face hub knows; all else is `other` with its name beside it.
_HUB_LICENSES = {"apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0"} | {
    "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "gemma"
}  # fmt: skip


def model_card(delivery: Delivery, license: str | None, limits: str | None) -> str:
    """The card's text."""
    parts = [
        "---\n" + yaml.safe_dump(front_matter(delivery, license), sort_keys=False, allow_unicode=True, width=100) + "---",
        f"# {text(delivery.name)}",
        _opening(delivery),
        "## Use",
        _use(delivery),
        "## Where it comes from",
        "\n".join(_lineage(delivery)),
        "## Data",
        "\n".join(_data(delivery)) or "No source is recorded.",
        "## Evaluation",
        "\n\n".join(_evaluation(delivery.evaluation)),
        "## Limits",
        "\n".join(f"- {line}" for line in _limits(delivery, limits)),
        "## Licenses",
        f"Passed on under {text(license) if license else 'a license that is not stated'}. "
        "What the licenses of its ancestors ask is in `NOTICE`, their texts are in `LICENSES/`.",
        "## Check it",
        "`distillc verify .` (or `sha256sum -c SHA256SUMS`) compares every file with its checksum. "
        "`distill.yaml` and `distill.lock` say how to make it again" + _options(delivery.evaluation["run"]) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _options(run: Mapping[str, Any]) -> str:
    """What was said beside the spec's text, and must be said again: `, with --profile quick`."""
    said = [f"--profile {run['profile']}"] if run.get("profile") else []
    said += [f"--set '{override}'" for override in run.get("overrides") or ()]
    return f", with {' '.join(map(code, said))}" if said else ""


def front_matter(delivery: Delivery, license: str | None) -> dict[str, Any]:
    """Metadata as the Hugging Face hub reads it, `model-index` with the results of every export."""
    known = license.lower() if license and license.lower() in _HUB_LICENSES else None
    kind = _TASKS.get(delivery.task.kind if delivery.task else "", "text-generation")
    meta: dict[str, Any] = {"license": known or "other"}
    if not known:
        meta["license_name"] = license or "not-stated"
    bases = [str(entry.get("path") or entry["name"]) for entry in delivery.lineage if entry.get("path")]
    if bases:
        meta |= {"base_model": bases, "base_model_relation": "finetune"}
    formats = dict.fromkeys(model.info.format for model in delivery.exports.values())
    meta |= {"pipeline_tag": kind, "tags": ["distillation", "distillc", *formats]}
    index = [entry for name in delivery.exports if (entry := _index_entry(name, delivery, kind))]
    return meta | ({"model-index": index} if index else {})


def _index_entry(name: str, delivery: Delivery, kind: str) -> dict[str, Any] | None:
    row = next((row for row in delivery.evaluation["rows"] if row["name"] == name), None)
    if row is None:
        return None
    scores = {str(delivery.evaluation["run"].get("data") or "test"): row["metrics"], **row.get("slices", {})}
    results = [
        {
            "task": {"type": kind},
            "dataset": {"name": data, "type": "private"},
            "metrics": [
                {
                    "type": metric,
                    "name": f"{metric} (n={m.get('n')}, 95% [{figures.score(m.get('low'))}, {figures.score(m.get('high'))}])",
                    "value": m["value"],
                }
                for metric, m in metrics.items()
                if m.get("value") is not None
            ],
        }
        for data, metrics in scores.items()
    ]
    return {"name": f"{delivery.name}-{name}", "results": results}


def _opening(delivery: Delivery) -> str:
    exports = ", ".join(
        f"{code(name)} ({text(model.info.format)}, {text(model.info.precision or 'precision not stated')})"
        for name, model in delivery.exports.items()
    )
    return f"A model distilled for one task with distillc. In this bundle: {exports}."


def _use(delivery: Delivery) -> str:
    if delivery.task is None:
        return "See `serve/README.md`."
    stops = ", ".join(code(repr(stop)) for stop in delivery.decoding.stop) or "the model's end-of-text token"
    return (
        "Give it exactly this prompt, and nothing around it; no chat template:\n\n"
        + fenced(delivery.task.prompt)
        + f"\n\nIt was evaluated at temperature {delivery.decoding.temperature:g}, at most {delivery.decoding.max_tokens} tokens, "
        f"stopping at {stops}. `serve/` has ready-made commands."
    )


def _lineage(delivery: Delivery) -> Iterator[str]:
    yield from ("| model | family | license | made by | from |", "|---|---|---|---|---|")
    for entry in delivery.lineage:
        cells = (entry["name"], entry.get("family"), entry.get("license"), entry.get("uses"), entry.get("path"))
        yield "| " + " | ".join(text(cell) if cell else "–" for cell in cells) + " |"


def _data(delivery: Delivery) -> Iterator[str]:
    for source in delivery.data:
        rows = source.get("rows")
        counted = (
            ", ".join(f"{n} {split}" for split, n in rows.items())
            if isinstance(rows, Mapping)
            else f"{rows or 'an unknown number of'} rows"
        )
        revisions = ", ".join(f"{name} {revision}" for name, revision in sorted((source.get("revisions") or {}).items()))
        yield f"- {text(source['name'])}, source {code(source.get('uses') or '–')}: {text(counted)}" + (
            f" ({text(revisions)})" if revisions else ""
        )


def _evaluation(report: Mapping[str, Any]) -> Iterator[str]:
    rows = report["rows"]
    names = table.metric_names(rows)
    yield f"On {code(report['run'].get('data') or 'test')}, values with 95 % intervals and the number of items n."
    lines = [
        "| system | role | " + " | ".join(map(text, names)) + " | n | size | tokens/s | p50 ms | p95 ms |",
        "|---|---|" + "---|" * (len(names) + 5),
    ]
    for row in rows:
        counts = sorted({m["n"] for m in row["metrics"].values() if m.get("n")})
        latency = row.get("latency_ms") or {}
        cells = [
            *(figures.interval(row["metrics"].get(name)) for name in names),
            "/".join(map(str, counts)) or figures.MISSING,
            figures.size(row.get("bytes")),
            figures.rate(row.get("tokens_per_second")),
            figures.milliseconds(latency.get("p50")),
            figures.milliseconds(latency.get("p95")),
        ]
        lines.append(f"| {text(row['name'])} | {text(row['role'])} | " + " | ".join(cells) + " |")
    yield "\n".join(lines)
    if report["gates"]:
        yield "\n".join(_gate(gate) for gate in report["gates"])


def _gate(gate: Mapping[str, Any]) -> str:
    asked = table.gate_sentence(gate)
    found = (
        f": {figures.signed(gate['difference'])} [{figures.signed(gate.get('low'))}, {figures.signed(gate.get('high'))}]"
        if gate.get("difference") is not None
        else ""
    )
    return (
        f"- Gate {code(gate['name'])}{' (warns only)' if gate.get('level') == 'warn' else ''}: **{text(gate['verdict'])}**"
        + (f", {text(asked)}" if asked else "")
        + found
    )


def _limits(delivery: Delivery, limits: str | None) -> Iterator[str]:
    report = delivery.evaluation
    data = [str(report["run"].get("data") or "test"), *dict.fromkeys(d for row in report["rows"] for d in row.get("slices", {}))]
    if limits:
        yield text(limits)
    sets = ", ".join(map(code, data))
    yield f"It was trained and evaluated for one task with one prompt; prompts, languages and kinds of text beyond {sets} were not tested."
    counts = sorted({m["n"] for row in report["rows"] for m in row["metrics"].values() if m.get("n")})
    if counts and counts[0] < 300:
        yield f"The smallest number of items behind a figure is {counts[0]}: read the intervals, not the values."
    seed = report["run"].get("seed")
    if seed is not None:
        yield f"All figures come from one run with seed {seed}; the intervals cover the choice of test items, not that of the seed."
    for gate in report["gates"]:
        if gate["verdict"] != "pass":
            yield f"The gate {code(gate['name'])} did not pass: {text(gate['verdict'])}."
    unknown = [name for entry in notices.owed(delivery) if entry.terms is None for name in entry.models]
    if unknown:
        yield f"The license of {', '.join(map(code, unknown))} is not known."
    yield "It repeats errors of its teacher and adds its own: check its answers where errors matter."


def fenced(code: str) -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code}\n{fence}"


_SPECIAL = {ord(c): f"\\{c}" for c in "\\`*_[]|<>#"}


def text(value: object) -> str:
    """Foreign text inside a line of Markdown: one line, nothing in it is markup."""
    return figures.printable(value).replace("&", "&amp;").translate(_SPECIAL)


def code(value: object) -> str:
    """Foreign text as a code span that also holds inside a table."""
    return "`" + figures.printable(value).replace("`", "'").replace("|", "\\|") + "`"
