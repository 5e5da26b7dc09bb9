"""The words of `why`: first causes once each, consequences under them in the order of the plan, folded."""

from dataclasses import replace

from distillc.compiler.plan import Plan, Stage
from distillc.compiler.show.why import chains, summary
from distillc.compiler.why import Cause, Change, Reason

RATE = Change("student", Cause.FIELD, "learning_rate", 0.0005, 0.001)
STEPS = Change("student", Cause.FIELD, "steps", 10, 20)
TESTS = ("test/refined/seen", "test/q8/seen", "test")


def plan(*ids: str) -> Plan:
    origins = {id: id.partition("/")[0] for id in ids}
    return Plan("p", "distill.yaml", "", tuple(Stage(id, "train", None, {}, {}, id) for id in ids), origins, {})


def reason(stage: str, *roots: Change, **through: str) -> Reason:
    return Reason(stage, tuple(root for root in roots if root.stage == stage), through, roots)


PLAN = plan("teacher", "student", "refined", "q8", *TESTS)
AFTER = [reason("student", RATE), *(reason(id, RATE, model="student") for id in ("refined", "q8", *TESTS))]


def test_a_cause_stands_above_what_it_runs_again() -> None:
    assert summary(PLAN, AFTER, 80) == (
        "student: learning_rate 0.0005 -> 0.001\n    re-runs: refined, q8, test (3 stages)\n6 of 7 stages to run\n"
    )


def test_changes_with_equal_consequences_share_them() -> None:
    both = [replace(found, roots=(RATE, STEPS)) for found in AFTER]
    assert summary(PLAN, both, 80).splitlines() == [
        "student: learning_rate 0.0005 -> 0.001", "student: steps 10 -> 20",
        "    re-runs: refined, q8, test (3 stages)", "6 of 7 stages to run",
    ]  # fmt: skip


def test_a_library_that_moved_is_one_change() -> None:
    moved = [Change(id, Cause.VERSION, "torch", "2.12", "2.13") for id in ("teacher", "student")]
    found = [reason("teacher", moved[0]), reason("student", moved[1], moved[0], model="teacher")]
    assert summary(PLAN, found, 80).splitlines()[:2] == ["torch moved: 2.12 -> 2.13", "    re-runs: teacher, student"]


def test_all_that_is_new_is_one_line() -> None:
    found = [reason(stage.id, Change(stage.id, Cause.NEW)) for stage in PLAN]
    new = "new, nothing like it is in the store: teacher, student, refined, q8, test (3 stages)"
    assert summary(PLAN, found, 200) == f"{new}\n7 of 7 stages to run\n"


def test_lines_fold_at_the_width() -> None:
    many = plan("student", *(f"export{number}" for number in range(30)))
    said = summary(many, [reason("student", RATE), *(reason(f"export{n}", RATE, model="student") for n in range(30))], 60).splitlines()
    assert max(map(len, said)) <= 60
    assert len(said) > 4
    assert " ".join(" ".join(said[1:-1]).split()) == f"re-runs: {', '.join(f'export{n}' for n in range(30))}"


def test_a_chain_names_the_way_and_not_forty_inputs() -> None:
    through = {f"answers.{n}": f"test/m{n}" for n in range(40)}
    (name, line) = chains([reason("test", RATE, **through)], 200).splitlines()
    assert (name, line) == (
        "test", "    by way of test/m0, test/m1, test/m2, test/m3 and 36 more: student: learning_rate 0.0005 -> 0.001"
    )  # fmt: skip


def test_long_texts_are_cut_to_where_they_differ() -> None:
    before, after = "a" * 500 + "old" + "z" * 500, "a" * 500 + "new" + "z" * 500
    said = str(Change("edge", Cause.FIELD, "spec_text", before, after))
    assert "aaaoldzzz" in said and "aaanewzzz" in said
    assert len(said) < 160


def test_nothing_of_a_value_reaches_the_terminal_raw() -> None:
    evil = Change("student", Cause.FIELD, "prompt", "plain", "\x1b[2J\x07")
    assert summary(PLAN, [reason("student", evil)], 80).startswith("student: prompt plain -> \\x1b[2J\\x07\n")


def test_a_wired_input_is_said_as_before() -> None:
    rewired = Change("student", Cause.INPUT, "rows", "pairs", "source")
    assert chains([reason("student", rewired)], 80) == "student\n    rows of student is source, it was pairs\n"
