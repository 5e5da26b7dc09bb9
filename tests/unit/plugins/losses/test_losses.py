"""The losses, against hand calculations and torch's own divergences on a full vocabulary."""

import math

import pytest
import torch
from torch.nn.functional import kl_div

from distillc.plugins.api.losses import TeacherLogProbs
from distillc.plugins.losses.configs import CrossEntropyConfig, ForwardKLConfig, JSDConfig, ReverseKLConfig
from distillc.plugins.losses.cross_entropy import CrossEntropy
from distillc.plugins.losses.forward_kl import ForwardKL
from distillc.plugins.losses.jsd import JSD
from distillc.plugins.losses.reverse_kl import ReverseKL

TARGETS = torch.zeros(3, dtype=torch.long)


def whole(logits: torch.Tensor, temperature: float) -> TeacherLogProbs:
    """A teacher that keeps every id: nothing is left for the bucket."""
    ids = torch.arange(logits.shape[1]).expand_as(logits)
    return TeacherLogProbs(ids, (logits / temperature).log_softmax(1), torch.full((len(logits),), float("-inf")))


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    return torch.randn(3, 11, generator=draw) * 2, torch.randn(3, 11, generator=draw) * 2


def test_cross_entropy_is_the_negative_log_probability_of_the_target() -> None:
    logits = torch.tensor([[math.log(1.0), math.log(3.0)]])
    assert CrossEntropy(CrossEntropyConfig()).per_token(logits, torch.tensor([1]), None).item() == pytest.approx(-math.log(0.75))


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_forward_kl_over_a_full_vocabulary_is_torchs(temperature: float) -> None:
    student, teacher = pair()
    loss = ForwardKL(ForwardKLConfig(temperature=temperature)).per_token(student, TARGETS, whole(teacher, temperature))
    p, q = (teacher / temperature).log_softmax(1), (student / temperature).log_softmax(1)
    expected = kl_div(q, p, reduction="none", log_target=True).sum(1) * temperature**2
    assert torch.allclose(loss, expected, atol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_reverse_kl_over_a_full_vocabulary_is_torchs(temperature: float) -> None:
    student, teacher = pair()
    loss = ReverseKL(ReverseKLConfig(temperature=temperature)).per_token(student, TARGETS, whole(teacher, temperature))
    p, q = (teacher / temperature).log_softmax(1), (student / temperature).log_softmax(1)
    expected = kl_div(p, q, reduction="none", log_target=True).sum(1) * temperature**2
    # The student's bucket is held at 1e-7 where nothing is left; a teacher that gives it nothing charges 100 nats for that.
    assert torch.allclose(loss, expected, atol=2e-4)


def test_jsd_over_a_full_vocabulary_is_the_mean_of_two_divergences_to_the_mixture() -> None:
    student, teacher = pair()
    loss = JSD(JSDConfig(beta=0.25)).per_token(student, TARGETS, whole(teacher, 1.0))
    p, q = teacher.softmax(1), student.softmax(1)
    mixture = 0.25 * p + 0.75 * q
    expected = 0.25 * (p * (p / mixture).log()).sum(1) + 0.75 * (q * (q / mixture).log()).sum(1)
    assert torch.allclose(loss, expected, atol=1e-4)


def test_forward_kl_counts_the_tail_as_one_class() -> None:
    # Teacher: 0.5 on id 0, 0.25 on id 2, 0.25 on all others together. Student: uniform over 4 ids.
    teacher = TeacherLogProbs(torch.tensor([[0, 2]]), torch.tensor([[0.5, 0.25]]).log(), torch.tensor([0.25]).log())
    loss = ForwardKL(ForwardKLConfig()).per_token(torch.zeros(1, 4), torch.zeros(1, dtype=torch.long), teacher)
    by_hand = 0.5 * math.log(0.5 / 0.25) + 0.25 * math.log(0.25 / 0.25) + 0.25 * math.log(0.25 / 0.5)
    assert loss.item() == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize(
    "loss", [ForwardKL(ForwardKLConfig()), ReverseKL(ReverseKLConfig()), JSD(JSDConfig())], ids=lambda x: type(x).__name__
)
def test_padding_changes_neither_value_nor_gradient(loss: ForwardKL | ReverseKL | JSD) -> None:
    plain = TeacherLogProbs(torch.tensor([[0, 2]]), torch.tensor([[0.5, 0.25]]).log(), torch.tensor([0.25]).log())
    padded = TeacherLogProbs(torch.tensor([[0, 2, 0]]), torch.tensor([[0.5, 0.25, 0.0]]).log(), torch.tensor([0.25]).log())
    gradients = []
    for teacher in (plain, padded):
        logits = torch.tensor([[0.3, -0.2, 0.9, 0.1]], requires_grad=True)
        loss.per_token(logits, torch.zeros(1, dtype=torch.long), teacher).sum().backward()
        assert logits.grad is not None
        gradients.append(logits.grad)
    assert torch.isfinite(gradients[0]).all()
    assert torch.allclose(*gradients, atol=1e-6)


def test_a_student_that_is_its_teacher_has_no_divergence_and_no_gradient() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0, 4.0]], requires_grad=True)
    q = logits.detach().log_softmax(1)
    teacher = TeacherLogProbs(torch.tensor([[3, 2]]), q[:, [3, 2]], q[:, :2].logsumexp(1))
    loss = ForwardKL(ForwardKLConfig()).per_token(logits, torch.zeros(1, dtype=torch.long), teacher)
    loss.sum().backward()
    assert logits.grad is not None
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert logits.grad.abs().max().item() < 1e-6
