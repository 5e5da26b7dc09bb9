"""Writes a bundle: the exports, what is known of them, and how to use them. The same delivery gives the same bytes.

models/NAME/…   MODEL_CARD.md   LICENSES/ NOTICE   evaluation.json report.html   distill.yaml distill.lock
golden.jsonl    serve/…         bom.cdx.json       SHA256SUMS (last)
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distillc.plugins.api.targets import Delivery
from distillc.plugins.targets.bundle import bom, card, notices, serving
from distillc.plugins.targets.configs import BundleConfig
from distillc.runtimes import bundle
from distillc.spec.errors import StageFailed


class BundleTarget:
    def __init__(self, config: BundleConfig) -> None:
        self.config = config

    def deliver(self, delivery: Delivery, out: Path) -> Mapping[str, Any]:
        """Writes the bundle into `out`; returns {"files", "bytes", "digest"}, `digest` being that of SHA256SUMS.

        Raises StageFailed for names that no bundle may hold, and for exports without a file.
        """
        if not delivery.exports:
            raise StageFailed("there is nothing to bundle", help="name at least one export in `from:`")
        for name in delivery.exports:
            _copy_export(name, delivery, out)
        license = self.config.license or next((m.info.license for m in delivery.exports.values() if m.info.license), None)
        write(out / "evaluation.json", json.dumps(delivery.evaluation, indent=1, ensure_ascii=False, allow_nan=False))
        shutil.copyfile(delivery.report, out / "report.html")
        write(out / "distill.yaml", delivery.spec_text)
        write(out / "distill.lock", delivery.lock)
        for name, text in notices.license_files(delivery).items():
            write(out / "LICENSES" / name, text)
        write(out / "NOTICE", notices.notice(delivery, license))
        write(out / "MODEL_CARD.md", card.model_card(delivery, license, self.config.limits))
        if self.config.golden and delivery.prompts:
            lines = (json.dumps(dict(prompt), sort_keys=True, ensure_ascii=False, allow_nan=False) for prompt in delivery.prompts)
            write(out / "golden.jsonl", "".join(line + "\n" for line in lines))
        if self.config.serve:
            for name, text in serving.files(delivery, self.config.context, license).items():
                write(out / "serve" / name, text)
        # The bill of materials lists digests of what was written before it.
        digests = {name: bundle.digest(path) for name, path in bundle.files(out) if name.startswith("models/")}
        write(out / "bom.cdx.json", _json(bom.bill(delivery, license, digests)))
        sealed = bundle.write_sums(out)
        sizes = [path.stat().st_size for _, path in bundle.files(out)]
        return {"files": len(sizes), "bytes": sum(sizes), "digest": sealed}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if text.endswith("\n") or not text else text + "\n", encoding="utf-8", newline="\n")


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _copy_export(name: str, delivery: Delivery, out: Path) -> None:
    if problem := bundle.unsafe(name) or ("has a slash" if "/" in name else None):
        raise StageFailed(f"the name of an export {problem}: {name!r}", help="rename the quantize step")
    model = delivery.exports[name]
    found = list(bundle.files(model.folder))
    if not found:
        raise StageFailed(f"export '{name}' has no files", help="bundle exports that have weights")
    for relative, path in found:
        if problem := bundle.unsafe(relative):
            raise StageFailed(f"a file of export '{name}' {problem}: {relative!r}", help="rename it where it is made")
        if path.is_symlink() or not path.is_file():
            raise StageFailed(f"{relative} of export '{name}' is no plain file", help="a bundle holds no links, sockets or devices")
        place = out / "models" / name / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
