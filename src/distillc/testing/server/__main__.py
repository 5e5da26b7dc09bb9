"""`python -m distillc.testing.server`: prints the base URL, then serves until it is stopped."""

import argparse
from pathlib import Path
from typing import get_args

from distillc.testing.server.clock import Clock
from distillc.testing.server.running import base_url, listening, server
from distillc.testing.server.script import Dialect, Script
from distillc.testing.server.state import State


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m distillc.testing.server", description="An OpenAI-compatible server to test against.")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: 8000)")
    parser.add_argument("--dialect", choices=get_args(Dialect), default="openai")
    parser.add_argument("--script", default="{}", metavar="JSON", help="what goes wrong, as JSON or the path of a file of it")
    parser.add_argument("--step", type=float, default=600.0, metavar="SECONDS", help="what a poll adds to the clock (default: 600)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="N", help="seconds of the server's clock in a real one (default: 1)")
    options = parser.parse_args()
    text = options.script if options.script.lstrip().startswith("{") else Path(options.script).read_text(encoding="utf-8")
    state = State(options.dialect, Script.model_validate_json(text), Clock(options.step, options.scale))
    sock = listening(options.port)
    print(base_url(sock), flush=True)
    server(state).run(sockets=[sock])


if __name__ == "__main__":
    main()
