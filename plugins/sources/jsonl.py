"""Rows from a JSON Lines file: one object a line, UTF-8, empty lines skipped."""

import json
from collections.abc import Iterator

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.sources import SourceContext
from distillc.plugins.sources.configs import JsonLinesConfig
from distillc.plugins.sources.records import row_of
from distillc.spec.errors import StageFailed


class JsonLines:
    """Raises StageFailed with file and line for a file that is not there and for a line that is no JSON object of the task's fields."""

    def __init__(self, config: JsonLinesConfig) -> None:
        self.config = config

    def read(self, context: SourceContext) -> Iterator[Row]:
        config, count = self.config, 0
        try:
            with (context.folder / config.path).open("rb") as stream:
                for line, data in enumerate(stream, start=1):
                    if not data.strip():
                        continue
                    yield row_of(
                        _object(data, config.path, line),
                        task=context.task,
                        names=config.names,
                        group=config.group,
                        path=config.path,
                        line=line,
                    )
                    count += 1
                    if count == config.limit:
                        return
        except OSError as error:
            raise StageFailed(
                f"cannot read the file: {error.strerror}", where=config.path, help="paths are relative to the folder of the spec"
            ) from None


def _object(data: bytes, path: str, line: int) -> dict[str, object]:
    try:
        record = json.loads(data.decode("utf-8-sig" if line == 1 else "utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise StageFailed(f"not JSON: {error}", where=f"{path}:{line}", help="one JSON object a line, in UTF-8") from None
    if not isinstance(record, dict):
        raise StageFailed(f"not an object but a {type(record).__name__}", where=f"{path}:{line}", help='one object a line: {"text": …}')
    return record
