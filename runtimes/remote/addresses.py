"""Which addresses may be called: never those that clouds keep their machines' credentials at, and no key over a line that anyone can read.

A spec that somebody else wrote could otherwise reach into the network that it runs in. Who runs such specs sets DISTILLC_UNTRUSTED: then
this machine and private networks are out of bounds too.
"""

import ipaddress
import os
import socket
from urllib.parse import urlsplit

from distillc.spec.errors import StageFailed
from distillc.spec.secret import UNTRUSTED

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_address(url: str, *, with_key: bool) -> None:
    """Raises StageFailed for a base URL that must not be called. A name that does not resolve is the first call's to report."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise StageFailed(f"base_url {url!r} is no address of an API", help="it begins with https:// or http:// and a host")
    if parts.username or parts.password:
        raise StageFailed("base_url has a name or a password in it", help="write the key as `api_key: ${env:NAME}`")
    found = _addresses(parts.hostname)
    if any(address.is_link_local for address in found):
        raise StageFailed(f"base_url {url} leads to a link-local address", help="credentials of machines lie there: it is never called")
    inside = [address for address in found if not address.is_global]
    if inside and os.environ.get(UNTRUSTED):
        help = f"unset {UNTRUSTED} if you trust the spec"
        raise StageFailed(f"base_url {url} leads to {inside[0]}, a private address, and the spec is not trusted", help=help)
    if with_key and parts.scheme == "http" and found and not inside:
        raise StageFailed(f"base_url {url} would carry the key over the internet unencrypted", help="write https://")


def _addresses(host: str) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return [getattr(address, "ipv4_mapped", None) or address for address in addresses]
