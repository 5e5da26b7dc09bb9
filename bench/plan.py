"""What a plan of 10,000 stages costs: `plan.growth` against one of 1,000, `plan.over_bare` against hashing and dumping the same stages.

Both are processor time, for others may use the machine: the median of rounds in which the sides take turns. A plan is all that
`distillc plan --format json` does once its modules are there: read, lint, compile, write. The bare side gets the finished stages as
plain data; it hashes canonical JSON with the keys of the inputs in it, and dumps the lot, both with the standard library's encoder.
"""

import gc
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distillc.compiler.front import compile_file
from distillc.compiler.plan import Plan, to_json
from distillc.plugins.registry import Registry, load

ROUNDS = 5
SMALL, LARGE = (9, 9), (29, 29)
"""Values of the two axes: about 1,000 and 10,000 stages. The growth is that of a plan ten times as large, to the stage."""

SPEC = """\
distill: 1
name: sweep
task: {{kind: generate, input: text, target: fixed, prompt: "Correct: {{{{ text }}}}\\nFixed:"}}
decoding: {{max_tokens: 64, temperature: 0}}
data: {{prose: {{uses: docstrings, packages: [email, json, logging], split: {{by: module, validation: 20, test: 20}}}}}}
generate:
  pairs: {{from: prose, limit: 800, steps: [{{uses: corrupt, errors: common}}]}}
  learner: {{from: prose.train, skip: 800, limit: 6000, steps: [{{uses: corrupt, errors: common, gold: drop}}]}}
  answers: {{from: learner, steps: [{{uses: answer, model: teacher}}]}}
curate:
  clean: {{from: answers, steps: [dedup, {{uses: length, max_tokens: 64}}, {{uses: decontaminate, against: [pairs.test]}}]}}
models:
  base: {{uses: random, layers: 64}}
  small: {{uses: prune, from: teacher, layers: 2}}
  as_is: identity
train:
  teacher: {{model: base, data: pairs, losses: {{hard: cross_entropy}}}}
  student:
    model: small
    data: clean
    validation: pairs.validation
    early_stopping: {{metric: errant_f0.5, patience: 2}}
    losses: {{hard: {{uses: cross_entropy, weight: 0.5}}, soft: {{uses: forward_kl, teacher: teacher, weight: 0.5, temperature: 2}}}}
  refined: {{model: student, data: pairs, epochs: 1, losses: {{hard: cross_entropy}}}}
quantize:
  q8: {{uses: gguf, from: refined, type: q8_0}}
evaluate:
  test:
    data: {{seen: pairs.test}}
    models: [as_is, base, teacher, small, student, refined, q8]
    metrics: [exact_match, errant, gleu]
    gates: {{close: {{model: q8, metric: errant_f0.5, against: teacher, margin: 0.05}}}}
deploy:
  edge: {{uses: bundle, from: q8, path: "dist/${{models.small.layers}}/${{train.student.learning_rate}}/", needs: close}}
matrix:
  vary:
    models.small.layers: [{layers}]
    train.student.learning_rate: [{rates}]
"""


def spec(axes: tuple[int, int]) -> str:
    layers, rates = axes
    return SPEC.format(layers=", ".join(map(str, range(1, layers + 1))), rates=", ".join(f"{n}.0e-5" for n in range(1, rates + 1)))


def plan(path: Path, registry: Registry) -> Plan:
    made = compile_file(path, registry).plan
    to_json(made)
    return made


def as_data(made: Plan) -> list[dict[str, Any]]:
    """The stages as plain data, the text of the spec and the lock left in the bundles: they are part of what is hashed and dumped."""
    data: list[dict[str, Any]] = json.loads(to_json(made))["stages"]
    return data


def bare(stages: list[dict[str, Any]]) -> str:
    keys: dict[str, str] = {}
    for stage in stages:
        inputs = {port: [keys[entry["stage"]], entry["split"]] for port, entry in stage["inputs"].items()}
        content = [stage["kind"], stage["uses"], stage["config"], inputs]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        keys[stage["id"]] = hashlib.sha256(canonical.encode()).hexdigest()
    return json.dumps(stages, sort_keys=True, ensure_ascii=False)


def seconds(work: Callable[..., Any], *arguments: Any) -> float:
    gc.collect()
    started = time.process_time()
    work(*arguments)
    return time.process_time() - started


def main() -> None:
    registry = load()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.yaml"), Path(folder, "large.yaml")
        small.write_text(spec(SMALL), encoding="utf-8")
        large.write_text(spec(LARGE), encoding="utf-8")
        few = len(plan(small, registry).stages)
        stages = as_data(plan(large, registry))
        times: dict[str, list[float]] = {"small": [], "large": [], "bare": []}
        for _ in range(ROUNDS):
            times["small"].append(seconds(plan, small, registry))
            times["large"].append(seconds(plan, large, registry))
            times["bare"].append(seconds(bare, stages))
    taken = {side: statistics.median(found) for side, found in times.items()}
    growth = taken["large"] / taken["small"] * 10 * few / len(stages)
    print(f"plan.growth value={growth:.2f} unit=x better=lower")
    print(f"plan.over_bare value={taken['large'] / taken['bare']:.2f} unit=x better=lower")
    told = ", ".join(f"{side} {found:.3f} s" for side, found in taken.items())
    print(f"{few} and {len(stages)} stages; {told}", file=sys.stderr)


if __name__ == "__main__":
    main()
