"""A matrix has the cells that one of GitHub Actions would have; names are short; every value is linted at its place, the product is not."""

import time
from typing import Any

import pytest

from distillc.spec.lint import Linted, lint
from distillc.spec.matrix import MAX_CELLS, Matrix, Placed, read_matrix
from distillc.spec.nodes import MappingNode, at, to_plain
from distillc.spec.parse import parse
from distillc.spec.resolve import Stop, override_assignment
from distillc.spec.source import Source

SECTIONS = ("task", "seed", "decoding", "data", "models", "train", "profiles", "matrix", "runtime", "name")
SPEC = """\
seed: 0
models: {small: {uses: prune, layers: 4}, other: {uses: prune, layers: 4}}
train: {student: {model: small, epochs: 1, batch: 8}}
runtime: local
"""


def read(matrix: str, *overrides: str) -> tuple[Matrix | None, list[tuple[str, str]], MappingNode]:
    sources: dict[str, Source] = {}
    root, wrong = parse(Source("distill.yaml", SPEC + matrix))
    assert isinstance(root, MappingNode) and not wrong
    over = [override_assignment(text, number, sources) for number, text in enumerate(overrides)]
    found, diagnostics = read_matrix(root, SECTIONS, over)
    return found, [(d.code, d.message) for d in diagnostics], root


def names(matrix: str, *overrides: str) -> list[str]:
    found, wrong, _ = read(matrix, *overrides)
    assert found is not None and wrong == []
    return [found.name(cell) for cell in found.cells]


def values(matrix: str, path: str, *overrides: str) -> list[Any]:
    """What stands at a path in each cell."""
    found, _, root = read(matrix, *overrides)
    assert found is not None
    placed = Placed(found, root)
    cells = [at(placed.of(cell), *path.split(".")) for cell in found.cells]
    return [to_plain(node) if node else None for node in cells]


def test_every_combination_is_a_cell():
    both = "matrix: {vary: {models.small.layers: [8, 12], train.student.epochs: [1, 2]}}"
    assert names(both) == ["layers=8,epochs=1", "layers=8,epochs=2", "layers=12,epochs=1", "layers=12,epochs=2"]
    assert values(both, "models.small.layers") == [8, 8, 12, 12] and values(both, "train.student.epochs") == [1, 2, 1, 2]


def test_exclude_takes_out_what_has_all_its_values():
    head = "matrix: {vary: {models.small.layers: [8, 12], train.student.epochs: [1, 2]}, exclude: "
    assert names(head + "[{models.small.layers: 8, train.student.epochs: 2}]}") == [
        "layers=8,epochs=1", "layers=12,epochs=1", "layers=12,epochs=2",
    ]  # fmt: skip
    assert names(head + "[{models.small.layers: 8}]}") == ["layers=12,epochs=1", "layers=12,epochs=2"]


# The example of GitHub's documentation, "Expanding or adding matrix configurations": fruit × animal and five entries.
FRUIT = """\
matrix:
  vary: {models.small.fruit: [apple, pear], models.small.animal: [cat, dog]}
  include:
    - {models.small.color: green}
    - {models.small.color: pink, models.small.animal: cat}
    - {models.small.fruit: apple, models.small.shape: circle}
    - {models.small.fruit: banana}
    - {models.small.fruit: banana, models.small.animal: cat}
"""


def test_include_adds_to_cells_or_adds_a_cell_as_github_says():
    assert names(FRUIT) == [
        "fruit=apple,animal=cat,color=pink,shape=circle",
        "fruit=apple,animal=dog,color=green,shape=circle",
        "fruit=pear,animal=cat,color=pink",
        "fruit=pear,animal=dog,color=green",
        "fruit=banana",
        "fruit=banana,animal=cat",
    ]


def test_what_a_cell_does_not_set_stays_as_the_spec_has_it():
    text = "matrix: {vary: {models.small.layers: [8], train.student.epochs: [2]}, include: [{models.small.layers: 12}]}"
    assert values(text, "train.student.epochs") == [2, 1]


def test_what_two_cells_have_in_common_is_one_object():
    found, _, root = read("matrix: {vary: {models.small.layers: [8, 12], train.student.epochs: [1, 2]}}")
    assert found is not None
    placed = Placed(found, root)
    one, two, three, _ = (placed.of(cell) for cell in found.cells)
    assert at(one, "models", "small") is at(two, "models", "small") and at(one, "models", "other") is at(root, "models", "other")
    assert at(one, "train", "student") is at(three, "train", "student") and at(one, "train", "student") is not at(two, "train", "student")


@pytest.mark.parametrize(
    ("vary", "name"),
    [
        ("{models.small.layers: [8], models.other.layers: [9]}", "small.layers=8,other.layers=9"),
        ("{models.small.layers: [8], train.student.epochs: [2]}", "layers=8,epochs=2"),
        ("{train.student.learning_rate: [8.0e-4]}", "learning_rate=8.0e-4"),
        ("{models.small: [{uses: prune, layers: 3}]}", "small=#1"),
        ("{models.small.path: [a/b.gguf]}", "path=#1"),
        ("{models.small.path: [\"a,b=c]\"]}", "path=#1"),
        ("{models.small.gold: ['true']}", "gold=true"),
        ("{models.small.note: [null]}", "note=null"),
    ],
)  # fmt: skip
def test_a_name_has_the_last_part_of_a_path_and_short_values(vary, name):
    assert names(f"matrix: {{vary: {vary}}}") == [name]


def test_values_that_are_written_alike_have_different_names():
    assert names("matrix: {vary: {models.small.layers: [8, '8']}}") == ["layers=8", "layers=#2"]


def test_what_is_set_beside_the_file_wins_over_its_matrix():
    text = "matrix: {vary: {models.small.layers: [8, 12], train.student.epochs: [1, 2]}}"
    assert names(text, "models.small.layers=4") == ["epochs=1", "epochs=2"]
    assert names(text, "models.small={uses: prune, layers: 3}") == ["epochs=1", "epochs=2"]
    whole = "matrix: {vary: {models.small: [{uses: prune, layers: 8}, {uses: other, layers: 9}]}}"
    assert values(whole, "models.small", "models.small.layers=4") == [{"uses": "prune", "layers": 4}, {"uses": "other", "layers": 4}]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("{vary: {models.small.layers: [8, 8]}}", "`models.small.layers` has this value twice"),
        ("{vary: {runtime.workers: [1]}}", "`runtime` cannot vary"),
        ("{vary: {matrix.vary: [1]}}", "`matrix` cannot vary"),
        ("{vary: {models.small: [a], models.small.layers: [1]}}", "`models.small.layers` and `models.small` set one another's values"),
        ("{vary: {seed: [1]}, exclude: [{seed: 2}]}", "`seed` never has this value"),
        ("{vary: {seed: [1]}, exclude: [{train.student.epochs: 2}]}", "`train.student.epochs` does not vary"),
        ("{vary: {seed: [1, 2]}, exclude: [{seed: 1}, {seed: 1}]}", "this excludes no cell"),
        ("{vary: {seed: [1]}, exclude: [{seed: 1}]}", "`exclude` leaves no cell"),
        ("{vary: {seed: [1, 2]}, include: [{seed: 1}]}", "this includes a cell that is there already"),
        ("{vary: {seed: [1, 2]}, include: [{seed: 3}, {seed: 3}]}", "this includes a cell that is there already"),
    ],
)
def test_what_says_nothing_is_a_finding(matrix, message):
    assert read(f"matrix: {matrix}")[1] == [("D027", message)]


@pytest.mark.parametrize(
    ("path", "message"), [("trian.student.epochs", "there is no section `trian`"), ("train.s.x", "`train` has no step `s`")]
)
def test_a_path_leads_into_the_spec(path, message):
    assert read(f"matrix: {{vary: {{{path}: [1]}}}}")[1] == [("D021", message)]


def test_more_cells_than_make_a_plan_are_refused_before_they_are_made():
    axes = ", ".join(f"models.small.k{i}: [{', '.join(map(str, range(100)))}]" for i in range(10))
    found, wrong, _ = read(f"matrix: {{vary: {{{axes}}}}}")
    assert found is None and wrong == [("D027", "the matrix has 100,000,000,000,000,000,000 combinations")]
    many = ", ".join(map(str, range(MAX_CELLS)))
    assert len(names(f"matrix: {{vary: {{seed: [{many}]}}}}")) == MAX_CELLS
    assert read(f"matrix: {{vary: {{seed: [{many}]}}, include: [{{seed: -1}}]}}")[0] is None


def test_the_cells_that_are_looked_at_have_every_value_and_are_few():
    ten, three = ", ".join(map(str, range(10))), "a, b, c"
    found, _, _ = read(f"matrix: {{vary: {{seed: [{ten}], models.small.layers: [{ten}], train.student.model: [{three}]}}}}")
    assert found is not None
    cover = found.cover()
    assert len(cover) == 10 and set(cover) <= set(found.cells)
    assert [sorted({number for cell in cover if (number := cell[axis]) is not None}) for axis in range(3)] == [
        [*range(10)],
        [*range(10)],
        [0, 1, 2],
    ]


def test_a_value_that_exclude_takes_out_of_every_cell_is_looked_at_alone():
    found, _, _ = read("matrix: {vary: {seed: [1, 2], train.student.epochs: [3, 4]}, exclude: [{seed: 1}]}")
    assert found is not None
    assert found.cells == ((1, 0), (1, 1)) and (0, None) in found.cover()


def test_a_path_that_leads_nowhere_raises_no_further_than_here():
    with pytest.raises(Stop):
        override_assignment("nothing", 0, {})


# -- lint

WHOLE = """\
distill: 1
name: x
task: {kind: generate, input: text, target: fixed, prompt: "Correct: {{ text }}"}
data: {prose: {uses: docstrings, packages: [numpy]}}
generate: {pairs: {from: prose, steps: [corrupt]}}
models: {base: {uses: random}, small: {uses: prune, from: base}}
train: {student: {model: small, data: pairs, epochs: 1, losses: {hard: cross_entropy}}}
"""


def findings(text: str, table: Any, **options: Any) -> Linted:
    return lint(WHOLE + text, "distill.yaml", table, **options)


def places(linted: Linted) -> list[tuple[str, str]]:
    """Code and the text at the place of each finding."""
    source = linted.sources["distill.yaml"]
    found = []
    for finding in linted.diagnostics:
        assert finding.span is not None
        found.append((finding.code, source.line(finding.span.line)[finding.span.column - 1 : finding.span.end_column - 1]))
    return [place for place in found if place[0] < "D3"]  # rules about good practice are others' business


def test_a_value_that_only_the_matrix_gives_is_not_missing(table):
    assert places(findings("matrix: {vary: {models.small.layers: [1, 2]}}", table)) == []
    assert [code for code, _ in places(findings("", table))] == ["D102"]


def test_every_value_is_checked_at_its_own_place(table):
    text = "matrix: {vary: {models.small.layers: [1, two, 0], train.student.model: [small, smal], train.student.epochs: [x, 2, -1]}}"
    assert places(findings(text, table)) == [("D103", "two"), ("D105", "0"), ("D201", "smal"), ("D103", "x"), ("D105", "-1")]


def test_values_of_include_are_checked_too(table):
    text = "matrix: {vary: {models.small.layers: [1]}, include: [{models.small.layers: 2, train.student.epoch: 1}]}"
    assert places(findings(text, table)) == [("D101", "epoch")]


def test_a_finding_is_there_once_however_many_cells_have_it(table):
    many = ", ".join(map(str, range(1, 60)))
    linted = findings(
        f"matrix: {{vary: {{models.small.layers: [{many}]}}}}\nevaluate: {{t: {{data: pairs.train, models: [nobody]}}}}", table
    )
    assert [(finding.code, finding.notes) for finding in linted.diagnostics if finding.code == "D201"] == [("D201", ())]


def test_a_finding_of_one_cell_names_it(table):
    text = "matrix: {vary: {models.small.from: [base, student], models.small.layers: [3]}}"
    (found,) = [finding for finding in findings(text, table).diagnostics if finding.code == "D204"]
    assert found.notes == () and found.span is not None and found.span.line == 8  # it stands in the matrix, which says so itself
    spec = WHOLE.replace("epochs: 1", "epochs: 1, batch: '${train.student.epochs}'")
    linted = lint(f"{spec}matrix: {{vary: {{models.small.layers: [1], train.student.epochs: [1, 2.5]}}}}", "distill.yaml", table)
    (found,) = [finding for finding in linted.diagnostics if finding.code == "D103"]
    assert found.notes == ("in the cell layers=1,epochs=2.5, for one",) and found.span is not None and found.span.line == 7
    assert [(label.span.line, label.message) for label in found.related] == [(8, "`train.student.epochs` stands here")]


def test_a_profile_wins_over_the_matrix(table):
    text = "matrix: {vary: {models.small.layers: [two, three]}}\nprofiles: {p: {models.small.layers: 1}}"
    assert places(findings(text, table, profile="p")) == []


def test_lint_is_linear_in_the_values_and_does_not_make_the_product(table):
    def seconds(values: int) -> float:
        axes = {"models.small.layers": values, "train.student.epochs": values}
        vary = ", ".join(f"{path}: [{', '.join(map(str, range(1, count + 1)))}]" for path, count in axes.items())
        started = time.process_time()
        linted = findings(f"matrix: {{vary: {{{vary}}}}}", table)
        assert not linted.failed
        return time.process_time() - started

    seconds(2)
    few, many = min(seconds(3) for _ in range(3)), min(seconds(30) for _ in range(3))
    assert many / few < 40  # linear is 10 at most; the product would be 100
