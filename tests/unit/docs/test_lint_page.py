"""What docs/lint.md says of ignoring and of CI is true of this version."""

import re
from pathlib import Path

import yaml

from distillc.spec.comments import comments
from distillc.spec.render import FORMATS
from distillc.spec.source import Source
from distillc.spec.suppress import code_of, selector_of

PAGE = (Path(__file__).parents[3] / "docs" / "lint.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_comments_are_understood_and_name_what_there_is():
    (block,) = [block for block in BLOCKS if "distillc: ignore" in block]
    found = comments(Source("page", block)).found
    assert len(found) == 2
    for comment in found:
        assert comment.fault is None and comment.line is not None
        assert all(code_of(named.text) for named in comment.names)


def test_the_lint_section_names_what_there_is():
    (section,) = [yaml.safe_load(block)["lint"] for block in BLOCKS if block.startswith("lint:")]
    assert all(selector_of(word) for word in [*section["select"], *section["ignore"]])
    assert all(code_of(word) for word in section["levels"])


def test_formats_and_the_hook_are_called_so():
    assert set(re.findall(r"--format (\w+)", PAGE)) <= set(FORMATS)
    (hook,) = [yaml.safe_load(block)["repos"][0]["hooks"][0] for block in BLOCKS if block.startswith("repos:")]
    (ours,) = yaml.safe_load((Path(__file__).parents[3] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["id"] == ours["id"]
