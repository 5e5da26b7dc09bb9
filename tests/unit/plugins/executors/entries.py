"""What the workers of `test_local.py` do: imported by name in another process, as a stage is."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from distillc.plugins.api.engines import Server
from distillc.spec.errors import StoreDamaged

Report = Callable[[Mapping[str, Any]], None]


def entry(request: Mapping[str, Any], report: Report) -> None:
    ACTIONS[request["work"]["stage"]["id"]](request, report)


def shards(request: Mapping[str, Any], report: Report) -> None:
    for shard in request["shards"]:
        report({"shard": shard["number"]})


def chatty(request: Mapping[str, Any], report: Report) -> None:
    print("a library prints")
    os.write(2, b"and C prints\n")


def facts(request: Mapping[str, Any], report: Report) -> None:
    path = Path(request["work"]["where"]["work"]) / "facts"
    path.write_text(f"{os.getpid()} {os.getppid()} {'json' in sys.modules and 'decimal' in sys.modules} {hash('a')}")


def fails(request: Mapping[str, Any], report: Report) -> None:
    raise StoreDamaged("bytes are wrong", help="do this", where="blob 7")


def breaks(request: Mapping[str, Any], report: Report) -> None:
    raise ZeroDivisionError("by nought")


def killed(request: Mapping[str, Any], report: Report) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crashes(request: Mapping[str, Any], report: Report) -> None:
    os._exit(7)


def sleeps(request: Mapping[str, Any], report: Report) -> None:
    folder = Path(request["work"]["where"]["work"])
    (folder / "pid.new").write_text(str(os.getpid()))
    (folder / "pid.new").rename(folder / "pid")
    time.sleep(60)


def spins(request: Mapping[str, Any], report: Report) -> None:
    """Holds the interpreter's lock in C: no thread of this process can run."""
    folder = Path(request["work"]["where"]["work"])
    (folder / "pid.new").write_text(str(os.getpid()))
    (folder / "pid.new").rename(folder / "pid")
    sum(range(10**11))


ACTIONS = {f.__name__: f for f in (shards, chatty, facts, fails, breaks, killed, crashes, sleeps, spins)}


SERVER = """
import http.server, json, os, signal, subprocess, sys
port, folder, options = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
if options.get("broken"):
    print("loading", "there is no memory left", sep="\\n")
    sys.exit(3)
pids = [os.getpid()]
if options.get("stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pids.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
with open(folder + "/pids.new", "w") as file:
    file.write(" ".join(map(str, pids)))
os.rename(folder + "/pids.new", folder + "/pids")
if options.get("mute"):
    signal.pause()

class Models(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"data": [{"id": "a model"}]}).encode())

try:
    server = http.server.HTTPServer(("127.0.0.1", port), Models)
except OSError as error:
    sys.exit(str(error))
server.serve_forever()
"""


def server_of(request: Mapping[str, Any]) -> Callable[[int], Server]:
    """A small server that does as `options` say."""
    options = json.dumps(request.get("options", {}))
    return lambda port: Server([sys.executable, "-c", SERVER, str(port), request["where"]["work"], options], "a model", patience=30)
