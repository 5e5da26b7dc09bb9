"""Rows from a JSON Lines file."""

from collections.abc import Iterator
from itertools import islice

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.sources import SourceContext
from distillc.plugins.sources.configs import JsonLinesConfig
from distillc.plugins.sources.records import row_of
from distillc.runtimes.records import json_lines


class JsonLines:
    """Raises StageFailed with file and line for a file that is not there and for a line that is no JSON object of the task's fields."""

    def __init__(self, config: JsonLinesConfig) -> None:
        self.config = config

    def read(self, context: SourceContext) -> Iterator[Row]:
        config = self.config
        for line, record in islice(json_lines(context.folder / config.path, config.path), config.limit):
            yield row_of(record, task=context.task, names=config.names, group=config.group, path=config.path, line=line)
