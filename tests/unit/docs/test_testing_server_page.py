from pathlib import Path
from typing import get_args

import pytest

from distillc.testing.server.script import Adapters, Batches, Dialect, Endpoints, Fault, FaultKind, Jobs, Script, Teacher

PAGE = (Path(__file__).parents[3] / "docs" / "testing-server.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", [Script, Fault, Batches, Jobs, Adapters, Endpoints])
def test_every_switch_stands_on_the_page(part: type[Script]) -> None:
    assert [name for name in part.model_fields if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE] == []


@pytest.mark.parametrize("names", [Teacher, FaultKind, Dialect])
def test_every_teacher_fault_and_dialect_stands_on_the_page(names: object) -> None:
    assert [name for name in get_args(names) if f"`{name}`" not in PAGE] == []
