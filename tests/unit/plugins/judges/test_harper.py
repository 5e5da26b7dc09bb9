"""The judge harper."""

from distillc.plugins.api.metrics import Item
from distillc.plugins.judges.configs import HarperConfig
from distillc.plugins.judges.harper import HarperJudge


def lints(*outputs: str) -> list[float]:
    items = [Item(str(number), "", output, ()) for number, output in enumerate(outputs)]
    found: list[float] = HarperJudge(HarperConfig()).statistics(items)[:, 0].tolist()
    return found


def test_a_worse_sentence_has_more_lints() -> None:
    # agreement (go), article (a office), spelling (dont)
    assert lints("She goes to an office, and he doesn't like it.", "She go to a office, and he dont like it.") == [0, 3]


def test_silence_does_not_win() -> None:
    assert lints("", "  \n") == [1, 1]


def test_what_is_right_hangs_on_the_dialect() -> None:
    items = [Item("1", "", "The colour of the car is red.", ())]
    american, british = (HarperJudge(HarperConfig(dialect=dialect)).statistics(items)[0, 0] for dialect in ("american", "british"))
    assert (american, british) == (1, 0)
