"""The columns that a misspelt name may have meant."""

import difflib
from collections.abc import Sequence

_CUTOFF = 0.5


def nearest_columns(name: str, names: Sequence[str]) -> list[str]:
    """Return up to three of `names`, nearest first; another case is no difference."""
    folded: dict[str, list[str]] = {}
    for known in names:
        folded.setdefault(known.casefold(), []).append(known)
    same = folded.get(name.casefold(), [])
    near = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=_CUTOFF)
    return (same or [known for each in near for known in folded[each]])[:3]
