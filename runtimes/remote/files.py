"""Files of an API: sent from disk and fetched to disk in pieces, however large they are."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from distillc.runtimes.remote.client import Client
from distillc.runtimes.remote.failures import KEPT, MayPass, Rejected
from distillc.spec.errors import StageFailed

PATH = "/files"
PIECE = 1 << 20


async def upload(client: Client, file: Path, *, name: str, purpose: str) -> str:
    """Its id on the other side. Sent again where a try broke off: whoever cares finds what was left under the same name."""

    async def send() -> Any:
        with file.open("rb") as stream, client.clear_errors():
            parts = {"file": (name, stream, "application/jsonl")}
            response = await client.http.post(client.url(PATH), files=parts, data={"purpose": purpose})
        reply = client.read(response)
        if not isinstance(reply, Mapping) or "id" not in reply:
            raise MayPass(f"{client.endpoint}: what came for an upload is JSON, and no file")
        return reply

    return str((await client.patiently(send))["id"])


async def download(client: Client, file_id: str, target: Path) -> None:
    """The file's bytes, all of them: a body that ends before what the API says of its size, where it does, is fetched again."""
    try:
        told = await client.ask("GET", f"{PATH}/{quote(file_id)}")
    except StageFailed:  # the content may be there all the same
        told = None
    size = told.get("bytes") if isinstance(told, Mapping) else None

    async def fetch() -> None:
        with target.open("wb") as out, client.clear_errors():
            async with client.http.stream("GET", client.url(f"{PATH}/{quote(file_id)}/content")) as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    client.read(response)
                async for piece in response.aiter_bytes(PIECE):
                    out.write(piece)
            got = out.tell()
        if isinstance(size, int) and got < size:
            raise MayPass(f"{client.endpoint}: of a file of {size:,} bytes came {got:,}", help=KEPT)

    await client.patiently(fetch)


async def delete(client: Client, file_id: str) -> None:
    """One that is not there any more is no error."""
    try:
        await client.ask("DELETE", f"{PATH}/{quote(file_id)}")
    except Rejected as error:
        if error.status != httpx.codes.NOT_FOUND:
            raise


async def delete_named(client: Client, part: str) -> None:
    """All files whose name has this in it: what tries that broke off have left, too."""
    found = [str(told["id"]) async for told in listed(client, PATH) if part in str(told.get("filename"))]
    for file_id in found:  # not before: the next page begins after a file that has to be there
        await delete(client, file_id)


async def listed(client: Client, path: str, *, after: str | None = None, most: int = 10_000) -> AsyncIterator[Mapping[str, Any]]:
    """The entries of a list of the API, as it orders them: newest first, most often. `after`: the id of the one before the first."""
    found = 0
    while found < most:
        reply = await client.ask("GET", f"{path}?limit=100{f'&after={quote(after)}' if after else ''}")
        entries = [entry for entry in reply.get("data") or () if isinstance(entry, Mapping)] if isinstance(reply, Mapping) else []
        for entry in entries:
            yield entry
        found += len(entries)
        if not entries or not reply.get("has_more"):
            return
        after = str(entries[-1].get("id"))
