"""The built-in sources."""

from distillc.plugins.api.manifest import Kind, Manifest

_CONFIGS = "distillc.plugins.sources.configs"

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.SOURCES,
        name="docstrings",
        summary="clean English sentences from the docstrings of installed packages",
        config=f"{_CONFIGS}:DocstringsConfig",
        impl="distillc.plugins.sources.docstrings:Docstrings",
        capabilities={"rows": "limit", "target": {"const": "none"}},
    ),
    Manifest(
        kind=Kind.SOURCES,
        name="jsonl",
        summary="rows from a JSON Lines file",
        config=f"{_CONFIGS}:JsonLinesConfig",
        impl="distillc.plugins.sources.jsonl:JsonLines",
        capabilities={"rows": "limit", "columns": "names", "group": "group"},
        cache_version=2,
    ),
    Manifest(
        kind=Kind.SOURCES,
        name="csv",
        summary="rows from a CSV file with a header",
        config=f"{_CONFIGS}:CsvConfig",
        impl="distillc.plugins.sources.csv:Csv",
        capabilities={"rows": "limit", "columns": "names", "group": "group"},
        cache_version=2,
    ),
)
