"""Which columns to profile: those asked for, or as many as an answer can hold."""

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa
from pyarrow.types import is_duration

from s3_data_lake_mcp.engines import TableSession
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.errors import SqlError, UnknownColumnError
from s3_data_lake_mcp.loaders.unknown_column import finder, pick
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.aggregates import ProfiledColumn

_COLUMN_BYTES = 300
"""What the profile of a column takes at the least."""

_NAME_CHARS = 100


def spelt_once(schemas: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return what SQL calls each column of several objects: the first of spellings in other cases.

    Names that one object tells apart by their case alone stay as they are.
    """
    first: dict[str, str] = {}
    apart: set[str] = set()
    for names in schemas:
        apart.update(one for one, times in Counter(map(str.lower, names)).items() if times > 1)
        for name in names:
            first.setdefault(name.lower(), name)
    every = dict.fromkeys(name for names in schemas for name in names)
    return {name: name if name.lower() in apart else first[name.lower()] for name in every}


def choose_columns(
    types: Mapping[str, pa.DataType], asked: Sequence[str], subject: str, *, room_bytes: int
) -> tuple[list[ProfiledColumn], str]:
    """Return the columns to profile, in the order asked for, and a notice if some are left out.

    Raises:
        UnknownColumnError: If one of `asked` is not there.
    """
    wanted = list(dict.fromkeys(pick(subject, types, asked))) or list(types)
    most = max(1, room_bytes // _COLUMN_BYTES)
    chosen = [
        ProfiledColumn(name=name, type=types[name], position=at)
        for at, name in enumerate(wanted[:most])
    ]
    return chosen, left_out(len(chosen), wanted, "were profiled")


def types_of(
    session: TableSession, counted: Sequence[ProfiledColumn] = (), *, goes_on: bool = True
) -> dict[str, pa.DataType]:
    """Return the columns of a table with their types; those `counted` hold for all values.

    The table is going to be read next if it `goes_on`.
    """
    if counted:
        counts = ", ".join(f"count({column.identifier})" for column in counted)
        session.execute(f"SELECT {counts} FROM data")  # noqa: S608 - quoted
    schema = session.execute("SELECT * FROM data LIMIT 0", goes_on=goes_on).schema
    return {one.name: one.type for one in schema}


def types_with(session: TableSession, names: Sequence[str]) -> dict[str, pa.DataType]:
    """Return the columns of a table with their types; some that are named, later objects have."""
    # Those that were asked for may not be there.
    types = types_of(session, goes_on=not names)
    if all(map(finder(types), names)):
        return types
    named = ", ".join(map(identifier, names))
    with contextlib.suppress(UnknownColumnError, SqlError):
        session.execute(f"SELECT {named} FROM data LIMIT 0")  # noqa: S608 - quoted
    return types_of(session, goes_on=False)


def stored_types(session: TableSession) -> dict[str, str]:
    """Return the types that the files name, except where the figures are of other values."""
    return {one.name: str(one.type) for one in session.schema if not is_duration(one.type)}


def first_rows(session: TableSession, chosen: Sequence[ProfiledColumn], most: int) -> pa.Table:
    """Return the first rows of some columns of a table."""
    names = ", ".join(column.identifier for column in chosen)
    return session.execute(f"SELECT {names} FROM {session.rows} LIMIT {most}")  # noqa: S608 - quoted


def typed(column: Json, stored: Mapping[str, str]) -> Json:
    """Return the figures of a column with the type that the files name."""
    name = str(column["name"])
    return column | {"type": stored[name]} if name in stored else column


def left_out(shown: int, names: Sequence[str], were: str = "fit the answer") -> str:
    """Return the notice that only the first columns are there; empty if all are."""
    if shown >= len(names):
        return ""
    next_name = names[shown]
    if len(next_name) > _NAME_CHARS:
        next_name = f"{next_name[:_NAME_CHARS]}…"
    return (
        f"Only the first {shown:,} of {len(names):,} columns {were}; ask for others with "
        f"columns, which begin with {next_name!r}."
    )
