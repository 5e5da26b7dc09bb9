import pytest

from distillc.spec.errors import InvalidSpec
from distillc.spec.lint import lint, lint_file, lint_text, load
from distillc.spec.references import definitions, owner, references

HEAD = 'distill: 1\nname: x\ntask: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'
SPEC = (
    HEAD
    + """data:
  prose: {uses: docstrings, packages: [numpy], split: {validation: 1, test: 1}}
generate:
  pairs: {from: prose, limit: 8, steps: [corrupt]}
models:
  base: {uses: random, layers: 2}
train:
  student: {model: base, data: pairs, losses: {hard: cross_entropy}}
evaluate:
  test:
    {data: pairs, models: [base, student], metrics: [errant],
     gates: {close: {model: student, metric: errant_f0.5, against: base, margin: 0.1}}}
deploy:
  edge: {uses: bundle, from: student, needs: close}
profiles:
  quick: {train.student.epochs: 1, generate.pairs.limit: 4}
  tiny:
    models.base: {uses: random, layers: 1}
    train.student.losses.soft: {uses: forward_kl, teacher: base}
    models.extra: harper
    evaluate.test.models: [base, student, extra]
"""
)


def codes(text, table, **options):
    return [diagnostic.code for diagnostic in lint(text, "f", table, **options).diagnostics]


def test_a_spec_becomes_typed_models_with_defaults(table):
    resolved, found = lint_text(SPEC, "distill.yaml", table)
    assert found == [] and resolved is not None
    spec = load(resolved)
    assert spec.train["student"].epochs == 3.0 and spec.train["student"].trainer.uses == "local"
    assert spec.models["base"].fields == {"layers": 2}
    assert spec.generate["pairs"].from_ == "prose" and spec.generate["pairs"].steps[0].uses == "corrupt"
    assert spec.evaluate["test"].data_sets == {"pairs": "pairs"}
    assert spec.evaluate["test"].measure.rounds == 3
    assert spec.deploy["edge"].models == ["student"] and spec.deploy["edge"].gates == ["close"]


def test_every_value_knows_its_line(table):
    resolved, _ = lint_text(SPEC, "distill.yaml", table)
    assert resolved is not None
    assert resolved.line_of("train.student") == 11
    assert resolved.line_of("evaluate.test.gates.close") == 15
    assert resolved.line_of("generate.pairs.steps.0") == 7
    assert resolved.line_of("train.student.epochs") is None  # a default
    place = resolved.span_of(("train", "student", "epochs"))
    assert place is not None and place.line == 11


def test_a_profile_replaces_values_and_they_stand_where_the_profile_is(table):
    resolved, found = lint_text(SPEC, "distill.yaml", table, "quick")
    assert found == [] and resolved is not None
    spec = load(resolved)
    assert spec.train["student"].epochs == 1 and spec.generate["pairs"].limit == 4
    assert resolved.line_of("train.student.epochs") == 19 and resolved.line_of("train.student.model") == 11


def test_a_profile_may_replace_a_step_and_add_one(table):
    resolved, found = lint_text(SPEC, "distill.yaml", table, "tiny")
    assert found == [] and resolved is not None
    spec = load(resolved)
    assert spec.models["base"].fields == {"layers": 1} and spec.models["extra"].uses == "harper"
    assert spec.train["student"].losses["soft"].teacher == "base"


def test_an_override_wins_over_the_profile_and_is_yaml(table):
    overrides = ["train.student.epochs=0.5", "evaluate.test.models=[base, student]", "models.base.family=x", "decoding.stop=['=']"]
    resolved, found = lint_text(SPEC, "distill.yaml", table, "quick", overrides)
    assert found == [] and resolved is not None
    spec = load(resolved)
    assert spec.train["student"].epochs == 0.5 and spec.models["base"].family == "x" and spec.decoding.stop == ["="]


def test_an_override_below_a_bare_string_makes_it_a_mapping(table):
    resolved, found = lint_text(SPEC, "f", table, None, ["generate.pairs.steps.0.errors=held_out"])
    assert found == [] and resolved is not None
    assert load(resolved).generate["pairs"].steps[0].fields == {"errors": "held_out"}


@pytest.mark.parametrize(
    ("override", "code", "help"),
    [
        ("train.studnt.epochs=1", "D021", "did you mean `student`?"),
        ("trian.student.epochs=1", "D021", "did you mean `train`?"),
        ("train.student.epocs=1", "D101", "did you mean `epochs`?"),
        ("train.student.epochs.x=1", "D103", None),
        ("models.new=harper", "D021", "there are: `base`"),
        ("train.student.epochs", "D023", "as in --set train.student.epochs=2"),
        ("train.student.epochs=[1", "D023", None),
        ("=1", "D023", "as in --set train.student.epochs=2"),
        ("profiles.quick={}", "D021", "a path begins with another section"),
        ("name." + "a." * 5000 + "b=1", "D021", None),
        ("generate.pairs.steps.7.errors=common", "D021", "items count from 0 to 0"),
    ],
)
def test_an_override_that_leads_nowhere_is_one_finding(table, override, code, help):
    found = lint_text(SPEC, "f", table, None, [override])[1]
    assert [d.code for d in found] == [code]
    assert found[0].span is not None and found[0].span.file == "--set"
    if help:
        assert found[0].help is not None and found[0].help.startswith(help)


def test_an_unknown_profile_is_a_finding(table):
    found = lint_text(SPEC, "f", table, "quik")[1]
    assert [(d.code, d.help) for d in found] == [("D020", "did you mean `quick`?")]


def test_only_lint_looks_at_profiles_that_are_not_asked_for(table):
    text = SPEC.replace("train.student.epochs: 1", "train.student.epochs: -1")
    assert codes(text, table) == []
    assert codes(text, table, every_profile=True) == ["D105"]


def test_findings_are_in_order_and_none_is_there_twice(table):
    text = SPEC.replace("name: x", "nam: x").replace("model: base, data", "model: bas, data")
    found = lint(text, "f", table, every_profile=True).diagnostics
    assert [d.code for d in found] == ["D102", "D101", "D201"]
    lines = [d.span.line for d in found if d.span]
    assert len(lines) == 3 and lines == sorted(lines)


def test_errors_cannot_be_ignored(table):
    assert codes(SPEC + "seed: x\nlint: {ignore: [D103]}\n", table) == ["D103", "D902"]


def test_references_say_what_they_expect_and_whose_they_are(table):
    resolved, _ = lint_text(SPEC, "f", table, "tiny")
    assert resolved is not None
    found = {(owner(r), r.text, r.expects) for r in references(resolved.root, table)}
    assert (("generate", "pairs"), "prose", "rows") in found
    assert (("train", "student"), "base", "model") in found
    assert (("deploy", "edge"), "close", "gate") in found
    assert (("evaluate", "test"), "errant_f0.5", "metric") in found
    assert len(found) == 10  # and student's data, its teacher (base again), evaluate's data and two models, edge's model, the gate's two


def test_definitions_have_a_kind_and_a_place(table):
    resolved, _ = lint_text(SPEC, "f", table)
    assert resolved is not None
    found = definitions(resolved.root)
    assert {name: d.kind for name, d in found.items()} == {
        "prose": "rows", "pairs": "rows", "base": "model", "student": "model", "test": "evaluation", "close": "gate", "edge": "delivery",
    }  # fmt: skip
    assert found["close"].path == ("evaluate", "test", "gates", "close")


def test_a_spec_may_extend_another_beside_it(tmp_path, table):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "base.yaml").write_text(SPEC, encoding="utf-8")
    file = tmp_path / "distill.yaml"
    file.write_text(
        "extends: parts/base.yaml\nname: mine\ntrain:\n  student: {model: base, data: pairs, epochs: 2, losses: {hard: gleu}}\n",
        encoding="utf-8",
    )
    linted = lint_file(file, table)
    assert [(d.code, d.span.file, d.span.line) for d in linted.diagnostics if d.span] == [("D107", str(file), 4)]
    assert linted.resolved is not None
    origin = linted.resolved.origin("data.prose")
    assert origin is not None and origin.file == str(tmp_path / "parts" / "base.yaml")
    assert linted.resolved.line_of("train.student") == 4 and linted.resolved.line_of("models.base") == 9


def test_what_cannot_be_extended_is_a_finding(tmp_path, table):
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n" + HEAD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text("extends: ./x/../a.yaml\n", encoding="utf-8")
    assert [d.code for d in lint_file(tmp_path / "a.yaml", table).diagnostics] == ["D022"]
    for wanted in ("/etc/passwd", "no.yaml", "C:\\x.yaml", "https://example.org/x.yaml", ".", '""'):
        (tmp_path / "c.yaml").write_text(f"extends: {wanted}\n{HEAD}", encoding="utf-8")
        assert [d.code for d in lint_file(tmp_path / "c.yaml", table).diagnostics] == ["D022"], wanted


def test_what_may_stand_in_a_spec_that_cannot_be_read_is_not_missed(tmp_path, table):
    file = tmp_path / "a.yaml"
    body = "train:\n  student: {model: base, data: pairs, epochs: 0}\nprofiles: {p: {train.gold.steps: 2}}\n"
    file.write_text("extends: no.yaml\n" + body, encoding="utf-8")
    found = lint_file(file, table, every_profile=True).diagnostics
    assert [(d.code, d.message) for d in found if d.code != "D022"] == [
        ("D102", "`train.student` lacks `losses`"),
        ("D105", "`train.student.epochs` must be more than 0, got 0"),
    ]


def test_a_step_that_replaces_another_says_so_where_it_lacks_what_that_one_had(tmp_path, table):
    (tmp_path / "base.yaml").write_text(SPEC, encoding="utf-8")
    file = tmp_path / "a.yaml"
    file.write_text("extends: base.yaml\ntrain:\n  student: {model: base, data: pairs, epochs: 2}\n", encoding="utf-8")
    (finding,) = lint_file(file, table).diagnostics
    assert finding.message == "`train.student` lacks `losses`"
    first = finding.related[0]
    assert (first.span.file, first.span.line, first.message) == (
        str(tmp_path / "base.yaml"), SPEC[: SPEC.index("  student:")].count("\n") + 1, "this one is not added to, but replaced"
    )  # fmt: skip
    assert any("a profile or `--set` sets one value" in note for note in finding.notes)


@pytest.mark.parametrize(
    ("old", "new", "help"),
    [
        ("losses: {hard: cross_entropy}", "losses: cross_entropy", "give it a name of your own: {NAME: cross_entropy}"),
        ("losses: {hard: cross_entropy}", "losses: [cross_entropy]", "give it a name of your own: {NAME: cross_entropy}"),
        ("{data: pairs, models", "{data: [pairs.test], models", "give it a name of your own: {NAME: pairs.test}"),
        ("data:\n", 'decoding: {stop: "\\n"}\ndata:\n', 'write ["\\n"]'),
        ("name: x", "name: a/b", "letters, digits, `_` and `-`, and no digit first"),
    ],
)
def test_what_has_the_wrong_shape_has_a_way_out(table, old, new, help):
    assert SPEC.count(old) == 1
    assert help in [finding.help for finding in lint(SPEC.replace(old, new), "f", table).diagnostics]


def test_keys_of_other_tasks_are_said_by_how_such_a_task_begins(table):
    (finding,) = lint(HEAD.replace("input: text", "input: text, labels: [a]"), "f", table).diagnostics
    assert finding.help == "`labels` is valid under `kind: classify`, not here"


def test_a_chain_of_specs_is_bounded(tmp_path, table):
    for n in range(12):
        (tmp_path / f"{n}.yaml").write_text(f"extends: {n + 1}.yaml\n" + HEAD, encoding="utf-8")
    found = lint_file(tmp_path / "0.yaml", table).diagnostics
    assert [d.message for d in found] == ["more than 8 specs extend one another"]


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text", "3"])
def test_what_is_no_mapping_is_no_spec(table, text):
    linted = lint(text, "f", table)
    assert linted.resolved is None and [d.code for d in linted.diagnostics] == ["D103"]


def test_a_long_chain_of_steps_is_no_cycle_and_needs_no_recursion(table):
    steps = "".join(f"  g{n}: {{from: g{n - 1}, steps: [corrupt]}}\n" for n in range(1, 5000))
    text = HEAD + "data: {d: {uses: docstrings, packages: [numpy]}}\ngenerate:\n  g0: {from: d, steps: [corrupt]}\n" + steps
    assert codes(text, table) == []
    assert codes(text.replace("g0: {from: d,", "g0: {from: g4999,"), table) == ["D204"]


def test_what_only_pydantic_sees_has_a_place_too(table):
    text = SPEC.replace("layers: 2", "layers: 2, license: MIT")
    resolved, _ = lint_text(text.replace("name: x", "name: 3"), "f", table)
    assert resolved is not None
    with pytest.raises(InvalidSpec) as caught:
        load(resolved)
    assert [(d.code, d.span.line) for d in caught.value.diagnostics if d.span] == [("D103", 2)]


def test_other_tasks_are_part_of_the_language(table):
    for task in ("{kind: rank, query: q, document: d}", "{kind: classify, input: text, labels: [a, b]}", "{kind: embed, input: text}"):
        text = f"distill: 1\nname: x\ntask: {task}\n"
        resolved, found = lint_text(text, "f", table)
        assert found == [] and resolved is not None
        assert load(resolved).task.kind in task
