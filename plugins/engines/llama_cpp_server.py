"""llama.cpp's own OpenAI-compatible server, that of llama-cpp-python: its command, and what runs in its process.

Its settings are read from the environment too, from names such as API_KEY, CACHE and PORT, which mean something else to others. So it is
started with none of them.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


def command(model: Path, *, name: str, port: int, context: int, threads: int, **more: Any) -> Sequence[str]:
    """`context`: tokens of prompt and answer. `more`: options under the server's own names."""
    options: Mapping[str, Any] = {
        "model": model,
        "model_alias": name,
        "host": LOOPBACK,
        "port": port,
        "n_ctx": context,
        "n_threads": threads,
        "n_threads_batch": threads,
        **more,
    }
    said = [str(part) for option, value in options.items() for part in (f"--{option}", value)]
    return [sys.executable, "-P", "-m", "distillc.plugins.engines.llama_cpp_server", *said]


def main() -> None:
    from llama_cpp.server.__main__ import main as serve
    from llama_cpp.server.settings import Settings

    settings = {*Settings.model_fields, "config_file"}
    for variable in [variable for variable in os.environ if variable.lower() in settings]:
        del os.environ[variable]
    serve()


if __name__ == "__main__":
    main()
