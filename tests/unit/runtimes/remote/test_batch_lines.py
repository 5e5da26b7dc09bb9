"""Lines of results that are no plain JSON."""

import json
from pathlib import Path

from distillc.runtimes.remote.batch_lines import results_in


def test_half_a_pair_of_surrogates_and_a_line_without_end_to_its_depth_end_nothing(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    body = {"choices": [{"message": {"content": "bad \ud83d"}}]}
    line = json.dumps({"custom_id": "a-1-0", "response": {"status_code": 200, "body": body}})
    file.write_bytes(b"[" * 200_000 + b"\n" + line.encode() + b"\n")
    [reply] = [result.reply for result in results_in(file) if result.custom_id]
    assert reply["choices"][0]["message"]["content"] == "bad \ufffd"
