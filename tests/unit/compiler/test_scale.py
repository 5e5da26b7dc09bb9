"""Large specs: a plan's cost grows with its stages, and long chains need no deep stack."""

import time
from typing import Any

HEAD = """\
distill: 1
name: large
task: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}
data: {prose: {uses: docstrings, packages: [numpy]}}
"""


def chain(length: int) -> str:
    steps = [f"  g{i}: {{from: {f'g{i - 1}' if i else 'prose'}, steps: [{{uses: corrupt, errors: common}}]}}" for i in range(length)]
    return HEAD + "generate:\n" + "\n".join(steps) + "\n"


def seconds(compiled: Any, text: str) -> float:
    started = time.process_time()
    compiled(text)
    return time.process_time() - started


def test_a_plan_of_a_thousand_stages_costs_ten_times_one_of_a_hundred(compiled: Any) -> None:
    seconds(compiled, chain(10))
    small = min(seconds(compiled, chain(100)) for _ in range(3))
    large = min(seconds(compiled, chain(1000)) for _ in range(2))
    assert large / small < 30  # linear is 10; a quadratic step would make it 100


def test_a_chain_of_a_thousand_is_whole(compiled: Any) -> None:
    plan = compiled(chain(1000)).plan
    assert len(plan.stages) == 1001
    assert plan.stages[-1].id == "g999"


def test_models_in_a_long_chain(compiled: Any) -> None:
    models = ["  m0: {uses: random}"] + [f"  m{i}: {{uses: prune, from: m{i - 1}, layers: 1}}" for i in range(1, 600)]
    evaluate = "evaluate: {test: {data: made.train, models: [m599], metrics: [exact_match]}}\n"
    made = "generate: {made: {from: prose, steps: [{uses: corrupt, errors: common}]}}\n"
    assert compiled(HEAD + made + "models:\n" + "\n".join(models) + "\n" + evaluate).plan.stages
