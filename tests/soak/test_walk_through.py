"""The public walk-through with its counts, in one run: of 25,000 sentences 22,114 are asked, 22 answers never end, and a student is tuned
on 20,995 and checked with 1,097."""

import json
import shutil
import urllib.request
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from distillc.runtimes.store import open_store
from distillc.runtimes.store.rows import read_rows
from distillc.testing.server import Script, Served, Teach, serve
from tests.e2e.a_place import KEY
from tests.e2e.test_api import Place
from tests.e2e.test_batches import listed

READ, ASKED, ENDLESS, VALIDATION = 25_000, 22_114, 22, 1_097
TEACHER, BASE = "Qwen/Qwen3-235B-A22B", "Qwen/Qwen3-4B"
SPEC = f"""\
distill: 1
name: walk
seed: 42
task: {{kind: generate, input: input, target: output, prompt: "{{{{ input }}}}"}}
decoding: {{max_tokens: 4096, temperature: 0.7}}
data: {{c4: {{uses: jsonl, path: rows.jsonl, split: {{validation: {VALIDATION}}}}}}}
curate: {{sentences: {{from: c4, steps: [{{uses: length, min_words: 4, max_words: 39}}]}}}}
generate: {{answers: {{from: sentences, steps: [{{uses: answer, model: big}}]}}}}
models:
  big: {{uses: nebius, name: {TEACHER}, base_url: URL, api_key: "${{env:TEACHER_KEY}}", mode: batch,
        price: {{input: 0.2, output: 0.6, date: 2025-07-24}}, engine: {{uses: http, poll: 0.5}}}}
  base: {{uses: nebius, name: {BASE}, base_url: URL, api_key: "${{env:TEACHER_KEY}}", system: Correct the grammar.}}
train:
  student: {{model: base, data: answers, validation: answers.validation, epochs: 10, batch: 32, learning_rate: 1.0e-5,
            lora: {{r: 16, alpha: 16}}, trainer: {{uses: nebius.fine_tuning, poll: 0.5}}, losses: {{hard: cross_entropy}}}}
"""
WORDS = ("to", "school", "and", "learn", "with", "friends", "about", "old", "stories")
NAMES = ("She", "He", "Tom", "Ann", "Kim", "Sam", "Eve", "Max", "Zoe")


def short_or_long(number: int) -> bool:
    """2,886 of 25,000, one after every eight or nine."""
    wrong = READ - ASKED
    return (number + 1) * wrong // READ > number * wrong // READ


def sentence(number: int, name: str) -> str:
    """All lengths from 4 to 39 words; of the others half have 3, and half 40."""
    length = (3, 40)[number * (READ - ASKED) // READ % 2] if short_or_long(number) else 4 + number % 36
    return " ".join([name, "go", f"{number:05}", *(WORDS[n % len(WORDS)] for n in range(length - 3))])


def dealt(here: Place) -> dict[str, str]:
    """The split of each sentence."""
    done = here.distillc("run", "distill.yaml", "--until", "c4")
    assert done.returncode == 0, done.stderr
    store = open_store(str(here.folder / "store"))
    [found] = [one for one in store.all() if one.kind == "split"]
    rows = (row for path in sorted(store.directory(found).glob("*.parquet")) for row in read_rows(path))
    split = {str(row.payload["input"]): str(row.split) for row in rows}
    shutil.rmtree(here.folder / "store")
    return split


def written(here: Place) -> list[str]:
    """What of the sentences is dropped later was no validation row in the walk-through, which split last. Returns sentences to train on.

    A row's side follows from its text: one of the wrong length that is dealt to validation is told of somebody else, and all dealt again.
    """
    names = dict.fromkeys(range(READ), 0)
    while True:
        texts = [sentence(number, NAMES[name]) for number, name in names.items()]
        (here.folder / "rows.jsonl").write_text("".join(json.dumps({"input": text}) + "\n" for text in texts), encoding="utf-8")
        split = dealt(here)
        wrong = [number for number in names if short_or_long(number) and split[texts[number]] == "validation"]
        if not wrong:
            return [text for number, text in enumerate(texts) if split[text] == "train" and not short_or_long(number)]
        for number in wrong:
            names[number] += 1


def lines(server: Served, file: str) -> int:
    """How many rows the platform has in a file."""
    request = urllib.request.Request(f"{server.url}/files/{file}/content", headers={"authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request) as reply:
        return len(reply.read().splitlines())


@pytest.mark.soak
def test_the_walk_through_has_its_counts_and_half_the_price(tmp_path: Path) -> None:
    with serve(Script(keys=(KEY,)), process=True, dialect="nebius") as server:
        (tmp_path / "distill.yaml").write_text(SPEC.replace("URL", server.url), encoding="utf-8")
        here = Place(tmp_path, server)
        train = written(here)
        endless = train[:: len(train) // ENDLESS][:ENDLESS]
        teach = *(Teach(teacher="think_on", contains=text[:12]) for text in endless), Teach(teacher="think")
        server.change(Script(keys=(KEY,), teach=teach))
        assert server.calls() == []

        done = here.distillc("run", "distill.yaml")
        assert done.returncode == 0, done.stderr
        store = open_store(str(tmp_path / "store"))
        meta = {one.stage: one.meta for one in store.all() if one.kind != "shard"}
        read, fit, answers = meta["c4"], meta["sentences"], meta["answers"]
        assert (read["kept"], read["rows"]) == (READ, {"train": READ - VALIDATION, "validation": VALIDATION})
        assert (fit["generated"], fit["kept"], fit["dropped"]) == (READ, ASKED, {"too_short": 1443, "too_long": 1443})
        assert (answers["generated"], answers["kept"], answers["dropped"]) == (ASKED, 22_092, {"truncated": ENDLESS})
        rows, _ = here.sealed()
        assert Counter(row.split for row in rows) == {"train": 20_995, "validation": 1_097}
        assert len({row.row_id for row in rows}) == 22_092
        assert not [row for row in rows if "think" in row.payload["target"]]

        [batch] = listed(server, "batches")
        assert (batch["status"], batch["request_counts"]["total"]) == ("done", ASKED)
        [job] = listed(server, "fine_tuning/jobs")
        assert (lines(server, job["training_file"]), lines(server, job["validation_file"])) == (20_995, 1_097)
        assert meta["student"]["best_step"] == 8 * 657, "the eighth epoch of as many batches as hold 20,995 rows"
        asked = server.totals()["totals"][f"{TEACHER} batch"]
        assert asked["calls"] == ASKED
        expected = (Decimal("0.1") * asked["prompt_tokens"] + Decimal("0.3") * asked["completion_tokens"]) / 10**6
        total = json.loads(here.distillc("cost", "--format", "json").stdout)["total"]
        assert (Decimal(str(total["usd"])), total["calls"]) == (expected, ASKED)
        print(f"{READ} read, {ASKED} asked, {len(rows)} answered, {ENDLESS} cut off: {dict(Counter(row.split for row in rows))}")
        print(f"{asked['prompt_tokens']} tokens in, {asked['completion_tokens']} out: ${expected}")
