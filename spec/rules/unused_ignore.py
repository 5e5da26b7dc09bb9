"""A comment ignores a finding that is not there.

Why: the mistake has been mended or has moved, and the comment stays behind and hides the next one of its kind. Looked at by `lint` of
the spec with all its profiles, in the spec's own file; codes whose rules had to wait are passed over.

Example:

    train:
      student:
        model: small
        data: clean
        losses: {hard: cross_entropy}
        epochs: 3 # distillc: ignore[last-weights] the last ones are what is compared

Use instead:

    train:
      student:
        model: small
        data: clean
        losses: {hard: cross_entropy}
        epochs: 3

Fix: takes out the comment, or those of its codes that nothing needs.
"""

from collections.abc import Collection, Iterable, Iterator

from distillc.spec.codes import is_certain
from distillc.spec.comments import Comments, without
from distillc.spec.diagnostic import Diagnostic, Fix
from distillc.spec.rules import warning
from distillc.spec.suppress import Policy, binds, code_of
from distillc.spec.wording import listing


def unused(policy: Policy, found: Iterable[Diagnostic], asked: Collection[str]) -> Iterator[Diagnostic]:
    """Called when all rules have spoken. `asked` are the codes of those that could look at the spec."""
    used = {named for finding in found if not binds(finding) for named in policy.ignoring(finding)}
    for comment in policy.comments.get(policy.main, Comments()).found:
        idle = [
            named for named in comment.names if named not in used and (code := code_of(named.text)) in asked and not is_certain(code or "")
        ]
        if idle and not comment.fault:
            whole = len(idle) == len(comment.names)
            what = listing(named.text for named in idle)
            fix = Fix("remove the comment" if whole else f"remove {what}", (without(comment, idle),))
            yield warning("D904", f"nothing here is ignored by {what}", comment.span if whole else idle[0].span, "remove it", fix=fix)
