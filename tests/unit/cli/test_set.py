"""`set` changes one value of a file and nothing beside it, and refuses what would make the spec worse."""

import io
import json

import pytest

from distillc.cli.main import main

SPEC = """\
distill: 1
name: x   # the name
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data:
  prose: {uses: docstrings, packages: [email], split: {validation: 5, test: 5}}
models:
  base:   {uses: random, layers: 2}   # small
train:
  student: {model: base, data: prose, validation: prose.validation, losses: {hard: cross_entropy}}
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "distill.yaml"
    file.write_text(SPEC, encoding="utf-8")
    return file


def test_the_new_text_is_printed_and_the_file_is_left_alone(spec, capsys):
    assert main(["set", "models.base.layers=3"]) == 0
    assert capsys.readouterr().out == SPEC.replace("layers: 2", "layers: 3")
    assert spec.read_text(encoding="utf-8") == SPEC


def test_write_changes_the_file_byte_for_byte_where_it_was_told_to(spec, capsys):
    spec.write_bytes(b"\xef\xbb\xbf" + SPEC.replace("\n", "\r\n").encode())
    assert main(["set", "models.base.layers=3", "train.student.epochs=2", "distill.yaml", "--write"]) == 0
    assert capsys.readouterr().out == "distill.yaml is changed\n"
    wanted = SPEC.replace("layers: 2", "layers: 3").replace("cross_entropy}}", "cross_entropy}, epochs: 2}")
    assert spec.read_bytes() == b"\xef\xbb\xbf" + wanted.replace("\n", "\r\n").encode()
    assert main(["set", "models.base.layers=3", "--write"]) == 0
    assert capsys.readouterr().out == "distill.yaml says so already\n"


def test_diff_prints_the_difference_alone(spec, capsys):
    assert main(["set", "models.base.layers=3", "--diff"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("--- distill.yaml\n+++ distill.yaml\n@@")
    assert [line for line in out.splitlines()[3:] if line[0] in "+-"] == [
        "-  base:   {uses: random, layers: 2}   # small",
        "+  base:   {uses: random, layers: 3}   # small",
    ]


def test_a_path_that_leads_nowhere_has_the_nearest_one(spec, capsys):
    assert main(["set", "train.studnet.epochs=2"]) == 2
    assert capsys.readouterr().err == "error: train.studnet.epochs=2: `train` has no step `studnet`\n  help: did you mean `student`?\n"
    assert main(["set", "--unset", "train.student.validaton"]) == 2
    assert "did you mean `validation`?" in capsys.readouterr().err


def test_what_would_have_more_errors_is_refused_unless_forced(spec, capsys):
    assert main(["set", "models.base.layer=3", "--write"]) == 1
    err = capsys.readouterr().err
    assert "unknown key `layer` in `models.base`" in err and "did you mean `layers`?" in err and "nothing is set" in err
    assert spec.read_text(encoding="utf-8") == SPEC
    assert main(["set", "models.base.layer=3", "--write", "--force"]) == 0
    assert "layer: 3" in spec.read_text(encoding="utf-8")


def test_the_rules_of_the_compiler_are_asked_too(spec, capsys):
    assert main(["set", "train.student.losses={hard: cross_entropy, soft: {uses: forward_kl}}"]) == 1
    assert "`forward_kl` needs a teacher" in capsys.readouterr().err


def test_a_spec_that_has_errors_already_may_be_set_right_step_by_step(spec):
    spec.write_text(SPEC.replace("layers: 2", "layers: 0").replace("data: prose,", "data: prse,"), encoding="utf-8")
    assert main(["set", "models.base.layers=2", "--write"]) == 0
    assert main(["set", "train.student.data=prose", "--write"]) == 0
    assert spec.read_text(encoding="utf-8") == SPEC


def test_a_whole_step_may_be_added_where_no_step_has_a_name_near(spec, capsys):
    assert main(["set", "models.tiny={uses: random, layers: 1}", "curate.clean={from: prose, steps: [dedup]}"]) == 0
    added = SPEC.replace("# small\n", "# small\n  tiny: {uses: random, layers: 1}\n") + "curate: {clean: {from: prose, steps: [dedup]}}\n"
    assert capsys.readouterr().out == added
    assert main(["set", "models.bse={uses: random, layers: 1}"]) == 2
    assert "did you mean `base`?" in capsys.readouterr().err


def test_unset_takes_a_key_away(spec, capsys):
    assert main(["set", "--unset", "train.student.validation"]) == 0
    assert capsys.readouterr().out == SPEC.replace(" validation: prose.validation,", "")


def test_a_value_of_a_profile_is_set_there_and_taken_away_there(spec, capsys):
    profiles = "profiles:\n  quick:\n    train.student.epochs: 2   # few\n"
    spec.write_text(SPEC + profiles, encoding="utf-8")
    for change, lines in [
        (["profiles.quick.train.student.epochs=3"], profiles.replace("2", "3")),
        (["profiles.quick.models.base.layers=1"], profiles + "    models.base.layers: 1\n"),
        (["profiles.other.models.base.layers=1"], profiles + "  other: {models.base.layers: 1}\n"),
        (["profiles.quick={seed: 1}"], profiles.replace("\n    train.student.epochs: 2", " {seed: 1}")),
        (["--unset", "profiles.quick.train.student.epochs"], "profiles:\n  quick: {}   # few\n"),
    ]:
        assert main(["set", *change]) == 0
        assert capsys.readouterr().out == SPEC + lines
    assert main(["set", "profiles.quick.train.student.epoch=3"]) == 1
    assert "did you mean `epochs`?" in capsys.readouterr().err
    assert main(["set", "profiles.quik.seed=3"]) == 2
    assert "there is no profile `quik` here\n  help: did you mean `quick`?" in capsys.readouterr().err
    (spec.parent / "mine.yaml").write_text("extends: distill.yaml\n", encoding="utf-8")
    assert main(["set", "profiles.quick.seed=3", "mine.yaml"]) == 2  # a profile here would take the place of the whole of that one
    assert "`profiles.quick` stands in distill.yaml, which this spec extends: set it there" in capsys.readouterr().err


def test_programs_read_what_was_set_and_what_speaks_against_it(spec, capsys):
    assert main(["set", "models.base.layers=3", "--format", "json", "--write"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["file"], answer["written"], answer["findings"]) == ("distill.yaml", True, [])
    assert "+  base:   {uses: random, layers: 3}   # small\n" in answer["diff"]
    assert main(["set", "models.base.layers=x", "--format", "json", "--write"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["written"] is False and [found["code"] for found in answer["findings"]] == ["D103"]


def test_standard_input_is_printed_with_what_was_set(spec, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SPEC.encode())))
    assert main(["set", "models.base.layers=3", "-"]) == 0
    assert capsys.readouterr().out == SPEC.replace("layers: 2", "layers: 3")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SPEC.encode())))
    assert main(["set", "models.base.layers=3", "--write", "-"]) == 2


def test_a_step_of_an_extended_spec_is_set_there(spec, tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("distill: 1\nextends: distill.yaml\nname: mine\n", encoding="utf-8")
    assert main(["set", "train.student.epochs=2", "mine.yaml"]) == 2
    assert "`train.student` stands in distill.yaml, which this spec extends: set it there" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "there is nothing to set"),
        (["seed"], "there is nothing to set"),
        (["seed=1", "seed", "distill.yaml"], "`seed` is not PATH=VALUE"),
        (["seed=[1"], "the value of `seed` is not YAML"),
        (["seed=1", "none.yaml"], "none.yaml cannot be read"),
        (["seed=1", "broken.yaml"], "D001"),
        (["seed=1", "list.yaml"], "a spec is a mapping"),
    ],
)
def test_bad_usage_says_what_is_wrong(spec, tmp_path, capsys, arguments, told):
    (tmp_path / "broken.yaml").write_text("a: [\n", encoding="utf-8")
    (tmp_path / "list.yaml").write_text("- 1\n", encoding="utf-8")
    assert main(["set", *arguments]) == 2
    assert told in capsys.readouterr().err
