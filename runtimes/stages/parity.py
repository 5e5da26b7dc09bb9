"""Parity: token ids of real prompts and of nasty strings, by the model's tokenizer and by the export's engine: equal, or the run fails."""

from typing import Any

from tokenizers import Tokenizer

from distillc.runtimes.inference.prompts import render
from distillc.runtimes.proof.parity import NASTY, RARE, Mismatch, first_mismatch
from distillc.runtimes.stages.context import StageContext
from distillc.spec.errors import StageFailed

MOST = 1000  # rows looked at; tokenizing is cheap


def run(context: StageContext) -> dict[str, Any]:
    export, model = context.model("export"), context.model("model")
    texts = [str(row.payload["input"]) for row in context.rows("rows")][:MOST]
    prompts = [*(render(context.task, text) for text in (*texts, *NASTY)), *NASTY]
    tokenizer = Tokenizer.from_file(str(model.folder / "tokenizer.json"))

    def ids(prompt: str) -> list[int]:
        found: list[int] = tokenizer.encode(prompt).ids
        return found

    running = context.open(context.config["engine"], "export")
    try:
        equal, mismatch = first_mismatch(prompts, ids, running.token_ids)
        different = [text for text in RARE if first_mismatch([text], ids, running.token_ids)[1]]
    finally:
        running.close()
    if mismatch:
        raise StageFailed(
            f"{export.info.name!r} reads a prompt otherwise than {model.info.name!r}: {described(mismatch, tokenizer)}",
            where=context.stage.id,
            help="it would see other tokens than the model learned on: export to another format, or use a model with a known tokenizer",
        )
    context.emit("parity", export=export.info.name, prompts=equal, different=different)
    return {"prompts": equal, "identical": True, "rare": different}


def described(mismatch: Mismatch, tokenizer: Any) -> str:
    """The place in words: token 3 of "…" is 12 'a', the export has 7 'b'."""
    sides = ["nothing" if token is None else f"{token} {tokenizer.id_to_token(token)!r}" for token in (mismatch.model, mismatch.export)]
    shown = mismatch.prompt if len(mismatch.prompt) <= 120 else mismatch.prompt[:117] + "…"
    return f"token {mismatch.position} of {shown!r} is {sides[0]}, the export has {sides[1]}"
