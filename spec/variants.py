"""Whether a spec is seen as it is written, or with a profile or a cell of its matrix: what these change on purpose is no mistake."""

from distillc.spec.diagnostic import Span
from distillc.spec.nodes import Entry, MappingNode, at, entries, items
from distillc.spec.resolve import find


def profile_applied(root: MappingNode) -> bool:
    """Whether values of one of its profiles stand in their places."""
    for profile in entries(root.get("profiles")):
        for entry in entries(profile.value):
            found = find(root, entry.key.split("."))
            value = found.value if isinstance(found, Entry) else found
            if value is not None and value.span == entry.value.span:
                return True
    return False


def varied_steps(root: MappingNode) -> set[tuple[str, ...]]:
    """The steps that have other values in other cells of the matrix, as (section, name)."""
    paths = [entry.key for entry in entries(at(root, "matrix", "vary"))]
    paths += [entry.key for cell in items(at(root, "matrix", "include")) for entry in entries(cell)]
    return {tuple(path.split(".")[:2]) for path in paths}


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
