"""`distillc lint --fix` and `--diff`: mends what can be mended, in the files that were asked for and in no other."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from distillc.cli.spec_file import read_spec
from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.edit import Change, Mended, diff, mend
from distillc.spec.errors import DistillError, UsageError
from distillc.spec.lint import Linted
from distillc.spec.render import render
from distillc.spec.resolve import Read

UNREADABLE = "D000"
Check = Callable[[str, Read], Linted]


def mended(names: Sequence[str], check: Check, read: Read, *, unsafe: bool) -> Mended:
    """What the fixes make of the files, none of which is written yet."""
    found = mend(names, check, read, os.path.realpath, unsafe=unsafe)
    for name in found.refused:
        print(f"{name}: a fix would have made it worse, so no more were applied; this is a defect of distillc", file=sys.stderr)
    return found


def write(found: Mended, check: Check, read: Read) -> int:
    """Writes the changed files, and answers how many fixes there are in them. What cannot be written becomes a finding."""
    fixed = 0
    for change in found.changes:
        try:
            _write(change)
            fixed += change.fixes
        except (OSError, DistillError) as error:
            why = error.message if isinstance(error, DistillError) else f"cannot write the file: {error.strerror or error}"
            unwritten = Diagnostic(UNREADABLE, Severity.ERROR, why, Span(change.name, 1, 1, 1, 1), help="it is as it was")
            if Path(change.name).is_file():  # a pipe cannot be read twice
                found.linted[change.name] = check(change.name, read)
            found.linted[change.name].diagnostics.insert(0, unwritten)
    return fixed


def _write(change: Change) -> None:
    if not Path(change.name).is_file():
        raise UsageError("cannot write it back: it is no file")
    file = read_spec(change.name)
    if file.source.text != change.before:
        raise UsageError("somebody else has changed the file in the meantime")
    file.write(change.after)


def show_difference(found: Mended) -> int:
    """Prints what would change, writes nothing. 1 where anything would, 2 where a file cannot be read."""
    sys.stdout.writelines(map(diff, found.changes))
    unread = [each for linted in found.linted.values() for each in linted.diagnostics if each.code == UNREADABLE]
    if unread:
        sys.stderr.write(render("full", unread, {}))
        return 2
    fixes = sum(change.fixes for change in found.changes)
    files = len(found.changes)
    print(f"would fix {fixes} in {files} file{'' if files == 1 else 's'}" if files else "nothing to fix", file=sys.stderr)
    return int(bool(found.changes))
