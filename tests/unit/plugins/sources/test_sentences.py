"""Which sentences of a docstring are kept, on docstrings written for it."""

import pytest

from distillc.plugins.sources.sentences import is_clean, sentences


def kept(docstring: str) -> list[str]:
    return list(sentences(docstring, min_words=6, max_words=20))


def test_prose_is_split_into_sentences_over_line_breaks() -> None:
    assert kept("Return the file that is open.\n\nThe file is read once, and\nits lines are kept. It is never closed by this.") == [
        "Return the file that is open.",
        "The file is read once, and its lines are kept.",
        "It is never closed by this.",
    ]


def test_fields_titles_code_and_lists_do_not_leak_into_prose() -> None:
    text = """Sort the lines of the file in place.

Parameters
----------
key : callable
    The function is called once for each line.

Args:
    reverse (bool): Whether to sort backwards in the list.
        The order is kept if the keys are equal.

>>> The result is shown to the user here.
Notes
-----
- The first item of a list
  that goes on is a fragment.
:param path: The path of the file to be read.
"""
    assert kept(text) == [
        "Sort the lines of the file in place.",
        "The function is called once for each line.",
        "The order is kept if the keys are equal.",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Close the file.",  # five words too few
        "Return the `value` of the given option.",  # backticks
        "Return the value of kwargs in the call.",  # a word of code
        "Return the value of sortedList in the call.",  # CamelCase
        "return the value that was given before.",  # no capital
        "Return the value that was given before",  # no full stop
        "Return the value (if any) of the option.",  # brackets
        "Return the first 3 values of the list.",  # digits
        "The axis along the rows of the array.",  # a label without a verb
        "Order of the columns in the table of results.",  # another
        "If no point given, the origin is used instead.",  # the verb of the clause is missing
        "Return the the value of the given option.",  # an error already
        "This should returns the value of the option.",  # another
        "Return a array of all values that are found.",  # another
        "Return value of the option that was given.",  # the article is missing
        "Create the graph from matrix and return it.",  # another
        "Must be the same as the first value.",  # no subject
    ],
)
def test_what_is_no_clean_sentence_is_refused(sentence: str) -> None:
    assert not is_clean(sentence, min_words=6, max_words=20)


@pytest.mark.parametrize(
    "sentence",
    [
        "Return a list of the names that were found.",
        "If the file doesn't exist, a new one is created.",
        "The user's settings are read from a URL first.",
        "This class is thread-safe; its methods can be called at any time.",
    ],
)
def test_a_clean_sentence_is_kept(sentence: str) -> None:
    assert is_clean(sentence, min_words=6, max_words=20)
