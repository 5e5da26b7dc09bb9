"""bom.cdx.json: a CycloneDX 1.6 bill of materials with model cards, data sets and pedigree.

No clock: the serial number is derived from the content, so that equal bundles have equal bills.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from distillc.compiler.tables import licenses
from distillc.plugins.api.targets import Delivery
from distillc.runtimes.report import figures

_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562, URLs


def bill(delivery: Delivery, license: str | None, digests: Mapping[str, str]) -> dict[str, Any]:
    """The whole document. `digests` maps files of the bundle (`models/NAME/…`) to sha256."""
    data = [_data(source) for source in delivery.data]
    exports = [_export(name, delivery, license, digests, [d["bom-ref"] for d in data]) for name in delivery.exports]
    ancestors = [_ancestor(entry) for entry in delivery.lineage]
    root = f"distillc:{delivery.name}"
    refs = [component["bom-ref"] for component in (*exports, *ancestors, *data)]
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "distillc", "version": metadata.version("distillc")}]},
            "component": {"type": "machine-learning-model", "bom-ref": root, "name": delivery.name, **_licensed(license)},
        },
        "components": [*exports, *ancestors, *data],
        "dependencies": [
            {"ref": root, "dependsOn": [component["bom-ref"] for component in exports]},
            *({"ref": export["bom-ref"], "dependsOn": [c["bom-ref"] for c in (*ancestors, *data)]} for export in exports),
            *({"ref": ref} for ref in refs[len(exports) :]),
        ],
    }
    content = json.dumps(document, sort_keys=True, ensure_ascii=False)
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}"
    return document


def _export(name: str, delivery: Delivery, license: str | None, digests: Mapping[str, str], data: list[str]) -> dict[str, Any]:
    model = delivery.exports[name]
    prefix = f"models/{name}/"
    kind = delivery.task.kind if delivery.task else "generate"
    parameters: dict[str, Any] = {
        "approach": {"type": "supervised"},
        "task": {"generate": "text-generation"}.get(kind, kind),
        "datasets": [{"ref": ref} for ref in data],
        "inputs": [{"format": "text"}],
        "outputs": [{"format": "text"}],
    }
    if model.info.family:
        parameters["architectureFamily"] = model.info.family
    card: dict[str, Any] = {"modelParameters": parameters}
    if measured := list(_performance(name, delivery.evaluation)):
        card["quantitativeAnalysis"] = {"performanceMetrics": measured}
    card["considerations"] = {
        "useCases": [f"the task of {delivery.name}: see distill.yaml"],
        "technicalLimitations": ["evaluated on the data sets named here only; see Limits in MODEL_CARD.md"],
    }
    facts = {"distillc:format": model.info.format, "distillc:precision": model.info.precision, "distillc:parameters": model.info.parameters}
    return {
        "type": "machine-learning-model",
        "bom-ref": f"export:{name}",
        "name": f"{delivery.name}-{name}",
        "description": f"{model.info.format} export {name}",
        **_licensed(license or model.info.license),
        "modelCard": card,
        "pedigree": {
            "ancestors": [_reference(entry) for entry in delivery.lineage],
            "notes": "distilled, then exported, as distill.yaml says",
        },
        "components": [
            {"type": "file", "bom-ref": f"file:{file}", "name": file, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for file, digest in sorted(digests.items())
            if file.startswith(prefix)
        ],
        "properties": [{"name": key, "value": str(value)} for key, value in facts.items() if value is not None],
    }


def _performance(name: str, report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    row = next((row for row in report["rows"] if row["name"] == name), None)
    if row is None:
        return
    scores = {str(report["run"].get("data") or "test"): row["metrics"], **row.get("slices", {})}
    for data, metrics in scores.items():
        for metric, measured in metrics.items():
            if measured.get("value") is None:
                continue
            entry: dict[str, Any] = {"type": metric, "value": figures.score(measured["value"]), "slice": f"{data}, n={measured.get('n')}"}
            if measured.get("low") is not None and measured.get("high") is not None:
                entry["confidenceInterval"] = {"lowerBound": figures.score(measured["low"]), "upperBound": figures.score(measured["high"])}
            yield entry


def _ancestor(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts = {f"distillc:{key}": entry.get(key) for key in ("family", "uses", "path", "through")}
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{entry['name']}",
        "name": str(entry["name"]),
        **_licensed(entry.get("license")),
        "properties": [{"name": key, "value": str(value)} for key, value in facts.items() if value],
    }


def _reference(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "machine-learning-model", "name": str(entry["name"]), **_licensed(entry.get("license"))}


def _data(source: Mapping[str, Any]) -> dict[str, Any]:
    revisions = [{"name": f"revision:{name}", "value": str(revision)} for name, revision in sorted((source.get("revisions") or {}).items())]
    return {
        "type": "data",
        "bom-ref": f"data:{source['name']}",
        "name": str(source["name"]),
        "data": [{"type": "dataset", "name": str(source["name"]), "contents": {"properties": revisions}}],
    }


def _licensed(license: str | None) -> dict[str, Any]:
    """An SPDX id where the license has one, its name where not; nothing where nothing is known."""
    if not license:
        return {}
    terms = licenses.terms(license)
    if terms and terms.spdx:
        return {"licenses": [{"license": {"id": terms.id}}]}
    return {"licenses": [{"license": {"name": terms.title if terms else license}}]}
