"""What the source must never do: unpickle, run foreign code, build shell lines, parse YAML into objects."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("spec", "compiler", "plugins", "runtimes", "examples", "src/distillc/cli")  # src/distillc has links to the first four
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "diskcache", "sqlitedict", "litellm"}
CALLS = {"eval", "exec", "os.system", "os.popen", "torch.load", "np.load", "numpy.load", "yaml.load", "yaml.unsafe_load", "pd.read_pickle"}


def dangers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            if ast.unparse(node.func) in CALLS:
                yield ast.unparse(node.func)
            for keyword in node.keywords:
                if keyword.arg in ("trust_remote_code", "shell") and not (
                    isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                ):
                    yield f"{keyword.arg}={ast.unparse(keyword.value)}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import pickle", "pickle"),
        ("from joblib import load", "joblib"),
        ("torch.load('x')", "torch.load"),
        ("AutoModel.from_pretrained(path, trust_remote_code=yes)", "trust_remote_code=yes"),
        ("subprocess.run(line, shell=True)", "shell=True"),
        ("yaml.load(text)", "yaml.load"),
        ("f(trust_remote_code=False)", None),
    ],
)
def test_the_check_sees_what_it_is_for(text: str, found: str | None) -> None:
    assert list(dangers(ast.parse(text))) == ([found] if found else [])


def test_no_source_does_anything_of_it() -> None:
    assert len(SOURCES) > 200
    found = {str(path.relative_to(ROOT)): list(dangers(ast.parse(path.read_text(encoding="utf-8")))) for path in SOURCES}
    assert {path: what for path, what in found.items() if what} == {}
