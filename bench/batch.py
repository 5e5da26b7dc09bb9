"""How fast rows come from a batch API, and what memory that takes: the whole path by the command line, on a server of this machine.

`batch.seconds`: processor time of `distillc run` and its workers for 25,000 rows, from the spec to the sealed rows, for others may use the
machine. `batch.memory`: how far the memory of any of its processes rises above what that process began with. The server answers in a
process of its own, which is not counted; its clock runs ahead, so that 87 minutes are nine looks.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from distillc.testing.server import Script, serve

ROWS = 25_000
SPEC = """\
distill: 1
name: batch
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}"}}
decoding: {{max_tokens: 128, temperature: 0}}
data: {{prose: {{uses: jsonl, path: rows.jsonl}}}}
models:
  big: {{uses: openai, name: Qwen/Qwen3-235B-A22B, base_url: {url}, api_key: "${{env:KEY}}", dialect: nebius, mode: batch,
        price: {{input: 0.2, output: 0.6}}, engine: {{uses: http, poll: 0.5}}}}
generate: {{answers: {{from: prose, steps: [{{uses: answer, model: big}}]}}}}
"""


class Memory(threading.Thread):
    """Looks at all processes below one: what each began with, and the most that it had."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.first: dict[int, int] = {}
        self.most: dict[int, int] = {}

    def run(self) -> None:
        while self.pid in (found := below(self.pid)) or not self.first:
            for pid, rss in found.items():
                self.first.setdefault(pid, rss)
                self.most[pid] = max(self.most.get(pid, 0), rss)
            time.sleep(0.05)

    @property
    def risen(self) -> float:
        """In MB."""
        return max(self.most[pid] - self.first[pid] for pid in self.first) / 1e6


def below(root: int) -> dict[int, int]:
    """The resident bytes of a process and its descendants."""
    parents, sizes = {}, {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
                sizes[int(path.name)] = int((path / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (OSError, IndexError):
                continue
    found = {root} & parents.keys()
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: sizes[pid] for pid in found if pid in sizes}


def main() -> None:
    with tempfile.TemporaryDirectory() as name, serve(Script(), process=True, dialect="nebius") as server:
        folder = Path(name)
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(
                json.dumps({"text": f"She go to school on day {i} of the term, and her bag are heavy."}) + "\n" for i in range(ROWS)
            )
        (folder / "distill.yaml").write_text(SPEC.format(url=server.url), encoding="utf-8")
        command = [sys.executable, "-m", "distillc.cli.main", "run", "distill.yaml", "--until"]
        environment = {**os.environ, "KEY": "x", "DISTILLC_STORE": str(folder / "store")}
        subprocess.run([*command, "prose"], cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen([*command, "answers"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        memory = Memory(process.pid)
        memory.start()
        said = process.communicate()[1]
        wall = time.perf_counter() - started
        memory.join()
        assert process.returncode == 0, said
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"batch.seconds value={cpu:.1f} unit=s better=lower")
        print(f"batch.memory value={memory.risen:.0f} unit=MB better=lower")
        print(f"{ROWS} rows in {wall:.1f} s of the clock, the server's work among them", file=sys.stderr)


if __name__ == "__main__":
    main()
