"""What a `distillc lint` costs against a bare interpreter (`python -c pass`): `cold`, `cached` with the cache of results, and `--version`.

Each is a process of its own, from its start to its end, on a spec of 200 lines in which nothing is wrong. All is warm but the process:
bytecode, the manifests of the plugins, and for `cached` the answer. Processor time of the child, for others may use the machine: the
median of rounds in which the sides take turns.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 25
SPEC = Path(__file__).with_suffix(".yaml")
DISTILLC = str(Path(sys.executable).with_name("distillc"))
SIDES = {
    "bare": [sys.executable, "-c", "pass"],
    "cold": [sys.executable, DISTILLC, "lint", "--no-cache", str(SPEC)],
    "cached": [sys.executable, DISTILLC, "lint", str(SPEC)],
    "version": [sys.executable, DISTILLC, "--version"],
}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Of the processor, in the program and in the system on its behalf."""
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    lines = len(SPEC.read_text(encoding="utf-8").splitlines())
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as cache:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {"DISTILLC_CACHE": cache}
        for command in SIDES.values():
            seconds(command, environment)  # writes bytecode, manifests and the answer
        for _ in range(ROUNDS):
            for side, command in SIDES.items():
                times[side].append(seconds(command, environment))
    taken = {side: statistics.median(found) for side, found in times.items()}
    for side in ("cold", "cached", "version"):
        print(f"lint.{side} value={taken[side] / taken['bare']:.2f} unit=x better=lower")
    print(f"{lines} lines; " + ", ".join(f"{side} {found * 1000:.1f} ms" for side, found in taken.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
