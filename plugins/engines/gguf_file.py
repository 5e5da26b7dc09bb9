"""The file of a model that llama.cpp runs."""

from pathlib import Path

from distillc.compiler.facts.gguf import read_header
from distillc.plugins.api.artifacts import Model
from distillc.runtimes.given import given
from distillc.spec.errors import StageFailed


def gguf_file(model: Model) -> Path:
    """Raises StageFailed for a folder without exactly one GGUF file, and for a file that our bounded reader refuses: native code sees none
    of those."""
    files = sorted(model.folder.glob("*.gguf"))
    if len(files) != 1:
        raise StageFailed(f"{len(files)} GGUF files where one is expected", where=model.info.name)
    with given(model.info.name):
        read_header(files[0])
    return files[0]
