import pytest

from distillc.spec.lint import lint
from distillc.spec.pedigree import Pedigree, pedigree
from distillc.spec.rules import random_teacher

SPEC = """distill: 1
name: x
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: docstrings, packages: [numpy]}}
generate:
  pairs: {from: prose, steps: [corrupt]}
  answers: {from: pairs, steps: [{uses: answer, model: big}, {uses: answer, model: looker, into: output}]}
curate:
  clean: {from: answers, steps: [{uses: decontaminate, against: [pairs]}]}
models:
  big: {uses: random}
  looker: {uses: random, layers: 4}
  small: {uses: prune, from: big, layers: 1}
train:
  student: {model: small, data: clean, losses: {hard: cross_entropy, soft: {uses: forward_kl, teacher: tutor}}}
  tutor: {model: big, data: pairs, losses: {hard: cross_entropy}}
  refined: {model: student, data: pairs, losses: {hard: cross_entropy}}
quantize:
  q8: {uses: gguf, from: refined}
  q4: {uses: gguf, from: refined, type: q4_0}
choose:
  best: {among: [q8, q4], by: errant_f0.5, data: pairs.validation}
"""


@pytest.fixture(scope="module")
def family(builtins) -> Pedigree:
    context = lint(SPEC, "f", builtins).context
    assert context is not None
    return pedigree(context)


def test_a_model_descends_from_all_that_its_weights_come_from_the_nearest_first(family):
    assert family.ancestors("q8") == ("q8", "refined", "student", "small", "big")
    assert family.ancestors("big") == ("big",)


def test_a_choice_descends_from_every_candidate(family):
    assert family.ancestors("best") == ("best", "q8", "q4", "refined", "student", "small", "big")


def test_an_export_is_another_form_of_its_model_and_a_trained_model_is_not(family):
    assert family.exported_from("best") == ("best", "q8", "q4", "refined")
    assert family.exported_from("refined") == ("refined",)


def test_a_loss_and_answers_that_become_targets_teach_also_those_that_descend_from_the_student(family):
    assert set(family.taught_by("student")) == {"tutor", "big"}
    assert set(family.taught_by("q8")) == {"tutor", "big"}
    assert family.taught_by("tutor") == ()


def test_only_what_comes_after_a_train_step_is_trained(family):
    assert [name for name in ("big", "small", "tutor", "student", "q8", "best") if family.trained(name)] == [
        "tutor",
        "student",
        "q8",
        "best",
    ]


def test_a_loop_ends(builtins):
    looped = SPEC.replace("small: {uses: prune, from: big", "small: {uses: prune, from: student")
    context = lint(looped, "f", builtins).context
    assert context is not None
    assert pedigree(context).ancestors("student") == ("student", "small")


class Counted(dict):
    """A mapping that counts how often it is read."""

    reads = 0

    def get(self, key, default=None):
        Counted.reads += 1
        return super().get(key, default)


@pytest.mark.parametrize("length", [100, 400])
def test_whether_a_chain_of_untrained_models_begins_with_a_random_one_is_asked_in_one_walk(length, builtins):
    """Each model is cut from the one before and teaches: each is looked at a few times, however long the chain."""
    cut = "".join(f"  m{number}: {{uses: prune, from: m{number - 1}, layers: 1}}\n" for number in range(1, length))
    losses = ", ".join(f"l{number}: {{uses: forward_kl, teacher: m{number}}}" for number in range(length))
    text = (
        f"{SPEC.split('models:')[0]}models:\n  m0: {{uses: random}}\n{cut}train:\n  s: {{model: m1, data: pairs, losses: {{{losses}}}}}\n"
    )
    context = lint(text, "f", builtins).context
    assert context is not None
    known = pedigree(context)
    context.memo["pedigree"] = known._replace(**{part: Counted(getattr(known, part)) for part in ("parents", "forms", "taught", "steps")})
    Counted.reads = 0
    assert len(list(random_teacher.check(context))) == length
    assert Counted.reads <= 4 * length
