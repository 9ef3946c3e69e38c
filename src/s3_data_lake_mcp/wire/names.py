"""Columns: distinct names, and types as Arrow names them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from s3_data_lake_mcp.wire.texts import Clipper

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_CHARS = 2_000
_NAMED_COLUMNS = 5
_NAMED_CHARS = 80


def unique_names(names: Sequence[str], max_chars: int = _MAX_CHARS) -> tuple[tuple[str, ...], str]:
    """Return distinct names and a notice, `""` if nothing had to be renamed.

    The second `a` becomes `a_1`, or the next such name that no column has.
    """
    clipper = Clipper(max_chars)
    wanted = [clipper.text(name) for name in names]
    if len(set(wanted)) == len(wanted):
        return tuple(wanted), ""
    existing, used, last = set(wanted), set[str](), dict[str, int]()
    unique: list[str] = []
    for name in wanted:
        chosen, number = name, last.get(name, 0)
        while chosen in used or (number and chosen in existing):
            number += 1
            chosen = f"{name}_{number}"
        last[name] = number
        used.add(chosen)
        unique.append(chosen)
    renamed = [new for old, new in zip(wanted, unique, strict=True) if old != new]
    short = Clipper(_NAMED_CHARS)
    listed = ", ".join(short.text(name) for name in renamed[:_NAMED_COLUMNS])
    listed += ", …" if len(renamed) > _NAMED_COLUMNS else ""
    return tuple(unique), f"Duplicate column names were numbered: {listed}."


def column_specs(schema: "pa.Schema", max_chars: int = _MAX_CHARS) -> list[dict[str, Any]]:
    """Return name, type and nullability of each column, as texts of up to `max_chars`."""
    names, _ = unique_names(schema.names, max_chars)
    clipper = Clipper(max_chars)
    return [
        {"name": name, "type": clipper.text(str(field.type)), "nullable": field.nullable}
        for name, field in zip(names, schema, strict=True)
    ]
