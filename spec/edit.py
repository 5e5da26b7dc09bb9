"""Fixes carried out on the text of a spec: what they do not name stays as it is, comments, line ends and byte-order mark included.

`settle` looks at a fix when its finding is made: it drops one that would take a comment along or change another file, and lets a
line go that has nothing left. `mend` applies fixes round by round, for some of them meet, and some bring new findings to light.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from distillc.spec.diagnostic import Applicability, Diagnostic, Edit, Fix
from distillc.spec.parse import parse
from distillc.spec.source import Source, is_override

if TYPE_CHECKING:
    from distillc.spec.lint import Linted
    from distillc.spec.resolve import Read

MAX_ROUNDS = 10
_BREAK = re.compile(r"\r\n|\r|\n")
_REST = re.compile(r"[ \t]*(?:\r\n|\r|\n|\Z)")
_COMMENT = re.compile(r"(?:^|\s)#")


def settle(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> Diagnostic:
    """The finding with a fix that can be applied as it is, or without one."""
    fix, span = diagnostic.fix, diagnostic.span
    source = sources.get(span.file) if span else None
    if fix is None:
        return diagnostic
    if source is None or is_override(source.name) or any(edit.span.file != source.name for edit in fix.edits):
        return diagnostic._replace(fix=None)
    return diagnostic._replace(fix=settled(fix, source))


def settled(fix: Fix, source: Source) -> Fix | None:
    """The fix as it can be applied to the file that all its edits are in."""
    edits = [_settled(edit, source) for edit in sorted(fix.edits, key=lambda edit: edit.span)]
    kept = [edit for edit in edits if edit is not None]
    return None if len(kept) < len(edits) or not kept or _overlap(kept, source) else fix._replace(edits=tuple(kept))


def _settled(edit: Edit, source: Source) -> Edit | None:
    start, end = _offsets(edit, source)
    gone = source.text[start:end]
    if _COMMENT.search(gone) and gone.lstrip()[:1] not in ("#", "'", '"', "|", ">"):
        return None  # a comment between two values; one that is to go begins with #, and a text may have one in its quotes
    text = edit.text
    if "\n" in text and (first := _BREAK.search(source.text)):
        text = _BREAK.sub(lambda _: first[0], text)
    if not text:
        line = source.offset(edit.span.line, 1)
        rest = _REST.match(source.text, end)
        if start < end and rest and not source.text[line:start].strip(" "):
            start, end = line, rest.end()
    return Edit(source.span(start, end), text)


def _overlap(edits: Sequence[Edit], source: Source) -> bool:
    last = -1
    for edit in edits:
        start, end = _offsets(edit, source)
        if start < last or (start == last and start == end):
            return True
        last = end
    return False


def _offsets(edit: Edit, source: Source) -> tuple[int, int]:
    span = edit.span
    start = source.offset(span.line, span.column)
    return start, max(start, source.offset(span.end_line, span.end_column))


def apply(source: Source, fixes: Iterable[Fix]) -> tuple[str, int]:
    """The text with the fixes, and how many they were. Of those that meet the first in order of place wins; the others wait."""
    todo = {tuple(sorted((*_offsets(edit, source), edit.text) for edit in fix.edits)) for fix in fixes}
    parts: list[str] = []
    done, inserted, count = 0, -1, 0
    for edits in sorted(todo):
        first = edits[0][0]
        if first < done or (first == inserted and edits[0][1] == first):
            continue
        for start, end, text in edits:
            parts += [source.text[done:start], text]
            done = end
            inserted = start if start == end else -1
        count += 1
    return "".join([*parts, source.text[done:]]), count


def may_apply(fix: Fix | None, *, unsafe: bool) -> bool:
    return fix is not None and (unsafe or fix.applicability is Applicability.SAFE)


@dataclass(frozen=True, slots=True)
class Change:
    """The text of one file, before and after so many fixes."""

    name: str
    before: str
    after: str
    fixes: int = 0


@dataclass(slots=True)
class Mended:
    """`linted`: what is left, for each file. `refused`: files of which a fix would have made something that is not YAML."""

    linted: "dict[str, Linted]"
    changes: list[Change] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def mend(
    files: Sequence[str], lint: "Callable[[str, Read], Linted]", read: "Read", identity: Callable[[str], str], *, unsafe: bool
) -> Mended:
    """Fixes what can be fixed in `files`, and in no other: a file that only `extends` names is somebody else's.

    `identity` tells when two names mean one file.
    """
    ours = {identity(name): name for name in files}
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    counts: dict[str, int] = {}

    def current(path: Path) -> bytes:
        text = after.get(identity(str(path)))
        return read(path) if text is None else text.encode()

    mended = Mended({name: lint(name, current) for name in files})
    for _ in range(MAX_ROUNDS):
        todo: dict[str, tuple[Source, list[Fix]]] = {}
        for linted in mended.linted.values():
            for diagnostic in linted.diagnostics:
                fix, span = diagnostic.fix, diagnostic.span
                if fix is None or span is None or not may_apply(fix, unsafe=unsafe):
                    continue
                file = identity(span.file)
                if file in ours and ours[file] not in mended.refused:
                    todo.setdefault(file, (linted.sources[span.file], []))[1].append(fix)
        if not todo:
            break
        for file, (source, fixes) in todo.items():
            text, count = apply(source, fixes)
            if _is_worse(source, text):  # each by itself may be right: three keys that become the same one
                alone = (apply(source, [fix]) for fix in fixes)
                text, count = next((each for each in alone if not _is_worse(source, each[0])), (source.text, 0))
            if not count:
                mended.refused.append(ours[file])
                continue
            before.setdefault(file, source.text)
            after[file] = text
            counts[file] = counts.get(file, 0) + count
        for name, linted in mended.linted.items():
            if any(identity(source) in todo for source in linted.sources):
                mended.linted[name] = lint(name, current)
    mended.changes = [Change(ours[file], before[file], text, counts[file]) for file, text in after.items() if text != before[file]]
    return mended


def _is_worse(source: Source, text: str) -> bool:
    """Whether something is wrong with a text as YAML that was not before. What can be read further may show faults that were there."""
    new = Source(source.name, text)
    (unread, faults), (new_unread, new_faults) = _read(source), _read(new)
    return new_unread > unread or (new_unread == unread and new_faults > faults)


def _read(source: Source) -> tuple[int, int]:
    """How many characters from its end the reading of a text stops, and how many faults it met."""
    root, found = parse(source)
    stop = found[-1].span if root is None and found else None
    return (len(source.text) - source.offset(stop.line, stop.column) + 1 if stop else 0), len(found)


def diff(change: Change) -> str:
    """As `diff -u` prints it."""
    from difflib import unified_diff

    before, after = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (change.before, change.after))
    lines = unified_diff(before, after, change.name, change.name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
