"""Connections to addresses that were checked: what a name leads to is asked once, for the check and for the connection."""

import asyncio
import ipaddress
import socket
from asyncio.staggered import staggered_race
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import zip_longest

import httpcore
import httpx

from distillc.runtimes.remote.addresses import Address, addresses

STAGGER = 0.25  # seconds that one address has before the next is tried beside it; RFC 8305, section 5

Check = Callable[[Sequence[Address]], None]


def check_connections(http: httpx.AsyncClient, check: Check) -> None:
    """Has all addresses of a host checked before a connection is made to one of them. A proxy's connections are the proxy's to check."""
    transport = http._transport  # it takes no backend, and a transport of our own would keep it from asking the environment for proxies
    if not isinstance(transport, httpx.AsyncHTTPTransport):
        raise TypeError(f"no connections to check in {transport!r}")
    transport._pool._network_backend = _CheckedBackend(transport._pool._network_backend, check)


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects by address. The name goes on to be in the Host header and in TLS, which are not made here."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, check: Check) -> None:
        self._inner, self._check = inner, check

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream: httpcore.AsyncNetworkStream | None
        try:
            async with asyncio.timeout(timeout):
                found = await _found(host, port)
                self._check(found)
                connect = partial(self._inner.connect_tcp, port=port, local_address=local_address, socket_options=socket_options)
                if len(found) == 1:  # a connection that is quickly there is one less: a pool's work grows with the square of theirs
                    return await connect(str(found[0]))
                attempts = [partial(connect, str(address)) for address in _by_turns(found)]
                stream, _, errors = await staggered_race(attempts, STAGGER)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        if stream is None:
            raise next(error for error in errors if error is not None)
        return stream


async def _found(host: str, port: int) -> list[Address]:
    """All addresses of a host; of an address itself, without a thread that looks it up."""
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        return addresses(await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _by_turns(found: Sequence[Address]) -> list[Address]:
    """IPv4 and IPv6 in turns, beginning as the system does: one of them that leads nowhere costs one pause."""
    first = [address for address in found if address.version == found[0].version]
    other = [address for address in found if address.version != found[0].version]
    return [address for pair in zip_longest(first, other) for address in pair if address is not None]
