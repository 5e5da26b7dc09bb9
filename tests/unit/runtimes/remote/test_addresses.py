"""Addresses that must not be called, and those that may."""

import socket

import pytest

from distillc.runtimes.remote.addresses import check_address
from distillc.spec.errors import StageFailed
from distillc.spec.secret import UNTRUSTED

NAMES = {
    "api.example": ["93.184.216.34"],
    "inside.example": ["10.1.2.3"],
    "metadata.example": ["169.254.169.254"],
    "both.example": ["10.1.2.3", "93.184.216.34"],
}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, port: object, **options: object) -> list[object]:
        if host not in NAMES and ":" not in host and host[-1].isalpha():
            raise socket.gaierror
        return [(None, None, None, "", (address, 0)) for address in NAMES.get(host, [host])]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.delenv(UNTRUSTED, raising=False)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example/v1",
        "https://both.example/v1",
        "http://127.0.0.1:8080/v1",
        "http://[::1]:8080/v1",
        "http://inside.example/v1",
        "https://not.known/v1",
        "https://[64:ff9b::5db8:d822]/v1",  # 93.184.216.34, as DNS64 writes it
    ],
)
def test_what_a_trusted_spec_may_call(url: str) -> None:
    check_address(url, with_key=True)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://169.254.169.254/latest", "leads to 169.254.169.254, where clouds keep credentials"),
        ("https://metadata.example/v1", "clouds keep credentials"),
        ("http://[fe80::1]/v1", "clouds keep credentials"),
        ("http://[::ffff:169.254.169.254]/v1", "clouds keep credentials"),
        ("http://[64:ff9b::a9fe:a9fe]/v1", "clouds keep credentials"),
        ("http://100.100.100.200/latest", "clouds keep credentials"),
        ("http://168.63.129.16/v1", "clouds keep credentials"),
        ("http://192.0.0.192/latest", "clouds keep credentials"),
        ("http://[fd00:ec2::254]/latest", "clouds keep credentials"),
        ("http://[fd00:ec2::23]/v1", "clouds keep credentials"),
        ("http://[fd20:ce::254]/v1", "clouds keep credentials"),
        ("http://[fd00:c1::a9fe:a9fe]/v1", "clouds keep credentials"),
        ("http://api.example/v1", "unencrypted"),
        ("http://both.example/v1", "unencrypted"),
        ("http://[64:ff9b::5db8:d822]/v1", "unencrypted"),
        ("http://[::1/v1", "no address of an API"),
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


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "192.168.0.9",
        "100.64.0.1",
        "inside.example",
        "both.example",
        "0.0.0.0",
        "[::]",
        "224.0.0.1",  # multicast
        "[ff0e::1]",
        "255.255.255.255",
        "[fec0::1]",  # site-local
        "[fd12:3456::1]",
        "[::127.0.0.1]",  # IPv4-compatible
        "[::ffff:10.0.0.1]",
        "[::ffff:0:10.0.0.1]",  # IPv4-translated
        "[64:ff9b::7f00:1]",  # NAT64 of 127.0.0.1
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",  # 6to4 of 127.0.0.1
        "[2001:0:5db8:d822::f5ff:fffe]",  # Teredo: the client is 10.0.0.1, with its bits turned
        "[2001:0:a00:1::a247:27dd]",  # the server is 10.0.0.1
    ],
)
def test_what_an_untrusted_spec_may_not_call(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNTRUSTED, "1")
    with pytest.raises(StageFailed, match="a private address, and the spec is not trusted"):
        check_address(f"http://{host}:8080/v1", with_key=False)


@pytest.mark.parametrize(
    "host", ["api.example", "[2606:2800:220:1::1]", "[64:ff9b::5db8:d822]", "[2002:5db8:d822::1]", "[2001:0:5db8:d822::a247:27dd]"]
)
def test_what_an_untrusted_spec_may_call(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNTRUSTED, "1")
    check_address(f"https://{host}/v1", with_key=True)
