"""Measure: bytes, parameters, latency and tokens a second of every model with weights, alone on the machine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from distillc.plugins.api.engines import Running
from distillc.runtimes.inference.prompts import render
from distillc.runtimes.proof.items import write_json
from distillc.runtimes.proof.speed import Timed, in_turns
from distillc.runtimes.stages.context import StageContext
from distillc.spec.errors import StageFailed

BESIDE = {"distill.json", "history.json"}  # files of ours that no one serves


def run(context: StageContext) -> dict[str, Any]:
    config = context.config
    models = {name: context.model(f"model.{name}") for name in config["models"]}
    texts = [str(row.payload["input"]) for row in context.rows("rows")]
    if not texts:
        raise StageFailed("there are no prompts to measure speed with", where=context.stage.id, help="give the evaluation's data rows")
    step = max(1, len(texts) // int(config["prompts"]))
    prompts = [render(context.task, text) for text in texts[::step][: int(config["prompts"])]]
    sizes = {name: size_of(model.folder) for name, model in models.items()}
    with ExitStack() as kept:
        keep = sum(sizes.values()) < available_memory() / 2
        opened = {name: opener(context, name, kept if keep else None) for name in models}
        speeds = in_turns(opened, prompts, int(config["tokens"]), int(config["rounds"]))
    measured = {
        name: {
            "bytes": sizes[name],
            "parameters": model.info.parameters,
            "tokens_per_second": round(speeds[name].tokens_per_second, 2),
            "latency_ms": {"p50": round(speeds[name].p50, 3), "p95": round(speeds[name].p95, 3)},
            "engine": config["engines"][name]["uses"],
            "n": len(speeds[name].latencies),
        }
        for name, model in models.items()
    }
    write_json(context.out / "measure.json", measured)
    return {"measured": measured, "prompts": len(prompts), "tokens": config["tokens"], "rounds": config["rounds"], "concurrency": 1}


def opener(context: StageContext, name: str, kept: ExitStack | None) -> Callable[[], AbstractContextManager[Timed]]:
    """Opens a model for a turn; with `kept` the first turn opens it for all."""
    engine = context.config["engines"][name]
    open_now: list[Running] = []

    @contextmanager
    def turn() -> Iterator[Timed]:
        if kept is None:
            with closing(context.open(engine, f"model.{name}")) as running:
                yield running
            return
        if not open_now:
            open_now.append(kept.enter_context(closing(context.open(engine, f"model.{name}"))))
            context.emit("opened", model=name)
        yield open_now[0]

    return turn


def size_of(folder: Path) -> int:
    """Bytes of what is served: weights, tokenizer, configuration."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name not in BESIDE)


def available_memory() -> int:
    """Bytes that can be had without swapping (Linux); elsewhere nothing is taken for granted."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable")), 0)
