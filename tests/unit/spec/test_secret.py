import pytest

from distillc.spec.errors import UsageError
from distillc.spec.secret import is_reference, looks_secret, resolve_secret


def test_secrets_come_from_the_environment_and_from_files(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILLC_TEST_KEY", "s3cret")
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")
    assert resolve_secret("${env:DISTILLC_TEST_KEY}", tmp_path) == "s3cret"
    assert resolve_secret("${file:key}", tmp_path) == "from-file"


@pytest.mark.parametrize("reference", ["${env:DISTILLC_NOT_SET}", "${file:nowhere}", "${cmd:echo x}", "plain"])
def test_what_gives_no_secret_says_the_way_out(reference, tmp_path):
    with pytest.raises(UsageError) as caught:
        resolve_secret(reference, tmp_path)
    assert caught.value.help


def test_references_are_whole_and_keys_have_known_beginnings():
    assert is_reference("${env:A}") and not is_reference("x${env:A}") and not is_reference("${env:}")
    assert (
        looks_secret("sk-" + "a" * 30)
        and looks_secret("hf_" + "b" * 34)
        and not looks_secret("sk-learn")
        and not looks_secret("task-" + "a" * 30)
    )
