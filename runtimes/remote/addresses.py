"""Which addresses may be called: never those that clouds keep their machines' credentials at, and no key over a line that anyone can read.

A spec that somebody else wrote could otherwise reach into the network that it runs in. Who runs such specs sets DISTILLC_UNTRUSTED: then
this machine and private networks are out of bounds too. `connecting` holds each connection to it, for a name may lead elsewhere by then.
"""

import ipaddress
import os
import socket
from collections.abc import Iterable, Sequence

import httpx

from distillc.spec.errors import StageFailed
from distillc.spec.secret import UNTRUSTED

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds tell a machine its own credentials, beside link-local addresses.
_METADATA = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.100.100.200",  # Alibaba
        "fd00:100::100:200",
        "fd00:ec2::/32",  # AWS: EC2 (::254), EKS (::23)
        "168.63.129.16",  # Azure's WireServer
        "fd20:ce::254",  # Google
        "fd00:a9fe:a9fe::1",  # Linode
        "192.0.0.192",  # Oracle, Classic
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:42::42",  # Scaleway
    )
)
# IPv6 addresses that end in an IPv4 address: IPv4-compatible (:: and ::1 are private and end so), IPv4-mapped, NAT64 (RFC 6052).
_EMBEDDING = tuple(ipaddress.IPv6Network(network) for network in ("::/96", "::ffff:0:0/96", "64:ff9b::/96"))


def check_address(url: str, *, with_key: bool) -> None:
    """Raises StageFailed for a base URL that must not be called. A name that does not resolve is the first call's to report."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        parts = httpx.URL()
    if parts.scheme not in ("http", "https") or not parts.host:
        raise StageFailed(f"base_url {url!r} is no address of an API", help="it begins with https:// or http:// and a host")
    if parts.userinfo:
        raise StageFailed("base_url has a name or a password in it", help="write the key as `api_key: ${env:NAME}`")
    try:
        found = socket.getaddrinfo(parts.raw_host.decode("ascii"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    check_found(addresses(found), url, with_key=with_key)


def check_found(found: Sequence[Address], url: str, *, with_key: bool) -> None:
    """Raises StageFailed where one of the addresses that a base URL's host has must not be called."""
    for address in found:
        if any(one.is_link_local or _within(one, _METADATA) for one in _ends(address)):
            message = f"base_url {url} leads to {address}, where clouds keep credentials of machines"
            raise StageFailed(message, help="link-local addresses and those of metadata services are never called")
    private = [address for address in found if not all(_is_public(one) for one in _ends(address))]
    if private and os.environ.get(UNTRUSTED):
        help = f"unset {UNTRUSTED} if you trust the spec"
        raise StageFailed(f"base_url {url} leads to {private[0]}, a private address, and the spec is not trusted", help=help)
    if with_key and len(private) < len(found) and httpx.URL(url).scheme == "http":
        raise StageFailed(f"base_url {url} would carry the key over the internet unencrypted", help="write https://")


def addresses(found: Iterable[tuple[object, object, object, object, tuple[object, ...]]]) -> list[Address]:
    """Those in an answer of `getaddrinfo`, without zones, each once."""
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


def _ends(address: Address) -> Sequence[Address]:
    """Where packets for an address end: IPv6 carries those for an IPv4 address that is in it to that one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.teredo:
        return address.teredo  # server and client
    if address.sixtofour:
        return [address.sixtofour]
    return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)] if _within(address, _EMBEDDING) else [address]


def _within(address: Address, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _is_public(address: Address) -> bool:
    """For one machine of the internet; `is_global` alone is true of multicast and site-local addresses."""
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or site_local)
