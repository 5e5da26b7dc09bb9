"""Asks a teacher what it knows about target tokens: one forward pass over prompt and answer for each row, kept as signals.

A teacher that only tells log-probabilities of what it writes is not asked: what it told with its answers is gathered (config `gathers`).

Which plugin trains on them and at which temperature is not known here; the grid, the mass and the limit come with the stage.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distillc.compiler.facts.locate import locate
from distillc.runtimes.given import given
from distillc.runtimes.stages.context import StageContext
from distillc.runtimes.stages.shards import cut
from distillc.runtimes.work import Shard
from distillc.spec.errors import StageFailed

SHARD_ROWS = 400  # a minute of a small teacher on two cores, which is what a kill costs


def shards(context: StageContext) -> tuple[Shard, ...]:
    rows = context.rows("rows")
    if not rows:
        raise StageFailed(
            "there are no rows to capture: the data set is empty", where=context.stage.id, help="check the step it comes from"
        )
    return cut(rows, SHARD_ROWS)


def run_shard(context: StageContext, shard: Shard, out: Path) -> dict[str, Any]:
    from distillc.runtimes.training.signals import SignalHeader
    from distillc.runtimes.training.teacher import asked, capture

    rows = context.once("rows", lambda: context.rows("rows"))
    part = rows[shard.start : shard.stop]

    def header(vocabulary: int, tokenizer: str, *, gathered: bool = False) -> SignalHeader:
        return SignalHeader(
            vocabulary=vocabulary,
            temperatures=tuple(float(t) for t in context.config["temperatures"]),
            mass=float(context.config["mass"]),
            top_k=int(context.config["top_k"]),
            tokenizer=tokenizer,
            model=context.artifact("model").digest,
            gathered=gathered,
        )

    if gathers := context.config.get("gathers"):
        from distillc.runtimes.training.gathered import gather

        pieces = context.once("pieces", lambda: _pieces(context, gathers["tokenizer"]))
        found = gather(part, context.model("model").info.name, pieces, header(pieces.size, gathers["revision"], gathered=True))
    else:
        teacher = context.once("teacher", lambda: _open(context))
        made_for = header(teacher.vocabulary, context.once("tokenizer", lambda: _tokenizer(context)))
        found = capture(teacher, [asked(row, context.task, teacher) for row in part], made_for)
    found.write(out / "signals.safetensors")
    context.emit("progress", done=shard.stop, total=len(rows), unit="rows")
    return {"rows": shard.stop - shard.start, "tokens": found.tokens}


def _open(context: StageContext) -> Any:
    return context.open(context.config["engine"], "model")


def _pieces(context: StageContext, tokenizer: str) -> Any:
    from distillc.runtimes.inference.token_bytes import token_bytes

    with given(context.stage.id):
        return token_bytes(locate(tokenizer, context.folder))


def _tokenizer(context: StageContext) -> str:
    """The digest of tokenizer.json, or of the model where its own file holds the tokenizer (GGUF)."""
    file = context.directory("model") / "tokenizer.json"
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" if file.is_file() else context.artifact("model").digest


def collect(context: StageContext, parts: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, Any]:
    """The files of all shards; `mass` is what the kept ids hold at each temperature, on average."""
    from distillc.runtimes.training.signals import Signals

    for number, (folder, _) in enumerate(parts):
        shutil.copyfile(folder / "signals.safetensors", context.out / f"signals-{number:05}.safetensors")
    signals = Signals(context.out)
    tokens = sum(int(counts["tokens"]) for _, counts in parts)
    size = sum(path.stat().st_size for path in context.out.glob("signals-*.safetensors"))
    mass = {str(temperature): round(signals.mass(temperature), 6) for temperature in signals.header.temperatures}
    return {"rows": len(signals), "tokens": tokens, "bytes_per_token": round(size / tokens, 1), "mass": mass}
