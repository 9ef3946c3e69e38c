"""The columns that names stand for, and the error for a column that is not there."""

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence

from s3_data_lake_mcp.errors import UnknownColumnError
from s3_data_lake_mcp.fence import first_of

_CUTOFF = 0.5
_NEAREST = 3
_SHOWN = 5


def finder(known: Collection[str]) -> Callable[[str], str | None]:
    """Return what finds a column by name, or by another case of it that no other column has."""
    folded: dict[str, list[str]] = {}
    for one in known:
        folded.setdefault(one.casefold(), []).append(one)

    def found(name: str) -> str | None:
        same = [name] if name in known else folded.get(name.casefold(), [])
        return same[0] if len(same) == 1 else None

    return found


def pick(
    subject: str, types: Mapping[str, object], wanted: Sequence[str], argument: str = "columns"
) -> list[str]:
    """Return the columns that names stand for, in their order.

    Raises:
        UnknownColumnError: If there is none of a name.
    """
    found, picked = finder(types), list[str]()
    for name in wanted:
        if (match := found(name)) is None:
            raise unknown_column(subject, types, wanted, name, argument)
        picked.append(match)
    return picked


def unknown_column(
    subject: str,
    types: Mapping[str, object],
    wanted: Sequence[str],
    name: str,
    argument: str = "columns",
) -> UnknownColumnError:
    """Return the error, with the nearest columns and the call that takes them.

    `name` is the one of those `wanted` that is not there; `argument` is what names them.
    """
    listed = [part.strip() for part in name.split(",")]
    if argument == "columns" and len(listed) > 1 and all(map(finder(types), listed)):
        at = list(wanted).index(name)
        return UnknownColumnError(
            f"{subject} has no column {name!r}",
            hint="Each name is a text of its own.",
            repair={"columns": [*wanted[:at], *listed, *wanted[at + 1 :]]},
        )
    near = {one: _nearest(one, types) for one in wanted}
    fixed = [one if one in types else next(iter(near[one]), "") for one in wanted]
    meant = [one for one in dict.fromkeys(fixed) if one]
    repair: dict[str, object] | None = {"columns": meant}
    if argument != "columns":
        repair = {argument: meant[0]} if meant else None
    described = [f"{one} ({types[one]})" for one in near[name] or types]
    hint = f"It has: {first_of(described, _SHOWN)}."
    if near[name]:
        hint = f"Nearest columns: {', '.join(described)}."
    return UnknownColumnError(f"{subject} has no column {name!r}", hint=hint, repair=repair)


def _nearest(name: str, known: Mapping[str, object]) -> list[str]:
    """Return the columns most like a name; another case is no difference."""
    if "(" in name:
        return []
    folded: dict[str, list[str]] = {}
    for one in known:
        folded.setdefault(one.casefold(), []).append(one)
    same = folded.get(name.casefold(), [])
    near = difflib.get_close_matches(name.casefold(), folded, n=_NEAREST, cutoff=_CUTOFF)
    return (same or [one for each in near for one in folded[each]])[:_NEAREST]
