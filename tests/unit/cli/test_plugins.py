"""`distillc plugins` says what is installed, what is missing, and what is broken."""

import json

import pytest

from distillc.cli import plugins
from distillc.cli.main import main
from distillc.plugins.api.manifest import Kind, Manifest
from distillc.plugins.registry import Entry, Registry


def entry(name: str, *, modules: tuple[str, ...] = (), error: str | None = None, distribution: str = "distillc-x") -> Entry:
    manifest = Manifest(kind=Kind.LOSSES, name=name, summary=f"the {name}", config="a:B", impl="a:C", modules=modules, extra="local")
    return Entry(manifest, distribution, "1.2", error=error)


def test_missing_modules_come_with_what_installs_them() -> None:
    registry = Registry([entry("far", modules=("json", "no_such_module"))], {})
    (found,) = plugins.listed(registry)
    assert (found["missing"], found["install"]) == (["no_such_module"], "pip install 'distillc-x[local]'")


def test_the_table_tells_third_parties_and_faults_apart() -> None:
    registry = Registry([entry("own", distribution="distillc"), entry("theirs"), entry("torn", error="no such class")], {})
    assert plugins.table(plugins.listed(registry)) == (
        "losses\n"
        "  own     the own\n"
        "  theirs  the theirs  (distillc-x 1.2)\n"
        "  torn    the torn  (distillc-x 1.2)  [cannot be used: no such class]\n"
    )


def test_one_kind_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--kind", "targets", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {plugin["kind"] for plugin in listed} == {"targets"}
    assert "bundle" in {plugin["name"] for plugin in listed}


def test_a_kind_that_does_not_exist_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--kind", "loses"]) == 2
    assert "did you mean `losses`?" in capsys.readouterr().err
