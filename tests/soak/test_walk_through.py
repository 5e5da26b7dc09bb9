"""The public walk-through's batch, with its counts: 22,114 rows, of which 22 never end and 22,092 are learned from."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from distillc.testing.server import Script, Teach, serve
from tests.e2e.a_place import KEY
from tests.e2e.test_api import Place
from tests.e2e.test_batches import UNTIL, listed

ROWS, ENDLESS = 22_114, 22
SPEC = """\
distill: 1
name: walk
task: {{kind: generate, input: text, target: fixed, prompt: "{{{{ text }}}}"}}
decoding: {{max_tokens: 4096}}
data: {{c4: {{uses: jsonl, path: rows.jsonl}}}}
models:
  big: {{uses: nebius, name: Qwen/Qwen3-235B-A22B, base_url: {url}, api_key: "${{env:TEACHER_KEY}}", mode: batch,
        price: {{input: 0.2, output: 0.6, date: 2026-11-24}}, engine: {{uses: http, poll: 0.5}}}}
generate: {{answers: {{from: c4, steps: [{{uses: answer, model: big}}]}}}}
"""


@pytest.mark.soak
def test_the_walk_through_has_its_counts_and_half_the_price(tmp_path: Path) -> None:
    teach = (Teach(teacher="think_on", contains="without an end"), Teach(teacher="think"))
    with serve(Script(teach=teach, keys=(KEY,)), process=True, dialect="nebius") as server:
        with (tmp_path / "rows.jsonl").open("w", encoding="utf-8") as file:
            for i in range(ROWS):
                rest = "and talk without an end" if i % (ROWS // ENDLESS) == 0 and i // (ROWS // ENDLESS) < ENDLESS else "and learn"
                file.write(json.dumps({"text": f"She go to school on day {i} {rest}."}) + "\n")
        (tmp_path / "distill.yaml").write_text(SPEC.format(url=server.url), encoding="utf-8")
        here = Place(tmp_path, server)
        done = here.distillc(*UNTIL)
        assert done.returncode == 0, done.stderr
        rows, meta = here.sealed()
        assert (meta["generated"], meta["kept"], meta["dropped"]) == (ROWS, ROWS - ENDLESS, {"truncated": ENDLESS})
        assert len({row.row_id for row in rows}) == ROWS - ENDLESS == 22_092
        assert not [row for row in rows if "think" in row.payload["target"]]
        [batch] = listed(server, "batches")
        assert (batch["status"], batch["request_counts"]["total"]) == ("done", ROWS)
        billed = server.totals()["totals"]["Qwen/Qwen3-235B-A22B batch"]
        assert billed["calls"] == ROWS
        expected = (Decimal("0.1") * billed["prompt_tokens"] + Decimal("0.3") * billed["completion_tokens"]) / 10**6
        total = json.loads(here.distillc("cost", "--format", "json").stdout)["total"]
        print(f"{billed['prompt_tokens']} tokens in, {billed['completion_tokens']} out: ${expected}")
        assert (Decimal(str(total["usd"])), total["calls"]) == (expected, ROWS)
