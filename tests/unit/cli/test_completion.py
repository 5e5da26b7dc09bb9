"""The completion scripts offer commands, options and their values; each is asked in its own shell, where that is installed."""

import shutil
import subprocess

import pytest

from distillc.cli.completion import SHELLS, command
from distillc.cli.main import COMMANDS, main

LINES = [
    ("distillc pl", {"plan", "plugins"}),
    ("distillc lint --forma", {"--format"}),
    ("distillc lint --format sar", {"sarif"}),
    ("distillc explain early-", {"early-stopping"}),
    ("distillc explain D11", {"D110", "D111"}),
]
ASK = {
    "bash": 'eval "$1"; set -- $2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _distillc; printf "%s\\n" "${COMPREPLY[@]}"',
    "fish": "eval $argv[1]; complete -C $argv[2]",
}


@pytest.fixture(scope="module")
def scripts(request):
    """The script of each shell."""
    with pytest.MonkeyPatch.context() as patch:
        found = {}
        for shell in SHELLS:
            written: list[str] = []
            patch.setattr("sys.stdout.write", written.append)
            assert main(["completion", shell]) == 0
            found[shell] = "".join(written)
    return found


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize(("line", "offered"), LINES)
def test_the_shell_completes(scripts, shell, line, offered):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    asked = [shell, "-c", ASK[shell], *(["_"] if shell == "bash" else []), scripts[shell], line]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
    assert {line.partition("\t")[0] for line in done.stdout.splitlines()} == offered, done.stderr


def test_zsh_takes_the_script_of_bash(scripts):
    assert scripts["zsh"].endswith(scripts["bash"]) and "bashcompinit" in scripts["zsh"]


def test_every_option_of_every_command_is_known():
    known = {("-h", "--help"), ("--unset",), ("--write",), ("--diff",), ("--force",), ("--format",)}
    assert {option.flags for option in command("set").options} == known
    assert [command(name).name for name in COMMANDS] == list(COMMANDS)
