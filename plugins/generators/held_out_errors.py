"""The error types that training never sees (`errors: held_out`): what a model does with them shows whether it learned English or a list."""

import re
from collections.abc import Iterator

from distillc.plugins.generators.edits import Edit, Family, cased, substitutions, words_of

_LOOK_ALIKES: dict[str, list[str]] = {
    "form": ["from"], "from": ["form"], "where": ["were"], "accept": ["except"], "except": ["accept"], "whether": ["weather"], "through": ["trough"],
    "thorough": ["through"], "quite": ["quiet"], "by": ["buy"], "know": ["now"], "now": ["know"], "here": ["hear"], "right": ["write"], "write": ["right"],
    "principal": ["principle"], "principle": ["principal"], "which": ["witch"], "threads": ["treads"], "since": ["sense"], "been": ["bean"],
    "choose": ["chose"], "advice": ["advise"], "precede": ["proceed"], "complement": ["compliment"], "for": ["four"], "no": ["know"], "some": ["sum"],
}  # fmt: skip

look_alikes: Family = substitutions(words_of(_LOOK_ALIKES), _LOOK_ALIKES)
look_alikes.__doc__ = "One word for another that looks like it.  `Read it from the file.` → `Read it form the file.`"

_DEMONSTRATIVES = {"this": ["these"], "these": ["this"], "that": ["those"], "those": ["that"]}


def demonstratives(sentence: str) -> Iterator[Edit]:
    """`this` with a plural, `these` with a singular.  `These values are kept.` → `This values are kept.`"""
    for match in re.finditer(r"\b(these|those) (?=(?:[a-z]+ )?[a-z]{2,}[^sui\W]s\b)", sentence, re.IGNORECASE):
        yield Edit(match.start(1), match.end(1), cased(_DEMONSTRATIVES[match[1].lower()][0], match[1]))
    for match in re.finditer(r"\b(this) (?=(?:function|method|class|module|object|value|option|file|array|parameter|argument|case|type|model)\b)", sentence, re.I):
        yield Edit(match.start(1), match.end(1), cased("these", match[1]))


def adjective_adverb(sentence: str) -> Iterator[Edit]:
    """An adjective where an adverb belongs.  `It is automatically closed.` → `It is automatic closed.`"""
    for match in re.finditer(r"\b([a-z]{3,}(?:al|ic|it|iv|ous|rect|rent|plicit|sual|mal|ent|ant|ual|ful|ate|ete|ive|ise|ose|ile))(ly|ally)\b", sentence):
        if re.search(r"\b(?:is|are|be|was|were|been|will|can|to|it|not|and|must|should|may) $", sentence[: match.start()]) or sentence[match.end() :] == ".":
            stem = match[1].removesuffix("al") if match[1].endswith("ical") and match[1] not in _TRULY_ICAL else match[1]
            yield Edit(match.start(), match.end(), stem)


_TRULY_ICAL = frozenset("typical identical numerical logical physical critical practical theoretical historical mathematical lexical vertical optical".split())
_COMPARATIVES = {
    "faster": "more fast", "slower": "more slow", "larger": "more large", "smaller": "more small", "higher": "more high", "lower": "more low",
    "longer": "more long", "shorter": "more short", "simpler": "more simpler", "better": "more better", "worse": "more worse", "greater": "more greater",
    "easier": "more easier", "older": "more old", "newer": "more newer", "largest": "most large", "smallest": "most small", "highest": "most high",
    "lowest": "most low", "best": "most best", "fastest": "most fast", "longest": "most long", "earlier": "more earlier", "deeper": "more deep",
}  # fmt: skip


def comparatives(sentence: str) -> Iterator[Edit]:
    """A comparison made twice or the wrong way.  `This is faster than a copy.` → `This is more fast than a copy.`"""
    for match in words_of({word: () for word in _COMPARATIVES}).finditer(sentence):
        if not re.search(r"\b(?:no|any) $", sentence[: match.start()]) and match[1].islower():
            yield Edit(match.start(1), match.end(1), _COMPARATIVES[match[1]])


# Verbs, adjectives and nouns with the word that must follow; none of them is among the common prepositions.
_COMPLEMENTS: dict[str, tuple[str, ...]] = {
    "refers to": ("on",), "refer to": ("on",), "belongs to": ("in",), "belong to": ("in",), "corresponds to": ("with the",), "corresponding to": ("of",),
    "leads to": ("in",), "respect to": ("of",), "relative to": ("of",), "converted to": ("on",), "applied to": ("at", "on"), "passed to": ("at",),
    "added to": ("at",), "related to": ("of",), "close to": ("of",), "due to": ("of", "from"), "access to": ("of",), "set to": ("at",),
    "results in": ("to",), "stored in": ("at",), "specified in": ("at",), "defined in": ("at",), "contained in": ("at",), "included in": ("at",),
    "listed in": ("at",), "described in": ("at",), "returned by": ("from the",), "followed by": ("from", "with"), "replaced by": ("from",),
    "divided by": ("through", "from"), "supported by": ("from",), "given by": ("from",), "obtained by": ("with",), "interested in": ("on",),
}  # fmt: skip


def complements(sentence: str) -> Iterator[Edit]:
    """The wrong preposition after a verb or an adjective.  `It refers to the parent.` → `It refers on the parent.`"""
    for phrase, wrong in _COMPLEMENTS.items():
        head, word = phrase.split(" ")
        for match in re.finditer(rf"\b{head} ({word})\b", sentence, re.IGNORECASE):
            for text in wrong:
                if " " not in text:
                    yield Edit(match.start(1), match.end(1), text)


def apostrophe(sentence: str) -> Iterator[Edit]:
    """The apostrophe is missing.  `It doesn't change.` → `It doesnt change.`"""
    for match in re.finditer(r"(?<=[a-z])(')(?=(?:t|re|ve|s|ll)\b)", sentence):
        if not re.search(r"\b(?:it|we|she|he|who|won|can|they|you|there|I)$", sentence[: match.start()], re.IGNORECASE) or sentence[match.end()] == "t":
            yield Edit(match.start(1), match.end(1), "")


def comma_spacing(sentence: str) -> Iterator[Edit]:
    """A space on the wrong side of a comma.  `If so, it is closed.` → `If so ,it is closed.`"""
    for match in re.finditer(r"(, )(?=[a-z])", sentence):
        yield Edit(match.start(1), match.end(1), " ,")
        yield Edit(match.start(1), match.end(1), ",")
        yield Edit(match.start(1), match.end(1), " , ")


_MERGED = (
    "of the|in the|to the|for the|on the|is a|as a|in a|can be|will be|is not|if the|at least|each other|such as|as well|according to|a new|a single|to be|an array"
)
_SPLIT = {
    "without": "with out", "another": "an other", "otherwise": "other wise", "however": "how ever", "whenever": "when ever", "within": "with in",
    "itself": "it self", "themselves": "them selves", "therefore": "there fore", "because": "be cause", "between": "be tween", "default": "de fault",
    "something": "some thing", "already": "all ready", "instead": "in stead", "whether": "whet her", "everything": "every thing", "instance": "in stance",
}  # fmt: skip


def word_boundary(sentence: str) -> Iterator[Edit]:
    """Two words written as one, or one as two.  `It is in the file.` → `It is inthe file.`"""
    for match in re.finditer(rf"\b(?:{_MERGED})\b", sentence):
        yield Edit(match.start(), match.end(), match[0].replace(" ", ""))
    for match in words_of({word: () for word in _SPLIT}).finditer(sentence):
        yield Edit(match.start(1), match.end(1), cased(_SPLIT[match[1].lower()], match[1]))


def word_order(sentence: str) -> Iterator[Edit]:
    """Two neighbours have changed places.  `It can be closed.` → `It be can closed.`"""
    for match in re.finditer(
        r"\b(can|will|must|should|may|could|would|does|do|is|are|has) (be|not|been)\b|\b(a|an|the) (single|new|same|first|last|given|current|default|specified|number|list)\b"
        r"|\b(of|in|for|with|from|by|to|on) (the|this|these|each|all|any)\b|\b(that|if|when|which) (is|are|can|it|the|this)\b",
        sentence,
    ):
        first, second = (group for group in match.groups() if group)
        if f"{second} {first}" not in _GOOD_EITHER_WAY:
            yield Edit(match.start(), match.end(), f"{second} {first}")


_GOOD_EITHER_WAY = frozenset({"is that", "are that", "it that", "are which", "is when", "is if", "all of", "each of", "any of", "this is", "it if", "it when", "all in"})

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
