"""Engines that are rules."""

from distillc.plugins.api.artifacts import Decoding
from distillc.plugins.engines.configs import HarperConfig
from distillc.plugins.engines.harper import RunningHarper
from distillc.plugins.engines.identity import RunningIdentity


def test_identity_answers_with_the_input_and_not_with_the_prompt() -> None:
    answers = dict(RunningIdentity().generate(["Correct: a", "Correct: b"], ["a", "b"], Decoding()))
    assert [answers[index].text for index in (0, 1)] == ["a", "b"]


def test_harper_corrects_one_place_after_the_other() -> None:
    text = "She go to a office yesterday, and he dont like it."
    [(_, answer)] = RunningHarper(HarperConfig().rounds).generate([""], [text], Decoding())
    assert answer.text == "She goes to an office yesterday, and he doesn't like it."


def test_harper_stops_after_its_rounds() -> None:
    assert RunningHarper(1).corrected("She go to a office.") == "She goes to a office."
    assert RunningHarper(0).corrected("She go to a office.") == "She go to a office."
