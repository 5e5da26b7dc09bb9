"""Answers that only decline, in the words of several models, and sentences that are near them."""

import pytest

from distillc.runtimes.remote.refusals import declines


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot assist with that request",
        "I’m really sorry, but I can't continue with this.",
        "Sorry, I can't do that.",
        "I apologize, but I cannot provide instructions for that.",
        "My apologies, but I can't assist with that.",
        "As an AI language model, I cannot provide that.",
        "I can't help with that.",
        "I can’t help with that.",
        "I cannot assist with that request.",
        "I'm unable to help with that.",
        "I am not able to help you with that.",
        "I won't be able to help with that.",
        "I'm afraid I can't help with this.",
        "I cannot comply with that request.",
        "I must decline.",
        "Unfortunately, I'm unable to help with that request.",
        "**I'm sorry, but I can't assist with that.**",
        "I'm sorry, but I can't help with that request. If you have another question, let me know!",
        "I can't help with that. Is there something else I can do for you?",
    ],
)
def test_an_answer_that_only_declines_is_a_refusal(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm sorry, but I can't come today.",
        "I'm sorry, but I can't do Friday.",
        "Sorry, I can't help with that. Please call John.",
        "I'm sorry, but I can't help with that. It goes.",
        "Unfortunately, I can't provide lunch.",
        "I can't help it.",
        "I can't help you move.",
        "I can't help with the dishes.",
        "I can't do that.",
        "I cannot continue.",
        '"I can\'t help with that."',
        "He said: I can't help with that.",
        "I can't help with that. " + "If you like, ask again. " * 20,
    ],
)
def test_a_sentence_near_a_refusal_is_an_answer(text: str) -> None:
    assert not declines(text)
