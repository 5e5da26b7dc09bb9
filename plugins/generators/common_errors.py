"""The error types that training sees (`errors: common`), one function or table each.

Each is an error in every reading of the sentence as far as rules can say: where a corrupted sentence could be right too, there is no
place for it.
"""

import re
from collections.abc import Iterator

from distillc.plugins.generators.edits import Edit, Family, cased, substitutions, words_of
from distillc.plugins.generators.verbs import BASES, BY_PAST, BY_THIRD, third

_AFTER_SINGULAR = (
    r"(?:this|it|that|which|function|method|class|module|object|model|value|algorithm|array|file|parameter|argument|option"
    r"|decorator|user|routine|operation|object|test|process|system|tensor|matrix|graph|string|type|rule|set|list|node|code)"
)
_NOT_BEFORE_IS = (
    r"(?<!\bdata )(?<!\bnone )(?<!\brest )(?<!\bset )(?<!\bnumber )(?<!\bseries )(?<!\bwhich )(?<!\bthat )(?<!\bwho )(?<!\bthere )(?<!s )"
)
_AUX = {"is": ["are"], "are": ["is"], "was": ["were"], "were": ["was"], "has": ["have"], "doesn't": ["don't"]}
_PLURAL_BEFORE = r"(?<=[a-z]{2}[^us\W]s )"


def agreement(sentence: str) -> Iterator[Edit]:
    """Subject and verb do not agree.  `The function returns a list.` → `The function return a list.`"""
    # "The test results are": a noun.
    for match in re.finditer(rf"\b{_AFTER_SINGULAR} ([a-z]+)\b(?! (?:are|were|of|and|or)\b|[.,])", sentence, re.IGNORECASE):
        if match[1] in BY_THIRD and not _coordinated(sentence, match.start()):
            yield Edit(match.start(1), match.end(1), BY_THIRD[match[1]])
    for match in re.finditer(rf"{_NOT_BEFORE_IS}\b(is|was|has|doesn't)\b", sentence):
        if match.start() and not _coordinated(sentence, match.start()):
            yield Edit(match.start(1), match.end(1), _AUX[match[1]][0])
    for match in re.finditer(rf"{_PLURAL_BEFORE}(are|were)\b", sentence):
        yield Edit(match.start(1), match.end(1), _AUX[match[1]][0])


def _coordinated(sentence: str, at: int) -> bool:
    """Whether `and` or `or` stands among the four words before: a coordinated subject may take either number."""
    return any(word in {"and", "or", "nor"} for word in re.findall(r"[a-z]+", sentence[:at].lower())[-4:])


_THE_NEEDED = (
    r"(?:same|first|last|next|previous|following|given|current|underlying|resulting|specified|corresponding|number of|length of|size of"
    r"|name of|value of|result of|shape of|use of|end of|beginning of|sum of|total|maximum|minimum|entire|whole|original|only|caller|user"
    r"|function|method|file|array|tensor|model|object|class|module|matrix|graph|string|list|interval|distribution)"
)


def article_form(sentence: str) -> Iterator[Edit]:
    """`a` before a vowel, `an` before a consonant.  `Return an array of ones.` → `Return a array of ones.`"""
    for match in re.finditer(r"\b([Aa]n?) ([A-Za-z-]+)", sentence):
        word = match[2]
        if match[1].lower() == "an" and (word[0].lower() in "aeiou" or word.startswith(("hour", "honest"))):
            yield Edit(match.start(1), match.end(1), match[1][0])
        elif match[1].lower() == "a" and word[0] in "bcdfgjklmnprstvwyz":
            yield Edit(match.start(1), match.end(1), match[1] + "n")


def article_missing(sentence: str) -> Iterator[Edit]:
    """An article is left out.  `Return a copy of the array.` → `Return copy of the array.`"""
    for match in re.finditer(r"(?<=[a-z] )(an? )(?=[a-z-]+)", sentence):
        if not re.match(r"(?:few|lot|little|bit|single|and|or)\b", sentence[match.end() :]):
            yield Edit(match.start(1), match.end(1), "")
    for match in re.finditer(rf"(?<=[a-z] )(the )(?={_THE_NEEDED}\b)", sentence):
        yield Edit(match.start(1), match.end(1), "")


# A fixed pair of words, and what people write in the second's place. Group 1 is the preposition.
_COLLOCATIONS: dict[str, list[str]] = {
    "depends on": ["from", "of"], "depend on": ["from", "of"], "depending on": ["from", "of"], "based on": ["in", "of"],
    "consists of": ["from", "in"], "consist of": ["from", "in"], "consisting of": ["from", "in"], "according to": ["with", "by"],
    "instead of": ["from", "than"], "similar to": ["with", "as"], "equal to": ["with", "as"], "compatible with": ["to", "for"],
    "associated with": ["for", "at"], "responsible for": ["of", "to"], "number of": ["from", "for"], "because of": ["from"],
    "along with": ["by"], "used by": ["from"], "capable of": ["to", "for"], "composed of": ["from", "with"],
    "independent of": ["to", "with"], "by default": ["in", "on"], "for example": ["by", "at"], "in addition": ["on", "at"],
    "at least": ["in", "on"], "at most": ["in", "on"], "in order": ["for", "on"], "in general": ["on", "at"],
    "at the same time": ["on", "by"], "in this case": ["at", "by"], "by using": ["with", "on"], "in the form": ["at", "on"],
    "on the other hand": ["in", "at"],
}  # fmt: skip


def prepositions(sentence: str) -> Iterator[Edit]:
    """The wrong preposition in a fixed phrase.  `It depends on the order.` → `It depends from the order.`"""
    for phrase, wrong in _COLLOCATIONS.items():
        for match in re.finditer(rf"\b{phrase}\b", sentence, re.IGNORECASE):
            first = phrase.split(" ")[0]
            at, length = (0, len(first)) if first in {"by", "for", "in", "at", "on"} else (len(first) + 1, len(phrase) - len(first) - 1)
            start = match.start() + at
            for text in wrong:
                yield Edit(start, start + length, cased(text, sentence[start]))


_CONFUSED: dict[str, list[str]] = {
    "its": ["it's"], "it's": ["its"], "than": ["then"], "then": ["than"], "their": ["there", "they're"], "there": ["their"],
    "your": ["you're"], "you're": ["your"], "too": ["to"], "affect": ["effect"], "effect": ["affect"], "effects": ["affects"],
    "affects": ["effects"], "lose": ["loose"], "of": ["off"], "off": ["of"], "whose": ["who's"], "two": ["too"], "passed": ["past"],
}  # fmt: skip

confusables: Family = substitutions(words_of(_CONFUSED), _CONFUSED)
confusables.__doc__ = "One word for another that sounds like it.  `The class and its methods.` → `The class and it's methods.`"


def verb_forms(sentence: str) -> Iterator[Edit]:
    """The wrong form of a verb after an auxiliary.  `It can be used with lists.` → `It can be use with lists.`"""
    for match in re.finditer(
        r"\b(?:is|are|was|were|be|been|being|has been) (?:not |also |only |automatically |always )?([a-z]{2,}ed)\b", sentence
    ):
        if match[1] in BY_PAST:
            yield Edit(match.start(1), match.end(1), BY_PAST[match[1]])
    # After `to` a noun may stand ("convert to index"): what follows must show that it is a verb.
    to = r"(?=to [a-z]+ (?:the|a|an|this|that|it|all|each|any|its|their|whether|if)\b)to"
    for match in re.finditer(rf"\b(?:{to}|can|will|must|should|may|cannot|could|would) ([a-z]+)\b", sentence):
        if match[1] in BASES:
            yield Edit(match.start(1), match.end(1), third(match[1]))
        elif match[1] == "be":
            yield Edit(match.start(1), match.end(1), "been")


_MANY = (
    r"(?:many|several|multiple|various|these|those|two|three|both|different|few|all other|one of the|number of|list of|set of"
    r"|pair of|sequence of|kinds of|types of)"
)
# A noun by its ending, after a word that wants one and before a word that ends the noun phrase.
_SINGULAR = re.compile(
    r"\b(?:this|each|every|another|single|a|an) (?!(?:after|or|for|over|under|per|being|using|other|during|rather|either)\b)"
    r"([a-z]{2,}(?:tion|ment|er|or|ject|ue|ay|ile|ist|ing|ode|ame|ass|age|put|ype))\b"
    r"(?= (?:of|is|in|to|for|that|with|from|by|on|and|or|which|has|as|if)\b|[.,])",
    re.IGNORECASE,
)


def noun_number(sentence: str) -> Iterator[Edit]:
    """The wrong number of a noun.  `It takes two arguments.` → `It takes two argument.`"""
    for match in re.finditer(rf"\b{_MANY} ([a-z]{{3,}}[^sui\W])s\b(?! [a-z]+s\b)", sentence, re.IGNORECASE):
        if not match[1].endswith(("ie", "sse", "xe", "che", "she", "serie", "axe", "indice", "matrice", "vertice")):
            yield Edit(match.end(1), match.end(1) + 1, "")
    for match in _SINGULAR.finditer(sentence):
        yield Edit(match.end(1), match.end(1), "es" if match[1].endswith("ss") else "s")


def full_stop(sentence: str) -> Iterator[Edit]:
    """The full stop is missing.  `Close the file.` → `Close the file`"""
    if sentence.endswith("."):
        yield Edit(len(sentence) - 1, len(sentence), "")


_OPENINGS = (
    r"(?:For example|However|In addition|In general|Otherwise|In this case|Therefore|Additionally|Furthermore|Moreover|Instead"
    r"|By default|In particular|For instance|Finally|First|Thus|Hence|Also)"
)


def comma_missing(sentence: str) -> Iterator[Edit]:
    """The comma after an opening is missing.  `If it is set, the file is closed.` → `If it is set the file is closed.`"""
    for match in re.finditer(rf"^{_OPENINGS}(,) ", sentence):
        yield Edit(match.start(1), match.end(1), "")
    if clause := re.match(
        r"(?:If|When|While|Although|Because|Since|Unless) [^,]*(,) (?:the|this|it|a|an|then|we|you|they|all|no|only|these|that|there)\b",
        sentence,
    ):
        yield Edit(clause.start(1), clause.end(1), "")


def comma_extra(sentence: str) -> Iterator[Edit]:
    """A comma where none may stand.  `Make sure that it is open.` → `Make sure, that it is open.`"""
    for match in re.finditer(r"(?<=[a-z])()(?= (?:that (?:the|it|a|an|is|are|this)|of the|to be)\b)", sentence):
        yield Edit(match.start(), match.end(), ",")


def doubled_word(sentence: str) -> Iterator[Edit]:
    """A small word is written twice.  `The name of the file.` → `The name of the the file.`"""
    for match in re.finditer(r"\b(the|of|to|is|in|and|for|a|an|be|with|are|by|on)\b(?= )", sentence):
        yield Edit(match.end(), match.end(), f" {match[1]}")


def missing_word(sentence: str) -> Iterator[Edit]:
    """A small word is left out.  `It can be used to sort lists.` → `It can used to sort lists.`"""
    for match in re.finditer(
        r"\b(?:can|will|must|should|may|cannot|could|would) (?:not |also |only )?(be )(?=[a-z]+ed\b|[a-z]+en\b)", sentence
    ):
        yield Edit(match.start(1), match.end(1), "")
    for match in re.finditer(
        r"(?:used|want|need|needs|able|allowed|required|intended|possible|necessary|order|trying|order) (to )(?=[a-z]+)", sentence
    ):
        yield Edit(match.start(1), match.end(1), "")
    for match in re.finditer(
        r"\b(?:number|list|type|name|set|copy|value|instance|kind|result|part|sum|size|length|pair|shape|end) (of )", sentence
    ):
        yield Edit(match.start(1), match.end(1), "")
    for match in re.finditer(r"(?<=[a-z] )((?:is|are) )(?=not [a-z]+ed\b|the\b|a\b|an\b)", sentence):
        yield Edit(match.start(1), match.end(1), "")


def capital(sentence: str) -> Iterator[Edit]:
    """The sentence begins with a small letter.  `Close the file.` → `close the file.`"""
    first = re.match(r"[A-Z](?=[a-z]| )", sentence)
    if first and not sentence.startswith("I "):
        yield Edit(0, 1, first[0].lower())


FAMILIES: dict[str, Family] = {
    "agreement": agreement,
    "article_form": article_form,
    "article_missing": article_missing,
    "prepositions": prepositions,
    "confusables": confusables,
    "verb_forms": verb_forms,
    "noun_number": noun_number,
    "full_stop": full_stop,
    "comma_missing": comma_missing,
    "comma_extra": comma_extra,
    "capital": capital,
    "doubled_word": doubled_word,
    "missing_word": missing_word,
}
