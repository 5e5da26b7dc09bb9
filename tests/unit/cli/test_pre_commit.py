"""The hook of this repository takes the files that `distillc lint` takes on its own."""

import re
from pathlib import Path

import yaml

from distillc.cli.find_specs import below

HOOKS = yaml.safe_load((Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
NAMES = (
    "distill.yaml",
    "a/distill.yml",
    "small.distill.yaml",
    "a/b.distill.yml",
    "mydistill.yaml",
    "distill.yaml.txt",
    "distill.json",
    "x.yaml",
)


def test_the_hook_and_the_search_agree(tmp_path):
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (hook,) = HOOKS
    taken = sorted(name for name in NAMES if re.search(hook["files"], name))
    assert taken == sorted(str(Path(spec).relative_to(tmp_path)) for spec in below(str(tmp_path))) and len(taken) == 4


def test_the_hook_installs_the_package_without_extras():
    (hook,) = HOOKS
    assert (hook["id"], hook["entry"], hook["language"]) == ("distillc-lint", "distillc lint", "python")
    assert "additional_dependencies" not in hook
