"""The texts of a row as they are compared, by curators and by the overlap stage: case, punctuation and spacing taken out."""

import re
import unicodedata

from distillc.plugins.api.artifacts import Row

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def words(text: str) -> list[str]:
    """The words in lower case, Unicode in its compatibility form."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def texts(row: Row) -> list[str]:
    """The input and, where there is one, the target."""
    return [value for name in ("input", "target") if isinstance(value := row.payload.get(name), str)]
