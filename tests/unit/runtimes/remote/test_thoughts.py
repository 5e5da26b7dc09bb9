"""Thoughts between tags, as models write them and as templates begin them; and answers that are about such tags."""

import pytest

from distillc.runtimes.remote.thoughts import separated


@pytest.mark.parametrize(
    ("written", "answer", "thoughts"),
    [
        ("<think>\nso\n</think>\n\nIt goes.", "It goes.", "so"),
        ("\n <think>so</think>It goes.", "It goes.", "so"),
        ("<think>\n\n</think>\n\nIt goes.", "It goes.", ""),
        ("so</think>It goes.", "It goes.", "so"),
        ("so</think>more</think>It goes.", "It goes.", "so\nmore"),
        ("<THINK>so</THINK> It goes.", "It goes.", "so"),
        ("<think >so</think >It goes.", "It goes.", "so"),
        ("<think>a</think><think>b</think>It goes.", "It goes.", "a\nb"),
        ("<think>a<think>b</think>It goes.", "It goes.", "a<think>b"),
        ("<thinking>so</thinking>It goes.", "It goes.", "so"),
        ("<thought>so</thought>It goes.", "It goes.", "so"),
        ("<reasoning>so</reasoning>It goes.", "It goes.", "so"),
        ("they want <reasoning>a</reasoning> first</think>It goes.", "It goes.", "they want <reasoning>a</reasoning> first"),
        ("<seed:think>so</seed:think>It goes.", "It goes.", "so"),
        ("so</seed:think>It goes.", "It goes.", "so"),
        ("[THINK]so[/THINK]It goes.", "It goes.", "so"),
        ("◁think▷so◁/think▷It goes.", "It goes.", "so"),
        ("<|START_THINKING|>so<|END_THINKING|>It goes.", "It goes.", "so"),
        ("<|channel>thought\nso\n<channel|>It goes.", "It goes.", "so"),
        ("<|channel|>analysis<|message|>so<|end|><|start|>assistant<|channel|>final<|message|>It goes.<|return|>", "It goes.", "so"),
        ("<|channel|>final<|message|>It goes.", "It goes.", ""),
        ("analysisWe need so.assistantfinalIt goes.", "It goes.", "We need so."),
    ],
)
def test_what_an_answer_begins_with_between_tags_was_thought(written: str, answer: str, thoughts: str) -> None:
    assert separated(written) == (answer, thoughts, True)


@pytest.mark.parametrize("written", ["<think>\n1", "[THINK]1", "<|channel|>analysis<|message|>1"])
def test_a_thought_without_an_end_has_no_answer(written: str) -> None:
    assert separated(written) == ("", "1", False)


@pytest.mark.parametrize(
    "written",
    [
        " plain, 1 < 2 ",
        "<b>bold</b>",
        "Use `<think>` and `</think>`.",
        "Use <think> and </think>.",
        "It ends with `</think>`.",
        'It ends with "</think>".',
        "It goes.<|end|>",
        "analysis of it",
    ],
)
def test_an_answer_about_tags_is_left_as_it_is(written: str) -> None:
    assert separated(written) == (written, "", True)


def test_after_a_thought_an_answer_may_be_about_tags() -> None:
    assert separated("<think>so</think>Use `<think>` and `</think>`.") == ("Use `<think>` and `</think>`.", "so", True)
