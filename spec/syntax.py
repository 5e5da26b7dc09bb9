"""Where text stops being YAML, in words: what libyaml complains about, where the mistake began, and the way out."""

import re
from typing import TYPE_CHECKING, Any

from distillc.spec.diagnostic import Diagnostic, Edit, Fix, Label, Severity
from distillc.spec.source import Source

if TYPE_CHECKING:
    import yaml

# Part of libyaml's complaint, what it means, and the way out. The first that fits is taken; what fits none is shown as it is.
_SAID = (
    (
        "unexpected end of stream",
        "the text ends inside of a quote",
        "look for a quote that was opened and not closed",
    ),
    (
        "unexpected document indicator",
        "a document ends inside of a quote",
        "look for a quote that was opened and not closed",
    ),
    (
        "mapping values are not allowed",
        "a `:` cannot stand here",
        "a text with `: ` in it needs quotes; or the line is indented too far",
    ),
    (
        "did not find expected key",
        "a key should stand here",
        "look for a missing comma, quote or brace before this place, or a line indented by too little",
    ),
    (
        "did not find expected ',' or '}'",
        "a `,` or a `}` should stand here",
        "look for a missing comma or quote, or for a brace that was opened before and not closed",
    ),
    (
        "did not find expected ',' or ']'",
        "a `,` or a `]` should stand here",
        "look for a missing comma or quote, or for a bracket that was opened before and not closed",
    ),
    ("did not find expected '-' indicator", "a `- ` should stand here", "items of one list are indented alike"),
    ("could not find expected ':'", "a key without its `:`", "write `key: value`"),
    ("block sequence entries", "a list cannot begin here", "put the list on lines of its own, or write [a, b]"),
    ("cannot start any token", "no value begins with this character", "a text that begins with it needs quotes"),
    (
        "expected <document start>",
        "the text goes on after the end of its value",
        "a text that begins with a quote or a bracket ends with it; put quotes around the whole",
    ),
    ("unknown escape character", "this escape is unknown in double quotes", "write \\\\ for a backslash, or use single quotes"),
    (
        "Unicode character escape",
        "this escape is no character",
        "write the character itself, or one escape such as \\U0001F600; YAML knows no surrogate pairs",
    ),
    ("expected hexdecimal number", "this escape is not complete", "write \\x and two digits, \\u and four, or \\U and eight"),
    ("directive", "a line that begins with % is no text", "put quotes around it"),
    ("expected node content", "a value should stand here", "write one, or take the sign away"),
    ("indentation indicator", "after | or > stands a digit from 1 to 9", "write | or > alone, and the text on the lines below"),
    ("comment or line break", "after | or > nothing stands in the line", "begin the text on the next line"),
    ("leading empty line", "an empty line at its beginning is indented too far", "indent it no further than the text below"),
    ("alphabetic or numeric character", "an anchor or an alias needs a name", "a text that begins with & or * needs quotes"),
    ("undefined tag handle", "YAML tags are refused", "write the plain value; types come from the language"),
)
_BEGUN = (
    ("flow mapping", "the brace that is open"),
    ("flow sequence", "the bracket that is open"),
    ("quoted scalar", "the quote that is open"),
    ("block mapping", "the mapping that it would belong to"),
    ("block collection", "the list that it would belong to"),
    ("simple key", "what was taken for a key"),
)
_SIGN = r"""(?:\$\{[^{}"'\r\n]*\}|(?!:\s)[^,\[\]{}"'\r\n#])"""
_BARE = re.compile(rf"(?<=[\s\[{{,])(?!\s){_SIGN}+")
"""A text without quotes between braces or brackets, with `${…}` read as one sign, which YAML does not."""


def syntax_error(source: Source, error: "yaml.YAMLError") -> Diagnostic:
    mark: Any = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    opened: Any = getattr(error, "context_mark", None)
    context = str(getattr(error, "context", None) or "")
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML")
    if opened is not None and "quoted scalar" in context and ("end of stream" in problem or "document indicator" in problem):
        start = min(opened.index, len(source.text))
        message, help = "the quote that opens here is not closed", "close it, or take it away"
        return Diagnostic("D001", Severity.ERROR, message, source.span(start, min(start + 1, len(source.text))), help=help)
    offset = min(mark.index if mark else getattr(error, "position", 0) or 0, len(source.text))
    line, _ = source.position(offset)
    before = source.text[source.starts[line - 1] : offset + 1]
    span = source.span(offset, min(offset + 1, len(source.text)))
    if "\t" in before and ("\\t" in problem or "tab" in problem or not before.strip()):
        from distillc.spec.text_fixes import untabbed

        return Diagnostic("D003", Severity.ERROR, "a tab cannot indent YAML", span, help="indent with spaces", fix=untabbed(source))
    if before.endswith("${"):
        return _bare_reference(source, line, offset - 1)
    related: tuple[Label, ...] = ()
    if opened is not None and mark is not None and opened.index != mark.index:
        begun = next((words for part, words in _BEGUN if part in context), context or "begun here")
        related = (Label(source.span(opened.index, opened.index + 1), begun),)
    message, way_out = next(((words, way_out) for part, words, way_out in _SAID if part in problem), (problem, None))
    return Diagnostic("D001", Severity.ERROR, message, span, help=way_out, related=related)


def _bare_reference(source: Source, line: int, dollar: int) -> Diagnostic:
    """About `{layers: ${models.small.layers}}`: between braces or brackets a brace begins a mapping, behind a dollar too."""
    begin = source.starts[line - 1]
    found = next((each for each in _BARE.finditer(source.line(line)) if each.start() <= dollar - begin < each.end()), None)
    fix: Fix | None = None
    if (
        found
        and not found.string.startswith("{", found.end())  # one that is not closed
        and found.string[: found.start()].rstrip().endswith((":", ",", "[", "{"))
    ):
        bare, start = found[0].rstrip(), begin + found.start()
        end = start + len(bare)
        if _reads_on(f'{source.text[:start]}"{bare}"{source.text[end:]}', end + 2):
            fix = Fix(f'write "{bare}"', (Edit(source.span(start, end), f'"{bare}"'),))
    message = "`${…}` needs quotes between braces or brackets"
    return Diagnostic("D001", Severity.ERROR, message, source.span(dollar, dollar + 2), help='write "${section.name.field}"', fix=fix)


def _reads_on(text: str, offset: int) -> bool:
    """Whether a text is YAML from there to the end of the line, or up to the next reference without quotes."""
    import yaml

    try:
        for _ in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        return mark is not None and ("\n" in text[offset : mark.index] or text[mark.index - 1 : mark.index + 1] == "${")
    return True


def not_text(source: Source, start: int, end: int) -> Diagnostic:
    """About a character that YAML forbids, or that ends a line for some of its readers and not for others."""
    code = ord(source.text[start])
    help = "remove it"
    if code == 0 and source.text.count("\0") > len(source.text) // 4:
        help = "the file looks like UTF-16: save it as UTF-8"
    elif escape := {0x85: "\\N", 0x2028: "\\L", 0x2029: "\\P"}.get(code):
        help = f"it ends a line for some readers of YAML and not for others: write {escape} in double quotes, or a line break"
    return Diagnostic("D002", Severity.ERROR, f"the character U+{code:04X} is not allowed in a spec", source.span(start, end), help=help)
