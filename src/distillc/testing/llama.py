"""llama.cpp's own OpenAI-compatible server on a GGUF file: a client meets a server that nobody here wrote.

`with served(Path("model.gguf"), log=folder / "server.log") as url:` starts one, waits until it answers and ends it with the block; it ends
by itself when this process does, however that ends. It comes with `pip install 'llama-cpp-python[server]'`.
"""

import contextlib
import os
import re
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from distillc.plugins.executors.worker import watch
from distillc.spec.errors import StageFailed

_OURS = ("CONFIG_FILE", "HOST", "PORT")  # the server takes these above its options
_RUNNING = re.compile(r"Uvicorn running on (http://\S+)")


@contextlib.contextmanager
def served(model: Path, *, log: Path, context: int = 2048, threads: int = 2, patience: float = 120.0) -> Iterator[str]:
    """The base URL of clients, on a port that the system chose. What the server says goes to `log`.

    `context`: tokens of prompt and answer. `patience`: seconds until it must answer. Raises StageFailed for a server that does not.
    """
    options = {"model": model, "model_alias": model.stem, "host": "127.0.0.1", "port": 0, "n_ctx": context, "n_threads": threads}
    command = [
        sys.executable,
        "-m",
        "distillc.testing.llama",
        *[str(part) for name, value in options.items() for part in (f"--{name}", value)],
    ]
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        yield _answering(child, log, time.monotonic() + patience)
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        assert child.stdin is not None
        child.stdin.close()


def _answering(child: "subprocess.Popen[bytes]", log: Path, until: float) -> str:
    while time.monotonic() < until:
        said = log.read_text(encoding="utf-8", errors="replace")
        if (code := child.poll()) is not None:
            raise StageFailed(f"llama.cpp's server ended with {code}: {_last(said)}", help=f"{log} has all that it said; {_HELP}")
        if running := _RUNNING.search(said):
            with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{running[1]}/v1/models", timeout=5):
                return f"{running[1]}/v1"
        time.sleep(0.05)
    raise StageFailed("llama.cpp's server does not answer", help=f"{log} has what it said; a large model needs more `patience`")


_HELP = "what it needs comes with `pip install 'llama-cpp-python[server]'`"


def _last(said: str) -> str:
    return next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "without a word")


def main() -> None:
    """In the server's own process: its options are those of `python -m llama_cpp.server`."""
    status = 0
    try:
        from llama_cpp.server.__main__ import main as serve

        watch(sys.stdin.buffer)
        serve()
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    os._exit(status)  # the watching thread sits in a read that nothing ends


if __name__ == "__main__":
    main()
