"""What each migration makes of a spec: comments kept, and what nobody can know left to the author."""

from importlib import import_module

import pytest

from distillc.spec import migrations
from distillc.spec.lint import lint
from distillc.spec.migrations import LATEST, MIGRATIONS, migrated
from distillc.spec.source import Source

TASK = 'task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("name: x\n", "distill: 1\nname: x\n"),
        ("# on top\n\nname: x  # name\n", "# on top\n\ndistill: 1\nname: x  # name\n"),
        ("---\r\nname: x\r\n", "---\r\ndistill: 1\r\nname: x\r\n"),
        ("{name: x}", "{distill: 1, name: x}"),
        ("version: 1\nname: x\n", "distill: 1\nname: x\n"),
        ('name: x\nversion: "1.0"  # ours\n', "name: x\ndistill: 1  # ours\n"),
        ("version: 1.0\n", "distill: 1\n"),
    ],
)
def test_a_spec_without_a_version_gets_the_first(before, after):
    text, done = migrated(Source("f", before))
    assert text == after and len(done) == 1
    assert migrated(Source("f", text)) == (after, [])


@pytest.mark.parametrize(
    "text", ["distill: 1\n", "distill: 2\n", "distill: one\n", "version: 2\nname: x\n", "version: [1]\n", "- 1\n", "", "a: ["]
)
def test_what_is_new_enough_or_nobody_can_know_is_left_alone(text):
    assert migrated(Source("f", text)) == (text, [])


def test_migrations_lead_from_one_version_to_the_next_up_to_the_latest():
    modules = [import_module(f"{migrations.__name__}.{name}") for name in MIGRATIONS]
    assert [module.FROM for module in modules] == [None, *range(1, LATEST)]
    assert [module.TO for module in modules] == list(range(1, LATEST + 1))


@pytest.mark.parametrize("text", ["name: x\n" + TASK, "version: 1\nname: x\n" + TASK])
def test_the_rule_offers_the_same_edits_as_its_fix(text, table):
    found = [finding for finding in lint(text, "f", table).diagnostics if finding.code == "D110"]
    assert found[0].fix is not None
    assert found[0].fix.message == migrated(Source("f", text))[1][0]
