"""The manifest: all that distillc knows of a plugin without importing it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

API_VERSION = 1


class Kind(StrEnum):
    SOURCES = "sources"
    GENERATORS = "generators"
    CURATORS = "curators"
    TEACHERS = "teachers"
    STUDENTS = "students"
    TRAINERS = "trainers"
    LOSSES = "losses"
    METRICS = "metrics"
    JUDGES = "judges"
    QUANTIZERS = "quantizers"
    ENGINES = "engines"
    TARGETS = "targets"
    EXECUTORS = "executors"


class Manifest(NamedTuple):
    """One plugin, as plain data. Making one must import nothing heavy: entry points are read by every command.

    `config` and `impl` are `"module:Class"`. `config` names a light `Config` (pydantic only); `impl` is imported when its
    stage runs. `modules` are what `impl` needs to import, `extra` the extra of the distribution that brings them: a missing
    one is an error at plan time. `cache_version` moves whenever the output for the same input moves.

    Capabilities are plain JSON, by kind:
      engines      reads: [formats], does: [generate, score_tokens …]     teachers    format: the model format it builds, family,
      quantizers   writes: format                                                     converts: {file format: [architectures]}
      sources      rows: at most so many                                  students    format
      generators   rows: "one", where a row makes no second, or "one a model"
      trainers     soft_targets: bool                                     losses      needs: none | log_probabilities
                   format: of the models that it takes and makes (hf)
      curators     scope: row | all                                       metrics, judges   values: {name: higher | lower}, "" for one

    An engine that asks another machine says `remote: true` (`plugins/api/engines.py:RemoteEngine`), and in `job` the values of fields
    under which its answers come as a job: {mode: batch}. So does a trainer that only waits for one: `remote: true`. An engine with a server
    of its own says `lease: true` (`LeasedEngine`), one that runs a model only where the spec names it `asked: true`. A trainer with limits
    says what it `takes`, each key of a train step with its range (`lora.r: {whole, least, most}`), which `losses`, models of which
    `dialects`, and with `best_checkpoint` that it keeps the best wherever there are validation rows. What a teacher's API speaks is its
    `dialect`, a declaration.

    What is known of a model before it is made: students and quantizers say what they take over (keeps: [facts]) and all three kinds what
    follows from their fields (facts: {fact: declaration}). A declaration, that of `rows` too, is a field's name, a number, {const: text},
    or a table over a field; `spec/declared.py` has the form, `compiler/outline/models.py` the names of facts.
    """

    kind: Kind
    name: str
    summary: str
    config: str
    impl: str
    capabilities: Mapping[str, Any] = {}
    modules: tuple[str, ...] = ()
    extra: str | None = None
    api_version: int = API_VERSION
    cache_version: int = 1
