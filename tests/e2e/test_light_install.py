"""What a hook or an editor installs: the package without extras lints every example, and `pre-commit` runs the hook of this repository.

Slow, and pip has to reach an index: only with `-m soak`.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak
ROOT = Path(__file__).parents[2]
LIGHT = {
    "distillc", "jinja2", "markupsafe", "pluggy", "pydantic", "pydantic-core", "annotated-types", "typing-extensions",
    "typing-inspection", "pyyaml", "pip", "setuptools",
}  # fmt: skip
SPEC = 'distill: 1\nname: x\ntask: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'


def run(*command: object, cwd: Path | None = None, fine: tuple[int, ...] = (0,), env: Mapping[str, str] | None = None) -> str:
    own = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "DISTILLC_CACHE")}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env={**own, **(env or {})}, capture_output=True, text=True, check=False)
    assert done.returncode in fine, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of scripts of an environment that has the package and nothing else."""
    place = tmp_path_factory.mktemp("light") / "env"
    run(sys.executable, "-m", "venv", place)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    run(scripts / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", ROOT / "constraints.txt", ROOT)
    return scripts


def test_the_package_alone_lints_every_example(light: Path, tmp_path: Path) -> None:
    installed = json.loads(run(light / "python", "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"))
    assert {re.sub(r"[-_.]+", "-", found["name"]).lower() for found in installed} <= LIGHT
    specs = sorted((ROOT / "examples").glob("*/distill.yaml"))
    out = run(light / "distillc", "lint", "--strict", "--no-cache", *specs, cwd=tmp_path, env={"DISTILLC_CACHE": str(tmp_path / "cache")})
    assert out.startswith(f"nothing wrong in {len(specs)} file")


def test_it_finds_what_is_wrong_and_says_what_running_would_take(light: Path, tmp_path: Path) -> None:
    (tmp_path / "distill.yaml").write_text(SPEC + "models: {m: {uses: transformers, paht: x.gguf}}\n", encoding="utf-8")
    env = {"DISTILLC_CACHE": str(tmp_path / "cache")}
    found = json.loads(run(light / "distillc", "lint", "--format", "json", cwd=tmp_path, fine=(1,), env=env))
    assert [(finding["code"], finding["line"]) for finding in found] == [("D102", 4), ("D101", 4)]
    spec = (ROOT / "examples" / "grammar" / "distill.yaml").read_text(encoding="utf-8")
    (tmp_path / "distill.yaml").write_text(spec, encoding="utf-8")
    told = json.loads(run(light / "distillc", "plan", "--format", "json", cwd=tmp_path, fine=(2,), env=env))
    assert "pip install 'distillc[local]'" in {finding["help"] for finding in told if finding["code"] == "D152"}


def test_pre_commit_runs_the_hook(tmp_path: Path) -> None:
    env_folder = tmp_path / "env"
    run(sys.executable, "-m", "venv", env_folder)
    scripts = env_folder / ("Scripts" if os.name == "nt" else "bin")
    run(scripts / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "pre-commit")
    work = tmp_path / "work"
    work.mkdir()
    for name in ("distill.yaml", "small.distill.yml", "other.yaml"):
        (work / name).write_text(SPEC + "sed: 1\n", encoding="utf-8")
    run("git", "init", "-q", cwd=work)
    run("git", "add", "-A", cwd=work)
    env = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "DISTILLC_CACHE": str(tmp_path / "cache")}
    command = (scripts / "pre-commit", "try-repo", ROOT, "distillc-lint", "--all-files")
    told = run(*command, cwd=work, fine=(1,), env=env)
    assert "distill.yaml:4:1 error[D101]" in told and "small.distill.yml:4:1 error[D101]" in told and "other.yaml" not in told
    for file in work.glob("*distill.y*ml"):
        file.write_text(SPEC, encoding="utf-8")
    assert "Passed" in run(*command, cwd=work, env=env)
