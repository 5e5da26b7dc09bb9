"""A kept answer is what linting again would say; whatever an answer depends on, changed, makes it lint again."""

import io
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from distillc.cli import kept, lint_cache
from distillc.cli.lint_cache import LintCache
from distillc.cli.main import main
from distillc.plugins import freshness, registry
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.lint import Linted, lint_file
from distillc.spec.source import MAX_BYTES, read_file
from tests.unit.spec.conftest import FakeTable

ALL_CHECKS = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
    HealthCheck.function_scoped_fixture,
    HealthCheck.differing_executors,
)

SPEC = 'distill: 1\nname: x\ntask: {kind: generate, input: text, target: fixed, prompt: "{{ text }}"}\n'
TABLE = FakeTable()


class Linting:
    """A folder, a cache of its own, and plugins that came from one file."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.plugin = folder / "plugin.py"
        self.plugin.write_text("1", encoding="utf-8")
        self.package = folder / "distillc" / "spec"
        for part in lint_cache.CODE:
            (folder / "distillc" / part).mkdir(parents=True)
        (self.package / "rule.py").write_text("1", encoding="utf-8")
        self.options: list[Any] = [None, [], []]
        patch.setenv("DISTILLC_CACHE", str(folder / "cache"))
        patch.delenv("DISTILLC_PLUGINS", raising=False)
        patch.setattr(registry, "read_cache", lambda: {"files": [freshness.stamp(str(self.plugin))]} if self.plugin.exists() else None)
        patch.setattr(lint_cache.distillc, "__file__", str(folder / "distillc" / "__init__.py"))
        patch.setattr(freshness, "watched_folders", lambda: [["site-packages", self.installed]])
        self.installed = 1

    def lint(self, name: str, read: Any = read_file) -> Linted:
        return lint_file(Path(name), TABLE, self.options[0], every_profile=self.options[0] is None, read=read)

    def __call__(self, name: str) -> tuple[bool, list[Diagnostic]]:
        """Whether the answer was known, and what it is."""
        cache = LintCache(self.options)
        answer = cache.find(name)
        if answer is not None:
            return True, answer.diagnostics
        watched = cache.watched(name, read_file)
        linted = self.lint(name, watched)
        cache.keep(name, linted, watched)
        cache.write()
        return False, linted.diagnostics


@pytest.fixture
def linting(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Linting(tmp_path, monkeypatch)


def changed(path: Path, text: str) -> None:
    """Written, and surely at another time than before: a clock may tick slower than a test."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def test_what_was_found_is_known_the_second_time(linting):
    Path("distill.yaml").write_text(SPEC + "sed: 1 # é文\nseed: '8'\nextends: none.yaml\n", encoding="utf-8")
    first, found = linting("distill.yaml")
    assert [d.code for d in found] == ["D101", "D103", "D022"] and found[1].fix is not None
    assert (first, linting("distill.yaml")) == (False, (True, found))


def test_the_texts_come_with_the_answer(linting):
    Path("distill.yaml").write_text("extends: base.yaml\n", encoding="utf-8")
    Path("base.yaml").write_bytes(b"\xef\xbb\xbf" + SPEC.encode() + b"sed: 1\n")
    linting("distill.yaml")
    answer = LintCache(linting.options).find("distill.yaml")
    sources = linting.lint("distill.yaml").sources
    assert answer is not None and answer.sources.keys() == sources.keys()
    assert all(answer.sources[name].text == source.text for name, source in sources.items())


@pytest.mark.parametrize(
    "change",
    [
        lambda it: Path("distill.yaml").write_text(SPEC + "extends: base.yaml\n\n", encoding="utf-8"),
        lambda it: Path("base.yaml").write_text("seed: 3\n", encoding="utf-8"),
        lambda it: Path("base.yaml").unlink(),
        lambda it: (Path("base.yaml").unlink(), Path("base.yaml").mkdir()),
        lambda it: Path("base.yaml").write_text("extends: below.yaml\n", encoding="utf-8"),
        lambda it: Path("distill.lock").write_text("version = 1\n", encoding="utf-8"),
        lambda it: changed(it.plugin, "2"),
        lambda it: it.plugin.unlink(),
        lambda it: changed(it.package / "rule.py", "2"),
        lambda it: (it.package / "new_rule.py").write_text("1", encoding="utf-8"),
        lambda it: (it.package / "rule.py").unlink(),
        lambda it: setattr(it, "installed", 2),
        lambda it: it.options.__setitem__(0, "quick"),
        lambda it: it.options.__setitem__(1, ["D4"]),
        lambda it: os.environ.__setitem__("DISTILLC_PLUGINS", ""),
        lambda it: setattr(lint_cache.distillc, "__version__", "0.1.1"),
        lambda it: sys.path.append("elsewhere"),
    ],
    ids=[
        "spec", "base", "base gone", "base a folder", "base extends", "lock", "plugin", "plugin gone", "rule", "new rule", "rule gone",
        "installed", "profile", "select", "plugins off", "version", "path",
    ],
)  # fmt: skip
def test_whatever_an_answer_depends_on_makes_it_lint_again(linting, monkeypatch, change):
    monkeypatch.setenv("DISTILLC_PLUGINS", "a,b")
    monkeypatch.setattr(lint_cache.distillc, "__version__", "0.1.0")
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("distill.yaml").write_text(SPEC + "extends: base.yaml\n", encoding="utf-8")
    Path("base.yaml").write_text("seed: 2\n", encoding="utf-8")
    assert linting("distill.yaml")[0] is False
    assert linting("distill.yaml")[0] is True
    change(linting)
    assert linting("distill.yaml")[0] is False


def test_a_base_that_comes_into_being_makes_it_lint_again(linting):
    Path("distill.yaml").write_text(SPEC + "extends: base.yaml\n", encoding="utf-8")
    assert [d.code for d in linting("distill.yaml")[1]] == ["D022"]
    assert linting("distill.yaml")[0] is True
    Path("base.yaml").write_text("seed: 2\n", encoding="utf-8")
    assert linting("distill.yaml") == (False, [])


def test_the_same_text_in_another_folder_is_another_spec(linting, tmp_path, monkeypatch):
    """It has other neighbours; and a finding names its file as the user did."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "distill.yaml").write_text(SPEC + "sed: 1\n", encoding="utf-8")
    linting("one/distill.yaml")
    assert linting("two/distill.yaml")[0] is False
    monkeypatch.chdir(tmp_path / "two")
    assert linting("distill.yaml")[0] is False


def test_a_file_that_changes_while_it_is_linted_is_not_kept(linting):
    Path("distill.yaml").write_text(SPEC + "extends: [base.yaml, base.yaml]\n", encoding="utf-8")
    texts = iter([b"seed: 1\n", b"seed: x\n"])
    cache = LintCache(linting.options)
    assert cache.find("distill.yaml") is None
    watched = cache.watched("distill.yaml", lambda path: next(texts))
    cache.keep("distill.yaml", linting.lint("distill.yaml", watched), watched)
    cache.write()
    assert not Path(cache.folder).exists()


def test_the_linter_sees_the_bytes_that_the_answer_is_kept_for(linting):
    spec = Path("distill.yaml")
    spec.write_text(SPEC, encoding="utf-8")
    cache = LintCache(linting.options)
    cache.find("distill.yaml")
    spec.write_text(SPEC + "sed: 1\n", encoding="utf-8")
    watched = cache.watched("distill.yaml", read_file)
    linted = linting.lint("distill.yaml", watched)
    cache.keep("distill.yaml", linted, watched)
    cache.write()
    assert linted.diagnostics == []
    assert [d.code for d in linting("distill.yaml")[1]] == ["D101"]


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1], lambda data: b"", lambda data: data.replace(b"D101", b"D102"), lambda data: data + b" ", lambda data: b"{}"],
)
def test_a_damaged_entry_counts_as_none_and_is_written_anew(linting, damage):
    Path("distill.yaml").write_text(SPEC + "sed: 1\n", encoding="utf-8")
    linting("distill.yaml")
    (entry,) = Path(LintCache([]).folder).iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert linting("distill.yaml")[0] is False
    assert entry.read_bytes() == whole


def test_one_entry_is_not_taken_for_another(tmp_path):
    kept.store(str(tmp_path), "a", b"of a")
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes())
    assert (kept.load(str(tmp_path), "a"), kept.load(str(tmp_path), "b")) == (b"of a", None)


def test_a_cache_that_cannot_be_written_is_no_error(linting, tmp_path):
    (tmp_path / "cache").write_text("no folder", encoding="utf-8")
    Path("distill.yaml").write_text(SPEC, encoding="utf-8")
    assert linting("distill.yaml") == linting("distill.yaml") == (False, [])


def test_the_oldest_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MAX_ENTRIES", 8)
    for number in range(9):
        kept.store(str(tmp_path), f"k{number}", b"x")
        os.utime(tmp_path / f"k{number}", ns=(number, number))
        if number == 3:
            assert kept.load(str(tmp_path), "k0") == b"x"  # what is used is young again
    assert kept.load(str(tmp_path), "k0") == b"x" and kept.load(str(tmp_path), "k1") is None
    assert len(list(tmp_path.iterdir())) == 6


def test_the_folder_has_a_size(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MAX_ALL", 10_000)
    for number in range(50):
        kept.store(str(tmp_path), f"k{number}", b"x" * 900)
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 10_000
    kept.store(str(tmp_path), "large", b"x" * (kept.MAX_ENTRY + 1))
    assert kept.load(str(tmp_path), "large") is None


def test_many_writers_leave_whole_entries(tmp_path):
    def write(number: int) -> None:
        for turn in range(40):
            kept.store(str(tmp_path), f"k{turn % 3}", f"{number}".encode() * (1 + turn * 50))
            found = kept.load(str(tmp_path), f"k{turn % 3}")
            if found is not None and len(set(found)) != 1:
                torn.append(found)

    torn: list[bytes] = []
    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert torn == [] and sorted(file.name for file in tmp_path.iterdir()) == ["k0", "k1", "k2"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["distill.yaml", "base.yaml", "distill.lock"])
def test_a_pipe_is_not_waited_for_and_never_known(linting, name):
    Path("distill.yaml").write_text(SPEC + "extends: base.yaml\n", encoding="utf-8")
    Path("base.yaml").write_text("seed: 1\n", encoding="utf-8")
    linting("distill.yaml")
    Path(name).unlink(missing_ok=True)
    os.mkfifo(name)
    assert LintCache(linting.options).find("distill.yaml") is None


def test_both_ends_agree_on_how_large_a_spec_may_be():
    assert lint_cache.MAX_BYTES == MAX_BYTES


class Edits(RuleBasedStateMachine):
    """Random edits of everything that counts: an answer is known only for a state that was linted, and is what linting it says."""

    folder: Path
    linting: Linting

    @initialize()
    def begin(self) -> None:
        self.seen: set[tuple[Any, ...]] = set()
        shutil.rmtree(self.folder / "cache", ignore_errors=True)
        for name in ("distill.yaml", "base.yaml", "below.yaml", "distill.lock"):
            self.put(name, None)
        self.linting.options, self.linting.installed = [None, [], []], 1

    @rule(text=st.sampled_from([SPEC, SPEC + "extends: base.yaml\n", SPEC + "sed: 1\n", "extends: [base.yaml, below.yaml]\n", "[", ""]))
    def spec(self, text: str) -> None:
        self.put("distill.yaml", text)

    @rule(name=st.sampled_from(["base", "below"]), text=st.sampled_from([SPEC, "seed: x\n", "extends: below.yaml\n", "a: b", None]))
    def base(self, name: str, text: str | None) -> None:
        self.put(f"{name}.yaml", text)

    @rule(text=st.sampled_from(["version = 1\n", "version = 1\n[facts.a]\n", None]))
    def lock(self, text: str | None) -> None:
        self.put("distill.lock", text)

    @rule(text=st.sampled_from(["1", "2"]), installed=st.integers(1, 2))
    def plugins(self, text: str, installed: int) -> None:
        changed(self.linting.plugin, text)
        self.linting.installed = installed

    @rule(text=st.sampled_from(["1", "2"]))
    def our_rules(self, text: str) -> None:
        changed(self.linting.package / "rule.py", text)

    @rule(profile=st.sampled_from([None, "quick"]), ignored=st.sampled_from([[], ["D4"]]))
    def options(self, profile: str | None, ignored: list[str]) -> None:
        self.linting.options = [profile, [], ignored]

    @rule()
    def lint(self) -> None:
        if self.text("distill.yaml") is None:
            return
        known, found = self.linting("distill.yaml")
        assert found == self.linting.lint("distill.yaml").diagnostics
        assert not known or self.state() in self.seen
        self.seen.add(self.state())

    def state(self) -> tuple[Any, ...]:
        spec = self.text("distill.yaml") or ""
        bases = [self.text("base.yaml")] if "base" in spec else []
        bases += [self.text("below.yaml")] if any("below" in text for text in (spec, *bases) if text) else []
        times = [file.stat().st_mtime_ns for file in (self.linting.plugin, self.linting.package / "rule.py")]
        return (spec, *bases, self.text("distill.lock"), *times, self.linting.installed, str(self.linting.options))

    def text(self, name: str) -> str | None:
        file = self.folder / name
        return file.read_text(encoding="utf-8") if file.exists() else None

    def put(self, name: str, text: str | None) -> None:
        if text is None:
            (self.folder / name).unlink(missing_ok=True)
        else:
            (self.folder / name).write_text(text, encoding="utf-8")


def test_no_edit_of_anything_gives_a_stale_answer(linting, tmp_path):
    Edits.folder, Edits.linting = tmp_path, linting
    quick = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=ALL_CHECKS)
    run_state_machine_as_test(Edits, settings=quick)


# The command line


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """With the manifests of the installed plugins, and no answers yet."""
    cache = tmp_path / "cache"
    cache.mkdir()
    registry.load()
    (cache / registry.cache_file().name).write_bytes(registry.cache_file().read_bytes())
    monkeypatch.setenv("DISTILLC_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_warm_lint_reads_no_yaml_and_asks_no_rule(repository):
    Path("distill.yaml").write_text(SPEC, encoding="utf-8")
    Path("bad.yaml").write_text(SPEC + "sed: 1\n", encoding="utf-8")
    for name, heavy in (
        (
            "distill.yaml",
            ("yaml", "dataclasses", "pathlib", "distillc.plugins.registry", "distillc.spec.codes", "distillc.spec.diagnostic"),
        ),
        ("bad.yaml", ("yaml", "distillc.plugins.registry", "distillc.spec.parse", "distillc.spec.rules", "distillc.spec.schema")),
    ):
        script = (
            f"import sys; from distillc.cli.main import main; code = main(['lint', '{name}', '--format', 'concise'])\n"
            f"print(code, [module for module in {heavy} if module in sys.modules])"
        )
        runs = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout for _ in range(2)]
        assert runs[0].splitlines()[:-1] == runs[1].splitlines()[:-1]
        assert runs[1].splitlines()[-1] == f"{int(name == 'bad.yaml')} []"


@pytest.mark.parametrize("options", [["--no-cache"], ["--fix"], ["--diff"], ["--set", "seed=1"], ["--stdin-filename", "distill.yaml"]])
def test_some_lints_keep_nothing(repository, monkeypatch, capsys, options):
    Path("distill.yaml").write_text(SPEC, encoding="utf-8")
    if "--stdin-filename" in options:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SPEC.encode())))
    assert main(["lint", *options, *([] if "--stdin-filename" in options else ["distill.yaml"])]) == 0
    assert not (repository / "cache" / "lint").exists()


def test_a_file_that_cannot_be_read_is_not_known_afterwards(repository, capsys):
    assert main(["lint", "distill.yaml"]) == 2
    Path("distill.yaml").write_text(SPEC, encoding="utf-8")
    assert main(["lint", "distill.yaml"]) == 0


def test_a_known_answer_looks_the_same_in_every_form(repository, capsys):
    Path("distill.yaml").write_text("extends: base.yaml\nseed: '8'\nmodls: {}\n", encoding="utf-8")
    Path("base.yaml").write_text(SPEC + "# distillc: ignore[D401] no\n", encoding="utf-8")
    for form in ("full", "concise", "json", "sarif", "github", "gitlab"):
        codes = [main(["lint", "distill.yaml", "base.yaml", "--format", form, *more]) for more in (["--no-cache"], [], [])]
        anew, first, again = _parts(capsys.readouterr().out)
        assert anew == first == again and codes == [1, 1, 1]


def _parts(out: str) -> tuple[str, str, str]:
    third = len(out) // 3
    assert len(out) % 3 == 0
    return out[:third], out[third : 2 * third], out[2 * third :]


def test_lint_opens_nothing_that_its_answers_are_not_compared_by(repository):
    """Were a rule to read a file, an answer would have to be compared by it too."""
    (repository / "distill.yaml").write_text(SPEC + "extends: base.yaml\ndata: {d: {uses: jsonl, path: rows.jsonl}}\n", encoding="utf-8")
    (repository / "base.yaml").write_text("models: {m: {uses: transformers, path: m.gguf}}\n", encoding="utf-8")
    script = f"""
import sys
from distillc.cli.main import main
opened = set()
def saw(event, args):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(args[0], str):
        opened.add(args[0])
    assert event != "socket.connect"
sys.addaudithook(saw)
main(["lint", "distill.yaml"])
import os
root = os.path.realpath({str(repository)!r})
print(sorted(os.path.relpath(path, root) for path in map(os.path.realpath, opened) if path.startswith(root) and "cache" not in path))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['base.yaml', 'distill.lock', 'distill.yaml']"
