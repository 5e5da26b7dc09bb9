"""Teachers of known quality and price are ranked before one is taken: by the command line alone, against real connections."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.testing.server import Script, Served, Teach, serve
from tests.e2e.a_place import APlace

CHAT = "/v1/chat/completions"
NAME = "Qwen/Qwen3-4B"
PRICES = {"big": ("2", "6"), "small": ("0.3", "1"), "poor": ("0.1", "0.1")}
ROWS, LIMIT, JOB = 100, 40, 500
SPEC = """\
distill: 1
name: choice
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
decoding: {max_tokens: 32}
data:
  gold: {uses: jsonl, path: gold.jsonl, split: {validation: 60, test: 20}}
  raw: {uses: jsonl, path: raw.jsonl, limit: 500}
generate: {answers: {from: raw, steps: [{uses: answer, model: big}]}}
models:
"""
MODEL = (
    '  {name}: {{uses: openai, name: {called}, base_url: "{url}", api_key: "${{env:TEACHER_KEY}}", '
    "price: {{input: {0}, output: {1}}}{more}}}\n"
)


class Place(APlace):
    servers: dict[str, Served]

    def asked(self) -> dict[str, int]:
        return {name: len(server.calls(CHAT)) for name, server in self.servers.items()}

    def billed(self, name: str) -> Decimal:
        """What the server's own count of tokens comes to."""
        total = self.servers[name].totals()["totals"][NAME]
        read, written = map(Decimal, PRICES[name])
        return (read * total["prompt_tokens"] + written * total["completion_tokens"]) / 10**6

    def probed(self, *arguments: str) -> dict[str, Any]:
        done = self.distillc("probe", *arguments, "--format", "json")
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def place(folder: Path, servers: dict[str, Served]) -> Place:
    pairs = [{"text": f"She go to school on day {number}.", "fixed": f"She goes to school on day {number}."} for number in range(ROWS)]
    (folder / "gold.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    raw = ({"text": f"He go to work on day {number}."} for number in range(JOB))
    (folder / "raw.jsonl").write_text("".join(json.dumps(row) + "\n" for row in raw), encoding="utf-8")
    models = [
        MODEL.format(*PRICES[name], name=name, called=NAME, url=server.url, more=", mode: batch" if name == "small" else "")
        for name, server in servers.items()
    ]
    (folder / "distill.yaml").write_text(SPEC + "".join(models) + "  as_is: identity\n", encoding="utf-8")
    here = Place(folder, next(iter(servers.values())))
    object.__setattr__(here, "servers", servers)
    return here


def nobody_at(model: str) -> tuple[str, str]:
    """Sets the address of a model to a port at which nobody listens (9 is that of `discard`)."""
    return f"--set=models.{model}.base_url=http://127.0.0.1:9/v1", f"--set=models.{model}.engine={{uses: http, retries: 0}}"


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Place]:
    """`big` corrects every sentence, `small` breaks off on days that end in 7, `poor` corrects none and declines days that end in 3."""
    scripts = {
        "big": Script(),
        "small": Script(teach=(Teach(teacher="truncate", contains="7."),)),
        "poor": Script(teacher="echo", teach=(Teach(teacher="refuse", contains="3."),)),
    }
    with ExitStack() as stack:
        yield place(tmp_path, {name: stack.enter_context(serve(script, process=True)) for name, script in scripts.items()})


def test_teachers_are_ranked_by_quality_beside_what_they_cost(three: Place) -> None:
    found = three.probed("big", "small", "--by", "exact_match", "--limit", str(LIMIT))
    assert three.asked() == {"big": LIMIT, "small": LIMIT, "poor": 0}
    big, small = found["models"]
    texts = {name: [call["messages"][-1]["content"] for call in three.servers[name].calls(CHAT)] for name in ("big", "small")}
    assert sorted(texts["big"]) == sorted(texts["small"]), "the same rows"
    sevens = sum(text.endswith("7.") for text in texts["small"])
    assert (big["model"], big["metric"]["value"], small["metric"]["value"]) == ("big", 1.0, 1 - sevens / LIMIT)
    assert small["difference"]["value"] == pytest.approx(-sevens / LIMIT)
    assert (small["lost"], big["lost"]["reasons"]) == ({"share": sevens / LIMIT, "reasons": {"truncated": sevens}}, {})
    per_1000 = {name: three.billed(name) * 1000 / LIMIT for name in ("big", "small")}
    assert Decimal(big["usd_per_1000"]) == per_1000["big"]
    assert Decimal(small["usd_per_1000"]) == per_1000["small"] / 2, "in batches, as the spec has it"
    assert found["job"] == {"steps": ["answers"], "rows": JOB}
    assert Decimal(big["usd_job"]) == per_1000["big"] * JOB / 1000
    assert Decimal(found["spent_usd"]) == three.billed("big") + three.billed("small")
    total = json.loads(three.distillc("cost", "--format", "json").stdout)["total"]
    assert Decimal(total["usd"]) == Decimal(found["spent_usd"])

    again = three.distillc("probe", "big", "small", "--by", "exact_match", "--limit", str(LIMIT))
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, found["says"])
    assert three.asked()["big"] == LIMIT, "probing again asks nobody"

    more = three.probed("--by", "exact_match", "--limit", str(LIMIT))
    assert three.asked() == {"big": LIMIT, "small": LIMIT, "poor": LIMIT}, "and one more model is asked alone"
    assert [one["model"] for one in more["models"]] == ["big", "small", "as_is", "poor"], "of equals the cheaper"
    assert [one["front"] for one in more["models"]] == [True, True, True, False]
    assert more["models"][2]["usd_per_1000"] == "0", "what runs here costs nothing"


def test_a_model_that_cannot_be_reached_does_not_cost_the_others_their_ranking(three: Place) -> None:
    """`small` has a wrong port. `poor`, which comes after it, is asked all the same, and by the next probe no more."""
    arguments = ("probe", "distill.yaml", "--by", "exact_match", "--limit", "10", "big", "small", "poor", *nobody_at("small"))
    done = three.distillc(*arguments, "--format", "json")
    assert done.returncode == 5, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert [one["model"] for one in found["models"]] == ["big", "poor"]
    [(name, reason)] = found["not_reached"].items()
    assert (name, "127.0.0.1:9" in reason) == ("small", True)
    assert f"`small` was not reached: {reason}" in done.stderr
    assert Decimal(found["spent_usd"]) == three.billed("big") + three.billed("poor")
    again = three.distillc(*arguments)
    assert (again.returncode, again.stdout.splitlines()[-1]) == (5, found["says"])
    assert re.search(r"^  small +not reached$", again.stdout, re.MULTILINE)
    assert three.asked() == {"big": 10, "small": 0, "poor": 10}


def test_where_no_model_can_be_reached_there_is_nothing_to_rank(three: Place) -> None:
    nobody = (*nobody_at("big"), *nobody_at("poor"))
    done = three.distillc("probe", "big", "poor", "--by", "exact_match", "--limit", "10", *nobody, "--format", "json")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "127.0.0.1:9" in json.loads(done.stdout)["error"]["message"]


def test_what_forbids_a_probe_forbids_it_before_anybody_is_asked(three: Place) -> None:
    refused = three.distillc("probe", "big", "--by", "exact_match", "--data", "gold.test")
    assert refused.returncode == 2
    assert "`gold.test` are test rows" in refused.stderr and "D613" in refused.stderr
    stopped = three.distillc("probe", "big", "--by", "exact_match", "--set", "budget={usd: 0.001}")
    assert stopped.returncode == 4, stopped.stderr
    [most] = re.findall(r"cost at most \$([0-9.]+)", stopped.stderr)
    assert "$0.001 of the budget are left" in stopped.stderr
    assert Decimal(most) >= 50 * 32 * Decimal(6) / 10**6, "every answer as long as it may be, and the prompts"
    assert three.asked() == {"big": 0, "small": 0, "poor": 0}


def test_a_probe_that_was_killed_goes_on(tmp_path: Path) -> None:
    with serve(Script(latency=0.1), process=True) as server:
        here = place(tmp_path, {"big": server})
        process = here.start(
            "probe", "big", "--by", "exact_match", "--limit", str(LIMIT), "--set", "models.big.engine={uses: http, concurrency: 4}"
        )
        while len(server.calls(CHAT)) < 12 and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None, "it was to be killed at work"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.3)
        before = here.asked()["big"]
        assert before < LIMIT
        found = here.probed("big", "--by", "exact_match", "--limit", str(LIMIT))
        assert found["models"][0]["metric"] | {"low": 0, "high": 0} == {"value": 1.0, "low": 0, "high": 0, "n": LIMIT, "failed": 0}
        assert LIMIT <= here.asked()["big"] <= LIMIT + 4, "at most what was in flight is asked twice"
