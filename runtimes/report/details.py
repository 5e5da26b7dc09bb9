"""What the page shows beyond the table: curves, funnel, samples, licenses. Pure functions over what artifacts say of themselves."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from distillc.compiler.tables import licenses

SHOWN = 4  # samples at each end: a page is read, not searched
# Keys of a history entry that are no task metric.
PLAIN = ("step", "tokens", "train_loss", "validation_loss", "loss", "seconds", "learning_rate", "epoch")


def curves(histories: Mapping[str, Mapping[str, Any]], metrics: Sequence[str]) -> dict[str, Any]:
    """`histories`: step -> meta of its artifact (history, steps, best_step, tokens, stopped). The metric is the first that was followed."""
    return {
        name: {
            "metric": next((m for m in metrics if any(m in entry for entry in meta.get("history") or ())), None),
            "history": list(meta.get("history") or ()),
            **{key: meta.get(key) for key in ("steps", "best_step", "tokens", "stopped")},
        }
        for name, meta in histories.items()
    }


def funnel(metas: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`metas`: stage -> meta of its rows, in the order of the plan; those that count what they dropped."""
    return [
        {"name": name, "generated": meta["generated"], "kept": meta["kept"], "dropped": dict(meta.get("dropped") or {})}
        for name, meta in metas.items()
        if "generated" in meta and "kept" in meta
    ]


def samples(model: str, data: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Payloads with input, target and output: those whose output is furthest from the gold text, and the nearest among those it changed."""
    scored = sorted(
        (
            (likeness(str(row["output"]), str(row["target"])), number, row)
            for number, row in enumerate(rows)
            if row.get("target") and "output" in row
        ),
        key=lambda entry: entry[:2],
    )
    changed = [entry for entry in scored if entry[2]["output"] != entry[2].get("input")]
    picked = {"worst": scored[:SHOWN], "best": changed[::-1][:SHOWN]}
    seen = {number for _, number, _ in picked["worst"]}
    picked["best"] = [entry for entry in picked["best"] if entry[1] not in seen]
    return {
        "model": model,
        "data": data,
        **{end: [{k: row.get(k) for k in ("input", "target", "output")} for _, _, row in entries] for end, entries in picked.items()},
    }


def likeness(output: str, gold: str) -> float:
    """Share of equal words in order, 1 for equal texts."""
    return difflib.SequenceMatcher(None, output.split(), gold.split(), autojunk=False).ratio()


def owed(models: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line a license: the models under it and what it asks. `models` have name and license."""
    grouped: dict[str | None, list[str]] = {}
    for model in models:
        grouped.setdefault(model.get("license"), []).append(str(model["name"]))
    return [
        {"name": ", ".join(names), "license": license, "obligations": list(licenses.obligations(license))}
        for license, names in grouped.items()
    ]
