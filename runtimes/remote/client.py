"""One request to an API, as often as that helps: HTTP/2 where it is offered, a limit in time, one clear error.

A retry may help after 408, 5xx and broken connections, and never after other errors. What 429 asks for is the pace's to keep, for all
calls at once: a call that meets it raises Busy.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx

from distillc.runtimes.remote.addresses import check_address, check_found
from distillc.runtimes.remote.connecting import check_connections
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.runtimes.remote.failures import KEPT, Busy, MayPass, Rejected, failed, said
from distillc.runtimes.remote.pacing import BASE, LONGEST, MOST, TOO_LONG, Pace, retry_after
from distillc.runtimes.remote.replies import parsed, used
from distillc.runtimes.remote.waits import Emit, Waits
from distillc.spec.errors import StageFailed
from distillc.spec.secret import resolve_secret
from distillc.spec.wording import did_you_mean

CONNECT, TIMEOUT = 10.0, 120.0  # seconds
RETRIES = 5
T = TypeVar("T")


class Client:
    """Used in one event loop. `timeout`: seconds from a request to the last byte of its answer. `retries`: tries after the first.

    `quiet`: errors leave out what may repeat a prompt. `emit`: who hears that it waits (`waits.py`).
    `own`: the endpoint is a server that was started here: no proxy is asked for it, and its address is not checked.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: str | None,
        *,
        pace: Pace,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        quiet: bool = False,
        own: bool = False,
        emit: Emit | None = None,
    ) -> None:
        if key is not None and not (key.isascii() and key.isprintable() and " " not in key):  # the error of a bad header would show it
            raise StageFailed(f"the key for {endpoint} has characters that no key has", help="is there a line break or a comment in it?")
        self.endpoint, self.pace, self.retries, self.quiet, self.own = endpoint, pace, retries, quiet, own
        self._key = key
        self._waits = Waits(emit)
        self._timeout = timeout
        self._ending = asyncio.Event()
        self.http = httpx.AsyncClient(
            http2=True,
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=CONNECT, pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=MOST),
            trust_env=not own,
        )
        if not own:
            check_connections(self.http, partial(check_found, url=endpoint.base_url, with_key=key is not None))
        self._json = httpx.Headers({**self.http.headers, "content-type": "application/json"})
        self._extensions = {"timeout": self.http.timeout.as_dict()}
        self._urls: dict[str, httpx.URL] = {}

    @classmethod
    def to(
        cls,
        endpoint: Endpoint,
        api_key: str | None,
        folder: Path,
        *,
        pace: Pace,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        quiet: bool = False,
        emit: Emit | None = None,
    ) -> "Client":
        """With the key behind a reference (`folder` is the spec's). Raises StageFailed where the address must not be called, before the
        key is looked for, and UsageError where there is none."""
        check_address(endpoint.base_url, with_key=api_key is not None)
        key = resolve_secret(api_key, folder) if api_key else None
        return cls(endpoint, key, pace=pace, timeout=timeout, retries=retries, quiet=quiet, emit=emit)

    async def call(self, method: str, path: str, content: bytes | None = None, again: Callable[[MayPass], None] = lambda _: None) -> Any:
        """The JSON that is answered. Raises StageFailed for what no retry helps against, or helped, and Busy for 429.

        `again` is told before another try why the last one failed; what it raises ends the call.
        """
        return await self._retried(lambda: self.once(method, path, content), again)

    async def ask(self, method: str, path: str) -> Any:
        """As `call`, for a request that no other waits beside."""
        return await self.patiently(lambda: self.once(method, path))

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the attempt gives, made again where that may help, and later where the API asks for that."""
        while True:
            try:
                return await self._retried(attempt)
            except Busy:
                await asyncio.sleep(self.pace.wait)

    def end(self) -> None:
        """No call is tried again: who sleeps between two tries has its last one now."""
        self._ending.set()

    async def close(self) -> None:
        await self.http.aclose()

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def _retried(self, attempt: Callable[[], Awaitable[T]], again: Callable[[MayPass], None] = lambda _: None) -> T:
        for tried in range(self.retries + 1):
            try:
                return await attempt()
            except MayPass as error:
                if tried == self.retries or self._ending.is_set() or error.wait > TOO_LONG:
                    raise error.after(tried + 1) from None
                again(error)
                wait = max(error.wait, random.uniform(0, min(LONGEST, BASE * 2**tried)))  # full jitter
                self._waits.begins(error.message.removeprefix(f"{self.endpoint}: "), wait, next=tried + 2, tries=self.retries + 1)
                await self._rest(wait)
        raise AssertionError("there is a first try")

    async def once(self, method: str, path: str, content: bytes | None = None) -> Any:
        """One try: for what must not be done twice."""
        with self.clear_errors():
            async with asyncio.timeout(self._timeout):
                response = await self.http.send(self._request(method, path, content))
        return self.read(response)

    def _request(self, method: str, path: str, content: bytes | None) -> httpx.Request:
        """Made by hand: 69 µs a call, against 97 where httpx puts it together (over a transport that does nothing)."""
        url = self._urls.get(path) or self._urls.setdefault(path, httpx.URL(self.url(path)))
        headers = self.http.headers if content is None else self._json
        return httpx.Request(method, url, headers=headers, content=content, extensions=self._extensions)

    def url(self, path: str) -> str:
        return self.endpoint.base_url.rstrip("/") + path

    @contextlib.contextmanager
    def clear_errors(self) -> Iterator[None]:
        """What goes wrong inside, between us and the API, as MayPass or StageFailed."""
        try:
            yield
        except (TimeoutError, httpx.TimeoutException) as error:
            raise MayPass(
                f"{self.endpoint}: no whole answer in {self._timeout:g} s",
                help=f"raise the engine's `timeout`, or {KEPT}",
                billed=not isinstance(error, httpx.ConnectTimeout),
            ) from None
        except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError, anyio.EndOfStream) as error:
            # the last: httpcore 1.0 lets it through where a TLS connection ends while a request is written
            raise self._unreached(error) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StageFailed(f"{self.endpoint}: {error}", help="look at `base_url`: it begins with https:// or http://") from None

    def _unreached(self, error: Exception) -> StageFailed:
        text = str(error) or type(error).__name__
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return StageFailed(
                f"{self.endpoint}: its certificate is not trusted here: {text}",
                help="where its authority is your own: export SSL_CERT_FILE=FILE.pem, with the certificates of all that you trust",
            )
        if "WRONG_VERSION_NUMBER" in text:
            return StageFailed(
                f"{self.endpoint}: what answers there speaks no TLS", help="look at `base_url`: is it http://, or another port?"
            )
        unconnected = isinstance(error, httpx.ConnectError | httpx.ProxyError)
        return MayPass(
            f"{self.endpoint}: {'no connection: ' if unconnected else ''}{text}",
            help=f"is the address right, and reachable from here? Then {KEPT}",
            billed=not unconnected,
        )

    def read(self, response: httpx.Response) -> Any:
        """The JSON of a response whose body is here. Raises as `call` does."""
        status, headers, content = response.status_code, response.headers, response.content
        if status == 429 and said(content).code != "insufficient_quota":
            self._busy(headers, content)
        if status >= 300:
            raise failed(self.endpoint, status, content, key=self._key, wait=retry_after(headers), quiet=self.quiet)
        try:
            reply = parsed(content)
        except ValueError:
            kind = headers.get("content-type", "nothing").partition(";")[0]
            raise StageFailed(
                f"{self.endpoint}: what came is no JSON ({len(content)} bytes of {kind})",
                help=f"does `base_url` lead to the API, and nothing between change its answers? If so, {KEPT}",
            ) from None
        if isinstance(reply, Mapping) and reply.get("error") and not {"choices", "id"} & set(reply):  # a status in the body alone
            raise failed(self.endpoint, 400, content, key=self._key, quiet=self.quiet)
        self._waits.answered()
        self.pace.answered(headers, _tokens(reply))
        if pause := self.pace.wait:
            self._waits.begins("its limit is used up", pause)
        return reply

    def _busy(self, headers: Mapping[str, str], content: bytes) -> None:
        asked = self.pace.refused(headers)
        if asked > TOO_LONG or self.pace.in_vain(self.retries):
            when = f"it asks for a wait of {asked / 3600:.1f} hours" if asked > TOO_LONG else "nothing was answered between several waits"
            told = said(content, self._key, quiet=self.quiet).message
            raise Rejected(
                f"{self.endpoint}: 429{': ' if told else ''}{told}; {when}",
                help=f"later, or with a higher limit, {KEPT}; fewer calls at a time are the engine's `concurrency`",
            )
        self._waits.begins("429", self.pace.wait)
        raise Busy


async def check_name(client: Client) -> None:
    """Raises StageFailed where the API lists its models and this one is not among them. Costs nothing."""
    endpoint = client.endpoint
    if endpoint.name.startswith("ft:"):  # tuned models, and their checkpoints, may stand in no list
        return
    try:
        listed = await client.ask("GET", "/models")
        names = {str(model["id"]) for model in listed["data"]}
    except MayPass:
        raise
    except (StageFailed, KeyError, TypeError) as error:
        if isinstance(error, Rejected) and error.status in (401, 403):
            raise
        return  # no such route here: the first call will tell
    if names and endpoint.name not in names:
        help = did_you_mean(endpoint.name, names, "its models")
        raise Rejected(f"{endpoint}: there is no model of this name", help=help)


def _tokens(reply: Any) -> int:
    """What a reply took, in and out; 0 where it does not say."""
    try:
        return sum(used(reply["usage"])[:2])
    except (KeyError, TypeError, AttributeError, ValueError):
        return 0
