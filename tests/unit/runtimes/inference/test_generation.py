"""Generation without padding, against transformers' own."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from distillc.plugins.api.artifacts import Decoding, Model, Task
from distillc.runtimes.inference.generation import generate, timed
from distillc.runtimes.inference.loading import Text, check_folder, load_model, load_text
from distillc.runtimes.inference.packed import Packed, hidden_states
from distillc.runtimes.inference.prompts import continuation, render
from distillc.runtimes.inference.scoring import log_probs
from distillc.spec.errors import StageFailed

PROMPTS = ["The cat", "She goes to school. He does", "apples", "He does not like the mat, she"]


def test_packed_sequences_see_only_themselves(tiny_model: Model) -> None:
    from transformers import AutoModelForCausalLM

    model, text = load_model(tiny_model.folder), load_text(tiny_model.folder)
    ids = [text.prompt(prompt) for prompt in PROMPTS]
    with torch.inference_mode():
        states = hidden_states(model, torch.tensor([token for i in ids for token in i]), Packed([len(i) for i in ids]))
        plain = AutoModelForCausalLM.from_pretrained(tiny_model.folder, attn_implementation="eager").model
        expected = torch.cat([plain(torch.tensor([i])).last_hidden_state[0] for i in ids])
    assert torch.allclose(states, expected, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_greedy_answers_are_those_of_transformers(tiny_model: Model, batch: int) -> None:
    from transformers import AutoModelForCausalLM

    model, text = load_model(tiny_model.folder), load_text(tiny_model.folder)
    plain: Any = AutoModelForCausalLM.from_pretrained(tiny_model.folder, attn_implementation="eager")
    answers = dict(generate(model, text, PROMPTS, Decoding(max_tokens=12), seed=0, batch=batch))
    for index, prompt in enumerate(PROMPTS):
        ids = text.prompt(prompt)
        whole = plain.generate(torch.tensor([ids]), max_new_tokens=12, do_sample=False, attention_mask=torch.ones(1, len(ids)))
        new = whole[0, len(ids) :].tolist()
        assert answers[index].text == text.decode(new), prompt
        assert answers[index].finish_reason == ("stop" if new[-1] in text.ends else "length")
        assert answers[index].prompt_tokens == len(ids)


def test_bfloat16_says_what_float32_says_to_its_eight_bits(tiny_model: Model) -> None:
    exact, text = load_model(tiny_model.folder), load_text(tiny_model.folder)
    half = load_model(tiny_model.folder, "bfloat16")
    assert {p.dtype for p in half.parameters()} == {torch.bfloat16}
    pairs = [(text.prompt(prompt), text.answer(" the mat")) for prompt in PROMPTS]
    expected, got = dict(log_probs(exact, pairs)), dict(log_probs(half, pairs))
    for index in range(len(pairs)):
        assert got[index].dtype == torch.float32
        assert not torch.equal(got[index], expected[index])
        assert torch.allclose(got[index], expected[index], atol=0.1)  # logits below 8 in a format with 8 bits: 2^-5 each, a few layers deep

    class Remembers(Text):
        def decode(self, ids: Sequence[int]) -> str:
            return " ".join(map(str, ids))

    answers = dict(generate(half, Remembers(text.tokenizer, ()), PROMPTS, Decoding(max_tokens=12), seed=0, batch=3))
    written = [(text.prompt(prompt), [int(i) for i in answers[index].text.split()]) for index, prompt in enumerate(PROMPTS)]
    for index, rows in log_probs(half, written):  # decoded with a cache, scored as whole sequences
        chosen = rows.gather(1, torch.tensor(written[index][1])[:, None])[:, 0]
        assert (rows.max(1).values - chosen).max() < 0.1


def test_an_answer_ends_before_a_stop_string(tiny_model: Model) -> None:
    model, text = load_model(tiny_model.folder), load_text(tiny_model.folder)
    whole = dict(generate(model, text, PROMPTS[:1], Decoding(max_tokens=12), seed=0, batch=4))[0].text
    stop = whole[4:6]
    cut = dict(generate(model, text, PROMPTS[:1], Decoding(max_tokens=12, stop=(stop,)), seed=0, batch=4))[0]
    assert cut.text == whole[: whole.index(stop)]
    assert cut.finish_reason == "stop"


def test_sampling_depends_on_the_prompt_and_the_seed_not_on_the_batch(tiny_model: Model) -> None:
    model, text = load_model(tiny_model.folder), load_text(tiny_model.folder)
    hot = Decoding(max_tokens=6, temperature=1.5)

    def answers(prompts: list[str], seed: int) -> dict[str, str]:
        return {prompts[i]: completion.text for i, completion in generate(model, text, prompts, hot, seed=seed, batch=4)}

    assert answers(PROMPTS, 1)[PROMPTS[2]] == answers([PROMPTS[2]], 1)[PROMPTS[2]]
    assert answers(PROMPTS, 1) != answers(PROMPTS, 2)


def test_timing_writes_exactly_so_many_tokens(tiny_model: Model) -> None:
    """The body runs once for the prompt, which gives the first token, and once for each of the others; no token ends anything."""
    model, tokenizer = load_model(tiny_model.folder), load_text(tiny_model.folder).tokenizer
    fed: list[int] = []
    model.base_model.register_forward_pre_hook(lambda _, args, kwargs: fed.append(kwargs["input_ids"].numel()), with_kwargs=True)
    assert len(list(timed(model, Text(tokenizer, tuple(range(model.config.vocab_size))), PROMPTS[:2], 5))) == 2
    assert fed == [length for prompt in PROMPTS[:2] for length in (len(tokenizer.encode(prompt).ids), 1, 1, 1, 1)]


def test_an_empty_prompt_is_one_clear_error_and_no_answer_to_another(tiny_model: Model) -> None:
    """Sequences lie one behind the other: the last token of nothing would be that of its neighbour."""
    model, text = load_model(tiny_model.folder), load_text(tiny_model.folder)
    with pytest.raises(StageFailed, match="a prompt is empty"):
        list(generate(model, text, ["The cat", ""], Decoding(max_tokens=2), seed=0, batch=4))
    with pytest.raises(StageFailed, match="a prompt is empty"):
        list(timed(model, text, [""], 2))
    with pytest.raises(StageFailed, match="a prompt is empty"):
        list(log_probs(model, [(text.prompt("The cat"), text.answer(" sat")), ([], text.answer("The"))]))


def test_the_time_of_an_answer_starts_with_the_text_as_in_the_engines_of_exports(tiny_model: Model) -> None:
    class Slow(Text):
        def prompt(self, text: str) -> list[int]:
            time.sleep(0.2)
            return super().prompt(text)

    text = load_text(tiny_model.folder)
    assert min(timed(load_model(tiny_model.folder), Slow(text.tokenizer, text.ends), PROMPTS[:2], 1)) > 0.2


def test_prompt_and_answer_join_with_one_space() -> None:
    task = Task(kind="generate", input="text", target="fixed", prompt="Correct: {{ text }}\nFixed:")
    prompt = render(task, "a cats")
    assert prompt + continuation(prompt, " A cat. \n") == "Correct: a cats\nFixed: A cat."
    assert continuation("Fixed:\n", "A cat.") == "A cat."


def test_a_template_that_asks_for_more_or_reaches_out_fails() -> None:
    for prompt in ("{{ other }}", "{{ text.__class__.__mro__ }}"):
        with pytest.raises(StageFailed, match="does not render"):
            render(Task(kind="generate", input="text", target="fixed", prompt=prompt), "x")


@pytest.mark.parametrize(("missing", "message"), [("config.json", "not a Hugging Face model"), ("tokenizer.json", "no tokenizer")])
def test_what_a_model_folder_lacks_is_named(
    tiny_model: Model, tmp_path_factory: pytest.TempPathFactory, missing: str, message: str
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    for path in tiny_model.folder.iterdir():
        if path.name != missing:
            (folder / path.name).symlink_to(path)
    with pytest.raises(StageFailed, match=message):
        check_folder(folder)


def changed(model: Model, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of a model whose weights were changed, in whatever way."""
    from safetensors.torch import load_file, save_file

    weights = load_file(model.folder / "model.safetensors")
    change(weights)
    for path in model.folder.iterdir():
        if path.suffix == ".json":
            (folder / path.name).symlink_to(path)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("model.layers.1.mlp.up_proj.weight"), r"no file has .* asks for: model\.layers\.1\.mlp\.up_proj"),
        (lambda weights: weights.update({"model.norm.weight": torch.ones(65)}), r"another shape .*: model\.norm\.weight$"),
        (lambda weights: weights.update({"model.layers.0.self_attn.q_proj.bias": torch.ones(64)}), r"no place for: .*q_proj\.bias$"),
        (lambda weights: weights.update({f"model.layers.{i}.x.weight": torch.ones(1) for i in range(5)}), r"and 2 more$"),
    ],
    ids=["missing", "another shape", "dropped", "many"],
)
def test_weights_that_are_not_those_of_the_config_are_refused(
    tiny_model: Model, tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    """transformers draws what is missing at random, anew in each process, and drops the rest."""
    with pytest.raises(StageFailed, match=message):
        load_model(changed(tiny_model, tmp_path, change))


def test_a_written_tied_head_and_buffers_of_old_checkpoints_are_fine(tiny_model: Model, tmp_path: Path) -> None:
    def old(weights: dict[str, Any]) -> None:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
        weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(8)

    ours = load_model(changed(tiny_model, tmp_path, old)).state_dict()
    assert all(torch.equal(ours[name], values) for name, values in load_model(tiny_model.folder).state_dict().items())


def test_a_model_that_scales_its_logits_is_refused(tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from transformers import GraniteConfig, GraniteForCausalLM

    sizes: dict[str, Any] = {"vocab_size": 32, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    GraniteForCausalLM(GraniteConfig(**sizes, num_key_value_heads=2, logits_scaling=4.0)).save_pretrained(tmp_path)
    Tokenizer(BPE()).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(StageFailed, match="changes its logits"):
        load_model(tmp_path)
