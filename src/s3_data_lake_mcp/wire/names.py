"""Columns: distinct names, and types as Arrow names them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.wire.texts import Clipper

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_CHARS = 2_000
_NAMED_COLUMNS = 5
_NAMED_CHARS = 80


def unique_names(names: Sequence[str], max_chars: int = _MAX_CHARS) -> tuple[tuple[str, ...], str]:
    """Return distinct names and a notice, `""` if nothing had to be renamed."""
    clipper = Clipper(max_chars)
    wanted = [clipper.text(name) for name in names]
    unique = numbered(wanted)
    renamed = [new for old, new in zip(wanted, unique, strict=True) if old != new]
    if not renamed:
        return unique, ""
    short = Clipper(_NAMED_CHARS)
    listed = first_of(list(map(short.text, renamed)), _NAMED_COLUMNS)
    return unique, f"Duplicate column names were numbered: {listed}."


def numbered(names: Sequence[str], fold: Callable[[str], str] = str) -> tuple[str, ...]:
    """Return distinct names: the second `a` becomes `a_1`, or the next such name that is not there.

    `fold` makes names alike that count as one.
    """
    existing, used, last = set(map(fold, names)), set[str](), dict[str, int]()
    found: list[str] = []
    for name in names:
        chosen, number = name, last.get(fold(name), 0)
        while fold(chosen) in used or (number and fold(chosen) in existing):
            number += 1
            chosen = f"{name}_{number}"
        last[fold(name)] = number
        used.add(fold(chosen))
        found.append(chosen)
    return tuple(found)


def column_specs(schema: "pa.Schema", max_chars: int = _MAX_CHARS) -> list[dict[str, Any]]:
    """Return name, type and nullability of each column, as texts of up to `max_chars`."""
    names, _ = unique_names(schema.names, max_chars)
    clipper = Clipper(max_chars)
    return [
        {"name": name, "type": clipper.text(str(field.type)), "nullable": field.nullable}
        for name, field in zip(names, schema, strict=True)
    ]
