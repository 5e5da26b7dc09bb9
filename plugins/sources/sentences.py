"""Clean English sentences out of a docstring: prose paragraphs only, and of them only what reads as a plain sentence.

Strict on purpose: a sentence that is thrown away costs nothing, a fragment or a piece of code that stays teaches it.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

_UNDERLINE = re.compile(r"^[-=~^\"'*#+]{3,}$")
_ITEM = re.compile(r"(?:[-*+•]|\d+[.)]|\(?[a-z]\)|\.\.|:\w|@\w|[*\w]+( \(.*\))?:) *")
_NAMED = re.compile(r"[*\w, ]+ : |.*[:=]$")
_BOUNDARY = re.compile(r"(?<=[.!?])\s+(?=[\"'(A-Z`])")
_SENTENCE = re.compile(r"[A-Z][a-z]*(?:[-'][a-z]+)?(?:[,;]? [A-Za-z]+(?:[-'][A-Za-z]+)*)+\.")
_WORD = re.compile(r"[A-Za-z]+(?:[-'][A-Za-z]+)*")
_LOWER = re.compile(r"[a-z]+(?:[-'][a-z]+)*")
_UNLIKELY = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}|(.)\1\1|[jqxz]{2}|q(?!u)")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A sentence of English has at least two of these.
_FUNCTION_WORDS = _set(
    "the a an of to in is are and or for with on that this it be by as from which can not if when will has have at was were may must"
    " should you we they their its these those there into but than then each all any one"
)
_EMPHASISED = _FUNCTION_WORDS | _set("no only always never do does should some very after before too also")
# A sentence that begins like a noun phrase needs one of these to be more than a label ("The axis along which to sort.").
_FINITE = _set(
    "is are was were has have had can will may must should could would might does do did isn't aren't can't cannot won't doesn't don't"
    " returns contains takes uses gives makes means needs holds allows provides supports requires represents defines specifies raises"
    " depends works creates becomes remains exists follows includes consists applies refers accepts expects contain take use give make"
    " mean need hold allow provide support require represent define specify raise depend work become remain exist follow include"
)
_NOMINAL_STARTS = _set(
    "The A An This That These Those Each Every Any Some All No Both One Two Other Another Its Their Your Our My Number List Name Path"
    " Type Size Whether Maximum Minimum Default Optional Array Dictionary Tuple Object Class Function Method Value Values Index Dict"
    " String Boolean Integer Sequence Set Base Abstract Simple Helper Utility Model Config Tensor Matrix Vector Length Dimension What How"
    " Where Who Which Why Information Details Result Results Output Outputs Input Inputs"
)
_NO_LAST_WORD = _set(
    "a an the of to in and or for with on by as from at than which if when into but our your their its e.g i.e etc vs cf via per is are be"
)
# Words of code, of other languages, and short forms.
_REFUSED = _set(
    "arg args kwarg kwargs dtype dtypes ndarray ndarrays numpy scipy ndim nd str int bool dict dicts repr init impl ptr num idx func funcs"
    " param params attr attrs cls self tuple namedtuple iterable iterables noqa todo fixme xxx eg ie etc cf vs al aka wrt iff init obj"
    " config configs ctx env vars var tmp src dst elif def lhs rhs nan inf fp js de la les und der das el los para si pre tf pt nn"
    " stdin stdout stderr argv btw dest chars lmbda asdf foo bar baz spam ham eggs len ith jth nth kth qkv hf llm vae"
)
# "Order of the columns.", "Function to compare two points." are labels; "Check that the order is kept." is not.
_AFTER_NOUN = _set("of that to for which in with used containing describing where whose and or")
_BEFORE_THAT = _set(
    "Check Checks Ensure Ensures Assert Asserts Verify Verifies Make Refer Look Wait Test Tests Search Apply Notice Assume Recall"
)
# Sentences that have lost their subject ("Must be positive.").
_REFUSED_STARTS = _set(
    "Must Should Can Could Will Would May Might Is Are Was Were Has Have Had Does Do Used Defaults Only Either Of To Than Then That's"
    " Not Optionally Required Given Same Such Like Example Examples Note And Or But Nor"
)
_DETERMINERS = _set(
    "the a an this that these those each every any no its their our your my some one two three another such what which whose same either"
    " neither all both more most other his her zero first only"
)
# Singular nouns of the trade that do not stand alone, and what shows that the noun phrase ends with them.
_COUNTED = _set(
    "function method class object array list matrix graph node file model module string tensor dictionary tuple sequence polynomial vector"
    " set parameter argument expression group element key interval region domain distribution sample layer network package directory folder"
    " variable operator point edge curve version user value index"
    " result algorithm axis instance iterator path integer image token representation"
    " container configuration processor tokenizer filter number name component context device item row column property"
)
_GOES_ON = _set("is are was of in to for from with by on and or that which if when as can will must should has using where at into not may")
_OPENS = _set("of in into to for from with on at between through if when whether is are using not")
_WRONG_ARTICLE = re.compile(
    r"\b[Aa] (?:[aio]|e[^u]|un[^i])(?!ne\b|nce\b|ne-)[a-z]*\b|\b[Aa]n (?:[bcdfgjklmnpqrstvwxyz]|uni|us[ei]|eu)[a-z]"
)
# "The mapping needs to exists.", "They can returns.": an error already.
_WRONG_FORM = re.compile(r"\b(?:can|will|must|should|may|cannot|could|would) (?!always|sometimes)[a-z]+[^suia]s\b|\bto exists\b")
_SUBORDINATE = _set("If When While Because Although Since Unless Whenever")


def sentences(docstring: str, *, min_words: int, max_words: int) -> Iterator[str]:
    """The clean sentences of a docstring (already dedented, as `ast.get_docstring` gives it), in order."""
    for paragraph in _paragraphs(docstring):
        for sentence in _BOUNDARY.split(paragraph):
            if is_clean(sentence, min_words=min_words, max_words=max_words):
                yield sentence


def is_clean(sentence: str, *, min_words: int, max_words: int) -> bool:
    """Whether a text is one plain sentence of `min_words` to `max_words` words: capital, full stop, everyday words, a verb."""
    if not _SENTENCE.fullmatch(sentence):
        return False
    words = _WORD.findall(sentence)
    if not min_words <= len(words) <= max_words:
        return False
    first, second, *_ = words
    lower = [word.lower() for word in words]
    if sum(not _LOWER.fullmatch(word) for word in words[1:]) > 1 or any(_is_odd(word) for word in words[1:]) or first.lower() in _REFUSED:
        return False
    if sum(word in _FUNCTION_WORDS for word in lower) < 2 or lower[-1] in _NO_LAST_WORD or len(words[-1]) == 1:
        return False
    if any(one == two for one, two in pairwise(lower) if one not in {"that", "had"}):
        return False  # "the the": an error already, and the target must have none
    if first in _SUBORDINATE:
        clause, comma, _ = sentence.partition(",")
        # "If not given, …" is usual; "If no point given, …" has lost its verb.
        if not comma or (len(clause.split()) > 3 and not any(word in _FINITE or word.endswith("s") for word in clause.split())):
            return False
    if first in _REFUSED_STARTS or _lacks_article(sentence) or _WRONG_ARTICLE.search(sentence) or _WRONG_FORM.search(sentence):
        return False
    if first in _NOMINAL_STARTS or (second in _AFTER_NOUN and first not in _BEFORE_THAT):
        return any(word in _FINITE for word in lower)
    return True


def _is_odd(word: str) -> bool:
    """A name, a piece of code, a short form: anything that is not an everyday word."""
    if word == "I":
        return False
    if not _LOWER.fullmatch(word):
        # One proper name or acronym is allowed ("Python", "URL"); CamelCase is code.
        return word.lower() in _EMPHASISED or not re.fullmatch(r"[A-Z][a-z]{2,}|[A-Z]{2,5}s?", word)
    if word in _REFUSED or len(word) > 18:
        return True
    if len(word) == 1:
        return word != "a"
    return bool(_UNLIKELY.search(word)) or not re.search(r"[aeiouy]", word)


def _lacks_article(sentence: str) -> bool:
    """Whether a singular noun stands without the article that docstrings save: `Returns value of the option.`

    Goes from each noun to the left until a determiner (good) or a preposition, a form of `be` or the verb that opens the
    sentence (bad). Refuses some that are right ("by user name is" is not one, "of value to" is); there are enough others.
    """
    words = re.findall(r"[a-z'-]+|[,;.]", sentence.lower())
    opens_with_verb = sentence.split(" ", 1)[0] not in _NOMINAL_STARTS
    for at, word in enumerate(words):
        if word not in _COUNTED or not (words[at + 1] in _GOES_ON or words[at + 1] in ",;."):
            continue
        for left in range(at - 1, max(at - 5, -1), -1):
            if words[left] in _DETERMINERS or words[left].endswith("s"):
                break
            if words[left] in _OPENS or (left == 0 and opens_with_verb):
                return True
    return False


def _paragraphs(docstring: str) -> Iterator[str]:
    """Runs of lines that belong together, joined: lines of one indentation, or an item of a list with the deeper lines that go on with it.

    The mark of an item stays in front, so that its first sentence, most often a fragment, is refused, and those after it are not.
    Titles, numpydoc's `name : type` lines, directives and doctests end a run and are left out.
    """
    block: list[str] = []
    indent = 0
    item = doctest = False
    lines = [*docstring.splitlines(), ""]
    for number, line in enumerate(lines):
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        title = bool(_UNDERLINE.match(text) or (text and number + 1 < len(lines) and _UNDERLINE.match(lines[number + 1].strip())))
        doctest = bool(text) and (doctest or text.startswith(">>>"))
        begins = bool(_ITEM.match(text))
        goes_on = block and text and not begins and (depth == indent or (item and depth > indent))
        if not goes_on or title or doctest:
            if block:
                yield " ".join(block)
            block, indent, item = [], depth, begins
        if text and not (title or doctest or _NAMED.match(text)):
            block.append(text)
