"""Which findings are shown, and at which level: what the command line, the spec's `lint` section and its comments say.

The linter and the compiler ask the same `Policy`, so that what `lint` lets pass `plan` and `run` let pass too. A binding error
(`spec/codes.py`) is always shown. Selection is ruff's: the longer of two selectors wins, and of equals `ignore`; a `--select` on the
command line takes the place of all that the spec says, an `--ignore` is added to it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from distillc.spec.codes import ALL_CODES, is_binding, is_certain
from distillc.spec.comments import Comments, Named
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.errors import UsageError
from distillc.spec.nodes import MappingNode, Node, ScalarNode, at, entries, items, text
from distillc.spec.wording import closest

OFF = "off"
LEVELS: Mapping[str, Severity] = {level.value: level for level in Severity}
_PREFIX = re.compile(r"D[0-9]{0,3}")
_CODE = re.compile(r"[A-Za-z]*[0-9]+")
_BY_NAME = {known.name: code for code, known in ALL_CODES.items()}


def code_of(written: str) -> str | None:
    """The code that a code or a name stands for."""
    return written if written in ALL_CODES else _BY_NAME.get(written)


def selector_of(written: str) -> str | None:
    """The code, or the beginning of codes (`D4`), that is selected; None where there is no such code."""
    if _PREFIX.fullmatch(written) and any(code.startswith(written) for code in ALL_CODES):
        return written
    return code_of(written)


def is_always_shown(written: str) -> bool:
    """Whether all that is selected binds."""
    selector = selector_of(written)
    return selector is not None and all(is_certain(code) for code in ALL_CODES if code.startswith(selector))


def meant(written: str) -> str | None:
    """The code or name that an unknown one was meant to be. A number that there is not is near to no other."""
    if _CODE.fullmatch(written):
        return written.upper() if written.upper() in ALL_CODES else None
    return closest(written, _BY_NAME)


def way_out(written: str) -> str:
    near = meant(written)
    return f"did you mean `{near}`?" if near else "`distillc explain` lists all codes"


class Selection(NamedTuple):
    """What one place says, in selectors. `select` None: the choice stays as it is, but for what is ignored."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()

    def chooses(self, code: str, before: bool) -> bool:
        ignored = _longest(self.ignore, code)
        return before and not ignored if self.select is None else _longest(self.select, code) > ignored


AS_IT_IS = Selection()


def _longest(selectors: Iterable[str], code: str) -> int:
    return max((len(selector) for selector in selectors if code.startswith(selector)), default=0)


def asked(select: Sequence[str], ignore: Sequence[str]) -> Selection:
    """What the options say; each may be given several times and hold several codes. Raises UsageError on what there is not."""
    chosen = [_asked("--select", word) for words in select for word in words.split(",")]
    ignored = [_asked("--ignore", word) for words in ignore for word in words.split(",")]
    return Selection(tuple(chosen) if select else None, tuple(ignored))


def _asked(option: str, word: str) -> str:
    word = word.strip()
    selector = selector_of(word)
    if selector is None:
        raise UsageError(f"{option}: there is no finding `{word}`", help=way_out(word))
    if option == "--ignore" and is_always_shown(word):
        raise UsageError(f"--ignore: `{word}` cannot be ignored", help="no plan can be made with what it finds: mend it")
    return selector


class Policy(NamedTuple):
    """Of `selections` the later wins; `levels` are by code, `comments` by file. `main` is the spec's own file."""

    selections: tuple[Selection, ...] = ()
    levels: Mapping[str, Severity] = {}
    comments: Mapping[str, Comments] = {}
    main: str = ""

    def shown(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """What is left of the findings, each at its level."""
        return [self._at_its_level(finding) for finding in found if binds(finding) or self._wants(finding)]

    def _wants(self, finding: Diagnostic) -> bool:
        chosen = True
        for selection in self.selections:
            chosen = selection.chooses(finding.code, chosen)
        return chosen and next(self.ignoring(finding), None) is None

    def _at_its_level(self, finding: Diagnostic) -> Diagnostic:
        level = self.levels.get(finding.code, finding.severity)
        return finding if level is finding.severity or binds(finding) else finding._replace(severity=level)

    def ignoring(self, finding: Diagnostic) -> Iterator[Named]:
        """The codes in comments that ignore a finding. One without a place is the whole file's."""
        file = finding.span.file if finding.span else self.main
        comments = self.comments.get(file, Comments())
        for comment in comments.found:
            if comment.whole_file or (finding.span and comments.covers(comment, finding.span.line)):
                yield from (named for named in comment.names if code_of(named.text) == finding.code)


EVERYTHING = Policy()


def binds(finding: Diagnostic) -> bool:
    """Whether it is always shown."""
    return finding.severity is Severity.ERROR and is_binding(finding.code)


def policy_of(root: MappingNode, comments: Mapping[str, Comments], command_line: Selection) -> Policy:
    """Of a spec put together. What its `lint` section says in no known words is left out; rules report it."""
    section = root.get("lint")
    levels = [(code, text(entry.value)) for entry in entries(at(section, "levels")) if (code := code_of(entry.key))]
    select = at(section, "select")
    chosen = None if select is None or (isinstance(select, ScalarNode) and select.value is None) else _selectors(select)
    ignored = (*_selectors(at(section, "ignore")), *(code for code, level in levels if level == OFF))
    return Policy(
        selections=(Selection(chosen, ignored), command_line),
        levels={code: LEVELS[level] for code, level in levels if level is not None and level in LEVELS},
        comments=comments,
        main=root.span.file,
    )


def _selectors(node: Node | None) -> tuple[str, ...]:
    return tuple(selector for item in items(node) if (word := text(item)) and (selector := selector_of(word)))
