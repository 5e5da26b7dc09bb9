"""Which `#` speaks to the linter, and what it covers."""

import pytest

from distillc.spec.comments import Comments, comments, without
from distillc.spec.diagnostic import Edit, Span
from distillc.spec.source import Source


def of(text: str) -> Comments:
    return comments(Source("f", text))


def covered(text: str) -> list[int | None]:
    return [comment.line for comment in of(text).found]


def applied(text: str, edit: Edit) -> str:
    source = Source("f", text)
    start = source.starts[edit.span.line - 1] + edit.span.column - 1
    end = source.starts[edit.span.end_line - 1] + edit.span.end_column - 1 if edit.span.end_line <= len(source.starts) else len(text)
    return text[:start] + edit.text + text[end:]


def test_codes_and_names_have_places():
    (comment,) = of("a: 1 # distillc: ignore[D401,  soft-targets ] because\n").found
    assert [named.text for named in comment.names] == ["D401", "soft-targets"]
    assert [(named.span.column, named.span.end_column) for named in comment.names] == [(25, 29), (32, 44)]
    assert comment.span == Span("f", 1, 6, 1, 54) and comment.fault is None


@pytest.mark.parametrize(
    "text",
    [
        "a: 'x # distillc: ignore[D401]'",
        'a: "x # distillc: ignore[D401]"',
        "a: x#distillc:ignore[D401]",
        "a: |\n  # distillc: ignore[D401]\n",
        "a: >-\n\n    text\n\n    # distillc: ignore[D401]\n\nb: 1",
        '"k # distillc: ignore[D401]": 1',
        "a: {'x # distillc: ignore[D401]': 'y # distillc: ignore[D401]'}",
        'a: "one\n  two # distillc: ignore[D401]\n  three"',
        "a: 1\na: 'twice # distillc: ignore[D401]'",
    ],
)
def test_a_hash_inside_a_value_is_no_comment(text):
    assert of(text).found == ()


@pytest.mark.parametrize(
    "text",
    ["a: |  # distillc: ignore[D401]\n  text\n", "a: [1, # distillc: ignore[D401]\n 2]\n", "a: &x # distillc: ignore[D401]\n  b: 1\n"],
)
def test_a_comment_behind_an_indicator_is_one(text):
    assert covered(text) == [1]


def test_a_comment_alone_covers_the_next_line_that_has_content():
    assert covered("# distillc: ignore[D401]\n\n# more\n   # distillc: ignore[D301]\na: 1\n") == [5, 5]
    assert covered("a: {\n  # distillc: ignore[D401]\n  b: 1}\n") == [3]
    assert covered("a: 1\n# distillc: ignore[D401]\n") == [None]


def test_a_comment_below_a_block_does_not_belong_to_it():
    assert covered("a: |\n  text\n# distillc: ignore[D401]\nb: 1\n") == [4]


@pytest.mark.parametrize(
    "value", ["|\n  one\n  two", ">-\n  one\n  two", '"one\n  two"', "'one\n  two'", "one\n  two", '\n  "one two\n  three"']
)
def test_a_value_of_several_lines_counts_as_the_line_of_its_key(value):
    found = of(f"z: 0\n# distillc: ignore[D401]\na: {value}\nb: 1\n")
    (comment,) = found.found
    last = 3 + value.count("\n")
    assert [line for line in range(1, last + 3) if found.covers(comment, line)] == list(range(3, last + 1))


def test_a_comment_at_the_end_of_a_long_value_covers_its_beginning():
    text = 'a:\n  "one\n  two" # distillc: ignore[D401]\nb: 1\n'
    found = of(text)
    assert [line for line in range(1, 5) if found.covers(found.found[0], line)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("comment", "fault"),
    [
        ("# distillc ignore", "no colon"),
        ("# distillc ignore[D401] why", "no colon"),
        ("# distillc: ignore", "no codes"),
        ("# distillc: ignore D401", "no codes"),
        ("# distillc: ignore[]", "no codes"),
        ("# distillc: ignore[D401, ]", "no codes"),
        ("# distillc: ignore(D401)", "no codes"),
        ("# distillc: ignore[D401", "not closed"),
        ("# distillc: ignroe[D401]", "other word"),
        ("# distillc: disable=D401", "other word"),
        ("# distillc: ignore-file[D401]", "not at the top"),
        ("# distillc:ignore[D401]", None),
        ("## distillc : ignore [D401] why", None),
        ("# why # distillc: ignore[D401]", None),
    ],
)
def test_what_is_not_understood_says_what_is_wrong(comment, fault):
    assert [found.fault for found in of(f"a: 1 {comment}\n").found] == [fault]


@pytest.mark.parametrize("comment", ["# distillc reads this", "# distillc: see the docs", "# see distillc: ignore[D401]", "# distillc"])
def test_a_sentence_about_us_is_no_order(comment):
    assert of(f"a: 1 {comment}\n").found == ()


@pytest.mark.parametrize("before", ["", "# a title\n\n", "---\n", "%YAML 1.2\n---\n"])
def test_ignore_file_stands_before_the_first_key(before):
    (comment,) = of(f"{before}# distillc: ignore-file[D401]\na: 1\n").found
    assert comment.whole_file and comment.fault is None


def test_two_orders_may_stand_in_one_comment():
    first, second = of("a: 1 # distillc: ignore[D401] why # distillc: ignore[D301] and why\n").found
    assert (first.span.end_column, second.span.column, second.line) == (34, 35, 1)


@pytest.mark.parametrize("text", ["a: 'x # distillc: ignore[D401]", "\t# distillc: ignore[D401]\n\ta: - b"])
def test_a_text_that_is_no_yaml_has_none(text):
    assert of(text).found == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a: 1  # distillc: ignore[D401] why\nb: 2\n", "a: 1\nb: 2\n"),
        ("a: 1\n  # distillc: ignore[D401]\nb: 2\n", "a: 1\nb: 2\n"),
        ("a: 1\r\n# distillc: ignore[D401]\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n"),
        ("a: 1\n# distillc: ignore[D401]", "a: 1\n"),
        ("a: 1 # why # distillc: ignore[D401]\n", "a: 1 # why\n"),
        ("a: 1 # distillc: ignore[D401] # distillc: ignore[D301]\n", "a: 1 # distillc: ignore[D301]\n"),
        ("# distillc: ignore[D401] # distillc: ignore[D301]\na: 1\n", " # distillc: ignore[D301]\na: 1\n"),
    ],
)
def test_a_comment_goes_with_all_of_it_and_nothing_else(text, left):
    comment = of(text).found[0]
    assert applied(text, without(comment, comment.names)) == left


def test_of_several_codes_those_that_are_needed_stay():
    text = "a: 1 # distillc: ignore[D401,D301, soft-targets] why\n"
    (comment,) = of(text).found
    assert applied(text, without(comment, [comment.names[0]])) == "a: 1 # distillc: ignore[D301, soft-targets] why\n"


def test_columns_count_characters_before_wide_ones_too():
    (comment,) = of("a: '日本 😀' # distillc: ignore[D401]\n").found
    assert comment.span.column == 11 and comment.names[0].span.column == 30
