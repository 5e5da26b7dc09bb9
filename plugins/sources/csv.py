"""Rows from a CSV file whose first line names the fields; UTF-8, quotes doubled."""

import csv
from collections.abc import Iterator
from typing import Any

from distillc.plugins.api.artifacts import Row
from distillc.plugins.api.sources import SourceContext
from distillc.plugins.sources.configs import CsvConfig
from distillc.plugins.sources.records import row_of
from distillc.spec.errors import StageFailed


class Csv:
    """Raises StageFailed with file and line for a file that is not there, a line with too few or too many fields, a broken quote."""

    def __init__(self, config: CsvConfig) -> None:
        self.config = config

    def read(self, context: SourceContext) -> Iterator[Row]:
        config, count = self.config, 0
        line = 1
        try:
            with (context.folder / config.path).open(encoding="utf-8-sig", newline="") as stream:
                # `None` marks what is too much or too little, so that it is told apart from an empty field.
                reader: csv.DictReader[Any] = csv.DictReader(stream, delimiter=config.delimiter, restkey=None, restval=None, strict=True)
                for record in reader:
                    line = reader.line_num
                    if None in record or None in record.values():
                        raise StageFailed(
                            f"the line does not have the {len(reader.fieldnames or ())} fields of the header",
                            where=f"{config.path}:{line}",
                            help="correct the line; a text with the delimiter in it stands in double quotes",
                        )
                    yield row_of(record, task=context.task, names=config.names, group=config.group, path=config.path, line=line)
                    count += 1
                    if count == config.limit:
                        return
        except OSError as error:
            raise StageFailed(
                f"cannot read the file: {error.strerror}", where=config.path, help="paths are relative to the folder of the spec"
            ) from None
        except (csv.Error, UnicodeDecodeError) as error:
            raise StageFailed(f"not CSV in UTF-8: {error}", where=f"{config.path}:{line + 1}", help="correct the line") from None
