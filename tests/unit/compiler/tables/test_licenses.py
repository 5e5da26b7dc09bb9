"""The table of licenses: known by any usual name, and unknown is never free."""

import pytest

from distillc.compiler.tables import licenses
from distillc.spec.licenses import canonical


@pytest.mark.parametrize(
    ("written", "id"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("Apache License 2.0", "Apache-2.0"),
        ("MIT", "MIT"),
        ("llama-3.1", "llama3.1"),
        ("Gemma Terms of Use", "gemma"),
    ],
)
def test_usual_names_find_their_entry(written: str, id: str) -> None:
    found = licenses.terms(written)
    assert found is not None and found.id == id


@pytest.mark.parametrize("written", [None, "", "my own license", "apache-3"])
def test_an_unknown_license_is_none_and_says_so(written: str | None) -> None:
    assert licenses.terms(written) is None
    assert len(licenses.obligations(written)) == 1


def test_ids_are_unique_and_every_condition_has_words() -> None:
    ids = [terms.id.lower() for terms in licenses.TABLE]
    assert len(ids) == len(set(ids))
    assert all(terms.condition for terms in licenses.TABLE if terms.outputs_may_train != "yes")
    assert all(canonical(terms.id) == terms.id for terms in licenses.TABLE)


def test_distillc_carries_the_text_of_apache_2() -> None:
    text = licenses.text("apache-2.0")
    assert text is not None and "Version 2.0, January 2004" in text
    assert licenses.text("gemma") is None
