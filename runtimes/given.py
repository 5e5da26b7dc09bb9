"""Files that a spec names, opened while a stage runs: one that is not there or is damaged then ends the stage, as any other failure does.

What reads them says UsageError, which is right for the commands that look at a spec.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from distillc.spec.errors import StageFailed, UsageError


@contextmanager
def given(where: str | None = None) -> Iterator[None]:
    """What is a UsageError within is a StageFailed outside, with the same message and way out; `where` is the model, stage or file."""
    try:
        yield
    except UsageError as error:
        raise StageFailed(error.message, where=where or error.where, help=error.help) from error
