"""A panel of three teachers, each behind a server of its own whose answers are known, so that every count here is worked out by hand.

Twenty rows, `She go to school on day N.`, asked as `Correct: …`: eleven tokens and four for the message, and as many as eleven in an
answer. `big` and `other` correct them, `third` says them again as they are. The exceptions:

| day | big | other | third |
|---|---|---|---|
| 3 | refuses | corrects | corrects |
| 4 | is cut off | refuses | repeats |
| 5 | corrects | is held back | repeats |
"""

import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from distillc.runtimes.store import open_store
from distillc.runtimes.store.rows import read_rows
from distillc.testing.server import Script, Served, Teach, serve
from tests.e2e.a_place import APlace

CHAT = "/v1/chat/completions"
ROWS = 20
AT_A_TIME = 2
SCRIPTS = {
    "big": Script(teach=(Teach(teacher="refuse", contains="day 3."), Teach(teacher="truncate", contains="day 4."))),
    "other": Script(teach=(Teach(teacher="refuse", contains="day 4."), Teach(teacher="filter", contains="day 5."))),
    "third": Script(teacher="echo", teach=(Teach(teacher="grammar", contains="day 3."),)),
}
PRICES = {"big": 1, "other": 2, "third": 4}
SPEC = """\
distill: 1
name: panel
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}"}}
decoding: {{max_tokens: 64, temperature: 0}}
data: {{prose: {{uses: jsonl, path: rows.jsonl}}}}
models:
{models}
generate:
  answers: {{from: prose, limit: 20, steps: [{{uses: answer, model: [big, other, third], {keep}}}]}}
"""
MODEL = """\
  {name}:
    uses: openai
    name: Qwen/Qwen3-4B
    base_url: {url}
    api_key: "${{env:TEACHER_KEY}}"
    price: {{input: 1, output: {price}}}
    mode: {mode}
    engine: {{uses: http, concurrency: {at_a_time}, poll: 0.05}}"""


@dataclass(frozen=True)
class Panel(APlace):
    servers: dict[str, Served]

    def write(self, keep: str, **modes: str) -> None:
        models = [
            MODEL.format(name=name, url=server.url, price=PRICES[name], mode=modes.get(name, "sync"), at_a_time=AT_A_TIME)
            for name, server in self.servers.items()
        ]
        (self.folder / "distill.yaml").write_text(SPEC.format(models="\n".join(models), keep=keep), encoding="utf-8")

    def run(self) -> None:
        done = self.distillc("run", "distill.yaml", "--until", "answers")
        assert done.returncode == 0, done.stderr

    def sealed(self) -> tuple[list[Any], dict[str, Any]]:
        store = open_store(str(self.folder / "store"))
        [found] = [one for one in store.all() if one.stage == "answers" and one.kind == "generate"]
        return [row for path in sorted(store.directory(found).glob("*.parquet")) for row in read_rows(path)], dict(found.meta)

    def asked(self, name: str) -> Counter[str]:
        return Counter(call["messages"][-1]["content"] for call in self.servers[name].calls(CHAT) if call["messages"])


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serve(script, dialect="nebius")) for name, script in SCRIPTS.items()}
        (tmp_path / "rows.jsonl").write_text("".join(f'{{"text": "{text(day)}"}}\n' for day in range(ROWS)), encoding="utf-8")
        yield Panel(tmp_path, servers["big"], servers)


def text(day: int) -> str:
    return f"She go to school on day {day}."


def right(day: int) -> str:
    return f"Correct: She goes to school on day {day}."


def prompts() -> Counter[str]:
    return Counter(f"Correct: {text(day)}" for day in range(ROWS))


def test_agreement_keeps_what_two_of_three_say_and_all_three_are_paid(panel: Panel) -> None:
    panel.write("keep: agreement")
    panel.run()
    rows, meta = panel.sealed()
    assert (meta["generated"], meta["kept"], meta["dropped"]) == (20, 18, {"disagreement": 2})  # days 4 and 5
    told = panel.distillc("run", "distill.yaml", "--until", "answers").stdout
    assert told.startswith("answers  18 of 20 kept (2 disagreement)  ") and Path(told.split("  ")[-1].strip()).is_dir()
    assert meta["lost"] == {"big": {"refused": 1, "truncated": 1}, "other": {"filtered": 1, "refused": 1}}
    assert {row.payload["input"]: row.payload["target"] for row in rows} == {
        text(day): right(day) for day in range(ROWS) if day not in (4, 5)
    }
    assert {row.payload["input"] for row in rows if row.teacher == "other"} == {text(3)}
    assert Counter(row.teacher for row in rows) == {"big": 17, "other": 1}
    usual = [row.usage for row in rows if row.payload["input"] != text(3)]
    assert usual == [{"prompt_tokens": 3 * 15, "completion_tokens": 3 * 11}] * 17
    assert [panel.asked(name) for name in panel.servers] == [prompts()] * 3
    costs = json.loads(panel.distillc("cost", "--by", "model", "--format", "json").stdout)
    usd = {one["model"]: Decimal(one["usd"]) for one in costs["sums"] if one["model"]}
    assert {one["model"]: one["calls"] for one in costs["sums"] if one["model"]} == dict.fromkeys(SCRIPTS, 20)
    billed = {name: server.totals()["totals"]["Qwen/Qwen3-4B"] for name, server in panel.servers.items()}
    assert usd == {name: Decimal(one["prompt_tokens"] + PRICES[name] * one["completion_tokens"]) / 10**6 for name, one in billed.items()}


def test_nobody_is_asked_again_when_something_else_is_kept_or_a_model_joins(panel: Panel) -> None:
    panel.write("keep: agreement, agree: 2")
    spec = panel.folder / "distill.yaml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("[big, other, third]", "[other, big]"), encoding="utf-8")
    panel.run()
    assert [panel.asked(name) for name in SCRIPTS] == [prompts(), prompts(), Counter()]
    panel.write("keep: best, judge: harper")
    panel.run()
    assert [panel.asked(name) for name in SCRIPTS] == [prompts()] * 3
    spent = json.loads(panel.distillc("cost", "--format", "json").stdout)["total"]
    assert spent["calls"] == 60, "what an earlier choice paid for counts"


def test_batches_of_two_models_are_out_at_the_same_time(panel: Panel) -> None:
    """Neither is answered before both are there."""
    panel.write("keep: all", big="batch", other="batch")
    for name in ("big", "other"):
        batches = SCRIPTS[name].batches.model_copy(update={"ends": "never"})
        panel.servers[name].change(SCRIPTS[name].model_copy(update={"batches": batches}))
    process = panel.start("run", "distill.yaml", "--until", "answers")
    try:
        until = time.monotonic() + 60
        while not all(panel.servers[name].calls("/v1/batches") for name in ("big", "other")):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_judge_keeps_the_best_answer_of_each_row(panel: Panel) -> None:
    """harper has one lint for `She go`, none for `She goes`; of the first day on, `big` comes first among equals."""
    panel.write("keep: best, judge: harper")
    panel.run()
    rows, meta = panel.sealed()
    assert (meta["kept"], meta["dropped"]) == (20, {})
    chosen = {row.payload["input"]: (row.teacher, row.payload["target"]) for row in rows}
    assert chosen.pop(text(3)) == ("other", right(3))
    assert chosen.pop(text(4)) == ("third", f"Correct: {text(4)}")  # the only one that answered
    assert chosen == {text(day): ("big", right(day)) for day in range(ROWS) if day not in (3, 4)}


@pytest.mark.parametrize("here", [False, True], ids=["elsewhere", "here"])
def test_all_makes_a_row_of_each_answer_whether_it_comes_at_once_or_in_a_batch_or_from_this_machine(panel: Panel, here: bool) -> None:
    panel.write("keep: all", other="batch")
    if here:  # the rule `identity` says again what it is given, without the prompt
        spec = panel.folder / "distill.yaml"
        spec.write_text(re.sub(r"  third:\n(    .*\n)+", "  third: identity\n", spec.read_text(encoding="utf-8")), encoding="utf-8")
    panel.run()
    rows, meta = panel.sealed()
    assert (meta["kept"], meta["dropped"]) == (18 + 18 + 20, {})
    assert Counter(row.teacher for row in rows) == {"big": 18, "other": 18, "third": 20}
    assert len({row.row_id for row in rows}) == 56
    again = {day: text(day) if here else right(day) if day == 3 else f"Correct: {text(day)}" for day in range(ROWS)}
    assert [row.payload["target"] for row in rows if row.teacher == "third"] == list(again.values())
    assert [panel.asked(name) for name in SCRIPTS] == [prompts(), Counter(), Counter() if here else prompts()]


def test_killed_while_the_second_answers_the_first_is_not_asked_again(panel: Panel) -> None:
    panel.write("keep: agreement")
    for name, server in panel.servers.items():
        server.change(SCRIPTS[name].model_copy(update={"latency": 0.05}))
    process = panel.start("run", "distill.yaml", "--until", "answers")
    while panel.asked("other").total() < 8:
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert panel.asked("big") == prompts()
    assert not panel.asked("third")
    panel.servers["third"].change(SCRIPTS["third"])
    panel.run()
    assert panel.asked("big") == panel.asked("third") == prompts()
    assert set(panel.asked("other")) == set(prompts())
    assert panel.asked("other").total() <= ROWS + AT_A_TIME, "but for the calls in flight"
    _, meta = panel.sealed()
    assert (meta["kept"], meta["dropped"]) == (18, {"disagreement": 2})
