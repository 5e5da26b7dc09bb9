"""What a plan says that answers cost is near what a server bills, with long prompts as well; and it says so before a budget is spent."""

import json
from decimal import Decimal
from pathlib import Path

from distillc.testing.server import Script, serve
from tests.e2e.a_place import APlace

ROWS, WORDS = 20, 1000
SPEC = """\
distill: 1
name: money
task: {{kind: generate, input: text, target: fixed, prompt: "{{{{ text }}}}"}}
decoding: {{max_tokens: 64}}
data: {{rows: {{uses: jsonl, path: rows.jsonl}}}}
models:
  big: {{uses: openai, name: Qwen/Qwen3-4B, base_url: {url}, api_key: "${{env:TEACHER_KEY}}", price: {{input: 1, output: 1}}}}
generate: {{answers: {{from: rows, limit: 30, steps: [{{uses: answer, model: big, truncated: keep}}]}}}}
budget: {{usd: {usd}}}
"""


def test_long_prompts_are_counted_before_they_are_paid(tmp_path: Path) -> None:
    with serve(Script(), process=True, dialect="nebius") as server:
        text = "the dog ran. " * (WORDS // 3)  # four tokens of the server (docs/testing-server.md) in 13 bytes
        (tmp_path / "rows.jsonl").write_text((json.dumps({"text": text}) + "\n") * ROWS, encoding="utf-8")
        here = APlace(tmp_path, server)
        for usd in ("0.01", "1"):
            (tmp_path / "distill.yaml").write_text(SPEC.format(url=server.url, usd=usd), encoding="utf-8")
            planned = here.distillc("plan", "--format", "json")
            assert ("the prompts of `answers` alone cost about $0.0217, and `budget.usd` is $0.01" in planned.stderr) == (usd == "0.01")
        [estimate] = [one["estimate"] for one in json.loads(planned.stdout)["stages"] if one["id"] == "answers"]
        ran = here.distillc("run", "distill.yaml")
        assert ran.returncode == 0, ran.stderr
        billed = server.totals()["totals"]["Qwen/Qwen3-4B"]
        actual = Decimal(billed["prompt_tokens"] + billed["completion_tokens"]) / 10**6
        assert (estimate["rows"], estimate["prompt_tokens"]) == (ROWS, ROWS * (13 * 333 // 4 + 4) + 5)  # 20 quarters more
        assert abs(Decimal(estimate["usd"]) / actual - 1) < Decimal("0.25")
        planned_for = [line for line in here.distillc("cost", "--by", "model").stdout.splitlines() if line.startswith("  big")]
        assert f"≤ {ROWS} rows, {ROWS * 64:,} tokens out; about {estimate['prompt_tokens']:,} in, $0.0230" in planned_for[0]
