"""The language as pydantic models: its one truth. The JSON Schema, the linter and the compiler all follow from here.

A step with `uses` declares only the keys that its section owns; the rest is the plugin's (`fields`), typed by the plugin's own
config class. The marker `x-distillc-uses` on a class says which plugin kinds `uses` may name there; `spec/schema.py` joins the two.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from distillc.spec.fields import GateRef, ModelRef, RowsRef
from distillc.spec.values import NAME_PATTERN

LANGUAGE_VERSION = 1

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Size = Annotated[
    int | Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?\s?(B|kB|KB|MB|GB|KiB|MiB|GiB)$")],
    Field(description="bytes, or a size such as 60MB", examples=["60MB"]),
]
Duration = Annotated[
    str, Field(pattern=r"^([0-9]+(\.[0-9]+)?(d|h|m|s))+$", description="a duration such as 4h or 1h30m", examples=["4h", "1h30m"])
]
MetricName = Annotated[
    str,
    Field(
        json_schema_extra={"x-distillc": "metric"},
        description="a metric's value: PLUGIN, PLUGIN_VALUE, or a judge's name",
        examples=["exact_match", "errant_f0.5"],
    ),
]


def _meanings(*words: str) -> JsonDict:
    """What each value of a `Literal` means, in its order, for editors."""
    return {"enumDescriptions": list(words)}


class Part(BaseModel):
    """A mapping of the language: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Uses(BaseModel):
    """A step that names its plugin. A bare string stands for `{uses: string}`; `fields` are the plugin's own keys."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)
    uses: str = Field(description="the plugin")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"uses": value} if isinstance(value, str) else value

    @property
    def fields(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


def _kinds(*kinds: str) -> ConfigDict:
    return ConfigDict(extra="allow", frozen=True, populate_by_name=True, json_schema_extra={"x-distillc-uses": list(kinds)})


class GenerateTask(Part):
    """The model writes text."""

    kind: Literal["generate"] = Field(description="the model writes text")
    input: Name = Field(description="the prompt's name for what goes in", examples=["text"])
    target: Name = Field(description="the name of what should come out", examples=["fixed"])
    prompt: str = Field(
        min_length=1,
        description="a Jinja template over the input's name; the answer follows it",
        examples=["Correct: {{ text }}\nFixed:"],
    )


class RankTask(Part):
    """The model orders documents for a query."""

    kind: Literal["rank"] = Field(description="the model orders documents for a query")
    query: Name = Field(description="field of the query", examples=["query"])
    document: Name = Field(description="field of the document", examples=["document"])
    corpus: RowsRef | None = Field(None, description="where documents come from")


class ClassifyTask(Part):
    """The model picks a label."""

    kind: Literal["classify"] = Field(description="the model picks a label")
    input: Name = Field(description="field of the text", examples=["text"])
    target: Name = Field("label", description="field of the label")
    labels: list[str] = Field(min_length=2, description="every label", examples=[["positive", "negative"]])
    prompt: str | None = Field(None, min_length=1, description="a Jinja template, when the model is asked in words")


class EmbedTask(Part):
    """The model turns text into a vector."""

    kind: Literal["embed"] = Field(description="the model turns text into a vector")
    input: Name = Field(description="field of the text", examples=["text"])


Task = Annotated[GenerateTask | RankTask | ClassifyTask | EmbedTask, Field(discriminator="kind", description="what the model is for")]


class Decoding(Part):
    """How answers are decoded."""

    max_tokens: int = Field(64, ge=1, le=131_072, description="an answer is cut after so many tokens")
    temperature: float = Field(0.0, ge=0, le=5, description="0 is greedy")
    stop: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list, max_length=16, description="an answer ends before any of these", examples=[["###"]]
    )


class Split(Part):
    """Rows for training, validation and test; the first is what the others leave."""

    by: Literal["row", "module", "document", "group"] = Field(
        "row",
        description="`row`, or what must stay on one side; what a row's module, document or group is, its source says",
        json_schema_extra=_meanings(
            "rows are dealt one by one",
            "the rows of one module stay together",
            "the rows of one document stay together",
            "the rows of one group stay together",
        ),
    )
    validation: int = Field(0, ge=0, description="rows for validation")
    test: int = Field(0, ge=0, description="rows for test")


class SourceStep(Uses):
    """Rows from the world."""

    model_config = _kinds("sources")
    split: Split | None = Field(None, description="how rows are split; without it all rows are training rows")


class GeneratorStep(Uses):
    """One way to make rows from rows."""

    model_config = _kinds("generators")
    decoding: Decoding | None = Field(None, description="overrides the spec's decoding for this step")


class GenerateStep(Part):
    """Rows made from rows."""

    from_: RowsRef = Field(alias="from", description="the rows to start from")
    limit: int | None = Field(None, ge=1, description="at most so many training rows enter")
    skip: int = Field(0, ge=0, description="so many training rows are passed over first")
    steps: list[GeneratorStep] = Field(min_length=1, description="generators, one after the other")


class CuratorStep(Uses):
    """One reason to drop rows."""

    model_config = _kinds("curators")


class CurateStep(Part):
    """Rows that are worth learning from."""

    from_: RowsRef = Field(alias="from", description="the rows to choose from")
    steps: list[CuratorStep] = Field(min_length=1, description="curators, one after the other")


class CaptureStep(Part):
    """What a teacher knows about rows, recorded once. Derived where a loss needs it; written out only to change how."""

    data: RowsRef = Field(description="the rows")
    teacher: ModelRef = Field(description="the model that is asked")
    top_k: int = Field(64, ge=1, le=4096, description="at most so many ids are kept for a token")
    mass: float = Field(0.99, gt=0, le=1, description="ids are kept until their probability reaches this")
    temperatures: list[Annotated[float, Field(gt=0)]] = Field(
        [1.0, 1.5, 2.0, 4.0], min_length=1, description="temperatures that a loss may ask"
    )


class EngineStep(Uses):
    """What runs a model."""

    model_config = _kinds("engines")


class ModelStep(Uses):
    """A model: what it is and where it comes from."""

    model_config = _kinds("teachers", "students")
    from_: ModelRef | None = Field(None, alias="from", description="the model that a student is cut from")
    family: str | None = Field(
        None, min_length=1, description="the family it belongs to; judges of the same family are refused", examples=["llama", "smollm2"]
    )
    license: str | None = Field(None, min_length=1, description="SPDX identifier of the weights' license", examples=["Apache-2.0", "MIT"])
    engine: EngineStep | None = Field(None, description="what runs it; without it the compiler picks one that reads its format")


class LossStep(Uses):
    """One term of the objective."""

    model_config = _kinds("losses")
    weight: float = Field(1.0, ge=0, description="the term's factor in the sum")
    teacher: ModelRef | None = Field(None, description="the model that a soft loss learns from")


class TrainerStep(Uses):
    """What changes the weights: this machine, or somebody's platform."""

    model_config = _kinds("trainers")


class QuantizerStep(Uses):
    """A quantizer."""

    model_config = _kinds("quantizers")


class EarlyStopping(Part):
    """Stops after `patience` evaluations without a better value, and keeps the best weights."""

    metric: MetricName = Field("loss", description="`loss` (of validation), or a metric's value")
    patience: int = Field(3, ge=1, description="evaluations without a better value")


class Lora(Part):
    """Trains low-rank adapters instead of all weights."""

    r: int = Field(16, ge=1, le=1024, description="rank")
    alpha: float = Field(32.0, gt=0, description="scale")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the adapters' input")


class OnPolicy(Part):
    """Trains on what the student itself writes."""

    ratio: float = Field(0.5, ge=0, le=1, description="share of batches that the student writes")


class TrainStep(Part):
    """A model trained on rows; its name is a model."""

    model: ModelRef = Field(description="the model to start from")
    data: RowsRef = Field(description="the rows; a bare name means their training split")
    validation: RowsRef | None = Field(None, description="rows that early stopping looks at")
    losses: dict[Name, LossStep] = Field(min_length=1, description="the objective: a weighted sum of named terms")
    trainer: TrainerStep = Field(TrainerStep(uses="local"), description="where it is trained")
    engine: EngineStep | None = Field(
        None, description="what runs the trained model; without it the compiler picks one that reads its format"
    )
    epochs: float = Field(3.0, gt=0, description="passes over the rows; `steps` wins")
    steps: int | None = Field(None, ge=1, description="optimizer steps")
    batch: int = Field(16, ge=1, description="sequences in a step")
    learning_rate: float = Field(5e-4, gt=0, description="peak learning rate")
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(0.01, ge=0, description="AdamW's decay")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    evaluate_every: int | None = Field(None, ge=1, description="steps between evaluations; without it once an epoch")
    early_stopping: EarlyStopping | None = Field(None, description="when to stop before the end")
    lora: Lora | None = Field(None, description="train adapters")
    on_policy: OnPolicy | None = Field(None, description="train on the student's own answers")
    fake_quantize: QuantizerStep | None = Field(None, description="train as if already quantized")


class QuantizeStep(Uses):
    """A model made small; its name is a model."""

    model_config = _kinds("quantizers")
    from_: ModelRef = Field(alias="from", description="the model to quantize")
    engine: EngineStep | None = Field(None, description="what runs the export; without it the compiler picks one that reads its format")


class Within(Part):
    """Limits that the chosen model must keep."""

    bytes: Size | None = Field(None, description="size on disk")
    latency_ms: float | None = Field(None, gt=0, description="median latency")


class ChooseStep(Part):
    """The best of several models; its name is a model."""

    among: list[ModelRef] = Field(min_length=2, description="the candidates")
    by: MetricName = Field(description="the metric that decides")
    data: RowsRef = Field(description="rows to decide on; never a test split")
    within: Within | None = Field(None, description="limits")


class MetricStep(Uses):
    """A metric over outputs."""

    model_config = _kinds("metrics")


class JudgeStep(Uses):
    """A judge of outputs."""

    model_config = _kinds("judges")


class Gate(Part):
    """A claim that the evaluation must support: superiority, or with `margin` non-inferiority."""

    model: ModelRef = Field(description="the model that must be good")
    metric: MetricName = Field(description="the value compared")
    against: ModelRef = Field(description="the model it is compared with")
    margin: float | None = Field(None, ge=0, description="how much worse it may be, in units of the metric; without it, it must be better")
    level: Literal["error", "warn"] = Field(
        "error",
        description="`warn` reports and changes no exit code",
        json_schema_extra=_meanings("a run whose gate fails or cannot decide does not pass", "the verdict is reported, and all goes on"),
    )


class Measure(Part):
    """How size and speed are measured."""

    prompts: int = Field(16, ge=1, description="prompts in a round")
    tokens: int = Field(32, ge=1, description="tokens generated for each")
    rounds: int = Field(3, ge=1, description="rounds; models take turns")


class EvaluateStep(Part):
    """The proof: models on test data, with metrics, judges and gates."""

    data: Annotated[dict[Name, RowsRef], Field(min_length=1)] | RowsRef = Field(
        description="named test sets, the first leads; a bare name means its test split"
    )
    models: list[ModelRef] = Field(min_length=1, description="what is compared")
    limit: int | None = Field(None, ge=1, description="at most so many rows of each set, drawn once for all models")
    metrics: list[MetricStep] = Field(default_factory=list, description="what is computed from the answers")
    judges: dict[Name, JudgeStep] = Field(default_factory=dict, description="judges; a judge's value is its name here")
    gates: dict[Name, Gate] = Field(default_factory=dict, description="claims; a gate's name is unique in the file")
    decoding: Decoding | None = Field(None, description="overrides the spec's decoding for the answers under test")
    measure: Measure = Field(default_factory=lambda: Measure.model_validate({}), description="how size and speed are measured")

    @property
    def data_sets(self) -> dict[str, str]:
        """Reference by local name; a single reference is called by its step's name."""
        return {self.data.partition(".")[0]: self.data} if isinstance(self.data, str) else dict(self.data)


class DeployStep(Uses):
    """What is proven, taken to where it is used."""

    model_config = _kinds("targets")
    from_: ModelRef | list[ModelRef] = Field(alias="from", description="the models to deliver")
    needs: GateRef | list[GateRef] | None = Field(None, description="gates that must pass first")

    @property
    def models(self) -> list[str]:
        return [self.from_] if isinstance(self.from_, str) else list(self.from_)

    @property
    def gates(self) -> list[str]:
        return [self.needs] if isinstance(self.needs, str) else list(self.needs or [])


class ExecutorStep(Uses):
    """Where the plan runs."""

    model_config = _kinds("executors")


class TrackerStep(Uses):
    """Where progress is reported."""

    model_config = _kinds("trackers")


class MatrixSelect(Part):
    """Which cell goes on."""

    among: ModelRef = Field(description="the model of each cell that is compared")
    by: MetricName = Field(description="the metric that decides")
    data: RowsRef = Field(description="rows to decide on; never a test split")


class Matrix(Part):
    """The same spec for several values. A cell is the spec with one value for each path; steps that come out equal exist once."""

    vary: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        min_length=1,
        description="paths, and the values that each takes: every combination is a cell; what a profile or --set sets wins over it",
    )
    exclude: list[Annotated[dict[str, Any], Field(min_length=1)]] = Field(
        default_factory=list, description="values of varied paths: every combination that has all values of an entry is left out"
    )
    include: list[Annotated[dict[str, Any], Field(min_length=1)]] = Field(
        default_factory=list,
        description="values for paths, read after `exclude`: an entry adds them to every combination that it contradicts in no varied "
        "path, and is a cell of its own where there is none; a path that a cell does not set keeps the spec's value",
    )
    select: MatrixSelect | None = Field(None, description="which cell goes on")


class Budget(Part):
    """What a run may spend. It stops before it would spend more, and goes on from there once the limit is raised.

    What its steps have cost in earlier runs counts. Time is from the start of each run, and a training that has begun goes on to its end.
    """

    usd: float | None = Field(None, ge=0, description="money for APIs, in US dollars")
    wall: Duration | None = Field(None, description="a duration such as 4h or 1h30m")
    tokens: int | None = Field(None, ge=0, description="tokens to and from APIs, and those that models are trained on there")
    calls: int | None = Field(None, ge=0, description="requests to APIs")


class Privacy(Part):
    """What APIs may do with rows."""

    retention: Literal["none", "any"] = Field(
        "any",
        description="`none` tells APIs to store nothing of what they are sent",
        json_schema_extra=_meanings("each request says `store: false`", "what an API stores is left to it"),
    )
    region: str | None = Field(None, min_length=1, description="where rows may go", examples=["eu"])


class Lint(Part):
    """What `lint` says of this spec."""

    select: list[str] | None = Field(
        None, description="findings to show: codes (D401), their beginnings (D4) or names (early-stopping)", examples=[["D4", "D6"]]
    )
    ignore: list[str] = Field(
        default_factory=list, description="findings not to show, written as in `select`; the longer of two wins", examples=[["D401"]]
    )
    levels: dict[str, Literal["error", "warning", "info", "off"]] = Field(
        default_factory=dict, description="levels of findings, by code or name", examples=[{"early-stopping": "warning"}]
    )


class Spec(Part):
    """A distillation, from data to a student that is proven ready."""

    distill: Literal[1] = Field(description="version of the language", json_schema_extra={"x-distillc": "version"})
    name: Name = Field(description="the name of what is made", examples=["grammar"])
    seed: int = Field(0, ge=0, le=2**31 - 1, description="all randomness starts here")
    extends: str | list[str] | None = Field(
        None, description="specs beside this one to start from; later ones and this file win", examples=["base.yaml"]
    )
    plugins: list[str] = Field(
        default_factory=list, description="plugins in files beside the spec; needs --allow-local-plugins", examples=[["./my_loss.py"]]
    )
    task: Task
    decoding: Decoding = Field(default_factory=lambda: Decoding.model_validate({}), description="how answers are decoded")
    data: dict[Name, SourceStep] = Field(default_factory=dict, description="rows from the world")
    generate: dict[Name, GenerateStep] = Field(default_factory=dict, description="rows made from rows")
    curate: dict[Name, CurateStep] = Field(default_factory=dict, description="rows worth learning from")
    capture: dict[Name, CaptureStep] = Field(default_factory=dict, description="what teachers know; derived where it is not written")
    models: dict[Name, ModelStep] = Field(default_factory=dict, description="every model once; rules without weights are models too")
    train: dict[Name, TrainStep] = Field(default_factory=dict, description="models trained here")
    quantize: dict[Name, QuantizeStep] = Field(default_factory=dict, description="models made small")
    choose: dict[Name, ChooseStep] = Field(default_factory=dict, description="the best of several models")
    evaluate: dict[Name, EvaluateStep] = Field(default_factory=dict, description="the proof")
    deploy: dict[Name, DeployStep] = Field(default_factory=dict, description="where it is used")
    budget: Budget | None = Field(None, description="what a run may spend")
    privacy: Privacy | None = Field(None, description="what APIs may do with rows")
    runtime: ExecutorStep = Field(default_factory=lambda: ExecutorStep(uses="local"), description="where the plan runs")
    trackers: list[TrackerStep] = Field(default_factory=list, description="where progress is reported")
    profiles: dict[Name, dict[str, Any]] = Field(default_factory=dict, max_length=64, description="named sets of values, by path")
    matrix: Matrix | None = Field(None, description="the same spec for several values")
    lint: Lint = Field(default_factory=lambda: Lint.model_validate({}), description="what `lint` says of this spec")

    STEP_SECTIONS: ClassVar[tuple[str, ...]] = (
        "data", "generate", "curate", "capture", "models", "train", "quantize", "choose", "evaluate", "deploy",
    )  # fmt: skip
