"""The report in a terminal: every system, the differences, the gates. Plain text; colours are the caller's.

Fits 120 columns: where the metrics do not fit beside each other, they continue in a second block under the same names.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from distillc.runtimes.report import figures

WIDTH = 120


def render(report: Mapping[str, Any], width: int = WIDTH) -> str:
    """The table of a `report --format json` dict. Lines are at most `width` wide unless a single name is longer."""
    run, rows = report["run"], report["rows"]
    blocks = [_heading(run, rows), *_systems(rows, run, width)]
    for data in _slices(rows):
        blocks.append([f"on {figures.printable(data)}:", *grid(*_slice_table(rows, data), width)])
    if differences := run.get("differences"):
        blocks.append(["differences, paired by item:", *_differences(differences, width)])
    if report["gates"]:
        blocks.append(["gates:", *_gates(report["gates"])])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def metric_names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of metrics in the order in which they first occur."""
    return list(dict.fromkeys(name for row in rows for name in row["metrics"]))


def gate_sentence(gate: Mapping[str, Any]) -> str:
    """What a gate asked, in words: `q8 better than gold on errant_f0.5`."""
    if "model" not in gate or "against" not in gate:
        return ""
    margin = gate.get("margin")
    asked = "better than" if margin is None else f"at most {margin:g} worse than"
    return f"{gate['model']} {asked} {gate['against']} on {gate.get('metric', '')}".rstrip()


def _heading(run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    facts = [str(run.get("name", ""))]
    if run.get("profile"):
        facts.append(f"profile {run['profile']}")
    facts += [f"--set {override}" for override in run.get("overrides") or ()]
    if run.get("data"):
        facts.append(f"on {run['data']}")
    counts = sorted({m["n"] for row in rows for m in row["metrics"].values() if m.get("n")})
    if counts:
        facts.append(f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]}…{counts[-1]}")
    facts.append("95 % intervals in brackets")
    return [figures.printable(" · ".join(facts))]


def _systems(rows: Sequence[Mapping[str, Any]], run: Mapping[str, Any], width: int) -> Iterator[list[str]]:
    """The main metric stands beside the costs; the others follow, in a second block where they do not fit."""
    names = metric_names(rows)
    first = [name for name in names if name == (run.get("metric") or names[0])]
    rest = [name for name in names if name not in first]
    seconds: Mapping[str, float] = run.get("seconds") or {}
    body = []
    for row in rows:
        scores = [[figures.interval(row["metrics"].get(name)) for name in part] for part in (first, rest)]
        latency = row.get("latency_ms") or {}
        costs = [
            figures.size(row.get("bytes")),
            figures.rate(row.get("tokens_per_second")),
            figures.milliseconds(latency.get("p50")),
            figures.milliseconds(latency.get("p95")),
            *([figures.duration(seconds.get(row["name"]))] if seconds else []),
        ]
        body.append([row["name"], row["role"], *scores[0], *costs, *scores[1]])
    head = ["size", "tokens/s", "p50 ms", "p95 ms", *(["made in"] if seconds else [])]
    yield grid(["system", "role", *first, *head, *rest], body, width)


def _slices(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(data for row in rows for data in row.get("slices", {})))


def _slice_table(rows: Sequence[Mapping[str, Any]], data: str) -> tuple[list[str], list[list[str]]]:
    scores = [row.get("slices", {}).get(data, {}) for row in rows]
    names = list(dict.fromkeys(name for row in scores for name in row))
    body = [
        [row["name"], row["role"], *(figures.interval(metrics.get(name)) for name in names)]
        for row, metrics in zip(rows, scores, strict=True)
    ]
    return ["system", "role", *names], body


def _differences(differences: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    head = ["system", "against", "metric", "difference", "95 % interval", "n"]
    body = [
        [
            str(d["model"]),
            str(d["against"]),
            str(d["metric"]),
            figures.signed(d["value"]),
            f"[{figures.signed(d.get('low'))}, {figures.signed(d.get('high'))}]",
            str(d.get("n", figures.MISSING)),
        ]
        for d in differences
    ]
    return grid(head, body, width)


def _gates(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for gate in gates:
        text = f"  {gate['verdict']:<9} {gate['name']}"
        if gate.get("level") == "warn":
            text += " (warns only)"
        if sentence := gate_sentence(gate):
            text += f": {sentence}"
        if gate.get("difference") is not None:
            text += f"; {figures.signed(gate['difference'])} [{figures.signed(gate.get('low'))}, {figures.signed(gate.get('high'))}]"
        lines.append(figures.printable(text))
    return lines


# The first two columns name the row; they are repeated when a table is folded.
NAMING = 2


def grid(head: Sequence[str], body: Sequence[Sequence[str]], width: int) -> list[str]:
    """Columns aligned (text left, figures right), folded into several blocks where they do not fit."""
    rows = [[figures.printable(cell) for cell in row] for row in (head, *body)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines: list[str] = []
    for columns in _folds(widths, width):
        if lines:
            lines.append("")
        for number, row in enumerate(rows):
            cells = [row[i].ljust(widths[i]) if i < NAMING else row[i].rjust(widths[i]) for i in columns]
            lines.append("  " + "  ".join(cells).rstrip())
            if number == 0:
                lines.append("  " + "  ".join("─" * widths[i] for i in columns))
    return lines


def _folds(widths: Sequence[int], width: int) -> list[list[int]]:
    naming = list(range(min(NAMING, len(widths))))
    folds, current = [], list(naming)
    for column in range(len(naming), len(widths)):
        if len(current) > len(naming) and 2 + sum(widths[i] + 2 for i in [*current, column]) - 2 > width:
            folds.append(current)
            current = list(naming)
        current.append(column)
    return [*folds, current]
