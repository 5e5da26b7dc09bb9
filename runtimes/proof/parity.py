"""Parity: an export must feed its model the token ids that the model was trained on, for any text.

Gibberish after an export is mostly this: a tokenizer that cuts words otherwise, a lost template, a second BOS.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

# What tokenizers disagree on: digits, runs of white space, line ends, letters beyond ASCII (composed and not), quotes and dashes,
# contractions in capitals, emoji with joiners, other scripts, zero-width and control characters, special-looking text, case.
NASTY = (
    "In 2024, 1,000,000 of 3.14 and 007.", "two  spaces   and    more ", " leading", "trailing   ", "\tTab\tand\ttab",
    "line\nbreak\n\nparagraph\n", "old\r\nWindows\r\n", " \n \n  x", "naïve café — “quotes” ‘and’ …", "cafe\u0301 nai\u0308ve",
    "DON'T we'll I'VE she'd it's", "🚀 👩‍🔬 🇩🇪 👍🏽", "我想在apple工作1314151天～", "привет мир, γειά σου", "مرحبا بالعالم", "हिन्दी में",
    "a\u200bb\u00a0c\ufeffd", "<|unknown|> <s> [INST] {{ text }}", "snake_case camelCase HTTP/2 x=y+z*(a-b)", "!!!???...---===###",
    "Straße ÆØÅ İstanbul", "x" * 70, "e-mail: someone@example.org, https://example.org/?q=1&r=2#top",
)  # fmt: skip

# onnxruntime-genai's tokenizer takes these for no digits, Hugging Face's `Digits` does. They are looked at and named, but an export
# fails on them only where a real prompt has one.
RARE = ("x² + y³", "½ ² ① Ⅳ", "① first", "٣ and ३")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first place where two tokenizers differ on a prompt."""

    prompt: str
    position: int
    model: int | None
    export: int | None


def first_mismatch(
    prompts: Iterable[str], model: Callable[[str], list[int]], export: Callable[[str], list[int]]
) -> tuple[int, Mismatch | None]:
    """How many prompts were equal before the first that is not, and what differs there."""
    equal = 0
    for prompt in prompts:
        ours, theirs = model(prompt), export(prompt)
        if ours != theirs:
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
            return equal, Mismatch(prompt, at, *(ids[at] if at < len(ids) else None for ids in (ours, theirs)))
        equal += 1
    return equal, None
