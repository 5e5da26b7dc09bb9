"""`why` names the change that it began with, however far up it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from distillc.compiler.plan import Input, Plan, Stage
from distillc.compiler.why import Cause, Change, differences, reasons


@dataclass(frozen=True)
class Sealed:
    key: str
    stage: str
    kind: str
    uses: str | None
    config: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)


def stage(id: str, key: str, config: Mapping[str, Any] | None = None, kind: str = "curate", **inputs: str) -> Stage:
    return Stage(id, kind, "plugin", config or {}, {port: Input(name) for port, name in inputs.items()}, key)


def plan(*stages: Stage) -> Plan:
    return Plan("p", "distill.yaml", "", stages, {s.id: s.id for s in stages}, {})


def sealed(plan: Plan) -> list[Sealed]:
    keys = {s.id: s.key for s in plan}
    return [Sealed(s.key, s.id, s.kind, s.uses, s.config, {port: keys[e.stage] for port, e in s.inputs.items()}) for s in plan]


OLD = plan(
    stage("source", "s1", {"limit": 800}, kind="ingest"),
    stage("pairs", "p1", {"errors": "common"}, rows="source"),
    stage("teacher", "t1", {"epochs": 3, "versions": {"trainers.local": 1, "torch": "2.12"}}, kind="train", rows="pairs"),
    stage("student", "u1", {"losses": {"soft": {"temperature": 2}}}, kind="train", rows="pairs", model="teacher"),
)


def changed(**by_id: Mapping[str, Any]) -> Plan:
    """The plan with other configs: those stages and all that hang on them get new keys."""
    new: set[str] = set()
    stages = []
    for s in OLD:
        if s.id in by_id or any(e.stage in new for e in s.inputs.values()):
            new.add(s.id)
            s = replace(s, key=s.key + "'", config=by_id.get(s.id, s.config))
        stages.append(s)
    return replace(OLD, stages=tuple(stages))


def test_a_finished_plan_has_nothing_to_say() -> None:
    assert reasons(OLD, sealed(OLD)) == []


def test_without_a_store_all_is_new() -> None:
    found = reasons(OLD, [])
    assert [r.roots for r in found] == [(Change(s.id, Cause.NEW),) for s in OLD]


def test_one_field_is_named_by_everything_that_hangs_on_it() -> None:
    found = reasons(changed(source={"limit": 700}), sealed(OLD))
    root = Change("source", Cause.FIELD, "limit", 800, 700)
    assert [(r.stage, r.roots) for r in found] == [(s.id, (root,)) for s in OLD]
    assert dict(found[-1].through) == {"rows": "pairs", "model": "teacher"}
    assert str(root) == "source: limit 800 -> 700"


def test_a_nested_field_has_its_path() -> None:
    (found,) = reasons(changed(student={"losses": {"soft": {"temperature": 4}}}), sealed(OLD))
    assert found.roots == (Change("student", Cause.FIELD, "losses.soft.temperature", 2, 4),)


def test_a_version_that_moved_is_called_one() -> None:
    found = reasons(changed(teacher={"epochs": 3, "versions": {"trainers.local": 2, "torch": "2.13"}}), sealed(OLD))
    assert [r.stage for r in found] == ["teacher", "student"]
    versions = {(c.cause, c.field, c.old, c.new) for c in found[1].roots}
    assert versions == {(Cause.VERSION, "torch", "2.12", "2.13"), (Cause.VERSION, "trainers.local", 1, 2)}


def test_two_changes_are_both_named() -> None:
    found = reasons(changed(pairs={"errors": "rare"}, student={"losses": {}}), sealed(OLD))
    student = next(r for r in found if r.stage == "student")
    assert {(c.stage, c.field) for c in student.roots} == {("student", "losses.soft"), ("pairs", "errors")}


def test_the_nearest_record_is_compared() -> None:
    """Of two older runs of one stage, the one that differs in one field says more than the one that differs in three."""
    far = Sealed("t0", "teacher", "train", "plugin", {"epochs": 9, "batch": 1}, {"rows": "gone"})
    (teacher, _) = reasons(changed(teacher={"epochs": 4, "versions": {"trainers.local": 1, "torch": "2.12"}}), [far, *sealed(OLD)])
    assert teacher.roots == (Change("teacher", Cause.FIELD, "epochs", 3, 4),)


def test_a_renamed_stage_is_compared_with_what_it_was() -> None:
    renamed = plan(*(replace(s, id="base", key="s2", config={"limit": 10}) for s in OLD if s.id == "source"))
    (found,) = reasons(renamed, sealed(OLD))
    assert found.roots == (Change("base", Cause.FIELD, "limit", 800, 10),)


def test_another_input_is_named() -> None:
    rewired = replace(
        OLD, stages=(*OLD.stages[:3], replace(OLD.stages[3], key="u2", inputs={"rows": Input("source"), "model": Input("teacher")}))
    )
    (found,) = reasons(rewired, sealed(OLD))
    assert found.roots == (Change("student", Cause.INPUT, "rows", "pairs", "source"),)


def test_a_lost_input_is_said_to_be_lost() -> None:
    records = [record for record in sealed(OLD) if record.stage == "student"]
    student = next(r for r in reasons(changed(source={"limit": 1}), records) if r.stage == "student")
    assert {c.cause for c in student.roots} == {Cause.LOST}


def test_fields_that_enter_no_key_are_no_reason() -> None:
    noisy = changed(source={"limit": 700, "workers": 8})
    (root,) = reasons(noisy, sealed(OLD), lambda kind, uses, config: {k: v for k, v in config.items() if k != "workers"})[0].roots
    assert root.field == "limit"


def test_a_long_chain_is_followed_to_its_end() -> None:
    chain = [stage("s0", "k0", {"n": 0}), *(stage(f"s{i}", f"k{i}", rows=f"s{i - 1}") for i in range(1, 3000))]
    old = plan(*chain)
    new = replace(old, stages=tuple(replace(s, key=s.key + "'", config={"n": 1} if s.id == "s0" else {}) for s in chain))
    last = next(r for r in reasons(replace(new, stages=new.stages), sealed(old)) if r.stage == "s2999")
    assert last.roots == (Change("s0", Cause.FIELD, "n", 0, 1),)


def test_differences_are_paths() -> None:
    old, new = {"a": [1, {"b": 2}], "c": [1]}, {"a": [1, {"b": 3}], "c": [1, 2], "d": None}
    assert list(differences(old, new)) == [("a[1].b", 2, 3), ("c", [1], [1, 2]), ("d", "(not there)", None)]
