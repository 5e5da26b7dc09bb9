"""Each family of errors on a sentence written for it, and what the generator does with them."""

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import pytest

from distillc.plugins.api.artifacts import Row
from distillc.plugins.generators import common_errors, held_out_errors, misspellings
from distillc.plugins.generators.configs import CorruptConfig
from distillc.plugins.generators.corrupt import Corrupt, families
from distillc.plugins.generators.edits import Edit, apply, overlaps
from distillc.spec.errors import StageFailed

# By family: a clean sentence, and all that the family makes of it.
EXPECTED = {
    "agreement": (
        "The function returns a list and the values are sorted.",
        {"The function return a list and the values are sorted.", "The function returns a list and the values is sorted."},
    ),
    "article_form": (
        "An array of a hundred values is an hour of work.",
        {"A array of a hundred values is an hour of work.", "An array of a hundred values is a hour of work."},
    ),
    "article_missing": (
        "Return a copy of the array and the rest.",
        {"Return copy of the array and the rest.", "Return a copy of array and the rest."},
    ),
    "prepositions": (
        "By default it depends on the order.",
        {
            "In default it depends on the order.",
            "On default it depends on the order.",
            "By default it depends from the order.",
            "By default it depends of the order.",
        },
    ),
    "confusables": ("The class and its methods.", {"The class and it's methods."}),
    "verb_forms": (
        "It can be used to sort the applied edits.",
        {
            "It can been used to sort the applied edits.",
            "It can be use to sort the applied edits.",
            "It can be used to sorts the applied edits.",
        },
    ),
    "noun_number": (
        "It takes two arguments and a function.",
        {"It takes two argument and a function.", "It takes two arguments and a functions."},
    ),
    "full_stop": ("Close the file.", {"Close the file"}),
    "comma_missing": ("If it is set, the file is closed, too.", {"If it is set the file is closed, too."}),
    "comma_extra": ("Make sure that it is open.", {"Make sure, that it is open."}),
    "capital": ("Close the file.", {"close the file."}),
    "doubled_word": ("Close the name of files.", {"Close the the name of files.", "Close the name of of files."}),
    "missing_word": (
        "It can be used to sort a list of names.",
        {"It can used to sort a list of names.", "It can be used sort a list of names.", "It can be used to sort a list names."},
    ),
    "look_alikes": ("Read it from the file.", {"Read it form the file."}),
    "demonstratives": (
        "These values are kept by this function.",
        {"This values are kept by this function.", "These values are kept by these function."},
    ),
    "adjective_adverb": (
        "It is automatically closed and typically final.",
        {"It is automatic closed and typically final.", "It is automatically closed and typical final."},
    ),
    "comparatives": ("This is faster than a copy.", {"This is more fast than a copy."}),
    "complements": ("It refers to the parent.", {"It refers on the parent.", "It refers at the parent."}),
    "apostrophe": ("It's clear that it doesn't change.", {"It's clear that it doesnt change."}),
    "comma_spacing": ("If so, it is closed.", {"If so ,it is closed.", "If so,it is closed.", "If so , it is closed."}),
    "word_boundary": ("It is in the file without a name.", {"It is inthe file without a name.", "It is in the file with out a name."}),
    "word_order": ("It can be closed.", {"It be can closed."}),
}
ALL = {**common_errors.FAMILIES, **held_out_errors.FAMILIES}


@dataclass
class Context:
    seed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def drop(self, row: Row, reason: str) -> None:
        self.dropped[reason] += 1


def rows(*texts: str) -> list[Row]:
    return [Row(row_id=f"r{number}", payload={"input": text}, source=f"m:{number}", group="m") for number, text in enumerate(texts)]


def corrupted(config: CorruptConfig, given: list[Row], seed: int = 0) -> tuple[list[Row], Counter[str]]:
    context = Context(seed)
    return list(Corrupt(config).generate(given, context)), context.dropped  # type: ignore[arg-type]  # models and answers are not asked for


SENTENCES = rows(
    *(
        f"If the {noun} doesn't exist, a new {noun} is created {adverb} and the values of these arguments are {verb} from the list."
        for noun in ("file", "array", "object", "table", "server")
        for adverb in ("automatically", "before", "without an error", "at least once")
        for verb in ("taken", "removed", "received", "separated", "computed")
    )
)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_family_makes_these_errors_of_this_sentence(name: str) -> None:
    clean, expected = EXPECTED[name]
    assert {apply(clean, [edit]) for edit in ALL[name](clean)} == expected


def test_every_family_has_an_expectation_and_an_example_that_holds() -> None:
    assert set(EXPECTED) == set(ALL)
    for name, family in ALL.items():
        quoted = (family.__doc__ or "").split("`")
        before, after = quoted[-4], quoted[-2]
        assert after in {apply(before, [edit]) for edit in family(before)}, name


def test_the_readme_of_the_example_lists_every_family_as_its_docstring_does() -> None:
    readme = (Path(__file__).parents[4] / "examples/grammar/README.md").read_text(encoding="utf-8")
    listed = [line for line in readme.splitlines() if line.startswith("| `")]
    assert listed == [line_of(name, half) for half in ("common", "held_out") for name in families(half)]


def line_of(name: str, half: str) -> str:
    what, clean, wrong = re.fullmatch(r"(.*?)\.  `(.*)` → `(.*)`", ALL[name].__doc__ or "").groups()  # type: ignore[union-attr]
    return f"| `{name}` | {half} | {what} | {clean} | {wrong} |"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("agreement", "The name and the value are kept."),  # `is` could be right after `and`
        ("agreement", "Return the function calls and values."),  # a noun
        ("agreement", "The data is kept in the set of all."),  # data are, too
        ("article_form", "A uniform value, a one and an MRI."),
        ("article_missing", "Return the values in the order of the calls."),
        ("noun_number", "This process is in this class, which has this status."),
        ("verb_forms", "Convert the position to index and value."),  # perhaps a noun
        ("apostrophe", "It's there and we're here."),  # its, were: other families' words
    ],
)
def test_there_is_no_place_where_the_sentence_could_still_be_right(name: str, clean: str) -> None:
    assert [apply(clean, [edit]) for edit in ALL[name](clean) if name != "noun_number" or edit.text == "s"] == []


def test_common_and_held_out_share_no_type_and_no_misspelled_word() -> None:
    assert not set(common_errors.FAMILIES) & set(held_out_errors.FAMILIES)
    assert not set(common_errors.FAMILIES.values()) & set(held_out_errors.FAMILIES.values())
    common, held_out = misspellings.dictionary("common"), misspellings.dictionary("held_out")
    assert not set(common) & set(held_out)
    assert not {wrong for found in common.values() for wrong in found} & {wrong for found in held_out.values() for wrong in found}
    assert 0.2 < len(held_out) / (len(common) + len(held_out)) < 0.3
    # No sentence can be corrupted into the same text by both.
    for row in SENTENCES:
        clean = row.payload["input"]
        made = [{apply(clean, [edit]) for family in families(half).values() for edit in family(clean)} for half in ("common", "held_out")]
        assert not made[0] & made[1]


def test_misspellings_are_codespells_and_keep_a_capital() -> None:
    edits = [edit for half in ("common", "held_out") for edit in misspellings.places("Receive the data.", half)]  # type: ignore[arg-type]
    assert "Recieve the data." in {apply("Receive the data.", [edit]) for edit in edits}
    assert all(edit.text[0].isupper() for edit in edits if edit.start == 0)


def test_every_row_is_accounted_for() -> None:
    given = [*SENTENCES, *rows("xyzzy", "Recieve the names of the files.")]
    given = [Row(row_id=f"n{number}", payload=row.payload, source=row.source) for number, row in enumerate(given)]
    made, dropped = corrupted(CorruptConfig(per_sentence=(0, 1)), given)
    assert dropped == {"no_error_fits": 1, "misspelled": 1}
    assert [row.parents for row in made] == [(row.row_id,) for row in given[:-2]]
    assert len({row.row_id for row in made} | {row.row_id for row in given}) == len(made) + len(given)


def test_the_target_is_the_clean_sentence_unless_gold_is_dropped() -> None:
    kept, _ = corrupted(CorruptConfig(), SENTENCES)
    without, _ = corrupted(CorruptConfig(gold="drop"), SENTENCES)
    assert [row.payload["target"] for row in kept] == [row.payload["input"] for row in SENTENCES]
    assert [dict(row.payload) for row in without] == [{"input": row.payload["input"]} for row in kept]
    assert {row.generator for row in kept} == {"corrupt"}
    assert [(row.source, row.group, row.split) for row in kept] == [(row.source, row.group, row.split) for row in SENTENCES]


def test_a_rows_errors_depend_on_the_seed_and_the_row_alone() -> None:
    whole, _ = corrupted(CorruptConfig(), SENTENCES)
    part, _ = corrupted(CorruptConfig(), SENTENCES[40:60])
    assert part == whole[40:60]
    other, _ = corrupted(CorruptConfig(), SENTENCES, seed=1)
    assert sum(one.payload != two.payload for one, two in zip(whole, other, strict=True)) > 80


@pytest.mark.parametrize(("weights", "unchanged"), [((1.0,), 100), ((0, 1), 0)])
def test_weights_say_how_many_sentences_stay_correct(weights: tuple[float, ...], unchanged: int) -> None:
    made, _ = corrupted(CorruptConfig(per_sentence=weights), SENTENCES)
    assert sum(row.payload["input"] == row.payload["target"] for row in made) == unchanged


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(StageFailed, match="all weights are 0"):
        Corrupt(CorruptConfig(per_sentence=(0, 0)))


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (1.0, 100, 100), (0.25, 12, 38)])  # 25 ± 3 standard deviations
def test_the_share_of_misspellings_is_what_was_asked(share: float, low: int, high: int) -> None:
    made, _ = corrupted(CorruptConfig(per_sentence=(0, 1), misspellings=share), SENTENCES)
    known = misspellings.all_misspellings()
    found = sum(any(word.strip(",.").lower() in known for word in row.payload["input"].split()) for row in made)
    # `dont`-like errors stand in codespell's dictionary too, but are no family of the common half.
    assert low <= found <= high


def test_a_list_of_families_gives_these_errors_alone() -> None:
    made, _ = corrupted(CorruptConfig(errors=("capital",), per_sentence=(0, 1), misspellings=0), SENTENCES)
    assert all(row.payload["input"] == row.payload["target"][0].lower() + row.payload["target"][1:] for row in made)


def test_edits_do_not_touch_each_other() -> None:
    generator = Corrupt(CorruptConfig(per_sentence=(0, 0, 0, 1)))
    assert overlaps(Edit(3, 5, "x"), [Edit(6, 8, "y")])
    assert not overlaps(Edit(3, 5, "x"), [Edit(7, 8, "y")])
    for one, two in combinations([Edit(0, 1, "a"), Edit(3, 4, "b"), Edit(6, 6, "c")], 2):
        assert not overlaps(one, [two])
    assert apply("abcdefgh", [Edit(6, 6, "X"), Edit(0, 1, ""), Edit(3, 4, "YY")]) == "bcYYefXgh"
    assert generator.half == "common"
