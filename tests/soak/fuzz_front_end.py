"""Fuzzing of the front end, led by which code an input reaches: `python tests/soak/fuzz_front_end.py -runs=100000` (libFuzzer's options).

Takes `pip install atheris`. A failure is written to `crash-…`; with that file as its argument the script repeats it.
"""

import random
import sys
from importlib import import_module
from typing import Any

atheris: Any = import_module("atheris")  # in no extra: it has wheels for few systems
with atheris.instrument_imports(include=["distillc"]):
    front_end: Any = import_module("front_end")

OVERRIDES = b"\0train.student.epochs=2\0models.small={uses: prune}\0evaluate.test.models.0=x\0lint.ignore=[D4]"


def main() -> None:
    pieces = [*(path.read_bytes() for path in front_end.SEEDS), OVERRIDES]

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.3:
            return bytes(atheris.Mutate(data, limit))
        return bytes(front_end.mutated(data, pieces, chance)[:limit])

    begin = "-seed_inputs=" + ",".join(map(str, front_end.SEEDS))
    atheris.Setup([*sys.argv, "-max_len=20000", "-timeout=20", begin], front_end.front_end, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
