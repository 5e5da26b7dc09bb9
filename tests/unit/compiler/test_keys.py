"""A key changes with what changes the result, with nothing else, and takes along exactly what hangs on it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from distillc.compiler.front import compile_file
from distillc.compiler.keys import result_config, stage_key
from distillc.compiler.plan import Plan, to_json
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.spec.fields import Config, FilePath, ModelRef, RowsRef, SecretRef, runtime_only
from distillc.spec.marks import Marked, marked_fields

SPEC = Path(__file__).parent / "grammar.yaml"


@pytest.fixture(scope="module")
def base(shared: Any) -> Plan:
    return compile_file(SPEC, shared).plan


def downstream(plan: Plan, *roots: str) -> set[str]:
    """What hangs on these stages, themselves included: by walking the edges, without looking at a key."""
    found = set(roots)
    for stage in plan:
        if any(entry.stage in found for entry in stage.inputs.values()):
            found.add(stage.id)
    return found


ANSWERED = [
    f"test/{m}/{d}" for m in ("as_is", "rules", "smollm2", "teacher", "small", "gold", "refined", "q8", "int4") for d in ("seen", "unseen")
]


@pytest.mark.parametrize(
    ("override", "roots"),
    [
        ("data.prose.packages=[numpy, scipy]", ["prose/ingest"]),
        ("data.prose.split.test=299", ["prose"]),
        ("generate.pairs.limit=700", ["pairs"]),
        ("generate.learner.skip=801", ["learner"]),
        ("generate.unseen.steps.0.errors=common", ["unseen"]),
        ("curate.clean.steps.1.max_tokens=63", ["clean/length"]),
        ("models.small.layers=10", ["small"]),
        ("models.smollm2.family=other", ["smollm2"]),
        ("train.teacher.epochs=4", ["teacher"]),
        ("train.student.losses.soft.weight=0.6", ["student"]),
        ("train.student.losses.soft.temperature=4", ["student"]),  # on the grid: captured already
        ("train.student.early_stopping.patience=3", ["student"]),
        ("train.refined.learning_rate=0.001", ["refined"]),
        ("train.gold.steps=301", ["gold"]),
        ("quantize.q8.type=q4_0", ["q8"]),
        ("quantize.int4.precision=fp32", ["int4"]),
        ("evaluate.test.metrics.2.order=3", None),
        ("evaluate.test.measure.rounds=4", ["test/measure"]),
        ("evaluate.test.gates.better.level=warn", ["better"]),
        ("evaluate.test.gates.close.margin=0.04", ["close", "better"]),  # each gate counts the others in
        ("evaluate.test.judges.lints.dialect=british", ["test/lints"]),
    ],
)  # fmt: skip
def test_a_field_takes_along_what_hangs_on_it_and_nothing_else(shared: Any, base: Plan, override: str, roots: list[str] | None) -> None:
    text = SPEC.read_text().replace("gleu]", "{uses: gleu}]").replace("{lints: harper}", "{lints: {uses: harper}}")
    plan = compile_file(SPEC, shared, overrides=[_spelled(override, text)]).plan
    old = {stage.id: stage.key for stage in base}
    changed = {stage.id for stage in plan if stage.key != old.get(stage.id)}
    assert changed == downstream(base, *(["test"] if roots is None else roots))


def _spelled(override: str, text: str) -> str:
    """Where the spec has a bare plugin name, the whole value is set."""
    bare = {
        "evaluate.test.metrics.2.order=3": "evaluate.test.metrics.2={uses: gleu, order: 3}",
        "evaluate.test.judges.lints.dialect=british": "evaluate.test.judges.lints={uses: harper, dialect: british}",
    }
    return bare.get(override, override)


def test_decoding_changes_answers_and_what_is_trained_on_them_or_stopped_by_them_and_nothing_else(shared: Any, base: Plan) -> None:
    plan = compile_file(SPEC, shared, overrides=["decoding.max_tokens=32"]).plan
    old = {stage.id: stage.key for stage in base}
    kept = {stage.id for stage in plan if stage.key == old[stage.id]}
    overlaps = {f"{step}/overlap" for step in ("teacher", "refined", "gold")}  # `student` learns from answers
    trained = {"teacher", "small", "gold"}  # no answer is decoded while they are made
    assert kept == {"prose/ingest", "prose", "pairs", "learner", "unseen", "smollm2", "as_is", "rules"} | trained | overlaps


def test_a_seed_changes_all_that_draws(shared: Any, base: Plan) -> None:
    plan = compile_file(SPEC, shared, overrides=["seed=1"]).plan
    old = {stage.id: stage.key for stage in base}
    assert all(stage.key != old[stage.id] for stage in plan)


def test_a_comment_changes_nothing_but_the_bundle_that_holds_the_text(compiled: Any, base: Plan) -> None:
    plan = compiled("# a comment\n" + SPEC.read_text()).plan
    old = {stage.id: stage.key for stage in base}
    assert {stage.id for stage in plan if stage.key != old[stage.id]} == {"edge"}


class NoisyConfig(Config):
    level: float = 0.1
    workers: int = Field(1, json_schema_extra=runtime_only())


class HiddenConfig(Config):
    path: FilePath
    token: SecretRef = "${env:TOKEN}"

    def revisions(self, folder: Path) -> dict[str, str]:
        return {str(folder / self.path): "sha256:1"}


class MixtureConfig(Config):
    """Every way to write a reference."""

    one: ModelRef
    maybe: ModelRef | None = None
    many: list[RowsRef] = Field(default_factory=list)
    plain: int = 1


def made_up(kind: Kind, name: str, **more: Any) -> Manifest:
    return Manifest(kind=kind, name=name, summary="made up", config="nowhere:Config", impl="nowhere:Impl", **more)


NOISY = """
distill: 1
name: noisy
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: docstrings, packages: [numpy]}}
generate: {made: {from: prose, steps: [{uses: noisy}]}, next: {from: made, steps: [{uses: corrupt, errors: common}]}}
models: {secret: {uses: hidden, path: weights, token: "${env:TOKEN}"}}
"""


def keys(plan: Plan) -> dict[str, str]:
    return {stage.id: stage.key for stage in plan}


def noisy(plugins: Callable[..., Any], version: int = 1) -> Any:
    return plugins(
        (made_up(Kind.GENERATORS, "noisy", cache_version=version), NoisyConfig),
        (made_up(Kind.TEACHERS, "hidden", capabilities={"format": "hf"}), HiddenConfig),
    )


def test_runtime_knobs_secrets_and_places_enter_no_key(compiled: Any, plugins: Any, tmp_path: Path) -> None:
    first = compiled(NOISY, noisy(plugins)).plan
    workers = compiled(NOISY.replace("{uses: noisy}", "{uses: noisy, workers: 8}"), noisy(plugins)).plan
    assert workers.stage("made").config["workers"] == 8
    assert keys(workers) == keys(first)
    secret = compiled(NOISY.replace("env:TOKEN", "env:OTHER"), noisy(plugins)).plan
    assert keys(secret) == keys(first)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    moved = compiled(NOISY, noisy(plugins), folder=elsewhere).plan
    assert keys(moved) == keys(first)
    assert to_json(moved) == to_json(first)


def test_a_field_that_is_no_knob_changes_the_key(compiled: Any, plugins: Any) -> None:
    first = compiled(NOISY, noisy(plugins)).plan
    louder = compiled(NOISY.replace("{uses: noisy}", "{uses: noisy, level: 0.2}"), noisy(plugins)).plan
    assert {id for id, key in keys(louder).items() if key != keys(first)[id]} == {"made", "next"}


def test_a_new_cache_version_changes_the_plugins_stages_and_what_hangs_on_them(compiled: Any, plugins: Any) -> None:
    first = compiled(NOISY, noisy(plugins)).plan
    moved = compiled(NOISY, noisy(plugins, version=2)).plan
    assert {id for id, key in keys(moved).items() if key != keys(first)[id]} == {"made", "next"}


def test_a_stage_kind_whose_own_code_moved_is_done_again(shared: Any, base: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distillc.compiler.keys.STAGE_VERSIONS", {"capture": 2})
    plan = compile_file(SPEC, shared).plan
    changed = {id for id, key in keys(plan).items() if key != keys(base)[id]}
    assert changed == downstream(base, "student/capture")
    assert plan.stage("student/capture").config["versions"]["stages.capture"] == 2


def test_the_version_of_a_nested_plugin_counts_where_it_is_nested(shared: Any, plugins: Any, base: Plan, builtin: Any) -> None:
    entry = next(e for e in builtin if (e.manifest.kind, e.manifest.name) == ("engines", "llama_cpp"))
    moved = plugins((entry.manifest._replace(cache_version=99), shared.config_class("engines", "llama_cpp")))
    plan = compile_file(SPEC, moved).plan
    changed = {id for id, key in keys(plan).items() if key != keys(base)[id]}
    assert changed == downstream(base, "q8/parity")  # parity is the first that runs q8, and its answers wait for it


def test_a_file_that_changes_changes_the_key(compiled: Any, tmp_path: Path) -> None:
    text = NOISY.split("generate:")[0].replace("{uses: docstrings, packages: [numpy]}", "{uses: jsonl, path: rows.jsonl}")
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    first = compiled(text).plan
    shutil.copy(tmp_path / "rows.jsonl", tmp_path / "kept.jsonl")
    (tmp_path / "rows.jsonl").write_text('{"text": "b"}\n')
    assert keys(compiled(text).plan) != keys(first)
    shutil.copy(tmp_path / "kept.jsonl", tmp_path / "rows.jsonl")
    assert keys(compiled(text).plan) == keys(first)


def test_every_way_to_write_a_reference_is_seen() -> None:
    assert marked_fields(MixtureConfig.model_json_schema()) == (
        Marked("one", "model", False),
        Marked("maybe", "model", False),
        Marked("many", "rows", True),
    )


def test_hidden_fields_leave_nested_plugins_too() -> None:
    def marks(kind: str, name: str) -> tuple[Marked, ...]:
        return (Marked("workers", "runtime", False),) if (kind, name) == ("engines", "e") else ()

    config = {"engine": {"uses": "e", "workers": 1, "batch": 2}, "engines": {"a": {"uses": "e", "workers": 3}}, "workers": 4}
    assert result_config("measure", None, config, marks) == {
        "engine": {"uses": "e", "batch": 2},
        "engines": {"a": {"uses": "e"}},
        "workers": 4,
    }


def test_a_field_that_is_new_and_unused_changes_no_key() -> None:
    before = {"batch": 2, "engine": {"uses": "e", "batch": 2}}
    after = {"batch": 2, "keep": None, "engine": {"uses": "e", "batch": 2, "seats": None}}
    assert result_config("generate", None, after, lambda kind, name: ()) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda v: st.dictionaries(st.text(max_size=5), v, max_size=4)
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=5), st.randoms())
def test_the_order_of_fields_and_ports_is_nothing_to_a_key(config: dict[str, Any], random: Any) -> None:
    shuffled = list(config.items())
    random.shuffle(shuffled)
    inputs = {"a": ("1", None), "b": ("2", "test")}
    assert stage_key("train", "x", config, inputs) == stage_key("train", "x", dict(shuffled), dict(reversed(inputs.items())))


def test_a_key_tells_kind_plugin_config_port_input_and_split_apart() -> None:
    variants = [
        stage_key("a", "x", {}, {"p": ("1", None)}),
        stage_key("b", "x", {}, {"p": ("1", None)}),
        stage_key("a", "y", {}, {"p": ("1", None)}),
        stage_key("a", None, {}, {"p": ("1", None)}),
        stage_key("a", "x", {"f": 1}, {"p": ("1", None)}),
        stage_key("a", "x", {}, {"q": ("1", None)}),
        stage_key("a", "x", {}, {"p": ("2", None)}),
        stage_key("a", "x", {}, {"p": ("1", "test")}),
    ]
    assert len(set(variants)) == len(variants)
