"""Whether a spec is seen as it is written, or with a profile: what a profile cuts short to be quick is no mistake."""

from distillc.spec.diagnostic import Span
from distillc.spec.nodes import Entry, MappingNode, entries
from distillc.spec.resolve import find


def profile_applied(root: MappingNode) -> bool:
    """Whether values of one of its profiles stand in their places."""
    for profile in entries(root.get("profiles")):
        for entry in entries(profile.value):
            found = find(root, entry.key.split("."))
            if (found.value if isinstance(found, Entry) else found) is entry.value:
                return True
    return False


def within(span: Span, outer: Span) -> bool:
    """Whether `span` lies inside of `outer`."""
    return (
        span.file == outer.file
        and (outer.line, outer.column) <= (span.line, span.column)
        and (span.end_line, span.end_column) <= (outer.end_line, outer.end_column)
    )


def in_profiles(root: MappingNode, span: Span) -> bool:
    """Whether a place belongs to a profile."""
    profiles = root.get("profiles")
    return profiles is not None and within(span, profiles.span)
