"""The most frequent values of columns that have too many to count them all in one row."""

import contextlib
from collections.abc import Sequence
from itertools import batched

from s3_data_lake_mcp.engines import TableSession
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.profiling.aggregates import LONGEST_TEXT, TOP, ProfiledColumn
from s3_data_lake_mcp.wire import Clipper, json_rows

_BATCH = 8
"""Columns that are kept in memory together, for one scan."""


def most_frequent(session: TableSession, columns: Sequence[ProfiledColumn]) -> dict[str, object]:
    """Return the fields `top_<position>` of as many of these columns as fit into memory.

    Grouping takes a tenth of the memory and time of a map of all values.
    """
    found: dict[str, object] = {}
    with contextlib.suppress(LimitExceededError):
        for batch in batched(columns, _BATCH):
            table = session.execute(_sql(session.rows, batch))
            (values,) = json_rows(table, Clipper(LONGEST_TEXT))
            found |= dict(zip(table.column_names, values, strict=True))
    return found


def _sql(rows: str, columns: Sequence[ProfiledColumn]) -> str:
    """Return the SELECT of one row, with the values and counts of each column in a list."""
    fields = ", ".join(f"{column.quoted} AS v_{column.position}" for column in columns)
    tops = ", ".join(map(_ranked, columns))
    return f"WITH kept AS MATERIALIZED (SELECT {fields} FROM {rows}) SELECT {tops}"  # noqa: S608 - quoted


def _ranked(column: ProfiledColumn) -> str:
    name = f"v_{column.position}"
    there = f"{name} IS NOT NULL" + (f" AND NOT isnan({name})" if column.kind == "float" else "")
    counted = f"SELECT {name} AS v, count(*) AS n FROM kept WHERE {there} GROUP BY v"  # noqa: S608 - numbers of our own
    best = f"SELECT v, -n AS n FROM ({counted}) ORDER BY n, v LIMIT {TOP + 1}"  # noqa: S608 - as above
    pair = "{'n': n, 'v': v}"
    return f"(SELECT list({pair} ORDER BY n, v) FROM ({best})) AS top_{column.position}"  # noqa: S608 - as above
