"""The manifest cache is stale as soon as anything changes that it was made from, whether that works or is broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from distillc.plugins import freshness

PLUGIN = """\
from distillc.plugins.api.hooks import hookimpl
from distillc.plugins.api.manifest import Kind, Manifest

@hookimpl
def distillc_manifests():
    return [Manifest(kind=Kind.LOSSES, name="made_up", summary="{summary}", config="made_up.configs:Config", impl="made_up.loss:Loss")]
"""
CONFIG = "from distillc.spec.fields import Config\n\nclass Config(Config):\n    {field}: int = 1\n"


class Installed:
    """A distribution in a folder that Python looks into, and what `distillc plugins` says of it in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "own-packages"
        self.cache = folder / "cache"
        self.package = self.folder / "made_up"
        self.package.mkdir(parents=True)
        self.info = self.folder / "made_up-1.0.dist-info"
        self.info.mkdir()
        self.clock = 1_000_000_000
        self.write(self.info / "METADATA", "Metadata-Version: 2.1\nName: made-up\nVersion: 1.0\n")
        self.write(self.info / "entry_points.txt", "[distillc]\nmade_up = made_up\n")

    def write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        self.clock += 1_000_000_000  # a clock may tick slower than a test
        os.utime(path, ns=(self.clock, self.clock))

    def listed(self) -> dict[str, str]:
        """Summary by name of the losses, or what is wrong with them; and the fields of `made_up`."""
        script = (
            "import json; from distillc.plugins.registry import load; r = load()\n"
            "print(json.dumps([[e.manifest.name, e.error or e.manifest.summary + ' ' + ' '.join(e.schema['properties'])]"
            " for e in r.entries if e.distribution == 'made-up'] + [[b['distribution'], b['error']] for b in r.broken]))"
        )
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        env = {
            **os.environ,
            "PYTHONPATH": path,
            "DISTILLC_CACHE": str(self.cache),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DISTILLC_PLUGINS": "made-up",
        }
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))


@pytest.fixture
def installed(tmp_path):
    return Installed(tmp_path)


def test_every_step_of_writing_a_plugin_is_seen(installed):
    init, configs = installed.package / "__init__.py", installed.package / "configs.py"
    installed.write(init, PLUGIN.format(summary="one"))
    installed.write(configs, CONFIG.format(field="first"))
    assert installed.listed() == {"made_up": "one first"}
    kept = list(installed.cache.iterdir())
    assert installed.listed() == {"made_up": "one first"} and list(installed.cache.iterdir()) == kept
    installed.write(init, PLUGIN.format(summary="two"))
    assert installed.listed() == {"made_up": "two first"}
    installed.write(configs, CONFIG.format(field="last"))
    assert installed.listed() == {"made_up": "two last"}
    installed.write(configs, "import nothing_that_is_there\n")
    assert "nothing_that_is_there" in installed.listed()["made_up"]
    installed.write(configs, CONFIG.format(field="again"))
    assert installed.listed() == {"made_up": "two again"}
    installed.write(init, "from made_up import configs\n1 / 0\n")
    assert installed.listed() == {"made-up": "ZeroDivisionError: division by zero"}
    installed.write(init, PLUGIN.format(summary="three"))
    assert installed.listed() == {"made_up": "three again"}
    for file in installed.info.iterdir():
        file.unlink()
    installed.info.rmdir()
    assert installed.listed() == {}


def test_a_manifest_with_no_list_around_it_is_the_fault_of_its_distribution(installed):
    installed.write(installed.package / "configs.py", CONFIG.format(field="first"))
    installed.write(installed.package / "__init__.py", PLUGIN.format(summary="one").replace("[Manifest", "Manifest").replace(")]", ")"))
    assert installed.listed() == {"made-up": "TypeError: `distillc_manifests` gives a list of Manifest, and not of Kind"}


def test_a_file_is_unchanged_while_its_time_and_size_are(tmp_path):
    file = tmp_path / "a"
    file.write_text("1", encoding="utf-8")
    stamp = freshness.stamp(str(file))
    assert freshness.unchanged([stamp]) and freshness.unchanged(json.loads(json.dumps([stamp])))
    file.write_text("12", encoding="utf-8")
    assert not freshness.unchanged([stamp])
    file.unlink()
    assert not freshness.unchanged([stamp])


def test_the_caches_of_a_user_are_where_the_platform_has_them(monkeypatch, tmp_path):
    for name in ("DISTILLC_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert freshness.cache_folder() == str(tmp_path / ".cache" / "distillc")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert freshness.cache_folder() == str(tmp_path / "x" / "distillc")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert freshness.cache_folder() == str(tmp_path / "Library" / "Caches" / "distillc")
    monkeypatch.setenv("DISTILLC_CACHE", str(tmp_path / "own"))
    assert freshness.cache_folder() == str(tmp_path / "own")
