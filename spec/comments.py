"""Comments that speak to the linter, with their places:

    # distillc: ignore[D401, soft-targets] why        on the line of a finding, or alone above it
    # distillc: ignore-file[D401] why                 at the top, for the whole file

libyaml drops comments, so they are looked for in the text; its tokens say which `#` begins one. A value of several lines counts as
one line, together with its key: no comment can stand inside it. A file without the word `distillc` costs one search.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from distillc.spec.diagnostic import Edit, Span
from distillc.spec.source import Source
from distillc.spec.wording import closest

WORD = "distillc"
MAX_COMMENTS = 200
"""Each is held against each finding; a spec with more has them made by a program."""
DIRECTIVES = ("ignore", "ignore-file")
_OTHER_TOOLS = frozenset({"allow", "disable", "expect", "noqa", "nolint", "off", "skip", "suppress"})
_BEGIN = re.compile(rf"(?<!#)#+[ \t]*(?P<name>{WORD})\b(?P<colon>[ \t]*:)?[ \t]*(?P<word>[\w-]*)")
_CODES = re.compile(r"[ \t]*\[(?P<codes>[^\[\]#]{0,2000})\]")

Fault = Literal["no colon", "no codes", "not closed", "other word", "not at the top"]


class Named(NamedTuple):
    """A code or the name of one, as somebody wrote it."""

    text: str
    span: Span


class Comment(NamedTuple):
    """It covers one `line` (a value of several counts as its first) or the whole file; with a `fault` it covers nothing.

    `inside` is what stands between the brackets, `after_name` where a colon is missing, `all_of_it` what has to go when the comment goes:
    the white space before it too, and the line that has nothing else.
    """

    span: Span
    all_of_it: Span
    word: str
    names: tuple[Named, ...] = ()
    whole_file: bool = False
    line: int | None = None
    inside: Span | None = None
    after_name: Span | None = None
    fault: Fault | None = None


class Comments(NamedTuple):
    """Those of one file. `first_line` says of the lines of a long value which line they count as."""

    found: tuple[Comment, ...] = ()
    first_line: Mapping[int, int] = {}

    def covers(self, comment: Comment, line: int) -> bool:
        return comment.whole_file or comment.line == self.first_line.get(line, line)


def comments(source: Source) -> Comments:
    """Those of a text; none where it is not YAML, for then nothing but that is reported."""
    if WORD not in source.text:
        return Comments()
    begun = [found for found in _BEGIN.finditer(source.text) if _speaks_to_us(found)]
    if not begun:
        return Comments()
    layout = _Layout.of(source)
    if layout is None:
        return Comments()
    begun = [found for found in begun if not layout.is_content(found.start())][:MAX_COMMENTS]
    ends = [found.start() for found in begun[1:]] + [len(source.text)]
    read = (_read(source, found, end, layout) for found, end in zip(begun, ends, strict=False))
    return Comments(tuple(read), layout.first_line)


def _speaks_to_us(found: re.Match[str]) -> bool:
    """Not every comment that has our name in it does: `# distillc: see the docs` is a sentence."""
    word = found["word"]
    return word in DIRECTIVES or (found["colon"] is not None and (word in _OTHER_TOOLS or closest(word, DIRECTIVES) is not None))


def _read(source: Source, found: re.Match[str], end: int, layout: "_Layout") -> Comment:
    line = source.position(found.start())[0]
    end = min(end, source.starts[line - 1] + len(source.line(line)))
    end = found.start() + len(source.text[found.start() : end].rstrip())
    comment = Comment(source.span(found.start(), end), _all_of_it(source, found.start(), end), found["word"])
    if found["word"] not in DIRECTIVES:
        return comment._replace(fault="other word")
    if not found["colon"]:
        return comment._replace(fault="no colon", after_name=source.span(found.end("name"), found.end("name")))
    codes = _CODES.match(source.text, found.end(), end)
    if codes is None:
        opened = source.text[found.end() : end].lstrip().startswith("[")
        return comment._replace(fault="not closed" if opened else "no codes")
    names = tuple(_names(source, codes))
    if not all(name.text for name in names):
        return comment._replace(fault="no codes")
    whole = found["word"] == "ignore-file"
    if whole and line >= layout.first_content:
        return comment._replace(fault="not at the top")
    inside = source.span(codes.start("codes"), codes.end("codes"))
    return comment._replace(names=names, whole_file=whole, line=None if whole else layout.line_of(line), inside=inside)


def _all_of_it(source: Source, start: int, end: int) -> Span:
    number = source.position(start)[0]
    begin, line = source.starts[number - 1], source.line(number)
    before = source.text[begin:start].rstrip()
    if before or line[end - begin :].strip():
        return source.span(begin + len(before), end)
    return source.span(begin, source.starts[number] if number < len(source.starts) else begin + len(line))


def _names(source: Source, codes: re.Match[str]) -> Iterable[Named]:
    offset = codes.start("codes")
    for part in codes["codes"].split(","):
        start = offset + len(part) - len(part.lstrip())
        yield Named(part.strip(), source.span(start, start + len(part.strip())))
        offset += len(part) + 1


def without(comment: Comment, names: Collection[Named]) -> Edit:
    """Takes codes out of a comment; with the last of them it goes."""
    left = [name.text for name in comment.names if name not in names]
    return Edit(comment.inside, ", ".join(left)) if left and comment.inside else Edit(comment.all_of_it, "")


class _Layout(NamedTuple):
    """Where a text has content: its tokens in order (start and end offset), the lines they begin in, and what lines count as."""

    starts: list[int]
    ends: list[int]
    lines: list[int]
    first_line: dict[int, int]
    first_content: int

    @classmethod
    def of(cls, source: Source) -> "_Layout | None":
        import yaml

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(source.text)
        starts: list[int] = []
        ends: list[int] = []
        lines: list[int] = []
        first_line: dict[int, int] = {}
        last, key = None, None  # the line of the last scalar; that of the key whose value is awaited
        first_content = len(source.starts) + 1
        try:
            while loader.check_token():
                token = loader.get_token()
                start, end = token.start_mark.index, token.end_mark.index
                if isinstance(token, yaml.ValueToken):
                    key = last
                if end == start or isinstance(token, yaml.DirectiveToken):
                    continue
                line = source.position(start)[0]
                if not isinstance(token, yaml.DocumentStartToken):
                    first_content = min(first_content, line)
                if isinstance(token, yaml.ScalarToken):
                    written = source.text[start:end].rstrip()
                    last = line
                    _count_as_one(first_line, line if key is None else key, line, source.position(start + len(written))[0])
                    if token.style in ("|", ">"):  # behind its indicator a comment may stand
                        starts.append(start)
                        ends.append(start + 1)
                        lines.append(line)
                        start = source.starts[line] if line < len(source.starts) else end
                        end = start + len(source.text[start:end].rstrip())
                if not isinstance(token, yaml.ValueToken | yaml.AnchorToken | yaml.TagToken):
                    key = None
                starts.append(start)
                ends.append(end)
                lines.append(line)
        except yaml.YAMLError:
            return None
        return cls(starts, ends, lines, first_line, first_content)

    def is_content(self, offset: int) -> bool:
        index = bisect_right(self.starts, offset) - 1
        return index >= 0 and offset < self.ends[index]

    def line_of(self, line: int) -> int | None:
        """The line that a comment on `line` covers: its own, or where it stands alone, the next that has content."""
        own = self.first_line.get(line, line)
        index = bisect_left(self.lines, line)
        if own != line or (index < len(self.lines) and self.lines[index] == line):
            return own
        return self.first_line.get(self.lines[index], self.lines[index]) if index < len(self.lines) else None


def _count_as_one(first_line: dict[int, int], key: int, start: int, end: int) -> None:
    """The lines of a value of several lines, with those between it and its key."""
    if end > start:
        first = first_line.get(key, key)
        for line in range(key, end + 1):
            first_line.setdefault(line, first)
