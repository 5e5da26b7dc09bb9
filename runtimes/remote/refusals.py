"""Answers that are nothing but a refusal in words.

What is more than that, or may be the sentence that was asked for ("I'm sorry, but I can't come today."), is an answer: to take a refusal
for one costs a bad row, to take an answer for a refusal a good one.
"""

import re

LONGEST = 400  # characters: what declines at greater length has reasons in it, or something else

_APOLOGY = (
    r"(?:(?:I['’]m|I am) (?:(?:very|really|so|truly) )?sorry|Sorry|I apologi[sz]e|My apologies"
    r"|As an AI(?: language)?(?: model| assistant)?)[,.:;]? (?:but |however,? )?"
)
_CANNOT = (
    r"I(?:['’]m| am)? (?:afraid I )?(?:can['’]?t|cannot|can not|(?:won['’]t|will not) be able to|won['’]t|will not|unable to|not able to) "
)
# Behind an apology a verb is enough. Without one it must be said of what was asked: "I can't help you move." is a sentence like others.
_HELP = r"(?:help|assist|comply|continue|fulfil+|provide|answer|do (?:that|this|so))\b[^.!?\n]{0,80}"
_ASKED = r"(?:that|this|it|(?:that|this|the|your) (?:(?:kind|type|sort) of )?(?:request|question|task|topic|content))"
_HELP_THAT = rf"(?:(?:help|assist)(?: you)? with|comply with|fulfil+|respond to|engage with) {_ASKED}"
_DECLINE = rf"I (?:must|have to) (?:respectfully )?decline(?: {_ASKED}| to (?:answer|respond|help|assist))?"
_OFFER = (
    r"(?:If (?:you|there)|Is there (?:something|anything)|(?:Please )?(?:let me know|feel free)|(?:Can|May|Could) I (?:help|assist)"
    r"|(?:How|What) (?:else )?(?:can|may) I|I['’](?:d|m|ll) (?:be )?(?:happy|glad)|I(?: can|['’]m here to) (?:help|assist))\b"
    r"[^.!?\n]{0,160}[.!?]?"
)
_REFUSAL = re.compile(
    rf"(?:{_APOLOGY}{_CANNOT}{_HELP}|(?:Unfortunately, )?(?:{_CANNOT}{_HELP_THAT}|{_DECLINE}))[.!]?(?:\s+{_OFFER})*", re.IGNORECASE
)


def declines(text: str) -> bool:
    """Whether a whole answer says no, in a sentence, and has at most offers of other help beside it."""
    bare = text.strip().strip("*_")
    return len(bare) <= LONGEST and bool(_REFUSAL.fullmatch(bare))
