"""How messages are worded: the nearest name, long values cut short, lists of alternatives."""

from collections.abc import Iterable

MAX_QUOTED = 60
MAX_CANDIDATES = 1_000
"""Among more, looking for the nearest takes long, and what is nearest means little."""


def distance(a: str, b: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; `limit + 1` when there are more than `limit`."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before = before, row
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was meant to be, or None when none is near: up to a third of the letters may be wrong.

    One that only goes on where the word ends is nearer than all others: `q4_k` is `q4_k_m`, not `q2_k`.
    """
    limit = max(1, min(len(word), MAX_QUOTED) // 3)
    if len(word) > MAX_QUOTED:
        return None
    best: tuple[int, str] | None = None
    names = set(candidates)
    for candidate in sorted(names) if len(names) <= MAX_CANDIDATES else ():
        edits = 0 if _goes_on(candidate, word) else distance(word.lower(), candidate.lower(), limit)
        if edits <= limit and (best is None or edits < best[0]):
            best = (edits, candidate)
    return best[1] if best else None


def _goes_on(candidate: str, word: str) -> bool:
    rest = candidate[len(word) :]
    return len(word) > 1 and candidate.startswith(word) and rest[:1] in ("_", "-", ".") and len(rest) <= 4


def shorten(text: str) -> str:
    """User text for a message: on one line, at most 60 characters."""
    flat = text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    return flat if len(flat) <= MAX_QUOTED else flat[: MAX_QUOTED - 1] + "…"


def listing(names: Iterable[str], limit: int = 8) -> str:
    """`a`, `b`, `c` and 4 more."""
    found = list(names)
    shown = ", ".join(f"`{name}`" for name in found[:limit])
    return shown + (f" and {len(found) - limit} more" if len(found) > limit else "")


def did_you_mean(word: str, candidates: Iterable[str], what: str = "known") -> str | None:
    """The help line for a name that is not there: the nearest, else what there is."""
    names = sorted(set(candidates))
    near = closest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    return f"{what}: {listing(names)}" if names else None
