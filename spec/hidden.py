"""Characters that nobody sees, or that make a line read otherwise than it is: what a reader approves is not what the program reads.

Boucher, Anderson: Trojan Source: Invisible Vulnerabilities, 2021, arXiv 2111.00169 (CVE-2021-42574). Tag characters carry whole messages to
a language model past its reader. Marks that texts in Arabic, Hebrew or Persian need, and joiners of emoji, are left alone.
"""

import re
from collections.abc import Iterator

from distillc.spec.diagnostic import Applicability, Diagnostic, Edit, Fix, Severity
from distillc.spec.source import Source

MAX_FOUND = 20
_FLAG = r"\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"  # of Wales, say: a black flag, and its name in tag characters
_HIDDEN = _FLAG + r"|([\u202a-\u202e\u2066-\u2069]|[\u00ad\u180e\u200b\u2060-\u2064\ufff9-\ufffb]|[\U000e0000-\U000e007f]+)"
_SIGNS = "-?:,[]{}#&*!|>'\"%@`"


def hidden_characters(source: Source) -> Iterator[Diagnostic]:
    """A warning for each, the first ones of a file that is made of them."""
    if source.text.isascii():
        return
    found = 0
    for match in re.finditer(_HIDDEN, source.text):
        if match[1] is None:
            continue
        found += 1
        if found > MAX_FOUND:
            return
        code = ord(match[1][0])
        what = (
            "makes the text around it read in another order" if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 else "cannot be seen"
        )
        many = f" and {len(match[1]) - 1} more after it" if len(match[1]) > 1 else ""
        span = source.span(*match.span(1))
        escape = f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
        yield Diagnostic(
            "D014",
            Severity.WARNING,
            f"the character U+{code:04X}{many} {what}",
            span,
            help=f'remove it; where it is meant, write "{escape}" in double quotes',
            fix=None if _holds_apart(source.text, *match.span(1)) else Fix("remove it", (Edit(span, ""),), Applicability.UNSAFE),
        )


def _holds_apart(text: str, start: int, end: int) -> bool:
    """Whether the text around it would become YAML of another kind without it: `a:` and a space, or a bracket at the beginning."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return before in ("", ":") or (before.isspace() and (after.isspace() or after in _SIGNS))
