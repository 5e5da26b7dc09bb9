"""The exceptions of distillc, each with the exit code that the command line gives it (design, section 8).

DistillError                     1
├── UsageError                   2   bad usage: a file that is not there, an option that does not exist
├── InvalidSpec                  2   `plan` or `run` of a spec with findings of error level; carries them
├── BudgetReached                4   stopped before the overshoot; goes on when the budget is raised
└── StageFailed                  5   a stage could not do its work; running again resumes
    └── StoreDamaged             5   bytes in the store are not the ones that were sealed

Every message says what is wrong, where, and what to do; none of them needs a traceback.
"""

TYPE_CHECKING = False  # as in typing: the command line imports this module before it knows what it will need
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distillc.spec.diagnostic import Diagnostic
    from distillc.spec.source import Source


class DistillError(Exception):
    exit_code = 1

    def __init__(self, message: str, *, help: str | None = None, where: str | None = None) -> None:
        """`where` is the place in the user's terms: a file and line, a stage, a row; `help` is the way out."""
        super().__init__(message)
        self.message = message
        self.help = help
        self.where = where


class UsageError(DistillError):
    exit_code = 2


class InvalidSpec(DistillError):
    exit_code = 2

    def __init__(self, diagnostics: "Sequence[Diagnostic]", sources: "Mapping[str, Source] | None" = None) -> None:
        """`sources`: the texts that were read, by name; what is not in it is read again where an excerpt is shown."""
        super().__init__(f"the spec has {len(diagnostics)} finding(s)")
        self.diagnostics = tuple(diagnostics)
        self.sources = dict(sources or {})


class BudgetReached(DistillError):
    exit_code = 4


class StageFailed(DistillError):
    exit_code = 5


class StoreDamaged(StageFailed):
    pass
