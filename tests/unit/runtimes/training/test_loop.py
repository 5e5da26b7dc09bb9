"""The loop: it learns, resumes exactly, keeps the best, and says so when a loss is no number."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors import safe_open

from distillc.plugins.api.artifacts import Model, Row
from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.api.trainers import EarlyStopping, LossTerm, TrainJob, TrainSettings
from distillc.plugins.engines.configs import TransformersConfig
from distillc.plugins.engines.transformers import TransformersEngine
from distillc.plugins.losses.configs import CrossEntropyConfig, ForwardKLConfig
from distillc.plugins.losses.cross_entropy import CrossEntropy
from distillc.plugins.losses.forward_kl import ForwardKL
from distillc.plugins.trainers.configs import LocalConfig
from distillc.plugins.trainers.local import Local
from distillc.runtimes.inference import precision
from distillc.runtimes.inference.loading import load_model, load_text
from distillc.runtimes.inference.scoring import Batch
from distillc.runtimes.training.examples import Order, example
from distillc.runtimes.training.head import backward
from distillc.runtimes.training.schedule import learning_rate, total_steps
from distillc.runtimes.training.signals import SignalHeader
from distillc.runtimes.training.teacher import capture
from distillc.spec.errors import StageFailed

Jobs = Callable[..., TrainJob]


class Killed(BaseException):
    """Stands for a SIGKILL: nothing of ours catches it."""


def test_gradients_are_those_of_the_plain_mean_over_padded_batches(tiny: Model, rows: list[Row], job: Jobs) -> None:
    model, text = load_model(tiny.folder), load_text(tiny.folder)
    examples = [example(row, job().task, text) for row in rows[:3]]
    means = backward(model, Batch.of([e.pair for e in examples]), job().losses, {})
    got = {name: p.grad.clone() for name, p in model.named_parameters()}

    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(tiny.folder, attn_implementation="eager")
    nats = []
    for e in examples:
        logits = plain(torch.tensor([[*e.prompt, *e.answer]])).logits[0, len(e.prompt) - 1 : -1]
        nats.append(torch.nn.functional.cross_entropy(logits, torch.tensor(e.answer), reduction="none"))
    loss = torch.cat(nats).mean()
    loss.backward()
    assert means["hard"] == pytest.approx(loss.item(), rel=1e-5)
    for name, parameter in plain.named_parameters():
        assert parameter.grad is not None
        assert torch.allclose(got[name], parameter.grad, atol=1e-5), name


@pytest.mark.parametrize("frozen_head", [False, True])
def test_gradients_in_bfloat16_are_those_of_float32_to_its_eight_bits(
    tiny: Model, rows: list[Row], job: Jobs, *, frozen_head: bool
) -> None:
    text = load_text(tiny.folder)
    batch = Batch.of([example(row, job().task, text).pair for row in rows[:3]])
    model, exact = load_model(tiny.folder), load_model(tiny.folder)
    for each in (model, exact):
        each.get_input_embeddings().requires_grad_(not frozen_head)
    means, expected = backward(model, batch, job().losses, {}, "bfloat16"), backward(exact, batch, job().losses, {})
    assert means["hard"] == pytest.approx(expected["hard"], rel=1e-2)
    assert means["hard"] != expected["hard"]
    for (name, parameter), wanted in zip(model.named_parameters(), exact.parameters(), strict=True):
        if not parameter.requires_grad:
            assert parameter.grad is None
            continue
        assert parameter.dtype == parameter.grad.dtype == torch.float32, name
        # A product of bfloat16 numbers is off by at most 2^-8 each; a few layers deep, 5 % of a gradient's length is much.
        assert (parameter.grad - wanted.grad).norm() < 0.05 * wanted.grad.norm(), name


def test_what_auto_means_follows_from_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for fast, expected in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(precision, "fast_bfloat16", lambda fast=fast: fast)
        assert precision.resolve("auto") == expected
    assert precision.resolve("float32") == "float32"


def test_training_lowers_the_loss_and_records_it(job: Jobs) -> None:
    result = Local(LocalConfig()).train(job(settings=TrainSettings(steps=30, batch=5, learning_rate=1e-2, evaluate_every=15)))
    first, last = result.history
    assert (first["step"], last["step"], result.steps, result.stopped) == (15, 30, 30, "steps")
    assert last["validation_loss"] < first["validation_loss"] < 5.0  # ln 288 = 5.66 nats is a guess
    assert last["hard"] == last["train_loss"]


def test_what_training_writes_is_float32_whatever_it_began_with(job: Jobs) -> None:
    one = job(settings=TrainSettings(steps=1, batch=5))
    half = replace(one, model=replace(one.model, info=replace(one.model.info, precision="bfloat16")))
    assert Local(LocalConfig()).train(half).info.precision == "float32"
    with safe_open(half.out / "model.safetensors", framework="pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float32}  # noqa: SIM118 - a safetensors file is no dict


@pytest.mark.parametrize(("kill_after", "number_format"), [(1, "float32"), (3, "float32"), (5, "float32"), (3, "bfloat16")])
def test_killed_and_resumed_equals_unkilled(job: Jobs, kill_after: int, number_format: Literal["float32", "bfloat16"]) -> None:
    stopping = EarlyStopping(metric="loss", patience=5)
    settings = TrainSettings(steps=6, batch=4, learning_rate=1e-2, evaluate_every=2, early_stopping=stopping)
    whole = job("whole", settings=settings)
    every_step = LocalConfig(checkpoint_seconds=0, precision=number_format)
    expected = Local(LocalConfig(precision=number_format)).train(whole)

    def kill(event: str, **fields: Any) -> None:
        if event == "train checkpoint" and fields["step"] == kill_after:
            raise Killed

    cut = job("cut", settings=settings, emit=kill)
    with pytest.raises(Killed):
        Local(every_step).train(cut)
    events: list[str] = []
    resumed = Local(every_step).train(replace(cut, emit=lambda event, **_: events.append(event)))
    assert events[0] == "train resumed"
    assert resumed.history == expected.history
    for path in sorted(whole.out.iterdir()):
        assert (cut.out / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_best_weights_are_kept_and_patience_ends_it(job: Jobs) -> None:
    scores = iter([0.2, 0.5, 0.4, 0.3, 0.9])
    stopping = EarlyStopping(metric="made_up", patience=2, higher_is_better=True)
    settings = TrainSettings(steps=20, batch=4, learning_rate=1e-2, evaluate_every=2, early_stopping=stopping)
    stopped = job("stopped", settings=settings, score=lambda outputs: {"made_up": next(scores)})
    result = Local(LocalConfig()).train(stopped)
    assert (result.best_step, result.steps) == (4, 8)
    assert result.stopped == "no better made_up in 2 evaluations"

    scores = iter([0.2, 0.5, 0.4, 0.3, 0.9])
    other = job("other", settings=replace(settings, early_stopping=replace(stopping, patience=9)), score=lambda outputs: {"made_up": 0.1})
    Local(LocalConfig()).train(other)  # best at its first evaluation: other weights
    assert (other.out / "model.safetensors").read_bytes() != (stopped.out / "model.safetensors").read_bytes()


def test_a_loss_that_is_no_number_names_step_and_way_out(job: Jobs) -> None:
    class Broken:
        def per_token(self, logits: torch.Tensor, targets: torch.Tensor, teacher: TeacherLogProbs | None) -> torch.Tensor:
            return logits.sum(1) * float("nan")

    with pytest.raises(StageFailed, match="no longer a number at step 1") as failed:
        Local(LocalConfig()).train(job(losses=[LossTerm("hard", 1.0, Broken())]))
    assert failed.value.help is not None
    assert "learning_rate" in failed.value.help


def test_no_rows_is_an_error(job: Jobs) -> None:
    with pytest.raises(StageFailed, match="no rows to train on"):
        Local(LocalConfig()).train(job(rows=[]))


def test_distilling_from_captured_signals(tiny: Model, rows: list[Row], job: Jobs, tmp_path: Path) -> None:
    teacher, text = TransformersEngine(TransformersConfig()).open(tiny, seed=0), load_text(tiny.folder)
    examples = [example(row, job().task, text) for row in rows]
    header = SignalHeader(vocabulary=teacher.vocabulary, temperatures=(1.0, 2.0), mass=0.99, top_k=255, tokenizer="t", model="m")
    signals = tmp_path / "signals"
    signals.mkdir()
    capture(teacher, examples, header).write(signals / "signals-00000.safetensors")
    soft = LossTerm("soft", 0.5, ForwardKL(ForwardKLConfig(temperature=2)), signals, 2.0)
    hard = LossTerm("hard", 0.5, CrossEntropy(CrossEntropyConfig()))
    result = Local(LocalConfig()).train(job(losses=[hard, soft], settings=TrainSettings(steps=1, batch=10)))
    entry = result.history[0]
    assert entry["soft"] == pytest.approx(0, abs=1e-3)  # the student is the teacher
    assert entry["train_loss"] == pytest.approx(0.5 * entry["hard"] + 0.5 * entry["soft"])


def test_signals_over_another_vocabulary_are_refused(tiny: Model, rows: list[Row], job: Jobs, tmp_path: Path) -> None:
    teacher, text = TransformersEngine(TransformersConfig()).open(tiny, seed=0), load_text(tiny.folder)
    header = SignalHeader(vocabulary=40000, temperatures=(1.0,), mass=0.99, top_k=8, tokenizer="t", model="m")
    capture(teacher, [example(rows[0], job().task, text)], header).write(tmp_path / "signals.safetensors")
    soft = LossTerm("soft", 1.0, ForwardKL(ForwardKLConfig()), tmp_path)
    with pytest.raises(StageFailed, match="40000 ids"):
        Local(LocalConfig()).train(job(losses=[soft]))


def test_frozen_embeddings_and_layers_stay(tiny: Model, job: Jobs) -> None:
    from safetensors.torch import load_file

    cold = job()
    Local(LocalConfig(freeze=("embeddings",), freeze_layers=1)).train(cold)
    before, after = load_file(tiny.folder / "model.safetensors"), load_file(cold.out / "model.safetensors")
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert "model.embed_tokens.weight" not in moved
    assert not any(name.startswith("model.layers.0.") for name in moved)
    assert any(name.startswith("model.layers.1.") for name in moved)


def test_order_is_a_permutation_each_epoch_and_another_in_the_next() -> None:
    order = Order(10, 4, seed=1)
    epochs = [[place for step in range(e * 3, e * 3 + 3) for place in order.step(step)] for e in (0, 1)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(10))] * 2
    assert epochs[0] != epochs[1]
    assert [len(order.step(step)) for step in range(3)] == [4, 4, 2]


def test_schedule_rises_then_falls_as_half_a_cosine() -> None:
    settings = TrainSettings(learning_rate=1.0, warmup=0.2, epochs=2.5)
    assert total_steps(settings, 4) == 10
    assert [learning_rate(settings, step, 10) for step in (0, 1, 2, 6)] == pytest.approx([0.5, 1.0, 1.0, 0.5])
    assert 0 < learning_rate(settings, 9, 10) < 0.05
