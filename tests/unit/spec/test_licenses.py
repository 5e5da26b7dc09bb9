import pytest

from distillc.spec.licenses import KNOWN, canonical, nearest


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Apache-2.0", "Apache-2.0"),
        ("apache-2.0", "Apache-2.0"),
        ("apache2", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("The MIT License", "MIT"),
        ("GPLv3", "GPL-3.0"),
        ("cc by 4.0", "CC-BY-4.0"),
        ("bsd", "BSD-3-Clause"),
        ("Llama 3.1", "llama3.1"),
        ("gemma terms of use", "gemma"),
    ],
)
def test_a_license_is_known_in_any_spelling(name, identifier):
    assert canonical(name) == identifier


@pytest.mark.parametrize("name", ["our terms of 2024", "LicenseRef-ours", "license", "", "Apache-1.1", "MIT 2"])
def test_a_name_of_no_known_license_is_none(name):
    assert canonical(name) is None


def test_every_identifier_stands_for_itself():
    assert [canonical(name) for name in KNOWN] == list(KNOWN)


@pytest.mark.parametrize(("name", "identifier"), [("Apahce-2.0", "Apache-2.0"), ("BSD-3-Cluase", "BSD-3-Clause")])
def test_a_slip_leads_to_the_nearest_identifier(name, identifier):
    assert nearest(name) == identifier


@pytest.mark.parametrize("name", ["Apache-1.1", "CPL-1.0", "our terms of 2024", "x" * 200])
def test_another_version_or_a_short_name_is_no_slip(name):
    assert nearest(name) is None
