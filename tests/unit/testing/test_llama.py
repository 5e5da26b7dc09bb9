"""llama.cpp's own server on a tiny model: it answers, our client meets it, and it ends with whoever started it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from distillc.plugins.api.artifacts import Decoding, Model, ModelInfo
from distillc.plugins.engines.configs import HttpConfig, LlamaCppConfig
from distillc.plugins.engines.http import HttpEngine
from distillc.plugins.engines.llama_cpp import LlamaCppEngine
from distillc.plugins.quantizers.configs import GgufConfig
from distillc.plugins.quantizers.gguf import GgufQuantizer
from distillc.runtimes.remote.endpoint import Endpoint
from distillc.spec.errors import StageFailed
from distillc.testing.llama import served


@pytest.fixture(scope="module")
def gguf(tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """It writes ASCII alone: the server goes on for up to three tokens over the limit when a letter of several bytes is half written."""
    source, folder = tmp_path_factory.mktemp("ascii"), tmp_path_factory.mktemp("gguf")
    shutil.copytree(tiny_model.folder, source, dirs_exist_ok=True)
    weights = load_file(source / "model.safetensors")
    tokens = Tokenizer.from_file(str(source / "tokenizer.json")).get_vocab()
    for token, place in tokens.items():  # a byte above 127 stands there as a letter above 127; input and output share the table
        if any(ord(letter) > 127 for letter in token.replace("Ġ", "")):
            weights["model.embed_tokens.weight"][place] = 0
    save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    return Model(folder, GgufQuantizer(GgufConfig(type="f32")).quantize(replace(tiny_model, folder=source), folder, name="g"))


@pytest.fixture(scope="module")
def url(gguf: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(gguf.folder / "model.gguf", log=tmp_path_factory.mktemp("log") / "server.log", context=256, threads=1) as url:
        yield url


def post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def test_it_answers_plain_http_and_says_what_the_engine_says(url: str, gguf: Model) -> None:
    chat = post(f"{url}/chat/completions", {"model": "model", "max_tokens": 5, "messages": [{"role": "user", "content": "The cat"}]})
    assert chat["object"] == "chat.completion"
    assert chat["choices"][0]["message"]["role"] == "assistant"
    assert 0 < chat["usage"]["completion_tokens"] <= 5
    said = post(f"{url}/completions", {"prompt": "The cat", "max_tokens": 8, "temperature": 0, "repeat_penalty": 1.0})
    running = LlamaCppEngine(LlamaCppConfig(threads=1)).open(gguf, seed=0)
    [(_, ours)] = running.generate(["The cat"], [""], Decoding(max_tokens=8))
    running.close()
    assert said["choices"][0]["text"] == ours.text


def test_the_http_engine_meets_a_server_that_nobody_here_wrote(url: str, tmp_path: Path) -> None:
    Endpoint(base_url=url, name="model", dialect="generic", system=None).write(tmp_path)
    engine = HttpEngine(HttpConfig(concurrency=2)).open(Model(tmp_path, ModelInfo(format="api", name="m")), seed=0, folder=tmp_path)
    prompts = ["The cat", "She goes to school", "Tom", "He is 33"]
    found = dict(engine.generate(prompts, prompts, Decoding(max_tokens=6)))
    again = dict(engine.generate(prompts, prompts, Decoding(max_tokens=6)))
    engine.close()
    assert sorted(found) == [0, 1, 2, 3]
    assert found == again
    assert all(answer.finish_reason in ("stop", "length") for answer in found.values())
    assert all(answer.prompt_tokens > 0 and answer.completion_tokens <= 6 for answer in found.values())
    assert found[0].prompt_tokens < found[1].prompt_tokens


def test_a_file_that_is_no_model_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF but not really")
    starting = served(tmp_path / "model.gguf", log=tmp_path / "server.log")
    with pytest.raises(StageFailed, match=r"(?s)its server ended with 1:.*ValueError: Failed to load model") as failed, starting:
        pass
    assert "server.log" in str(failed.value.help)


def test_it_ends_with_whoever_started_it(gguf: Model, tmp_path: Path) -> None:
    """A killed process closes no block: the server sees it by itself."""
    start = (
        "import sys, time; from pathlib import Path; from distillc.testing.llama import served\n"
        "with served(Path(sys.argv[1]), log=Path(sys.argv[2]), context=64, threads=1) as url:\n"
        "    print(url, flush=True); time.sleep(600)\n"
    )
    arguments = [str(gguf.folder / "model.gguf"), str(tmp_path / "server.log")]
    with subprocess.Popen([sys.executable, "-c", start, *arguments], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().strip()
        assert urllib.request.urlopen(f"{url}/models", timeout=10).status == 200
        os.kill(starter.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/models", timeout=1).close()
        except OSError:  # refused, or cut while it ended
            return
        time.sleep(0.05)
    raise AssertionError("the server still answers")
