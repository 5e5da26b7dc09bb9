"""How many rows a second come from an API: `teacher.over_bare`, the client with all that it does against a bare asyncio and httpx loop.

Both ask the same server on this machine for the same rows, in a process of its own; the sides take turns in one run. Processor time of this
process, for others may use the machine: what a client costs is what it takes from the rows that it could have had. The median over pairs of
rounds. The bare side posts the same bodies, so many at a time, and reads the text out of the JSON; it has no retries, no limits and no
journal. Ours writes its journal.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo
from distillc.plugins.engines.configs import HttpConfig
from distillc.plugins.engines.http import HttpEngine
from distillc.runtimes.inference.answers import AnswerJournal, answer_each
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.testing.server import Script, serve

ROUNDS = 5
ROWS = 1000
AT_A_TIME = 16
NAME = "Qwen/Qwen3-4B"
PROMPTS = [f"Correct: She go to school on day {number} of the term, and her bag are heavy." for number in range(ROWS)]


def bare(url: str) -> None:
    async def ask(client: httpx.AsyncClient, gate: asyncio.Semaphore, prompt: str) -> str:
        body = {"model": NAME, "max_tokens": 64, "temperature": 0.0, "messages": [{"role": "user", "content": prompt}]}
        async with gate:
            answer = await client.post(f"{url}/chat/completions", json=body)
        text: str = answer.json()["choices"][0]["message"]["content"]
        return text

    async def all_of_them() -> Sequence[str]:
        gate = asyncio.Semaphore(AT_A_TIME)
        async with httpx.AsyncClient(http2=True, headers={"authorization": "Bearer x"}) as client:
            return await asyncio.gather(*[ask(client, gate, prompt) for prompt in PROMPTS])

    assert len(asyncio.run(all_of_them())) == ROWS


def ours(url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Endpoint(base_url=url, name=NAME).write(Path(folder))
        model = Model(Path(folder), ModelInfo(format="api", name="big"))
        config = HttpConfig(concurrency=AT_A_TIME, api_key="${file:key}")
        Path(folder, "key").write_text("x", encoding="utf-8")
        running = HttpEngine(config).open(model, seed=0, folder=Path(folder))
        journal = AnswerJournal(Path(folder, "journal"))
        keys = [str(number) for number in range(ROWS)]
        for _ in answer_each(running, keys, PROMPTS, PROMPTS, Decoding(), journal, 32):
            pass
        running.close()
        journal.close()
        assert len(journal.answers) == ROWS


def seconds(work: Callable[[str], None], url: str) -> tuple[float, float]:
    """Of the processor, and of the clock."""
    wall, started = time.perf_counter(), time.process_time()
    work(url)
    return time.process_time() - started, time.perf_counter() - wall


def main() -> None:
    times: dict[Callable[[str], None], list[tuple[float, float]]] = {bare: [], ours: []}
    with serve(Script(teacher="echo"), process=True) as server:
        for work in times:
            seconds(work, server.url)  # imports, and what else comes once
        for _ in range(ROUNDS):
            for work, found in times.items():
                found.append(seconds(work, server.url))
    cpu = {work: statistics.median(found for found, _ in taken) for work, taken in times.items()}
    wall = {work: statistics.median(found for _, found in taken) for work, taken in times.items()}
    pairs = [one / other for (one, _), (other, _) in zip(times[bare], times[ours], strict=True)]
    print(f"teacher.over_bare value={statistics.median(pairs):.3f} unit=x better=higher")
    told = ", ".join(
        f"{work.__name__} {ROWS / wall[work]:.0f} rows/s ({1000 * cpu[work] / ROWS:.2f} ms of the processor a row)" for work in times
    )
    print(f"{ROWS} rows, {AT_A_TIME} at a time: {told}", file=sys.stderr)


if __name__ == "__main__":
    main()
