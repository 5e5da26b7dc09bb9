"""Names of licenses: the identifiers that models and data come under, and other spellings of them.

From the SPDX list and, for licenses that it lacks, the names that the Hugging Face hub uses. What a license asks for is the compiler's
business (`compiler/tables/licenses.py`).
"""

import re

from distillc.spec.wording import MAX_QUOTED, distance

KNOWN = (
    "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "ISC", "Zlib", "BSL-1.0", "Unlicense", "WTFPL", "0BSD",
    "GPL-2.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0", "GPL-3.0-only", "GPL-3.0-or-later",
    "LGPL-2.1", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0", "LGPL-3.0-only", "LGPL-3.0-or-later",
    "AGPL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "MPL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "MS-PL", "NCSA",
    "AFL-3.0", "Artistic-2.0", "ECL-2.0", "OFL-1.1", "OSL-3.0", "PostgreSQL", "ODbL-1.0", "ODC-By-1.0", "PDDL-1.0",
    "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "CC0-1.0", "GFDL-1.3",
    "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0",
    "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0",
    "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "gemma", "openrail", "openrail++", "bigscience-openrail-m",
    "creativeml-openrail-m", "bigscience-bloom-rail-1.0", "bigcode-openrail-m", "deepfloyd-if-license", "c-uda",
    "qwen", "qwen-research", "tongyi-qianwen", "mistral-research", "nvidia-open-model-license", "falcon-llm-license", "apple-amlr",
    "openai-terms", "anthropic-terms",
    "other", "unknown", "proprietary",
)  # fmt: skip

_SPELLINGS = {
    "apache": "Apache-2.0",
    "asl2": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "newbsd": "BSD-3-Clause",
    "simplifiedbsd": "BSD-2-Clause",
    "cc0": "CC0-1.0",
    "gemmatermsofuse": "gemma",
    "expat": "MIT",
}
"""By letters and digits alone, without the words that `_letters` leaves out."""
_BY_ID = {name.lower(): name for name in KNOWN}


def canonical(name: str) -> str | None:
    """The identifier behind another case or spelling of it: `apache2`, `Apache License 2.0`, `cc by 4.0`. None for another name."""
    if known := _BY_ID.get(name.strip().lower()):
        return known
    letters = _letters(name)
    return _SPELLINGS.get(letters) or _by_letters().get(letters)


def nearest(name: str) -> str | None:
    """The identifier that a long name misspells by a letter or two.

    Digits must be equal: another version is another license, not a slip. Short names are too near to one another (CPL, EPL, MPL).
    """
    if not 8 <= len(name) <= MAX_QUOTED:
        return None
    digits = re.findall("[0-9]+", name)
    near = [(distance(name.lower(), known.lower(), 2), known) for known in KNOWN if re.findall("[0-9]+", known) == digits]
    edits, known = min(near, default=(3, ""))
    return known if edits <= 2 else None


def _by_letters() -> dict[str, str]:
    return {_letters(name): name for name in reversed(KNOWN)}


def _letters(name: str) -> str:
    """Letters and digits alone: without `license`, `version`, a `v` before a number and a `.0` at the end."""
    words = re.sub(r"\b(?:the|licen[sc]es?|version)\b|v(?=\.?\s?[0-9])", " ", name.lower())
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\.0\b", "", words))
