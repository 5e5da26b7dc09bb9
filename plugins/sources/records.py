"""From a record of a file to a row: the task's names to the fields, with one clear error for what is missing."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distillc.plugins.api.artifacts import Row, Task
from distillc.spec.errors import StageFailed
from distillc.spec.wording import did_you_mean


def row_of(record: Mapping[str, Any], *, task: Task, names: Mapping[str, str], group: str | None, path: str, line: int) -> Row:
    """`input` and, where the record has it, `target`; `source` is `path:line`, and so the row's id depends on nothing else but the text.

    Raises StageFailed for a record without the input, with a value that is no text, or without the field to group by,
    and for `names` of no field of the task.
    """
    if strange := names.keys() - {task.input, task.target}:
        name = min(strange)
        raise StageFailed(
            f"`names` says what the task's field `{name}` is called in the file, but the task has no such field",
            where=path,
            help=did_you_mean(name, (task.input, task.target), "the task's fields"),
        )
    payload: dict[str, str] = {}
    for ours, name in (("input", task.input), ("target", task.target)):
        theirs = names.get(name, name)
        value = record.get(theirs)
        if value is None:
            if ours == "input" or name in names:
                raise StageFailed(
                    f"there is no field '{theirs}'; there are {', '.join(sorted(map(str, record)))}",
                    where=f"{path}:{line}",
                    help=f"name the file's field in `names: {{{name}: …}}`",
                )
            continue
        if not isinstance(value, str) or (ours == "input" and not value.strip()):
            wrong = "is empty" if isinstance(value, str) else f"must be a text, not {value!r}"
            raise StageFailed(f"field '{theirs}' {wrong}", where=f"{path}:{line}", help="correct the line or take it out")
        payload[ours] = value
    key = ""
    if group is not None:
        if record.get(group) is None:
            raise StageFailed(
                f"there is no field '{group}' to group by", where=f"{path}:{line}", help="correct the line, or take `group` out"
            )
        key = str(record[group])
    # An absolute path is called by its file's name, as in keys: where a file lies on this machine must not move rows between splits.
    source = f"{Path(path).name if Path(path).is_absolute() else path}:{line}"
    row_id = hashlib.blake2b("\0".join([source, *payload.values()]).encode(), digest_size=10).hexdigest()
    return Row(row_id=row_id, payload=payload, source=source, group=key)
