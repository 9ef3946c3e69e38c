"""The error for a column that is not there, and the columns that its name may have meant."""

import difflib
from collections.abc import Mapping, Sequence

from s3_data_lake_mcp.errors import UnknownColumnError

_CUTOFF = 0.5
_NEAREST = 3
_SHOWN = 5


def unknown_column(
    subject: str, types: Mapping[str, object], wanted: Sequence[str], name: str
) -> UnknownColumnError:
    """Return the error, with the nearest columns and the call that takes them.

    Args:
        subject: What lacks the column.
        types: Its columns and their types.
        wanted: The columns that were asked for.
        name: The one of them that is not there.
    """
    near = {one: _nearest(one, types) for one in wanted}
    listed = ", ".join(f"{one} ({types[one]})" for one in near[name] or list(types)[:_SHOWN])
    fixed = [one if one in types else next(iter(near[one]), "") for one in wanted]
    return UnknownColumnError(
        f"{subject} has no column {name!r}",
        hint=f"Nearest columns: {listed}.",
        repair={"columns": [one for one in dict.fromkeys(fixed) if one]},
    )


def _nearest(name: str, known: Mapping[str, object]) -> list[str]:
    """Return the columns most like a name; another case is no difference."""
    folded: dict[str, list[str]] = {}
    for one in known:
        folded.setdefault(one.casefold(), []).append(one)
    same = folded.get(name.casefold(), [])
    near = difflib.get_close_matches(name.casefold(), folded, n=_NEAREST, cutoff=_CUTOFF)
    return (same or [one for each in near for one in folded[each]])[:_NEAREST]
