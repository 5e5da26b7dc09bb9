"""Addresses that must not be called, and those that may."""

import socket

import pytest

from distillc.runtimes.remote.addresses import UNTRUSTED, check_address
from distillc.spec.errors import StageFailed

NAMES = {"api.example": "93.184.216.34", "inside.example": "10.1.2.3", "metadata.example": "169.254.169.254"}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: object, **options: object) -> list[object]:
        if host not in NAMES and host[-1].isalpha():
            raise socket.gaierror
        return [(None, None, None, "", (NAMES.get(host, host), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.delenv(UNTRUSTED, raising=False)


@pytest.mark.parametrize(
    "url",
    ["https://api.example/v1", "http://127.0.0.1:8080/v1", "http://[::1]:8080/v1", "http://inside.example/v1", "https://not.known/v1"],
)
def test_what_a_trusted_spec_may_call(url: str) -> None:
    check_address(url, with_key=True)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://169.254.169.254/latest", "link-local"),
        ("https://metadata.example/v1", "link-local"),
        ("http://[fe80::1]/v1", "link-local"),
        ("http://[::ffff:169.254.169.254]/v1", "link-local"),
        ("http://api.example/v1", "unencrypted"),
        ("ftp://api.example/v1", "no address of an API"),
        ("https:///v1", "no address of an API"),
        ("https://me:word@api.example/v1", "a name or a password in it"),
    ],
)
def test_what_none_may_call(url: str, why: str) -> None:
    with pytest.raises(StageFailed, match=why) as failed:
        check_address(url, with_key=True)
    assert "me:word" not in str(failed.value)


def test_without_a_key_a_plain_line_will_do() -> None:
    check_address("http://api.example/v1", with_key=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/v1", "http://[::1]/v1", "https://inside.example/v1", "http://192.168.0.9/v1"])
def test_what_an_untrusted_spec_may_not_call(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNTRUSTED, "1")
    with pytest.raises(StageFailed, match="a private address, and the spec is not trusted"):
        check_address(url, with_key=False)
    check_address("https://api.example/v1", with_key=True)
