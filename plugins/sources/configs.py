"""What a spec may say about each source."""

import csv
import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from distillc.plugins.sources.packages import NotInstalled, version
from distillc.plugins.sources.sizes import sizes
from distillc.spec.errors import UsageError
from distillc.spec.fields import Config, FilePath


class DocstringsConfig(Config):
    packages: tuple[str, ...] = Field(
        min_length=1,
        description="installed packages or standard-library modules to read, by name; `stdlib` is the whole standard library",
    )
    min_words: int = Field(default=6, ge=1, description="words of the shortest sentence kept")
    max_words: int = Field(default=20, ge=1, description="words of the longest sentence kept")
    limit: int | None = Field(
        default=None, ge=1, description="stop after so many sentences; the order is that of `packages`, then of module names"
    )

    def revisions(self, folder: Path) -> dict[str, str]:
        """Package to version; raises UsageError for one that is not installed."""
        try:
            return {package: version(package) for package in self.packages}
        except NotInstalled as missing:
            raise UsageError(
                f"package '{missing}' is not installed", where="packages", help=f"pip install {missing}, or take it out of `packages`"
            ) from None


class _FileConfig(Config):
    """`header`: so many lines are no record."""

    header: ClassVar[int]
    path: FilePath = Field(description="the file, relative to the spec, or pkg://distribution/path")
    names: dict[str, str] = Field(
        default_factory=dict,
        description="the task's name of a field (`text`) to the file's name of it (`sentence`); a field not named here has the task's name",
    )
    group: str | None = Field(default=None, description="the file's field whose rows a split must keep together")
    limit: int | None = Field(default=None, ge=1, description="read so many rows at most")

    def revisions(self, folder: Path) -> dict[str, str]:
        """Path as written to the digest of the file's bytes; raises UsageError for a file that is not there."""
        file = folder / self.path
        try:
            with file.open("rb") as stream:
                return {self.path: f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"}
        except OSError as error:
            raise UsageError(
                f"cannot read {self.path}: {error.strerror}", where=self.path, help="paths are relative to the folder of the spec"
            ) from None

    def estimate(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """How many rows there are at most, and how long they are. `inputs`: the spec's `folder`, and the `task` with its two fields."""
        task = inputs["task"]
        input, target = (str(self.names.get(name, name)) for name in (task["input"], task["target"]))
        return sizes(inputs["folder"] / self.path, self.records, header=self.header, input=input, target=target, limit=self.limit)

    @abstractmethod
    def records(self, text: str) -> Iterator[Mapping[str, Any]]:
        """Of a part of the file, cut at the end of a line."""


class JsonLinesConfig(_FileConfig):
    header = 0

    def records(self, text: str) -> Iterator[Mapping[str, Any]]:
        found = (json.loads(line) for line in text.split("\n") if line.strip())
        return (record for record in found if isinstance(record, dict))


class CsvConfig(_FileConfig):
    header = 1
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="the character between two fields")

    def records(self, text: str) -> Iterator[Mapping[str, Any]]:
        return iter(csv.DictReader(StringIO(text, newline=""), delimiter=self.delimiter))
