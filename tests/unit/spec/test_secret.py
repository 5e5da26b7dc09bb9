import sys
from typing import Any, cast

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from distillc.spec import secret
from distillc.spec.diagnostic import Span
from distillc.spec.errors import UsageError
from distillc.spec.nodes import ScalarNode
from distillc.spec.secret import is_reference, looks_secret, missing_secret, resolve_secret, secret_findings


@pytest.mark.parametrize("text", ["$MY_KEY", "${MY_KEY}", "env:MY_KEY", "$env:MY_KEY", "MY_KEY"])
def test_the_name_of_a_variable_is_no_secret(text):
    (found,) = secret_findings(ScalarNode(text, text, Span("f", 1, 1, 1, 9)), "`api_key`")
    assert (found.message, found.help) == ("`api_key` must be a reference to a secret", "did you mean `${env:MY_KEY}`?")


@pytest.mark.parametrize("text", ["hunter2", "$ecret", "$AB12CD34", "AKIAABCDEFGHIJKLMNOP", "SK_LIVE_1234ABCD", "$" + "A" * 60])
def test_what_may_be_a_secret_is_in_no_message(text):
    (found,) = secret_findings(ScalarNode(text, text, Span("f", 1, 1, 1, 9)), "`api_key`")
    assert found.message == "`api_key` holds the secret itself" and text not in (found.help or "")


def test_secrets_come_from_the_environment_and_from_files(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILLC_TEST_KEY", "s3cret")
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")
    assert resolve_secret("${env:DISTILLC_TEST_KEY}", tmp_path) == "s3cret"
    assert resolve_secret("${file:key}", tmp_path) == "from-file"


def printing(code: str) -> str:
    """A reference to what a line of Python prints."""
    return "${cmd:" + f'"{sys.executable}" -c "{code}"' + "}"


def test_a_command_prints_a_secret_without_a_shell_in_the_folder_of_the_spec(tmp_path):
    (tmp_path / "key").write_text("printed\n", encoding="utf-8")
    assert resolve_secret(printing("print(open('key').read())"), tmp_path) == "printed"
    assert resolve_secret(printing("import sys; print(sys.argv[1:])")[:-1] + " $HOME;ls|cat}", tmp_path) == "['$HOME;ls|cat']"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import sys; print('canary'); sys.stderr.write('canary'); sys.exit(3)", "ended with status 3"),
        ("print('canary'); print('canary')", "printed more than one line"),
        ("pass", "printed nothing"),
        ("import sys; sys.stdout.buffer.write(b'canary' + bytes([255]))", "failed: UnicodeDecodeError"),
        ("import time; time.sleep(60)", "did not end within 0.2 s"),
    ],
)
def test_what_a_command_prints_is_never_shown(code, why, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(secret, "PATIENCE", 0.2 if "sleep" in code else 20)
    with pytest.raises(UsageError) as caught:
        resolve_secret(printing(code), tmp_path)
    assert caught.value.message.endswith(why)
    shown = [caught.value.message.replace(code, ""), str(caught.value.help), *capfd.readouterr()]
    assert "canary" not in "".join(shown)
    assert caught.value.__cause__ is None and (caught.value.__suppress_context__ or caught.value.__context__ is None)


def test_a_spec_that_is_not_trusted_runs_no_command(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILLC_UNTRUSTED", "1")
    with pytest.raises(UsageError, match="not trusted"):
        resolve_secret(printing(f"open('{tmp_path}/ran', 'w')"), tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("reference", ["${env:AWS_SECRET_ACCESS_KEY}", "${file:key}", "${keyring:service/me}"])
def test_a_spec_that_is_not_trusted_has_the_secrets_that_it_is_allowed(reference, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILLC_UNTRUSTED", "1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setattr(keyring, "get_password", lambda service, user: "canary")
    (tmp_path / "key").write_text("canary", encoding="utf-8")
    named = reference[2:-1]
    for allowed in (None, "env:TEACHER_KEY", "env", f"{named}2"):
        if allowed:
            monkeypatch.setenv("DISTILLC_ALLOW_SECRETS", allowed)
        with pytest.raises(UsageError, match="not trusted") as caught:
            resolve_secret(reference, tmp_path)
        assert f"export DISTILLC_ALLOW_SECRETS={named}" in str(caught.value.help)
        missing = missing_secret(reference, tmp_path)
        assert missing and missing.message == caught.value.message
    monkeypatch.setenv("DISTILLC_ALLOW_SECRETS", f"env:TEACHER_KEY, {named}")
    assert resolve_secret(reference, tmp_path) == "canary" and missing_secret(reference, tmp_path) is None


def test_a_spec_that_is_not_trusted_reads_no_secret_outside_its_folder(tmp_path, monkeypatch):
    (tmp_path / "spec").mkdir()
    (tmp_path / "key").write_text("canary", encoding="utf-8")
    (tmp_path / "spec/link").symlink_to(tmp_path / "key")
    monkeypatch.setenv("DISTILLC_UNTRUSTED", "1")
    for path in (tmp_path / "key", "../key", "link"):
        monkeypatch.setenv("DISTILLC_ALLOW_SECRETS", f"file:{path}")
        with pytest.raises(UsageError, match="not in its folder"):
            resolve_secret(f"${{file:{path}}}", tmp_path / "spec")


def test_the_way_out_is_quoted_for_the_shell(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILLC_UNTRUSTED", "1")
    with pytest.raises(UsageError) as caught:
        resolve_secret("${env:A;rm -rf ~}", tmp_path)
    assert "DISTILLC_ALLOW_SECRETS='env:A;rm -rf ~'" in str(caught.value.help)


class Ring(KeyringBackend):
    priority = cast("Any", 1)

    def get_password(self, service, username):
        if service == "locked":
            raise KeyringLocked("canary")
        return {("api.example/v1", "me"): "from-the-ring"}.get((service, username))

    def set_password(self, service, username, password): ...


def test_a_keyring_has_secrets_by_service_and_name(tmp_path, monkeypatch):
    monkeypatch.setattr(keyring, "get_password", Ring().get_password)
    assert resolve_secret("${keyring:api.example/v1/me}", tmp_path) == "from-the-ring"
    with pytest.raises(UsageError, match="no secret `you`"):
        resolve_secret("${keyring:api.example/v1/you}", tmp_path)
    with pytest.raises(UsageError, match="KeyringLocked") as caught:
        resolve_secret("${keyring:locked/me}", tmp_path)
    assert "canary" not in caught.value.message


@pytest.mark.parametrize(
    "reference", ["${env:DISTILLC_NOT_SET}", "${file:nowhere}", "${cmd:no-such-program x}", "${cmd:un'closed}", "${keyring:alone}", "plain"]
)
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
