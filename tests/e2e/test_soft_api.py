"""A student learns by a soft loss from a teacher behind an API: the plan gathers what it told, and training reads it in its own tokens."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, pre_tokenizers

from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import RandomConfig
from distillc.plugins.teachers.random import Random
from distillc.runtimes.store import open_store
from distillc.runtimes.store.rows import read_rows
from distillc.runtimes.training.signals import Signals
from distillc.testing.server import Script, serve
from tests.e2e.a_place import APlace

TOLD = {"tokens": "bytes", "end": "<|im_end|>"}
TELLING = Script.model_validate({"models": ["b"], "teacher": "grammar", "logprobs": TOLD, "batches": {"seconds": 1}})
SPEC = """\
distill: 1
name: soft
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}\\n"}}
decoding: {{max_tokens: 64, temperature: 0}}
data: {{prose: {{uses: jsonl, path: rows.jsonl}}}}
generate:
  answers: {{from: prose, steps: [{{uses: answer, model: big, top_logprobs: 3}}]}}
curate:
  clean: {{from: answers, steps: [{{uses: length, max_tokens: 64}}]}}
models:
  base: {{uses: transformers, path: base, family: other, license: MIT}}
  big: {{uses: openai, name: b, base_url: "{url}", api_key: "${{env:TEACHER_KEY}}", tokenizer: base, family: big, license: MIT,
        mode: {mode}, price: {{input: 0, output: 0}}, engine: {{uses: http, poll: 0.1, retries: 0}}}}
train:
  student: {{model: base, data: clean, steps: 12, batch: 4, learning_rate: 0.01,
            losses: {{soft: {{uses: forward_kl, teacher: big}}}}}}
"""


def place(folder: Path, url: str, mode: str = "sync") -> None:
    (folder / "base").mkdir()
    Random(RandomConfig(layers=1, width=32)).build(folder / "base", BuildContext(folder=folder, name="base", cache=folder, seed=1))
    rows = [{"text": f"She go to the café on day {number}."} for number in range(8)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "distill.yaml").write_text(SPEC.format(url=url, mode=mode))


@pytest.mark.parametrize("mode", ["sync", "batch"])
def test_what_an_api_told_is_gathered_and_learned_from_in_its_tokens(tmp_path: Path, mode: str) -> None:
    with serve(TELLING, dialect="generic") as server:
        place(tmp_path, server.url, mode)
        here = APlace(tmp_path, server)
        planned = here.distillc("plan", "distill.yaml")
        assert planned.returncode == 0, planned.stdout + planned.stderr
        assert "student/capture" in planned.stdout
        done = here.distillc("run", "distill.yaml", "--until", "student")
        assert done.returncode == 0, done.stdout + done.stderr
    store = open_store(str(tmp_path / "store"))
    sealed = {one.stage: one for one in store.all() if one.kind != "shard"}
    rows = [row for path in sorted(store.directory(sealed["clean"]).glob("*.parquet")) for row in read_rows(path)]
    assert len(rows) == 8
    signals = Signals(store.directory(sealed["student/capture"]))
    assert (signals.header.gathered, signals.header.temperatures) == (True, (1.0,))
    tokenizer = Tokenizer.from_file(str(tmp_path / "base" / "tokenizer.json"))
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for row in rows:
        assert "café" in row.payload["target"] and " goes" in row.payload["target"]
        ((spelled, _),) = letters.pre_tokenize_str(row.payload["target"])
        assert list(signals.targets(row.row_id)) == [tokenizer.token_to_id(letter) for letter in spelled], "a token for each byte"
        assert len(signals.targets(row.row_id)) > len(tokenizer.encode(row.payload["target"]).ids), "the student would write other tokens"
    assert sealed["student/capture"].meta["tokens"] == sum(len(row.payload["target"].encode()) for row in rows)
    assert sealed["student/capture"].meta["mass"] == {"1.0": pytest.approx(7 / 8, abs=1e-3)}  # ½, ¼ and ⅛ were told
    history = sealed["student"].meta["history"]
    assert history[-1]["soft"] > 0


def test_an_api_that_tells_nothing_ends_the_run_at_its_first_answer(tmp_path: Path) -> None:
    with serve(Script.model_validate({"models": ["b"], "logprobs": {"told": "never"}}), dialect="generic") as server:
        place(tmp_path, server.url)
        here = APlace(tmp_path, server)
        done = here.distillc("run", "distill.yaml", "--until", "answers")
    assert done.returncode == 5
    assert "passed over `top_logprobs: 3`: an answer of `b` comes without log-probabilities" in done.stderr


@pytest.mark.parametrize("mode", ["sync", "batch"])
def test_a_tokenizer_that_is_not_the_teachers_is_told_at_its_first_answer_and_what_was_answered_is_kept(tmp_path: Path, mode: str) -> None:
    with serve(TELLING, dialect="generic") as server:
        place(tmp_path, server.url, mode)
        spec = tmp_path / "distill.yaml"
        spec.write_text(spec.read_text().replace("http, poll", "http, concurrency: 1, poll"))
        file = tmp_path / "base" / "tokenizer.json"
        right = file.read_text()
        wrong = json.loads(right)
        del wrong["model"]["vocab"]["Ã"]  # the first byte of é
        file.write_text(json.dumps(wrong))
        here = APlace(tmp_path, server)
        done = here.distillc("run", "distill.yaml", "--until", "answers")
        assert done.returncode == 5
        assert "the API wrote the token b'\\xc3', and `tokenizer` has none of these bytes" in done.stderr
        assert len(server.calls("/v1/chat/completions")) == (mode == "sync")
        file.write_text(right)
        done = here.distillc("run", "distill.yaml", "--until", "answers")
        assert done.returncode == 0, done.stderr
        asked = server.calls("/v1/chat/completions") if mode == "sync" else server.calls("/v1/batches")
        assert sum(call["method"] == "POST" for call in asked) == (8 if mode == "sync" else 1), "what had been answered was not asked again"
