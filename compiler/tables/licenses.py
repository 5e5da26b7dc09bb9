"""What licenses of models ask of those who pass a descendant on, and whether outputs may train another model.

Each entry says when its text was read or, where nobody here could, that it rests on general knowledge. This is a table for a linter and a
notice, not legal advice; a license that is not in it is *unknown*, which is never taken for *free*.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from distillc.spec.licenses import canonical

Training = Literal["yes", "conditions", "no"]

CHECKED = "2026-11-24"


@dataclass(frozen=True, slots=True)
class Terms:
    """`obligations` fall on whoever distributes a derived model. `outputs_may_train`: may answers of the model train another one.

    `condition` belongs to `conditions` (and to `no`, as the words of the license). `source`: `text` was read, or `general knowledge`.
    """

    id: str
    title: str
    url: str
    open: bool
    obligations: tuple[str, ...]
    outputs_may_train: Training
    condition: str = ""
    source: Literal["text", "general knowledge"] = "general knowledge"
    checked: str = CHECKED

    @property
    def spdx(self) -> bool:
        """Whether `id` is one of the SPDX list."""
        return self.id.startswith(("Apache-", "MIT", "BSD-", "CC"))


_GIVE = "give recipients a copy of the license"
_NOTICE = "keep copyright, patent, trademark and attribution notices"

TABLE: tuple[Terms, ...] = (
    Terms(
        "Apache-2.0",
        "Apache License 2.0",
        "https://www.apache.org/licenses/LICENSE-2.0",
        True,
        (_GIVE, "say prominently that files were changed", _NOTICE, "pass on the attributions of a NOTICE file, where there is one"),
        "yes",
        source="text",
    ),
    Terms(
        "MIT",
        "MIT License",
        "https://spdx.org/licenses/MIT",
        True,
        ("include the copyright notice and the permission notice in all copies",),
        "yes",
    ),
    Terms(
        "BSD-3-Clause",
        "BSD 3-Clause License",
        "https://spdx.org/licenses/BSD-3-Clause",
        True,
        ("reproduce the copyright notice, the conditions and the disclaimer", "do not use the names of the authors to endorse"),
        "yes",
    ),
    Terms("CC0-1.0", "Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", True, (), "yes"),
    Terms(
        "CC-BY-4.0",
        "Creative Commons Attribution 4.0",
        "https://creativecommons.org/licenses/by/4.0/",
        True,
        ("credit the authors", "link to the license", "say whether changes were made"),
        "yes",
    ),
    Terms(
        "CC-BY-SA-4.0",
        "Creative Commons Attribution-ShareAlike 4.0",
        "https://creativecommons.org/licenses/by-sa/4.0/",
        True,
        ("credit the authors", "say whether changes were made", "share adaptations under the same license"),
        "conditions",
        "whether a model is an adaptation is not settled; share-alike may reach it",
    ),
    Terms(
        "CC-BY-NC-4.0",
        "Creative Commons Attribution-NonCommercial 4.0",
        "https://creativecommons.org/licenses/by-nc/4.0/",
        False,
        ("credit the authors", "say whether changes were made", "no commercial use"),
        "conditions",
        "not for commercial use",
    ),
    Terms(
        "llama2",
        "Llama 2 Community License",
        "https://ai.meta.com/llama/license/",
        False,
        (_GIVE, "include Meta's attribution notice", "follow the acceptable use policy", "ask Meta above 700 million monthly users"),
        "no",
        "outputs may not be used to improve any other large language model",
    ),
    Terms(
        "llama3",
        "Meta Llama 3 Community License",
        "https://llama.meta.com/llama3/license/",
        False,
        (_GIVE, 'show "Built with Meta Llama 3"', 'begin the name of a derived model with "Llama 3"', "follow the acceptable use policy"),
        "no",
        "outputs may not be used to improve any other large language model",
    ),
    *(
        Terms(
            f"llama{version}",
            f"Llama {version} Community License",
            f"https://www.llama.com/llama{version.replace('.', '_')}/license/",
            False,
            (_GIVE, 'show "Built with Llama"', 'begin the name of a derived model with "Llama"', "follow the acceptable use policy"),
            "conditions",
            'a distributed model that was trained on outputs is named "Llama…", shows "Built with Llama" and carries the license',
        )
        for version in ("3.1", "3.2", "3.3", "4")
    ),
    Terms(
        "gemma",
        "Gemma Terms of Use",
        "https://ai.google.dev/gemma/terms",
        False,
        ("give recipients the Gemma Terms", "pass on the prohibited use policy as an enforceable condition", "say that files were changed"),
        "conditions",
        'section 1.1(e): a model trained on outputs is a "Model Derivative", so all of these terms go with it',
        source="text",
    ),
    Terms(
        "qwen-research",
        "Qwen Research License",
        "https://huggingface.co/Qwen/Qwen2.5-3B-Instruct/blob/main/LICENSE",
        False,
        (_GIVE, "no commercial use", 'show "Built with Qwen" or "Improved using Qwen"'),
        "conditions",
        "not for commercial use; the result names Qwen",
    ),
    Terms(
        "mistral-research",
        "Mistral AI Research License",
        "https://mistral.ai/licenses/MRL-0.1.md",
        False,
        (_GIVE, "no commercial use"),
        "conditions",
        "not for commercial use",
    ),
    Terms(
        "openai-terms",
        "OpenAI Terms of Use",
        "https://openai.com/policies/terms-of-use/",
        False,
        ("say that output is not human-made where it could mislead",),
        "no",
        "output may not be used to develop models that compete with OpenAI",
    ),
    Terms(
        "anthropic-terms",
        "Anthropic Commercial Terms",
        "https://www.anthropic.com/legal/commercial-terms",
        False,
        (),
        "no",
        "output may not be used to build a competing product or train competing models",
    ),
)

_BY_ID = {terms.id.lower(): terms for terms in TABLE}


def terms(license: str | None) -> Terms | None:
    """The entry for an SPDX id or a common name, in any case. None: unknown."""
    if not license:
        return None
    return _BY_ID.get((canonical(license) or license).strip().lower())


def obligations(license: str | None) -> tuple[str, ...]:
    """What is asked of a distributor, in words; for an unknown license, that it is unknown."""
    found = terms(license)
    if found is None:
        return ("not stated: find the license before passing this on",) if not license else (f"'{license}' is not in the table: read it",)
    return found.obligations


def text(license: str | None) -> str | None:
    """The full text, where distillc carries it."""
    found = terms(license)
    if found is None:
        return None
    path = Path(__file__).parent / "texts" / f"{found.id}.txt"
    return path.read_text("utf-8") if path.is_file() else None
