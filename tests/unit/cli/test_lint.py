"""`distillc lint` that fixes, and that reads standard input."""

import io
import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from distillc.cli.main import main

SPEC = 'distill: 1\nname: x\ntask: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'
SAFE = SPEC + "seed: '8'  # kept\n"
GUESS = SPEC + "sed: 8\n"


@pytest.fixture
def spec(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "distill.yaml"


@pytest.fixture
def typed(monkeypatch):
    """Puts bytes on standard input."""

    def make(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return make


def test_fix_mends_the_file_and_says_what_is_left(spec, capsys):
    spec.write_text(SAFE + "sed: 1\nname: y\n", encoding="utf-8")
    assert main(["lint", "--fix", "--format", "concise", "distill.yaml"]) == 1
    assert spec.read_text(encoding="utf-8") == SAFE.replace("'8'", "8") + "sed: 1\nname: y\n"
    assert capsys.readouterr().out.splitlines()[-1] == "1 fixed; 2 errors in 1 file"


def test_a_guess_needs_a_word_more(spec, capsys):
    spec.write_text(GUESS, encoding="utf-8")
    assert main(["lint", "--fix", "distill.yaml"]) == 1
    assert spec.read_text(encoding="utf-8") == GUESS
    assert capsys.readouterr().out.splitlines()[-1] == "1 fixable with --fix --unsafe-fixes"
    assert main(["lint", "--fix", "--unsafe-fixes", "distill.yaml"]) == 0
    assert spec.read_text(encoding="utf-8") == GUESS.replace("sed", "seed")
    assert capsys.readouterr().out == "1 fixed; nothing wrong in 1 file\n"


@pytest.mark.parametrize(
    ("text", "flags", "told"),
    [
        (SAFE, [], "[*] 1 fixable with --fix"),
        (SAFE + "modls: {}\n", [], "[*] 1 fixable with --fix, 1 more with --unsafe-fixes"),
        (SAFE + "modls: {}\n", ["--unsafe-fixes"], "[*] 2 fixable with --fix"),
        (GUESS, [], "1 fixable with --fix --unsafe-fixes"),
        (SPEC + "name: y\n", [], "1 error in 1 file"),
    ],
)
def test_lint_says_how_many_can_be_fixed_and_how(spec, capsys, text, flags, told):
    spec.write_text(text, encoding="utf-8")
    assert main(["lint", *flags]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == told


def test_the_concise_form_marks_what_fix_mends(spec, capsys):
    spec.write_text(SAFE, encoding="utf-8")
    assert main(["lint", "--format", "concise"]) == 1
    assert " D103 [*] `seed` must be a whole number" in capsys.readouterr().out


def test_quiet_prints_findings_alone(spec, capsys):
    spec.write_text(GUESS, encoding="utf-8")
    assert main(["lint", "-q", "--format", "concise", "distill.yaml"]) == 1
    assert capsys.readouterr().out == "distill.yaml:4:1 D101 unknown key `sed`; did you mean `seed`?\n"
    spec.write_text(SPEC, encoding="utf-8")
    assert (main(["lint", "-q", "distill.yaml"]), capsys.readouterr().out) == (0, "")


def test_what_is_wrong_in_a_file_that_several_extend_is_said_once(spec, tmp_path, capsys):
    (tmp_path / "base.yaml").write_text(GUESS, encoding="utf-8")
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("extends: base.yaml\n", encoding="utf-8")
    assert main(["lint", "one.yaml", "base.yaml", "two.yaml", "--format", "json"]) == 1
    assert [(found["file"], found["code"]) for found in json.loads(capsys.readouterr().out)] == [("base.yaml", "D101")]


def test_a_difference_is_shown_and_nothing_is_written(spec, capsys):
    spec.write_text(SAFE, encoding="utf-8")
    assert main(["lint", "--diff"]) == 1
    told = capsys.readouterr()
    assert told.out.startswith("--- distill.yaml\n+++ distill.yaml\n@@ ")
    assert "-seed: '8'  # kept\n+seed: 8  # kept\n" in told.out
    assert told.err == "would fix 1 in 1 file\n"
    assert spec.read_text(encoding="utf-8") == SAFE
    spec.write_text(GUESS, encoding="utf-8")
    assert main(["lint", "--diff"]) == 0
    assert capsys.readouterr() == ("", "nothing to fix\n")
    assert main(["lint", "--diff", "none.yaml"]) == 2
    assert "cannot read the file" in capsys.readouterr().err
    assert main(["lint", "--diff", "--format", "json"]) == 2
    assert json.loads(capsys.readouterr().out)[0]["code"] == "D900"


def test_bytes_that_are_no_text_stay(spec):
    spec.write_bytes(b"\xef\xbb\xbf" + SAFE.replace("\n", "\r\n").encode())
    assert main(["lint", "--fix"]) == 0
    assert spec.read_bytes() == b"\xef\xbb\xbf" + SAFE.replace("'8'", "8").replace("\n", "\r\n").encode()


def test_mode_and_link_stay_and_nothing_is_left_beside(spec, tmp_path):
    real = tmp_path / "elsewhere.yaml"
    real.write_text(SAFE, encoding="utf-8")
    real.chmod(0o640)
    spec.symlink_to(real)
    assert main(["lint", "--fix"]) == 0
    assert spec.is_symlink() and "seed: 8" in real.read_text(encoding="utf-8")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"distill.yaml", "elsewhere.yaml"}


def test_a_file_that_cannot_be_written_is_a_finding(spec, capsys, monkeypatch):
    spec.write_text(SAFE, encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert main(["lint", "--fix", "--format", "json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert [each["code"] for each in found] == ["D000", "D103"]
    assert found[0]["message"] == "cannot write the file: Permission denied"
    assert spec.read_text(encoding="utf-8") == SAFE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_and_not_written_back(spec, capsys):
    os.mkfifo(spec)
    writer = threading.Thread(target=spec.write_text, args=(SAFE,), kwargs={"encoding": "utf-8"})
    writer.start()
    assert main(["lint", "--fix", "distill.yaml", "--format", "json"]) == 2
    writer.join()
    assert [each["message"] for each in json.loads(capsys.readouterr().out)] == ["cannot write it back: it is no file"]


def test_a_file_that_only_another_extends_is_not_changed(spec, tmp_path, capsys):
    base = tmp_path / "base.yaml"
    base.write_text("seed: '8'\n", encoding="utf-8")
    spec.write_text("extends: base.yaml\n" + SPEC, encoding="utf-8")
    assert main(["lint", "--fix", "distill.yaml"]) == 1
    assert base.read_text(encoding="utf-8") == "seed: '8'\n"
    assert "fixable" not in capsys.readouterr().out
    assert main(["lint", "--fix", "distill.yaml", "base.yaml"]) == 1  # what the base lacks alone
    assert base.read_text(encoding="utf-8") == "distill: 1\nseed: 8\n"


def test_findings_that_are_left_after_fixing_come_in_the_form_asked_for(spec, capsys):
    spec.write_text(SAFE + "name: y\n", encoding="utf-8")
    assert main(["lint", "--fix", "--format", "json"]) == 1
    assert [each["code"] for each in json.loads(capsys.readouterr().out)] == ["D008"]


def test_standard_input_is_linted_as_the_file_it_is_said_to_be(spec, typed, capsys):
    typed(GUESS.encode())
    assert main(["lint", "-", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("<stdin>:4:1 D101 ")
    (spec.parent / "sub").mkdir()
    (spec.parent / "sub" / "base.yaml").write_text(SPEC, encoding="utf-8")
    typed(b"extends: base.yaml\nsed: 8\n")
    assert main(["lint", "--stdin-filename", "sub/distill.yaml", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("sub/distill.yaml:2:1 D101 ")


def test_standard_input_goes_to_standard_output_when_it_is_fixed(typed, capsysbinary):
    typed(b"\xef\xbb\xbf" + SAFE.encode() + b"name: y\n")
    assert main(["lint", "-", "--fix", "--format", "concise"]) == 1
    told = capsysbinary.readouterr()
    assert told.out == b"\xef\xbb\xbf" + SAFE.replace("'8'", "8").encode() + b"name: y\n"
    assert told.err.splitlines()[-1] == b"1 fixed; 1 error in 1 file"


@pytest.mark.parametrize("data", [b"\xff\xfe broken", b"a: [", SPEC.encode(), b""])
def test_what_cannot_be_fixed_comes_back_as_it_was(typed, capsysbinary, data):
    typed(data)
    main(["lint", "--fix", "--unsafe-fixes", "-"])
    assert capsysbinary.readouterr().out == data


def test_standard_input_stands_alone(typed, capsys):
    typed(b"")
    assert main(["lint", "-", "distill.yaml"]) == 2
    assert main(["lint", "--stdin-filename", "a.yaml", "b.yaml"]) == 2
    assert "take one text from standard input" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="names there are text")
def test_a_file_whose_name_is_no_text_breaks_no_output(tmp_path):
    place = os.fsencode(tmp_path) + b"/\xff.yaml"
    with open(place, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a path in bytes
        stream.write(GUESS)
    for form in ("full", "concise", "json", "sarif", "github", "gitlab"):
        command = [sys.executable, "-m", "distillc.cli.main", "lint", "--format", form, place]
        done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
        assert done.returncode == 1 and done.stderr == b"", form
        if form in ("json", "sarif", "gitlab"):
            json.loads(done.stdout)
