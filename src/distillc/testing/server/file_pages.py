"""The endpoints under /v1/files."""

import asyncio
import shutil
from pathlib import Path
from typing import IO

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from distillc.testing.server.files import Stored
from distillc.testing.server.refused import Refused, invalid
from distillc.testing.server.state import State, page

_PURPOSES = {"batch", "fine-tune"}


class FilePages:
    def __init__(self, state: State) -> None:
        self.state = state
        self.routes = [
            Route("/v1/files", self.upload, methods=["POST"]),
            Route("/v1/files", self.all),
            Route("/v1/files/{file_id}", self.one),
            Route("/v1/files/{file_id}", self.delete, methods=["DELETE"]),
            Route("/v1/files/{file_id}/content", self.content),
            Route("/v1/files/{file_id}/link", self.link),
            Route("/v0/models/upload", self.upload_adapter, methods=["POST"]),
        ]

    async def upload(self, request: Request) -> Response:
        async with request.form() as form:
            purpose = form.get("purpose")
            if not isinstance(purpose, str) or purpose not in _PURPOSES:
                raise invalid(self.state.dialect, f"purpose must be one of {', '.join(sorted(_PURPOSES))}", "purpose", str(purpose))
            return JSONResponse((await self._keep(form.get("file"), purpose)).told(self.state.dialect))

    async def upload_adapter(self, request: Request) -> Response:
        async with request.form() as form:
            return JSONResponse({"id": (await self._keep(form.get("file"), "adapter")).file_id})

    async def _keep(self, file: object, purpose: str) -> Stored:
        if not isinstance(file, UploadFile):
            raise invalid(self.state.dialect, "Field required", "file")
        file_id = self.state.new_id("file-")
        await asyncio.to_thread(_copy, file.file, self.state.files.new_path(file_id))
        return self.state.files.keep(file_id, file.filename or "file", purpose, self.state.now())

    async def all(self, request: Request) -> Response:
        purpose = request.query_params.get("purpose")
        files = [file.told(self.state.dialect) for file in self.state.files.all() if purpose in (None, file.purpose)]
        return JSONResponse(page(request, files, 10_000))

    async def one(self, request: Request) -> Response:
        return JSONResponse(self._found(request).told(self.state.dialect))

    async def delete(self, request: Request) -> Response:
        file = self._found(request)
        self.state.files.delete(file.file_id)
        return JSONResponse({"id": file.file_id, "object": "file", "deleted": True})

    async def content(self, request: Request) -> Response:
        return FileResponse(self._found(request).path, media_type="application/octet-stream")

    async def link(self, request: Request) -> Response:
        return JSONResponse({"url": f"{request.base_url}v1/files/{self._found(request).file_id}/content"})

    def _found(self, request: Request) -> Stored:
        file_id = request.path_params["file_id"]
        file = self.state.files.find(file_id)
        if file is None:
            raise Refused(404, f"No such File object: {file_id}", param="id")
        return file


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
