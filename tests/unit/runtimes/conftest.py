"""A store, plugins without weight and an executor in this process."""

from pathlib import Path

import pytest

from distillc.runtimes.store import Store, open_store
from tests.unit.runtimes.small_plan import FakePlugins, InProcess


@pytest.fixture
def plugins() -> FakePlugins:
    return FakePlugins()


@pytest.fixture
def executor(plugins: FakePlugins) -> InProcess:
    return InProcess(plugins)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "home"))
