"""Tokens by the length of texts, and money by tokens: all of it by hand."""

from decimal import Decimal

import pytest

from distillc.compiler.pricing import Texts, asking, prompt_of

TEMPLATE = "Correct: {{ text }}\nFixed:"  # 16 bytes beside the input


@pytest.mark.parametrize(
    ("template", "system", "texts", "tokens"),
    [
        (TEMPLATE, None, Texts(input=40), 100 * ((16 + 40) // 4 + 4)),
        (TEMPLATE, "Be brief", Texts(input=40), 100 * ((8 + 16 + 40) // 4 + 2 * 4)),  # two messages
        (TEMPLATE, None, Texts(), 100 * (16 // 4 + 4)),
        ("{{ text }}{{ text }}{# twice #}", None, Texts(input=40), 100 * (2 * 40 // 4 + 4)),
        ("schön: {{ text }}", None, Texts(input=3), 100 * ((8 + 3) / 4 + 4)),  # ö has two bytes
    ],
)
def test_a_token_is_four_bytes_and_a_message_four_tokens_more(template: str, system: str | None, texts: Texts, tokens: int) -> None:
    assert prompt_of(template, system).tokens(100, texts) == tokens


def test_trained_tokens_are_those_of_prompts_and_targets_in_each_epoch() -> None:
    assert prompt_of(TEMPLATE, None).trained_tokens(100, Texts(40, 20), 3) == 3 * (100 * (14 + 4) + 100 * (5 + 4))


def test_what_nobody_knows_is_said() -> None:
    prompt = prompt_of(TEMPLATE, None)
    assert prompt.uncounted(Texts(input=40)) is None
    assert prompt.uncounted(Texts()) == "inputs"
    assert prompt.uncounted(Texts(), trained=True) == "inputs and targets"
    assert prompt.uncounted(Texts(input=40), trained=True) == "targets"
    assert prompt_of("Say something.", None).uncounted(Texts()) is None


def test_batches_cost_half() -> None:
    price = {"input": 1, "output": 10}
    assert asking(price, 2000, 1000, "sync") == (Decimal("0.002"), Decimal("0.01"))
    assert asking(price, 2000, 1000, "batch") == (Decimal("0.001"), Decimal("0.005"))
