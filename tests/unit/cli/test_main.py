import json
import subprocess
import sys

import pytest

from distillc import __version__
from distillc.cli import main as cli
from distillc.cli.main import main
from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.errors import BudgetReached, InvalidSpec, StageFailed

HEAVY = ("torch", "transformers", "numpy", "pyarrow", "pydantic", "jsonschema", "rich", "pluggy", "dataclasses")
SPEC = 'distill: 1\nname: x\ntask: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'


@pytest.fixture
def command(monkeypatch):
    """Makes the command `boom`, which does what it is told."""

    def make(action):
        class Module:
            @staticmethod
            def add_arguments(parser):
                parser.add_argument("--format")

            @staticmethod
            def run(args):
                return action()

        monkeypatch.setitem(sys.modules, "distillc.cli.boom", Module)
        monkeypatch.setattr(cli, "COMMANDS", {"boom": ("distillc.cli.boom", "fails")})

    return make


def raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize("code", ["import distillc", "from distillc.cli.main import main; main(['lint', 'distill.yaml'])"])
def test_neither_the_package_nor_lint_loads_anything_heavy(tmp_path, code):
    (tmp_path / "distill.yaml").write_text(SPEC + "seed: x\n", encoding="utf-8")
    main(["lint", str(tmp_path / "distill.yaml")])  # fills the cache of manifests, which a child process makes
    script = f"import sys\n{code}\nprint([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version_imports_no_parser(tmp_path):
    script = "import sys\nfrom distillc.cli.main import main\nmain(['--version'])\nprint('argparse' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"distillc {__version__}", "False False"]


def test_lint_exits_with_0_1_or_2(tmp_path, capsys):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(SPEC, encoding="utf-8")
    bad.write_text(SPEC + "sed: 1\n", encoding="utf-8")
    assert main(["lint", str(good)]) == 0
    assert capsys.readouterr().out == "nothing wrong in 1 file\n"
    assert main(["lint", str(good), str(bad), "--format", "concise"]) == 1
    assert capsys.readouterr().out == (
        f"{bad}:4:1 D101 unknown key `sed`; did you mean `seed`?\n1 error in 2 files\n1 fixable with --fix --unsafe-fixes\n"
    )
    assert main(["lint", str(tmp_path / "none.yaml"), "--format", "json"]) == 2
    assert [(d["code"], d["line"]) for d in json.loads(capsys.readouterr().out)] == [("D000", 1)]


def test_lint_without_arguments_takes_the_specs_of_the_repository(tmp_path, monkeypatch, capsys):
    (tmp_path / ".git").mkdir()
    for folder in ("one", "two", ".hidden", "node_modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "distill.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "one")
    assert main(["lint"]) == 0
    assert capsys.readouterr().out == "nothing wrong in 2 files\n"


def test_lint_with_nothing_to_lint_says_what_to_do(tmp_path, monkeypatch, capsys):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["lint"]) == 2
    assert "name a file" in capsys.readouterr().err


def test_bad_usage_comes_in_the_form_that_was_asked_for(capsys):
    def shown(form):
        assert main(["lint", "--no-such-option", f"--format={form}"]) == 2
        told = capsys.readouterr()
        assert told.err == ""
        return told.out

    assert [(finding["code"], finding["file"]) for finding in json.loads(shown("json"))] == [("D900", None)]
    assert json.loads(shown("sarif"))["runs"][0]["invocations"][0]["executionSuccessful"] is False
    assert json.loads(shown("gitlab"))[0]["check_name"] == "D900"
    assert shown("github").startswith("::error title=distillc D900::unrecognized arguments: --no-such-option%0Ausage: distillc lint ")
    assert shown("concise").startswith("D900 unrecognized arguments: --no-such-option; usage: distillc lint ")
    assert main(["plan", "--no-such-option", "--format", "json"]) == 2  # a command with an answer of its own
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2
    assert main(["lnt"]) == 2
    assert "did you mean `lint`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BudgetReached("spent", help="raise it", where="answers"), 4),
        (StageFailed("no"), 5),
        (OSError(28, "No space left on device"), 5),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("x"), 1),
        (BrokenPipeError(), 0),
    ],
)
def test_an_error_is_one_message_and_its_exit_code(command, capfd, error, code):
    command(raising(error))
    assert main(["boom"]) == code
    assert "Traceback" not in capfd.readouterr().err


def test_debug_shows_the_traceback(command):
    command(raising(StageFailed("no")))
    with pytest.raises(StageFailed):
        main(["boom", "--debug"])


def test_findings_of_a_command_are_shown_in_the_form_asked_for(command, capsys, tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text("seed: x\n", encoding="utf-8")
    command(raising(InvalidSpec([Diagnostic("D103", Severity.ERROR, "bad seed", Span(str(file), 1, 7, 1, 8))])))
    assert main(["boom"]) == 2
    assert "1 | seed: x\n  |       ^" in capsys.readouterr().err
    assert main(["boom", "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)[0]["code"] == "D103"
    assert main(["boom", "--format", "github"]) == 2
    assert "line=1,col=7" in capsys.readouterr().out


def test_every_code_is_explained(capsys):
    assert main(["explain"]) == 0
    codes = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(codes) > 30
    for code in codes:
        assert main(["explain", code]) == 0
        assert len(capsys.readouterr().out.split("\n\n", 1)[1]) > 30, code
    assert main(["explain", "D999"]) == 2


def test_schema_prints_what_a_validator_can_read(capsys):
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert "SourceStep" in schema["$defs"] and schema["type"] == "object"
    assert main(["schema", "TrainSteps"]) == 2
    assert "did you mean `TrainStep`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "meant"), [("--strcit", "--strict"), ("--output-format=json", "--format"), ("--unsafe_fixes", "--unsafe-fixes")]
)
def test_an_option_that_there_is_not_has_the_nearest_one(capsys, typed, meant):
    assert main(["lint", typed]) == 2
    assert capsys.readouterr().err == f"error: unrecognized arguments: {typed}\n  help: did you mean `{meant}`?\n"


@pytest.mark.parametrize("arguments", [["a.yaml", "--format", "json", "b.yaml"], ["--format=json", "--", "a.yaml", "-b.yaml"]])
def test_options_may_stand_between_names_and_names_may_begin_with_a_dash(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    names = {argument for argument in arguments if argument.endswith(".yaml")}
    for name in names:
        (tmp_path / name).write_text(SPEC + "seed: x\n", encoding="utf-8")
    assert main(["lint", *arguments]) == 1
    assert {finding["file"] for finding in json.loads(capsys.readouterr().out)} == names


def test_help_of_a_command_is_found_in_either_order(capsys):
    for words in (["help", "lint"], ["lint", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(words)
        assert capsys.readouterr().out.startswith("usage: distillc lint ")


@pytest.mark.parametrize("times", [1, 150])  # what fits into a buffer, and what does not
def test_what_lint_found_does_not_hang_on_who_reads_it(tmp_path, times):
    (tmp_path / "distill.yaml").write_text(SPEC + "".join(f"no{n}: {n}\n" for n in range(times)), encoding="utf-8")
    code = "import sys; from distillc.cli.main import main; sys.exit(main(['lint', 'distill.yaml']))"
    lint = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert lint.stdout is not None and lint.stderr is not None
    lint.stdout.close()
    assert lint.wait() == 1
    assert lint.stderr.read() == b""
    lint.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed by a shell of POSIX")
def test_output_that_nobody_wants_is_no_error(tmp_path):
    (tmp_path / "distill.yaml").write_text(SPEC + "no: 1\n", encoding="utf-8")
    for closed, code in [("lint >&- 2>&-", 1), ("schema >&-", 0), ("lint no.yaml 2>&-", 2), ("plan no.yaml 2>&-", 2)]:
        done = subprocess.run(f"{sys.executable} -m distillc.cli.main {closed}", shell=True, cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (code, b""), closed


def test_a_closed_pipe_is_no_error(tmp_path):
    lint = subprocess.Popen([sys.executable, "-m", "distillc.cli.main", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert lint.stdout is not None and lint.stderr is not None
    lint.stdout.read(10)
    lint.stdout.close()
    assert lint.wait() == 0
    assert lint.stderr.read() == b""
    lint.stderr.close()
