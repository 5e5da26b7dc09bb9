"""How many of the findings could be fixed, and how. Apart from the fixing itself, for a warm `lint` prints it too."""

import os

TYPE_CHECKING = False  # as in typing, which alone costs as much as a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Sequence

    from distillc.spec.diagnostic import Diagnostic


def hint(diagnostics: "Sequence[Diagnostic]", names: "Sequence[str]", *, unsafe: bool) -> str | None:
    """Counts fixes of the files that were asked for: no other is touched."""
    ours = {os.path.realpath(name) for name in names}
    fixes = [each.fix for each in diagnostics if each.fix and each.span and os.path.realpath(each.span.file) in ours]
    now = sum(unsafe or fix.applicability.value == "safe" for fix in fixes)
    more = len(fixes) - now
    if not fixes:
        return None
    if not now:
        return f"{more} fixable with --fix --unsafe-fixes"
    return f"[*] {now} fixable with --fix" + (f", {more} more with --unsafe-fixes" if more else "")
