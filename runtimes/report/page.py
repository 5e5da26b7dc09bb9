"""The report as one HTML page: no script, no network, every foreign text escaped.

`details` is what the page shows beyond `report --format json`; every part of it may be missing:
  curves    {step: {"best_step", "steps", "tokens", "stopped", "seconds", "metric", "history": [dict an evaluation]}}
  stages    [{"id", "seconds"}]                                  funnel    [{"name", "generated", "kept", "dropped": {reason: n}}]
  samples   {"model", "data", "worst": [...], "best": [...]}     each {"input", "target", "output"}
  licenses  [{"name", "license", "obligations": [str]}]          reproduce {"facts": [str], "versions": {name: version}, "keys": {id: key}}
"""

import base64
import difflib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from distillc.runtimes.report import bubbles, charts, figures, table

ROLES = ("teacher", "student", "export", "base", "reference")
LIMIT = 500_000  # bytes; a page that is mailed around. Keys are left out first, then samples are cut.
SAMPLE_LIMIT = 600  # characters of one text
VERDICTS = {"pass": "all gates passed", "fail": "a gate said no", "undecided": "a gate cannot decide", "none": "no gate that counts"}


def render_page(report: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """The page's text; under `LIMIT` bytes, at the cost of its longest lists."""
    page = _render(report, details)
    for lost in ("keys", "samples"):
        if len(page.encode()) <= LIMIT:
            break
        kept = dict(details)
        if lost == "keys":
            kept["reproduce"] = {**kept.get("reproduce", {}), "keys": {}}
        else:
            kept.pop("samples", None)
        page, details = _render(report, kept), kept
    return page


def verdict(gates: Sequence[Mapping[str, Any]]) -> str:
    """`fail` before `undecided` before `pass`, by gates of error level; `none` where there are none."""
    counted = [gate["verdict"] for gate in gates if gate.get("level") != "warn"]
    if not counted:
        return "none"
    return next((v for v in ("fail", "undecided") if v in counted), "pass")


def _warned(gates: Sequence[Mapping[str, Any]]) -> str:
    """Gates that only warn change no verdict, and are not kept quiet."""
    count = sum(gate.get("level") == "warn" and gate["verdict"] != "pass" for gate in gates)
    return f", {count} warns" if count == 1 else f", {count} warn" if count else ""


def words_apart(output: str, gold: str) -> Iterator[tuple[str, str]]:
    """Runs of words: `same`, `own` (in the output alone), `gold` (in the gold text alone)."""
    ours, theirs = output.split(), gold.split()
    for tag, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", " ".join(ours[a:b])
        else:
            if b > a:
                yield "own", " ".join(ours[a:b])
            if d > c:
                yield "gold", " ".join(theirs[c:d])


def _render(report: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    for name in ("size", "duration", "milliseconds", "rate", "score"):
        environment.filters[name] = getattr(figures, name)
    style = (folder / "page.css").read_text("utf-8")
    run, rows, gates = report["run"], report["rows"], report["gates"]
    names = table.metric_names(rows)
    first = run.get("metric") if run.get("metric") in names else (names[0] if names else "")
    metrics = [name for name in names if name == first] + [name for name in names if name != first]
    lower = {metric for metric, way in (run.get("directions") or {}).items() if way == "lower"}
    outcome = verdict(gates)
    return environment.get_template("page.html.j2").render(
        style=Markup(style),  # ours, and pinned by the hash in the policy
        style_hash="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        run={"name": "", "data": "", "distillc": "", **run},
        facts=_facts(run),
        verdict={"class": outcome, "text": VERDICTS[outcome] + _warned(gates)},
        cards=_cards(rows, gates, first),
        counted=_counted(rows),
        metrics=metrics,
        arrows={metric: {"higher": "↑", "lower": "↓"}.get(way, "") for metric, way in (run.get("directions") or {}).items()},
        seconds=run.get("seconds") or {},
        rows=[_row(row, row["metrics"]) for row in rows],
        ranges=_ranges([row["metrics"] for row in rows]),
        slices=list(_slices(rows)),
        bubbles=bubbles.draw(_bubbles(rows, first), first, lower=first in lower),
        undrawn=[row["name"] for row in rows if not _latency(row, "p50")],
        roles=[role for role in ROLES if any(row["role"] == role for row in rows)],
        cell=charts.interval_cell,
        **_differences(run.get("differences") or (), gates, lower),
        curves=[_curves(step, entry) for step, entry in details.get("curves", {}).items() if entry.get("history")],
        **_times(details.get("stages") or ()),
        funnel=[_funnel(entry) for entry in details.get("funnel") or ()],
        samples=_samples(details.get("samples")),
        licenses=details.get("licenses") or (),
        reproduce=_reproduce(details.get("reproduce")),
    )


def _facts(run: Mapping[str, Any]) -> list[str]:
    pairs = (("profile", "profile"), ("seed", "seed"), ("machine", "machine"))
    set_by_hand = [f"--set {override}" for override in run.get("overrides") or ()]
    return ["distillation report", *(f"{word} {run[key]}" for key, word in pairs if run.get(key) is not None), *set_by_hand]


def _counted(rows: Sequence[Mapping[str, Any]]) -> str:
    counts = sorted({m["n"] for row in rows for m in row["metrics"].values() if m.get("n")})
    if not counts:
        return ""
    return f"n = {counts[0]} items." if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]} items."


def _latency(row: Mapping[str, Any], quantile: str) -> float | None:
    return (row.get("latency_ms") or {}).get(quantile)


def _row(row: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    costs = {key: row.get(key) for key in ("bytes", "tokens_per_second")} | {q: _latency(row, q) for q in ("p50", "p95")}
    return {"name": row["name"], "role": row["role"] if row["role"] in ROLES else "reference", "metrics": metrics, **costs}


def _ranges(scores: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """One scale a column: from 0 where that costs little, over all intervals."""
    ranges: dict[str, tuple[float, float]] = {}
    for name in dict.fromkeys(name for row in scores for name in row):
        ends = [end for row in scores if (m := row.get(name)) for end in (m["value"], m.get("low"), m.get("high")) if end is not None]
        low, high = min(ends), max(ends)
        ranges[name] = (0.0 if 0 <= low <= high else low, high if high > low or high > 0 else low + 1)
    return ranges


def _slices(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for data in dict.fromkeys(data for row in rows for data in row.get("slices", {})):
        scores = [row.get("slices", {}).get(data, {}) for row in rows]
        yield {
            "data": data,
            "metrics": list(dict.fromkeys(name for row in scores for name in row)),
            "rows": [_row(row, metrics) for row, metrics in zip(rows, scores, strict=True)],
            "ranges": _ranges(scores),
        }


def _bubbles(rows: Sequence[Mapping[str, Any]], metric: str) -> list[bubbles.Bubble]:
    found = []
    for row in rows:
        measured, latency = row["metrics"].get(metric), _latency(row, "p50")
        if measured and measured.get("value") is not None and latency:
            role = row["role"] if row["role"] in ROLES else "reference"
            ends = (measured.get("low"), measured.get("high"))
            found.append(bubbles.Bubble(row["name"], role, measured["value"], *ends, latency, row.get("bytes")))
    return found


def _cards(rows: Sequence[Mapping[str, Any]], gates: Sequence[Mapping[str, Any]], metric: str) -> list[dict[str, str]]:
    """Four figures of the system that the first gate is about (else the last export or student), beside the teacher's."""
    by_name = {row["name"]: row for row in rows}
    wanted = [gate.get("model") for gate in gates] + [
        row["name"] for role in ("export", "student") for row in reversed(rows) if row["role"] == role
    ]
    subject = next((by_name[name] for name in wanted if name in by_name), None)
    if subject is None:
        return []
    teachers = [row for row in rows if row["role"] == "teacher" and row is not subject]
    # A panel of teachers is compared by its best.
    teacher = max(teachers, key=lambda row: row["metrics"].get(metric, {}).get("value") or 0.0, default=None)
    cards = [{"title": "system", "figure": subject["name"], "against": " · ".join(filter(None, (subject["role"], subject.get("format"))))}]
    for title, value, shown, worse_is_more in (
        (metric, lambda row: row["metrics"].get(metric, {}).get("value"), figures.score, False),
        ("size", lambda row: row.get("bytes"), figures.size, True),
        ("latency p50", lambda row: _latency(row, "p50"), lambda v: f"{figures.milliseconds(v)} ms", True),
    ):
        ours, theirs = value(subject), value(teacher) if teacher else None
        if ours is None:
            continue
        against = ""
        if teacher and theirs:
            ratio = f"1/{theirs / ours:.1f}" if worse_is_more and 0 < ours < theirs else f"{100 * ours / theirs:.0f} %"
            against = f"{ratio} of {teacher['name']}: {shown(theirs)} as {teacher.get('format') or 'it is'}"
        cards.append({"title": title, "figure": shown(ours), "against": against})
    return cards


def _differences(differences: Sequence[Mapping[str, Any]], gates: Sequence[Mapping[str, Any]], lower: set[str]) -> dict[str, Any]:
    ends = [abs(end) for d in differences for end in (d["value"], d.get("low"), d.get("high")) if end is not None]
    ends += [abs(end) for g in gates for end in (g.get("difference"), g.get("low"), g.get("high"), g.get("margin")) if end is not None]
    reach = max(ends, default=1.0) * 1.08 or 1.0

    def shown(value: float | None, entry: Mapping[str, Any]) -> str:
        if value is None:
            return figures.MISSING
        if entry.get("low") is None:
            return figures.signed(value)
        return f"{figures.signed(value)} [{figures.signed(entry['low'])}, {figures.signed(entry['high'])}]"

    judged = []
    for gate in gates:
        entry = {
            **gate,
            "level": gate.get("level", "error"),
            "asks": table.gate_sentence(gate),
            "shown": shown(gate.get("difference"), gate),
            "picture": "",
        }
        if gate.get("difference") is not None:
            entry["picture"] = charts.difference(
                {**gate, "value": gate["difference"]}, reach, gate.get("margin"), lower=gate.get("metric") in lower
            )
        judged.append(entry)
    return {
        "gates": judged,
        "differences": [
            {**d, "shown": shown(d["value"], d), "picture": charts.difference(d, reach, lower=d["metric"] in lower)} for d in differences
        ],
    }


def _curves(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    history, best = entry["history"], entry.get("best_step")

    def points(key: str) -> list[tuple[float, float]]:
        return [(float(h["step"]), float(h[key])) for h in history if isinstance(h.get(key), int | float)]

    pictures = []
    validation, training = points("validation_loss"), points("train_loss")
    if validation:
        pictures.append(charts.curve(validation, "loss on validation, nats a token", best, "loss", training))
    elif training:
        pictures.append(charts.curve(training, "loss on training batches, nats a token", best, "loss"))
    metric = entry.get("metric")
    if metric and (scored := points(metric)):
        pictures.append(charts.curve(scored, f"{metric} on validation", best, "task"))
    facts = [f"{entry['steps']} steps" if entry.get("steps") else "", f"step {best} kept" if best is not None else ""]
    stopped = entry.get("stopped")  # `steps`: it ran to its end, which needs no word
    facts += [
        f"{entry['tokens']:,} tokens".replace(",", " ") if entry.get("tokens") else "",
        str(stopped) if stopped and stopped != "steps" else "",
    ]
    facts.append(figures.duration(entry["seconds"]) if entry.get("seconds") else "")
    return {"name": name, "facts": " · ".join(filter(None, facts)), "pictures": pictures}


def _times(stages: Sequence[Mapping[str, Any]], shown: int = 14) -> dict[str, Any]:
    """The longest stages; the rest as one line."""
    timed = sorted((s for s in stages if s.get("seconds")), key=lambda s: (-s["seconds"], s["id"]))
    rest = sum(s["seconds"] for s in timed[shown:])
    entries = [*timed[:shown], *([{"id": f"{len(timed) - shown} others", "seconds": rest}] if rest else [])]
    largest = max((e["seconds"] for e in entries), default=0.0)
    pictured = [{**e, "picture": charts.bar([("time", e["seconds"])], largest)} for e in entries]
    return {"times": pictured, "total_time": figures.duration(sum(s["seconds"] for s in timed))}


def _funnel(entry: Mapping[str, Any]) -> dict[str, Any]:
    dropped = {reason: n for reason, n in (entry.get("dropped") or {}).items() if n}
    return {
        "name": entry["name"],
        "kept": entry["kept"],
        "generated": entry["generated"],
        "reasons": ", ".join(f"{n} {reason}" for reason, n in sorted(dropped.items(), key=lambda pair: (-pair[1], pair[0]))),
        "picture": charts.bar([("kept", entry["kept"]), ("dropped", sum(dropped.values()))], entry["generated"]),
    }


def _samples(samples: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not samples:
        return None

    def entry(sample: Mapping[str, Any]) -> dict[str, Any]:
        text, gold, output = (str(sample.get(key) or "")[:SAMPLE_LIMIT] for key in ("input", "target", "output"))
        return {"input": text, "words": list(words_apart(output, gold))}

    groups = [(title, [entry(s) for s in samples.get(key) or ()]) for title, key in (("Furthest", "worst"), ("Nearest", "best"))]
    return {"model": samples["model"], "data": samples["data"], "groups": groups}


def _reproduce(reproduce: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not reproduce:
        return None
    versions = [f"{name} {version}" for name, version in sorted((reproduce.get("versions") or {}).items())]
    return {"facts": reproduce.get("facts") or (), "versions": versions, "stages": list((reproduce.get("keys") or {}).items())}
