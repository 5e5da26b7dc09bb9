"""The error types that training never sees (`errors: held_out`): what a model does with them shows whether it learned English or a list."""

import re
from collections.abc import Iterator

from distillc.plugins.generators.edits import Edit, Family, cased, substitutions, words_of

_LOOK_ALIKES: dict[str, list[str]] = {
    "form": ["from"], "from": ["form"], "where": ["were"], "accept": ["except"], "except": ["accept"], "whether": ["weather"],
    "through": ["trough"], "thorough": ["through"], "quite": ["quiet"], "by": ["buy"], "know": ["now"], "now": ["know"], "here": ["hear"],
    "right": ["write"], "write": ["right"], "principal": ["principle"], "principle": ["principal"], "which": ["witch"],
    "threads": ["treads"], "since": ["sense"], "been": ["bean"], "choose": ["chose"], "advice": ["advise"], "precede": ["proceed"],
    "complement": ["compliment"], "no": ["know"], "some": ["sum"],
}  # fmt: skip

look_alikes: Family = substitutions(words_of(_LOOK_ALIKES), _LOOK_ALIKES)
look_alikes.__doc__ = "One word for another that looks like it.  `Read it from the file.` → `Read it form the file.`"

_DEMONSTRATIVES = {"this": ["these"], "these": ["this"], "that": ["those"], "those": ["that"]}


def demonstratives(sentence: str) -> Iterator[Edit]:
    """`this` with a plural, `these` with a singular.  `These values are kept.` → `This values are kept.`"""
    for match in re.finditer(r"\b(these|those) (?=(?:[a-z]+ )?[a-z]{2,}[^sui\W]s\b)", sentence, re.IGNORECASE):
        yield Edit(match.start(1), match.end(1), cased(_DEMONSTRATIVES[match[1].lower()][0], match[1]))
    for match in re.finditer(
        r"\b(this) (?=(?:function|method|class|module|object|value|option|file|array|parameter|argument|case|type|model)\b)", sentence, re.I
    ):
        yield Edit(match.start(1), match.end(1), cased("these", match[1]))


def adjective_adverb(sentence: str) -> Iterator[Edit]:
    """An adjective where an adverb belongs.  `It is automatically closed.` → `It is automatic closed.`"""
    for match in re.finditer(
        r"\b([a-z]{3,}(?:al|ic|it|iv|ous|rect|rent|plicit|sual|mal|ent|ant|ual|ful|ate|ete|ive|ise|ose|ile))(ly|ally)\b", sentence
    ):
        if (
            re.search(r"\b(?:is|are|be|was|were|been|will|can|to|it|not|and|must|should|may) $", sentence[: match.start()])
            or sentence[match.end() :] == "."
        ):
            stem = match[1].removesuffix("al") if match[1].endswith("ical") and match[1] not in _TRULY_ICAL else match[1]
            yield Edit(match.start(), match.end(), stem)


_TRULY_ICAL = frozenset(
    re.findall(
        r"\w+",
        "typical identical numerical logical physical critical practical theoretical historical mathematical lexical vertical optical",
    )
)
_COMPARATIVES = {
    "faster": "more fast", "slower": "more slow", "larger": "more large", "smaller": "more small", "higher": "more high",
    "lower": "more low", "longer": "more long", "shorter": "more short", "simpler": "more simpler", "better": "more better",
    "worse": "more worse", "greater": "more greater", "easier": "more easier", "older": "more old", "newer": "more newer",
    "largest": "most large", "smallest": "most small", "highest": "most high", "lowest": "most low", "best": "most best",
    "fastest": "most fast", "longest": "most long", "earlier": "more earlier", "deeper": "more deep",
}  # fmt: skip


def comparatives(sentence: str) -> Iterator[Edit]:
    """A comparison made twice or the wrong way.  `This is faster than a copy.` → `This is more fast than a copy.`"""
    for match in words_of(dict.fromkeys(_COMPARATIVES, ())).finditer(sentence):
        if not re.search(r"\b(?:no|any) $", sentence[: match.start()]) and match[1].islower():
            yield Edit(match.start(1), match.end(1), _COMPARATIVES[match[1]])


# Verbs, adjectives and nouns with the word that must follow; none of them is among the common prepositions.
_COMPLEMENTS: dict[str, tuple[str, ...]] = {
    "refers to": ("on", "at"), "refer to": ("on", "at"), "referring to": ("on",), "belongs to": ("in", "of"), "belong to": ("in", "of"),
    "leads to": ("in",), "lead to": ("in",), "respect to": ("of", "on"), "relative to": ("of", "from"), "corresponding to": ("of",),
    "corresponds to": ("of",), "converted to": ("at",), "applied to": ("at",), "passed to": ("at",), "added to": ("at",),
    "close to": ("of",), "related to": ("of",), "due to": ("of", "from"), "access to": ("of",), "subject to": ("of",),
    "results in": ("to",), "result in": ("to",), "contained in": ("at",), "included in": ("to",), "interested in": ("on", "at"),
    "followed by": ("of", "from"), "replaced by": ("from",), "divided by": ("through", "from"), "multiplied by": ("on",),
    "supported by": ("from",), "given by": ("of",), "allows for": ("of",), "used for": ("of",), "useful for": ("of",),
    "intended for": ("of",), "suitable for": ("of",), "needed for": ("of",), "look for": ("of",), "filled with": ("from",),
    "together with": ("by",), "deal with": ("by",), "work with": ("by",), "start with": ("by",), "begin with": ("by",),
}  # fmt: skip


def complements(sentence: str) -> Iterator[Edit]:
    """The wrong preposition after a verb or an adjective.  `It refers to the parent.` → `It refers on the parent.`"""
    for phrase, wrong in _COMPLEMENTS.items():
        head, word = phrase.split(" ")
        for match in re.finditer(rf"\b{head} ({word})\b", sentence, re.IGNORECASE):
            for text in wrong:
                yield Edit(match.start(1), match.end(1), text)


def apostrophe(sentence: str) -> Iterator[Edit]:
    """The apostrophe is missing.  `It doesn't change.` → `It doesnt change.`"""
    for match in re.finditer(r"(?<=[a-z])(')(?=(?:t|re|ve|s|ll)\b)", sentence):
        if (
            not re.search(r"\b(?:it|we|she|he|who|won|can|they|you|there|I)$", sentence[: match.start()], re.IGNORECASE)
            or sentence[match.end()] == "t"
        ):
            yield Edit(match.start(1), match.end(1), "")


def comma_spacing(sentence: str) -> Iterator[Edit]:
    """A space on the wrong side of a comma.  `If so, it is closed.` → `If so ,it is closed.`"""
    for match in re.finditer(r"(, )(?=[a-z])", sentence):
        yield Edit(match.start(1), match.end(1), " ,")
        yield Edit(match.start(1), match.end(1), ",")
        yield Edit(match.start(1), match.end(1), " , ")


_MERGED = (
    "of the|in the|to the|can be|will be|at least|at most|each other|such as|as well|a lot|so that|in order|in case|up to|even though"
    "|no longer|even if|for example|in fact|if not|do not|does not|is not"
)
_SPLIT = {
    "without": "with out", "another": "an other", "otherwise": "other wise", "however": "how ever", "whenever": "when ever",
    "within": "with in", "itself": "it self", "themselves": "them selves", "therefore": "there fore", "something": "some thing",
    "already": "all ready", "instead": "in stead", "everything": "every thing",
}  # fmt: skip


def word_boundary(sentence: str) -> Iterator[Edit]:
    """Two words written as one, or one as two.  `It is in the file.` → `It is inthe file.`"""
    for match in re.finditer(rf"\b(?:{_MERGED})\b", sentence):
        yield Edit(match.start(), match.end(), match[0].replace(" ", ""))
    for match in words_of(dict.fromkeys(_SPLIT, ())).finditer(sentence):
        yield Edit(match.start(1), match.end(1), cased(_SPLIT[match[1].lower()], match[1]))


def word_order(sentence: str) -> Iterator[Edit]:
    """Two neighbours have changed places.  `It can be closed.` → `It be can closed.`"""
    for match in re.finditer(
        r"\b(can|will|must|should|may|could|would|does|do|is|are|has) (be|not|been)\b"
        r"|\b(a|an|the) (single|new|same|first|last|given|current|default|specified|number|list)\b"
        r"|\b(of|in|for|with|from|by|to|on) (the|this|these|a|an)\b",
        sentence,
    ):
        first, second = (group for group in match.groups() if group)
        yield Edit(match.start(), match.end(), f"{second} {first}")


FAMILIES: dict[str, Family] = {
    "look_alikes": look_alikes,
    "demonstratives": demonstratives,
    "adjective_adverb": adjective_adverb,
    "comparatives": comparatives,
    "complements": complements,
    "apostrophe": apostrophe,
    "comma_spacing": comma_spacing,
    "word_boundary": word_boundary,
    "word_order": word_order,
}
