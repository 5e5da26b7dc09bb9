"""Clean English sentences from the docstrings of installed packages, read with `ast`: nothing is imported or run."""

import ast
import hashlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.sources import SourceContext
from distillc.plugins.sources.configs import DocstringsConfig
from distillc.plugins.sources.packages import NotInstalled, python_files
from distillc.plugins.sources.sentences import sentences
from distillc.spec.errors import StageFailed

# A file without a capital, five words and a full stop somewhere has no sentence; looking is 20 times cheaper than parsing.
_PROSE = re.compile(rb"[A-Z][a-z'-]*(?:[ \n]+[A-Za-z',;-]+){4,}\.[\s\"']")


class Docstrings:
    """Rows with `input` alone. `group` is the module, `source` is `package:module:line` with the docstring's first line.

    A sentence that another one before it equals but for one word (put in, left out or changed) is left out: docstrings are
    copied and adapted, and a sentence of one module would otherwise stand in another split under a new name.
    """

    def __init__(self, config: DocstringsConfig) -> None:
        self.config = config

    def read(self, context: SourceContext) -> Iterator[Row]:
        seen: set[int] = set()
        count = 0
        for package in self.config.packages:
            for module, line, sentence in self._sentences(package):
                marks = _neighbourhood(sentence)
                if not seen.isdisjoint(marks):
                    continue
                seen.update(marks)
                source = f"{package}:{module}:{line}"
                row_id = hashlib.blake2b(f"{source}\0{sentence}".encode(), digest_size=10).hexdigest()
                yield Row(row_id=row_id, payload={"input": sentence}, source=source, group=module)
                count += 1
                if count == self.config.limit:
                    return

    def _sentences(self, package: str) -> Iterator[tuple[str, int, str]]:
        try:
            for module, path in python_files(package):
                for line, docstring in docstrings(path):
                    for sentence in sentences(docstring, min_words=self.config.min_words, max_words=self.config.max_words):
                        yield module, line, sentence
        except NotInstalled:
            raise StageFailed(
                f"package '{package}' is not installed or has no Python files",
                where="packages",
                help=f"pip install {package}, or take it out of `packages`",
            ) from None


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """(line, docstring) of a module, its classes and its functions, in the order of the file. A file that does not parse has none."""
    data = path.read_bytes()
    if not _PROSE.search(data):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's invalid escapes
            tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        body: list[ast.stmt] = getattr(node, "body", [])
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield body[0].lineno, text
        # Functions inside functions are somebody's details; classes and `if` blocks hold what is public.
        if isinstance(node, ast.Module | ast.ClassDef | ast.If | ast.Try):
            waiting.extend(reversed(body))


def _neighbourhood(sentence: str) -> list[int]:
    """Marks that two sentences share exactly when one word put in, left out or changed makes them equal (case and punctuation apart)."""
    words = re.findall(r"[a-z'-]+", sentence.lower())
    texts = [" ".join(words), *(" ".join(words[:at] + words[at + 1 :]) for at in range(len(words)))]
    return [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) for text in texts]
