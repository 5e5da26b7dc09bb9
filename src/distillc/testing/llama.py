"""llama.cpp's own OpenAI-compatible server on a GGUF file: a client meets a server that nobody here wrote.

`with served(Path("model.gguf"), log=folder / "server.log") as url:` starts one, waits until it answers and ends it with the block; it ends
by itself when this process does, however that ends. It comes with `pip install 'llama-cpp-python[server]'`.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from distillc.plugins.api.engines import Server
from distillc.plugins.engines.llama_cpp_server import command
from distillc.plugins.executors.serving import Kept


@contextlib.contextmanager
def served(model: Path, *, log: Path, context: int = 2048, threads: int = 2, patience: float = 120.0) -> Iterator[str]:
    """The base URL of clients, on a free port. What the server says goes to `log`; it calls its model as the file, without `.gguf`.

    `context`: tokens of prompt and answer. `patience`: seconds until it must answer. Raises StageFailed for a server that does not.
    """
    options = {"context": context, "threads": threads}
    kept = Kept(
        {
            "entry": "distillc.testing.llama:server_of",
            "log": str(log),
            "server_log": str(log),
            "model": str(model),
            "options": options,
            "patience": patience,
        }
    )
    try:
        yield kept.ready().base_url
    finally:
        kept.end()


def server_of(request: Mapping[str, Any]) -> Callable[[int], Server]:
    """In the keeper's process: the server for a port."""
    model = Path(request["model"])
    return lambda port: Server(
        command(model, name=model.stem, port=port, **request["options"]), name=model.stem, patience=request["patience"]
    )
