"""Each rule finds what its docstring says, at the place that says it, and is silent about the design's own spec."""

import struct
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.codes import CODES
from distillc.compiler.front import compile_file
from distillc.compiler.rules import RULES
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.spec.codes import CODES as LANGUAGE_CODES
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.errors import InvalidSpec
from distillc.spec.fields import Config, ModelRef

TINY = """\
distill: 1
name: tiny
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: docstrings, packages: [numpy], split: {validation: 5, test: 60}}}
generate:
  pairs: {from: prose, limit: 20, steps: [{uses: corrupt, errors: common}]}
  rest: {from: prose, skip: 20, steps: [{uses: corrupt, errors: common}]}
  answers: {from: rest, steps: [{uses: answer, model: teacher}]}
models:
  big: {uses: random, family: qwen2.5}
  small: {uses: prune, from: teacher, layers: 1}
train:
  teacher: {model: big, data: pairs, losses: {hard: cross_entropy}}
  student: {model: small, data: answers, losses: {soft: {uses: forward_kl, teacher: teacher}}}
quantize:
  q8: {uses: gguf, from: student, type: q8_0}
evaluate:
  test: {data: pairs, models: [small, teacher, student, q8], metrics: [exact_match]}
deploy:
  edge: {uses: bundle, from: q8, path: dist/}
"""

Find = Callable[..., list[Diagnostic]]


@pytest.fixture
def find(compiled: Any) -> Find:
    """`find(old, new, …)`: TINY with texts replaced, and what the compiler has to say about it, and what errors the language has."""

    def run(*changes: str, registry: Any = None) -> list[Diagnostic]:
        text = TINY
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        try:
            found = compiled(text, registry).warnings
        except InvalidSpec as error:
            found = error.diagnostics
        return [finding for finding in found if finding.code in CODES or finding.severity is Severity.ERROR]

    return run


def only(found: list[Diagnostic]) -> tuple[str, Severity, int]:
    (one,) = found
    assert one.span is not None
    assert one.help or one.severity is not Severity.ERROR
    return one.code, one.severity, one.span.line


def line(part: str) -> int:
    return next(n for n, text in enumerate(TINY.splitlines(), 1) if part in text)


def test_the_plain_spec_is_fine(find: Find) -> None:
    assert find() == []


def test_the_design_s_spec_is_fine(shared: Any) -> None:
    assert compile_file(Path(__file__).parent.parent / "grammar.yaml", shared).warnings == ()


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("matrix: {vary: {seed: [1, 2]}, select: {among: student, by: exact_match, data: pairs.validation}}", "select"),
        ("choose: {best: {among: [student, q8], by: exact_match, data: pairs.validation}}", "choose"),
    ],
)
def test_what_is_not_there_yet_is_one_clear_error(find: Find, more: str, place: str) -> None:
    (found,) = find("name: tiny\n", f"name: tiny\n{more}\n")
    assert (found.code, found.span and found.span.line) == ("D151", 3)
    assert place in found.message


def test_a_missing_extra_is_named(find: Find, plugins: Any) -> None:
    found = find(registry=plugins(absent=["llama_cpp"]))
    assert {d.code for d in found} == {"D152"}
    assert all("llama_cpp" in d.message and "pip install 'distillc[local]'" in (d.help or "") for d in found)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("nowhere/", "does not exist"),
        ("pkg://no-such-package/model.gguf", "not installed"),
        ("pkg://pyyaml/../../x", "leaves its package"),
        ("pkg://pyyaml/none.gguf", "has no none.gguf"),
    ],
)
def test_a_missing_file_is_found_before_anything_runs(find: Find, path: str, word: str) -> None:
    (found,) = find("{uses: random, family", f"{{uses: transformers, path: '{path}', family")
    assert (found.code, found.span and found.span.line) == ("D153", line("big:"))
    assert found.span and found.span.end_column - found.span.column == len(f"'{path}'")
    assert word in found.message


def test_testing_on_training_rows(find: Find) -> None:
    found = find("data: pairs, models: [small, teacher, student, q8]", "data: pairs.train, models: [small, teacher, student, q8]")
    assert only(found) == ("D350", Severity.ERROR, line("  test:"))
    assert "`teacher` is trained on" in found[0].message


def test_training_on_test_rows(find: Find) -> None:
    found = find("{model: big, data: pairs,", "{model: big, data: pairs.test,")
    assert only(found) == ("D454", Severity.ERROR, line("  teacher:"))


def test_a_teacher_that_was_trained_on_test_rows(find: Find) -> None:
    """It is no ancestor of the student, and hands on what it remembers."""
    found = find(
        "{uses: prune, from: teacher, layers: 1}",
        "{uses: prune, from: big, layers: 1}",
        "{model: big, data: pairs,",
        "{model: big, data: pairs.test,",
    )
    assert only(found) == ("D454", Severity.ERROR, line("  teacher:"))


def test_training_on_held_out_rows_that_nobody_tests_on_is_a_judgement(find: Find) -> None:
    found = find("{model: big, data: pairs,", "{model: big, data: pairs.validation,", "validation: 5", "validation: 50")
    assert only(found) == ("D454", Severity.WARNING, line("  teacher:"))


def test_training_rows_that_a_curator_looked_through_may_be_others(find: Find) -> None:
    found = find(
        "models:\n",
        "curate: {short: {from: pairs, steps: [{uses: length, max_words: 9}]}}\nmodels:\n",
        "{model: big, data: pairs,",
        "{model: big, data: short,",
        "data: pairs, models",
        "data: pairs.train, models",
    )
    assert only(found) == ("D350", Severity.WARNING, line("  test:") + 1)


def test_training_rows_of_another_range_are_no_overlap(find: Find) -> None:
    """`rest` skips the twenty rows that `pairs` has; a model trained on `rest` alone may be tested on them."""
    alone = "{model: big, data: rest, losses: {hard: cross_entropy}}"
    assert (
        find(TINY[TINY.index("{model: big") : TINY.index("\n  student:")], alone, "data: pairs, models", "data: pairs.train, models") == []
    )


def test_stopping_by_test_rows(find: Find) -> None:
    looked_at = "data: answers, validation: pairs.test, losses"
    assert find("data: answers, losses", looked_at) == []  # nothing is chosen by them
    found = find("data: answers, losses", looked_at.replace("losses", "early_stopping: {patience: 2}, losses"))
    assert only(found) == ("D350", Severity.WARNING, line("  test:"))


def test_validation_on_training_rows_is_a_warning(find: Find) -> None:
    found = find("{model: big, data: pairs,", "{model: big, data: pairs, validation: pairs.train, early_stopping: {patience: 2},")
    assert only(found) == ("D351", Severity.WARNING, line("  teacher:"))


def test_rules_give_no_log_probabilities(find: Find) -> None:
    found = find("teacher: teacher}}}", "teacher: words}}}", "models:\n", "models:\n  words: harper\n")
    assert [(d.code, d.span and d.span.line) for d in found if d.severity is Severity.ERROR] == [("D450", line("  student:") + 1)]


def test_a_gguf_file_may_teach_softly_and_cannot_be_trained(find: Find, tmp_path: Path) -> None:
    """A sound header without a word in it: nothing is known of its tokens, which is a doubt and no error."""
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    words = ("models:\n", "models:\n  words: {uses: llama_cpp, path: m.gguf, license: MIT}\n")
    found = find("teacher: teacher}}}", "teacher: words}}}", *words)
    assert [(d.code, d.severity) for d in found if d.code.startswith("D4")] == [("D453", Severity.WARNING)]
    assert not [d for d in found if d.severity is Severity.ERROR]
    found = find("{model: big,", "{model: words,", *words)
    assert [(d.code, d.span and d.span.line) for d in found if d.severity is Severity.ERROR] == [("D552", line("  teacher:") + 1)]


def test_an_engine_that_scores_nothing_cannot_be_asked_softly(find: Find, plugins: Any) -> None:
    """The format has another engine that could: what counts is the one that the model names."""
    registry = plugins((made_up(Kind.ENGINES, "mute", reads=["hf"], does=["generate"]), EmptyConfig))
    named = (
        "big: {uses: random, family: qwen2.5}",
        "big: {uses: random, family: qwen2.5, engine: mute}",
        "teacher: teacher}}}",
        "teacher: big}}}",
    )
    (found,) = [finding for finding in find(*named, registry=registry) if finding.severity is Severity.ERROR]
    assert (found.code, found.span and found.span.line) == ("D450", line("  student:"))
    assert found.help == "take `engine` out, or name one that scores: `transformers`"


def test_a_soft_loss_without_a_teacher(find: Find) -> None:
    assert only(find("{uses: forward_kl, teacher: teacher}", "forward_kl")) == ("D450", Severity.ERROR, line("  student:"))


def test_a_hard_loss_with_a_teacher(find: Find) -> None:
    found = find("{hard: cross_entropy}", "{hard: {uses: cross_entropy, teacher: big}}")
    assert only(found) == ("D450", Severity.ERROR, line("  teacher:"))


class EmptyConfig(Config):
    pass


class ModelJudgeConfig(Config):
    model: ModelRef


def made_up(kind: Kind, name: str, **capabilities: Any) -> Manifest:
    return Manifest(kind=kind, name=name, summary="made up", config="nowhere:C", impl="nowhere:I", capabilities=capabilities)


def test_a_service_takes_no_soft_targets(find: Find, plugins: Any) -> None:
    registry = plugins((made_up(Kind.TRAINERS, "service", soft_targets=False), EmptyConfig))
    found = find("data: answers, losses", "data: answers, trainer: service, losses", registry=registry)
    assert only(found) == ("D451", Severity.ERROR, line("  student:"))


def test_a_temperature_that_nobody_records(find: Find) -> None:
    capture = "capture: {seen: {data: answers, teacher: teacher, temperatures: [1, 2]}}\ntrain:\n"
    found = find("train:\n", capture, "teacher: teacher}}}", "teacher: teacher, temperature: 3}}}")
    assert only(found) == ("D452", Severity.ERROR, line("  student:") + 1)
    assert find("train:\n", capture, "teacher: teacher}}}", "teacher: teacher, temperature: 2}}}") == []


def test_students_of_another_root_are_doubted(find: Find, plugins: Any) -> None:
    """Nobody says anything of the made up model's tokenizer, so it is a warning; facts that differ make it an error."""
    registry = plugins((made_up(Kind.TEACHERS, "odd", format="hf"), EmptyConfig))
    found = find("{uses: prune, from: teacher, layers: 1}", "odd", registry=registry)
    assert [(d.code, d.severity) for d in found] == [("D453", Severity.WARNING)]
    assert find("{uses: prune, from: teacher, layers: 1}", "{uses: random}") == []  # all random models have the same tokenizer


def test_tokenizers_that_differ_are_an_error(find: Find, tmp_path: Path) -> None:
    for name, size in (("a", 100), ("b", 200)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(f'{{"model_type": "llama", "hidden_size": 64, "vocab_size": {size}}}')
        (tmp_path / name / "tokenizer.json").write_text(f'{{"size": {size}}}')
    found = find(
        "{uses: random, family: qwen2.5}",
        "{uses: transformers, path: a}",
        "{uses: prune, from: teacher, layers: 1}",
        "{uses: transformers, path: b}",
    )
    assert only(found) == ("D453", Severity.ERROR, line("  student:"))


@pytest.mark.parametrize(("width", "type", "codes"), [(576, "q6_k", ["D550"]), (576, "q8_0", []), (512, "q4_k_m", [])])
def test_k_quants_want_a_width_that_256_divides(find: Find, tmp_path: Path, width: int, type: str, codes: list[str]) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text(f'{{"model_type": "llama", "hidden_size": {width}}}')
    renamed = ("q8:", "export:", ", q8]", ", export]", "from: q8", "from: export")  # a name that says another type is a finding of its own
    found = find("{uses: random, family: qwen2.5}", "{uses: transformers, path: m}", "type: q8_0", f"type: {type}", *renamed)
    assert [d.code for d in found] == codes


def test_an_export_that_nothing_reads(find: Find, plugins: Any) -> None:
    registry = plugins((made_up(Kind.QUANTIZERS, "odd", writes="odd"), EmptyConfig))
    found = find("{uses: gguf, from: student, type: q8_0}", "{uses: odd, from: student}", registry=registry)
    assert only(found) == ("D551", Severity.ERROR, line("  q8:"))


def test_an_engine_that_does_not_read_the_format(find: Find) -> None:
    found = find("type: q8_0}", "type: q8_0, engine: transformers}")
    assert only(found) == ("D551", Severity.ERROR, line("  q8:"))


def test_an_engine_that_does_not_read_the_format_is_not_to_be_installed_first(find: Find, plugins: Any) -> None:
    found = find("type: q8_0}", "type: q8_0, engine: vllm.server}", registry=plugins(absent=["vllm"]))
    assert only(found) == ("D551", Severity.ERROR, line("  q8:"))


def test_an_export_cannot_be_trained(find: Find) -> None:
    found = find("quantize:", "  more: {model: q8, data: pairs, losses: {hard: cross_entropy}}\nquantize:")
    assert only(found) == ("D552", Severity.ERROR, line("quantize:"))


def test_a_judge_of_the_teacher_s_family(find: Find, plugins: Any) -> None:
    registry = plugins((made_up(Kind.JUDGES, "llm", values={"": "higher"}), ModelJudgeConfig))
    judged = ("metrics: [exact_match]", "metrics: [exact_match], judges: {style: {uses: llm, model: other}}")
    other = ("models:\n", "models:\n  other: {uses: random, family: %s}\n")
    found = find(*judged, other[0], other[1] % "qwen3", registry=registry)
    assert only(found) == ("D650", Severity.WARNING, line("  test:") + 1)
    assert find(*judged, other[0], other[1] % "smollm2", registry=registry) == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/tmp/x", "D106"),  # the target's own schema refuses how these begin, before the rule sees them
        ("~/x", "D106"),
        ("\\\\host\\x", "D106"),
        ("../dist", "D651"),
        ("a/../../b", "D651"),
        (".", "D651"),
        ("C:/x", "D651"),
    ],
)
def test_a_bundle_stays_below_the_spec(find: Find, path: str, code: str) -> None:
    assert only(find("path: dist/", f"path: '{path}'")) == (code, Severity.ERROR, line("  edge:"))


@pytest.mark.parametrize("path", ["dist", "./dist/", "dist/more"])
def test_two_bundles_have_two_folders(find: Find, path: str) -> None:
    found = find("path: dist/}\n", f"path: dist/}}\n  again: {{uses: bundle, from: q8, path: '{path}'}}\n")
    assert only(found) == ("D651", Severity.ERROR, line("  edge:") + 1)


def test_an_executor_s_fields_are_checked(find: Find) -> None:
    (found,) = find("name: tiny\n", "name: tiny\nruntime: {uses: local, nodes: 4}\n")
    assert (found.severity, found.span and found.span.line) == (Severity.ERROR, 3)


def test_a_value_that_no_metric_has(find: Find) -> None:
    gate = ", gates: {good: {model: q8, metric: errant_f0.5, against: student}}"
    found = find("metrics: [exact_match]", f"metrics: [exact_match]{gate}")
    assert [d.code for d in found] == ["D207"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("metrics: [exact_match]", "metrics: [exact_match, {uses: exact_match, ignore_case: true}]"),
        ("metrics: [exact_match]", "metrics: [exact_match], judges: {exact_match: harper}"),
    ],
)
def test_two_values_of_one_name(find: Find, old: str, new: str) -> None:
    assert only(find(old, new)) == ("D652", Severity.ERROR, line("metrics: [exact_match]"))


@pytest.mark.parametrize("module", RULES.values())
def test_every_rule_explains_itself(module: str) -> None:
    doc = import_module(module).__doc__
    assert doc and len(doc.splitlines()) > 4


def test_no_code_means_two_things() -> None:
    assert not CODES.keys() & LANGUAGE_CODES.keys()


def test_a_student_cannot_keep_more_layers_than_there_are(find: Find) -> None:
    small = "small: {uses: prune, from: teacher, layers: 1}"
    smaller = f"{small}\n  smaller: {{uses: prune, from: small, layers: "
    assert only(find(small, f"{smaller}1}}")) == ("D554", Severity.WARNING, line(small) + 1)  # all that there are
    assert only(find(small, f"{smaller}2}}")) == ("D553", Severity.ERROR, line(small) + 1)
