"""Engines with a server of their own: how it is started, what it is asked, and how an answer is read."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from distillc.compiler.keys import result_config
from distillc.plugins.api.artifacts import Completion, Decoding, Model, ModelInfo
from distillc.plugins.engines import llama_cpp_server
from distillc.plugins.engines.configs import LlamaCppServerConfig, VllmConfig, VllmServerConfig
from distillc.plugins.engines.served import RunningVllmServer, VllmServer, own_name
from distillc.plugins.engines.vllm import RunningVllm, arguments, completion, sampling
from distillc.runtimes.inference.loading import load_text
from distillc.runtimes.remote import completions
from distillc.spec.errors import StageFailed
from distillc.spec.marks import Marked, marked_fields


def reply(text: str, reason: str, tokens: int) -> dict[str, Any]:
    """As llama.cpp's server and vLLM's answer."""
    return {
        "object": "text_completion",
        "choices": [{"index": 0, "text": text, "finish_reason": reason, "logprobs": None}],
        "usage": {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens},
    }


def test_a_body_says_everything_so_that_no_default_of_a_server_decides() -> None:
    greedy = completions.constant("m", Decoding(max_tokens=9))
    assert greedy == {"model": "m", "max_tokens": 9, "temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0}
    assert completions.constant("m", Decoding(max_tokens=9, stop=("#",)))["stop"] == ["#"]


def test_a_reply_is_an_answer() -> None:
    body = completions.constant("m", Decoding(max_tokens=9))
    assert completions.completion(reply(" Yes.", "stop", 3), body) == Completion(
        text=" Yes.", finish_reason="stop", prompt_tokens=7, completion_tokens=3
    )
    assert completions.completion(reply("Yes and", "length", 9), body).finish_reason == "length"
    assert completions.completion(reply("", "abort", 0), body).finish_reason == "error"


def test_an_answer_that_the_context_cut_short_is_an_error_and_not_a_short_answer() -> None:
    with pytest.raises(StageFailed, match="7 tokens of prompt, 5 of 9 of answer") as cut:
        completions.completion(reply("Yes and", "length", 5), completions.constant("m", Decoding(max_tokens=9)))
    assert "`context`" in str(cut.value.help)


@pytest.mark.parametrize("wrong", [{}, {"choices": []}, {"choices": [{"text": "a"}], "usage": {}}, [], "text"])
def test_what_is_no_completion_is_said(wrong: Any) -> None:
    with pytest.raises(StageFailed, match="no completion"):
        completions.completion(wrong, completions.constant("m", Decoding()))


def test_the_command_of_vllm_is_vllm_serve() -> None:
    """Flags as in vLLM's cli_args.py and engine/arg_utils.py, 0.33."""
    model = Model(Path("/models/m"), ModelInfo(format="hf", name="m"))
    server = VllmServer(VllmServerConfig(context=4096, precision="bfloat16", gpus=2, memory=0.5, patience=900)).server(model, port=4711)
    assert server.command[1:6] == ["-P", "-m", "vllm.entrypoints.cli.main", "serve", "/models/m"]
    flags = dict(zip(server.command[6::2], server.command[7::2], strict=True))
    assert flags == {
        "--host": "127.0.0.1",
        "--port": "4711",
        "--served-model-name": own_name(),
        "--dtype": "bfloat16",
        "--max-model-len": "4096",
        "--tensor-parallel-size": "2",
        "--gpu-memory-utilization": "0.5",
        "--generation-config": "vllm",
    }
    assert (server.name, server.patience, server.environment["VLLM_NO_USAGE_STATS"]) == (own_name(), 900, "1")


def test_a_server_of_vllm_asks_for_no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """vLLM takes VLLM_API_KEY for its own where `--api-key` names none, and an empty one for none. Nobody here would tell it a key."""
    monkeypatch.setenv("VLLM_API_KEY", "that-of-another-server")
    server = VllmServer(VllmServerConfig()).server(Model(Path("/models/m"), ModelInfo(format="hf", name="m")), port=4711)
    assert {**os.environ, **server.environment}["VLLM_API_KEY"] == ""


def test_llama_cpp_s_server_imports_nothing_from_where_it_is_started(tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text("raise SystemExit('not the library')")
    command = llama_cpp_server.command(Path("m.gguf"), name="m", port=4711, context=8, threads=1)
    asked = [*command[: command.index("--model")], "--help"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "--model_alias" in done.stdout) == (0, True), done.stderr


def test_what_a_config_leaves_open_vllm_decides() -> None:
    assert "max_model_len" not in arguments(VllmConfig())


def test_sampling_of_vllm_is_what_the_spec_says_of_decoding() -> None:
    assert sampling(Decoding(max_tokens=9), (0, 5), 3, "p") == {"max_tokens": 9, "temperature": 0.0, "stop_token_ids": [0, 5]}
    drawn = [
        sampling(Decoding(temperature=0.7, stop=("#",)), (0,), seed, prompt) for seed, prompt in ((3, "p"), (3, "p"), (3, "q"), (4, "p"))
    ]
    assert drawn[0]["stop"] == ["#"]
    assert drawn[0] == drawn[1] and len({one["seed"] for one in drawn}) == 3, "a seed of its own for each prompt"
    assert all(0 <= one["seed"] < 2**31 for one in drawn)


class Output:
    """What vLLM's RequestOutput has (vllm/outputs.py): the fields that are read."""

    def __init__(self, prompt: list[int], ids: list[int], reason: str | None) -> None:
        self.prompt_token_ids = prompt
        self.outputs = [type("CompletionOutput", (), {"token_ids": ids, "finish_reason": reason, "stop_reason": None, "text": "unread"})]


def test_an_output_of_vllm_is_an_answer_without_its_end_token(tiny_model: Model) -> None:
    text = load_text(tiny_model.folder)
    ids, end = text.tokenizer.encode("The cat sat", add_special_tokens=False).ids, text.ends[0]
    ended = completion(Output([1, 2], [*ids, end], "stop"), text, Decoding())
    assert ended == Completion(text="The cat sat", finish_reason="stop", prompt_tokens=2, completion_tokens=len(ids))
    cut = completion(Output([1, 2], ids, "length"), text, Decoding(stop=(" sat",)))
    assert (cut.text, cut.finish_reason) == ("The cat", "length")
    assert completion(Output([1], ids, "abort"), text, Decoding()).finish_reason == "error"


def test_vllm_is_given_ids_a_sorted_batch_at_a_time(tiny_model: Model) -> None:
    """The class stands for `vllm.LLM`, which no machine without a GPU can run: what it is called with is looked at."""
    text, asked = load_text(tiny_model.folder), []

    class Llm:
        def generate(self, prompts: list[dict[str, list[int]]], params: list[dict[str, Any]], *, use_tqdm: bool) -> list[Output]:
            asked.append([one["prompt_token_ids"] for one in prompts])
            assert len(params) == len(prompts) and not use_tqdm
            return [Output(one["prompt_token_ids"], text.prompt("Tom"), "length") for one in prompts]

    prompts = ["He is much longer than the others", "Tom", "She goes"]
    running = RunningVllm(Llm(), dict, text, 0, 2)
    found = dict(running.generate(prompts, prompts, Decoding()))
    assert asked == [[text.prompt("Tom"), text.prompt("She goes")], [text.prompt(prompts[0])]]
    assert sorted(found) == [0, 1, 2] and {answer.text for answer in found.values()} == {"Tom"}
    assert found[0].prompt_tokens == len(text.prompt(prompts[0]))


def test_vllm_s_server_is_asked_with_ids_and_told_where_an_answer_ends(tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distillc.plugins.engines.asking.check_name", _listed)
    server = VllmServer(VllmServerConfig())
    running = server.open(tiny_model, seed=1, base_url="http://127.0.0.1:9/v1", name="m")
    assert isinstance(running, RunningVllmServer)
    try:
        body = running.body(Decoding(max_tokens=4, temperature=0.5))("The cat")
        assert body["prompt"] == running.token_ids("The cat") == load_text(tiny_model.folder).prompt("The cat")
        assert (body["stop_token_ids"], body["repetition_penalty"]) == ([0], 1.0)
        assert body["seed"] != running.body(Decoding(max_tokens=4, temperature=0.5))("The dog")["seed"]
    finally:
        running.close()


async def _listed(client: object) -> None: ...


def test_the_engines_are_only_run_by_name() -> None:
    """A model without `engine:` goes on with transformers or llama_cpp, wherever vLLM is installed."""
    from distillc.plugins.registry import load

    asked = {name for name in load().names("engines") if load().capabilities("engines", name).get("asked")}
    assert asked == {"llama_cpp.server", "vllm", "vllm.server"}
    assert LlamaCppServerConfig().context == 2048


def test_what_changes_no_answer_enters_no_key() -> None:
    from distillc.plugins.registry import load

    registry = load()

    def marks_of(kind: str, name: str) -> tuple[Marked, ...]:
        return tuple(marked_fields(registry.config_schema(kind, name)))

    def kept(**fields: Any) -> dict[str, Any]:
        return result_config("generate", "answer", {"engine": fields}, marks_of)["engine"]

    llama = {"uses": "llama_cpp.server", "threads": 2, "context": 64}
    assert kept(**llama, timeout=9, patience=9) == llama
    assert kept(uses="vllm.server", gpus=2, memory=0.5, concurrency=7, patience=9) == {"uses": "vllm.server", "gpus": 2}
