"""What is read of a lock line by line is what a TOML parser reads, and it counts only for what it was read for."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillc.compiler.lock import make_lock, moved, to_text
from distillc.compiler.outline.models import FACTS, Origin
from distillc.compiler.pinned import FIELDS, Pinned, fields_digest, pinned_facts

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
facts = st.dictionaries(st.sampled_from([*FACTS, FIELDS]), text | st.integers(0, 1 << 40), max_size=4)


@given(st.dictionaries(text, st.dictionaries(text, text, max_size=3), max_size=2), st.dictionaries(text, facts, max_size=3))
def test_the_facts_are_those_that_a_parser_reads(leaves: dict[str, dict[str, str]], found: dict[str, Any]) -> None:
    lock = make_lock(leaves, found, {"a.b": "c"})
    read = [table for table in pinned_facts(to_text(lock)) if table]
    assert read == [table for table in tomllib.loads(to_text(lock)).get("facts", {}).values() if table]


def lock_of(path: str, **known: Any) -> str:
    return to_text(make_lock({}, {"base": {**known, FIELDS: fields_digest("transformers", {"path": path})}}, {}))


def origin(path: str, parent: Any = None) -> Origin:
    return Origin(where=("models", "base"), kind="teachers", uses="transformers", fields={"path": path}, parent=parent)


def test_facts_count_for_the_fields_that_they_were_read_for() -> None:
    pinned = Pinned(lock_of("models/base", width=576))
    assert pinned(origin("models/base")) == {"width": 576}
    assert pinned(origin("models/other")) is None


def test_facts_of_any_profile_count() -> None:
    assert Pinned(lock_of("a", width=64).replace("[facts.", "[profile.tiny.facts."))(origin("a")) == {"width": 64}


def test_facts_that_do_not_say_what_they_were_read_for_do_not_count() -> None:
    """Locks of the first version."""
    assert Pinned(to_text(make_lock({}, {"base": {"width": 576}}, {}))).facts == {}


@pytest.mark.parametrize(
    "damaged", ["", "\0", "[facts.base", "[facts.base]\nwidth", "[facts.base]\nwidth = {", "<<<<<<< HEAD\n[facts.b]\n"]
)
def test_what_is_no_lock_knows_nothing(damaged: str) -> None:
    assert Pinned(damaged).facts == {}


def test_another_file_is_nothing_that_moved() -> None:
    before, after = (make_lock({}, {"base": {FIELDS: name, "width": width}}, {}) for name, width in (("a", 64), ("b", 128)))
    assert moved(before, after) == ["base width 64 -> 128"]
