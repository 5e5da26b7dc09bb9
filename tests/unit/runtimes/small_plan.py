"""A plan in small, plugins without weight and an executor in this process, for tests of whatever runs plans."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

from distillc.compiler.plan import Input, Plan, Stage
from distillc.plugins.api.artifacts import Completion, Decoding, Model, ModelInfo, Row
from distillc.plugins.api.engines import Meter
from distillc.plugins.api.generators import GenerateContext
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.plugins.api.models import BuildContext
from distillc.plugins.api.sources import SourceContext
from distillc.runtimes.stages.execute import execute
from distillc.runtimes.store.sealed import canonical, sha256
from distillc.runtimes.work import Allowance, Contract, Lease, LeaseRequest, Shard, StageWork, Where
from distillc.spec.fields import Config, ModelRef

TASK = {"kind": "generate", "input": "text", "target": "fixed", "prompt": "{{ text }} ->"}


class NumbersConfig(Config):
    count: int = 10
    pad: str = ""


class Numbers:
    """Rows 0 … count-1, in groups of three."""

    def __init__(self, config: NumbersConfig) -> None:
        self.config = config

    def read(self, context: SourceContext) -> Iterator[Row]:
        for i in range(self.config.count):
            yield Row(row_id=f"n{i}", payload={"input": str(i)}, source="numbers", group=f"g{i // 3}")


class PlusConfig(Config):
    add: int = 1
    drop: tuple[int, ...] = ()
    lose: tuple[int, ...] = ()


class Plus:
    """Adds a number; drops some rows with a reason, and loses some as no plugin may."""

    def __init__(self, config: PlusConfig) -> None:
        self.config = config

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]:
        for row in rows:
            number = int(row.payload["input"])
            if number in self.config.drop:
                context.drop(row, "unlucky")
            elif number not in self.config.lose:
                yield replace(row, row_id=f"p{row.row_id}", payload={"input": str(number + self.config.add)}, parents=(row.row_id,))


class AskConfig(Config):
    model: ModelRef


class Ask:
    def __init__(self, config: AskConfig) -> None:
        self.config = config

    def generate(self, rows: Sequence[Row], context: GenerateContext) -> Iterator[Row]:
        for row, completion in context.answer("model", rows):
            yield replace(row, row_id=f"a{row.row_id}", payload={**row.payload, "target": completion.text}, parents=(row.row_id,))


class EchoConfig(Config):
    batch: int = 2


class Echo:
    """An engine that answers with its prompt and the size of the batch, and remembers what it was asked."""

    asked: list[list[str]] = []  # noqa: RUF012 - one list for the whole test, on purpose
    break_after: int | None = None

    def __init__(self, config: EchoConfig) -> None:
        self.config = config

    def open(self, model: Model, *, seed: int) -> "Echo":
        return self

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        Echo.asked.append(list(prompts))
        for i, prompt in enumerate(prompts):
            if Echo.break_after is not None and sum(map(len, Echo.asked)) - len(prompts) + i >= Echo.break_after:
                raise KeyboardInterrupt
            yield i, Completion(text=f"{prompt} of {len(prompts)}", finish_reason="stop", prompt_tokens=1, completion_tokens=1)

    def close(self) -> None: ...


class PriceConfig(Config):
    input: float
    output: float


class PaidConfig(EchoConfig):
    price: PriceConfig | None = None
    api_key: str | None = None


class Paid:
    """An engine of an API: asks its meter before each call. A call takes 10 tokens in and 5 out, and none ends unknown."""

    calls: ClassVar[list[str]] = []

    def __init__(self, config: PaidConfig) -> None: ...

    def open(self, model: Model, *, seed: int, folder: Path = Path()) -> "Paid":
        return self

    def pay_by(self, meter: Meter) -> None:
        self.meter = meter

    def generate(self, prompts: Sequence[str], inputs: Sequence[str], decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        for i, prompt in enumerate(prompts):
            reservation = self.meter.reserve(10, decoding.max_tokens)
            Paid.calls.append(prompt)
            self.meter.settle(reservation, 10, 5)
            yield i, Completion(text=f"{prompt} paid", finish_reason="stop", prompt_tokens=10, completion_tokens=5)

    def close(self) -> None: ...


class NoConfig(Config):
    pass


class Endpoint:
    """A teacher without weights: somebody else runs it."""

    format = "api"

    def __init__(self, config: NoConfig) -> None: ...

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        return ModelInfo(format=self.format, name=context.name)


class OddOnly:
    def __init__(self, config: NoConfig) -> None: ...

    def judge(self, rows: Sequence[Row], context: Any) -> Iterator[str | None]:
        for row in rows:
            yield None if int(row.payload["input"]) % 2 else "even"


class FakePlugins:
    """The registry's face over the classes above. `versions` may be changed by a test."""

    table: Mapping[tuple[str, str], tuple[type[Config], type]] = {
        ("sources", "numbers"): (NumbersConfig, Numbers),
        ("generators", "plus"): (PlusConfig, Plus),
        ("generators", "ask"): (AskConfig, Ask),
        ("engines", "echo"): (EchoConfig, Echo),
        ("engines", "paid"): (PaidConfig, Paid),
        ("teachers", "endpoint"): (NoConfig, Endpoint),
        ("curators", "odd"): (NoConfig, OddOnly),
    }

    def names(self, kind: str) -> list[str]:
        return [name for k, name in self.table if k == kind]

    def config_schema(self, kind: str, name: str) -> Mapping[str, Any]:
        return self.table[kind, name][0].model_json_schema()

    def config_class(self, kind: str, name: str) -> Any:
        return self.table[kind, name][0]

    def implementation(self, kind: str, name: str) -> Any:
        return self.table[kind, name][1]

    def manifest(self, kind: str, name: str) -> Manifest:
        return Manifest(kind=Kind(kind), name=name, summary="", config="", impl="")


class InProcess:
    """Runs work here and now; `ran` lists (stage, part) in order."""

    contracts = frozenset({Contract.MAP, Contract.REDUCE, Contract.SESSION})

    def __init__(self, plugins: FakePlugins) -> None:
        self.plugins = plugins
        self.ran: list[tuple[str, str | None]] = []

    async def run_map(self, work: StageWork, shards: tuple[Shard, ...], allowance: Allowance) -> AsyncIterator[Shard]:
        self.ran.append((work.stage["id"], "map"))
        sealed: list[int] = []
        request = {"work": asdict(work), "shards": [asdict(shard) for shard in shards], "allowance": allowance.plain()}
        execute(request, lambda message: sealed.append(message["shard"]), plugins=self.plugins)
        for number in sealed:
            yield shards[number]

    async def run_reduce(self, work: StageWork) -> None:
        self.ran.append((work.stage["id"], work.part))
        execute({"work": asdict(work)}, lambda message: None, plugins=self.plugins)

    async def run_session(self, work: StageWork) -> None:
        await self.run_reduce(work)

    async def run_job(self, work: StageWork, allowance: Allowance) -> None:
        self.ran.append((work.stage["id"], "job"))
        execute({"work": asdict(work), "allowance": allowance.plain()}, lambda message: None, plugins=self.plugins)

    def lease(self, request: LeaseRequest, where: Where) -> AbstractAsyncContextManager[Lease]:
        raise NotImplementedError

    async def close(self) -> None: ...

    def stages(self) -> list[str]:
        return list(dict.fromkeys(stage for stage, _ in self.ran))


def make_stage(id: str, kind: str, uses: str | None, config: Mapping[str, Any], inputs: Mapping[str, tuple[Stage, str | None]]) -> Stage:
    """With a key made as the compiler makes it: of what the stage is and of its inputs' keys."""
    key = sha256(canonical([kind, uses, config, {port: (s.key, split) for port, (s, split) in inputs.items()}]))
    return Stage(id, kind, uses, config, {port: Input(s.id, split) for port, (s, split) in inputs.items()}, key)


def make_plan(*stages: Stage, name: str = "test") -> Plan:
    origins = {stage.id: stage.id.split("/")[0] for stage in stages}
    return Plan(name=name, spec="distill.yaml", spec_text="", stages=stages, origins=origins, lock={})


def numbers_plan(*, count: int = 10, pad: str = "", add: int = 1, drop: tuple[int, ...] = (), lose: tuple[int, ...] = ()) -> Plan:
    """prose/ingest -> prose (2 validation, 3 test) -> plus -> odd."""
    ingest = make_stage("prose/ingest", "ingest", "numbers", {"count": count, "pad": pad, "task": TASK, "seed": 0}, {})
    split = make_stage("prose", "split", None, {"by": "row", "validation": 2, "test": 3, "seed": 0}, {"rows": (ingest, None)})
    config = {
        "add": add,
        "drop": list(drop),
        "lose": list(lose),
        "task": TASK,
        "decoding": {"max_tokens": 4},
        "seed": 0,
        "limit": 4,
        "skip": 0,
    }
    plus = make_stage("pairs", "generate", "plus", config, {"rows": (split, None)})
    odd = make_stage("odd", "curate", "odd", {"task": TASK, "seed": 0}, {"rows": (plus, None)})
    return make_plan(ingest, split, plus, odd)


def paid_plan(*, count: int = 10, input: float = 1.0, output: float = 2.0, max_tokens: int = 8, **budget: Any) -> Plan:
    """prose/ingest -> answers by the API model `big`, priced per million tokens. `budget` is the plan's."""
    ingest = make_stage("prose/ingest", "ingest", "numbers", {"count": count, "pad": "", "task": TASK, "seed": 0}, {})
    big = make_stage("big", "build-model", "endpoint", {"name": "big", "revisions": {}, "seed": 0}, {})
    engine = {"uses": "paid", "price": {"input": input, "output": output}, "api_key": "${env:BIG_KEY}"}
    config = {"model": "big", "engine": engine, "task": TASK, "seed": 0, "decoding": {"max_tokens": max_tokens}}
    answers = make_stage("answers", "generate", "ask", config, {"rows": (ingest, None), "model": (big, None)})
    return replace(make_plan(ingest, big, answers), budget=budget)
