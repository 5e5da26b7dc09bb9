"""`probe`: which of the names is the spec, and what it says of itself."""

from pathlib import Path

import pytest

from distillc.cli.main import main
from distillc.cli.probe import spec_and_models


@pytest.mark.parametrize(
    ("names", "spec", "models"),
    [
        ([], "distill.yaml", []),
        (["big", "small"], "distill.yaml", ["big", "small"]),
        (["other.yaml", "big"], "other.yaml", ["big"]),
        (["specs/other", "big"], "specs/other", ["big"]),
        (["distil.yaml"], "distil.yaml", []),
    ],
)
def test_a_file_is_told_from_a_model(names: list[str], spec: str, models: list[str]) -> None:
    assert spec_and_models(names) == (Path(spec), models)


def test_a_spec_that_is_not_there_is_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", str(tmp_path / "none.yaml"), "big"]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_help_documents_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["probe", "--help"])
    said = capsys.readouterr().out
    assert all(key in said for key in ("usd_per_1000", "as_good", "seconds_per_row", "not_reached", "4 the budget is reached"))


def test_options_may_stand_between_the_spec_and_the_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All names are read: it is the spec that is not there."""
    assert main(["probe", str(tmp_path / "none.yaml"), "--by", "exact_match", "big"]) == 2
    assert "cannot be read" in capsys.readouterr().err
