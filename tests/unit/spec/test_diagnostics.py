"""Each spec under tests/diagnostics gives exactly the findings beside it. DISTILLC_UPDATE=1 writes them anew: then read them."""

import os
from pathlib import Path

import pytest

from distillc.spec.codes import CODES
from distillc.spec.lint import lint
from distillc.spec.render import render

FOLDER = Path(__file__).parents[2] / "diagnostics"
SPECS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.stem)
def test_findings_are_those_beside_the_spec(spec, table):
    linted = lint(spec.read_text(encoding="utf-8"), "distill.yaml", table, every_profile=True)
    assert {diagnostic.code for diagnostic in linted.diagnostics} <= CODES.keys()
    shown = render("full", linted.diagnostics, linted.sources)
    expected = spec.with_suffix(".out")
    if os.environ.get("DISTILLC_UPDATE"):
        expected.write_text(shown, encoding="utf-8")
    assert shown == expected.read_text(encoding="utf-8")
