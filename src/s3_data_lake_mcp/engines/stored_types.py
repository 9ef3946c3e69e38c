"""Columns of Parquet that a query hands on as they are, in the types that the file gives them.

The engine has fewer types than Arrow: it reads durations as integers, milliseconds as microseconds,
all zones as UTC. Where a column of the answer is a column of the table and nothing else, its values
fit the type that the file names, and are shown as `read_parquet_from_s3` shows them.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from typing import Any

import pyarrow as pa

from s3_data_lake_mcp.engines.guard_parser import the_parser
from s3_data_lake_mcp.engines.references import references


def with_stored_types(
    table: pa.Table,
    sql: str,
    columns: Sequence[tuple[str, pa.DataType | None]],
    read: "Callable[[int], pa.ChunkedArray[Any]] | None",
) -> pa.Table:
    """Return an answer with the stored types of the columns that are no more than references.

    Args:
        table: The answer.
        sql: The query.
        columns: Names and stored types of the first columns of the table `data`; None is no one
            type.
        read: Reads a column anew, as many rows as the answer has if they come as they are stored.
    """
    answer = the_parser().tree(sql)
    node = answer["statements"][0]["node"] if not answer["error"] else {}
    places = references(node, [name for name, _ in columns], table.num_columns)
    in_order = read is not None and len(places) == table.num_columns and is_in_order(node)
    for at, place in places.items():
        field, kind = table.field(at), columns[place][1]
        if kind is None or str(kind) == str(field.type):
            continue
        found = _stored(table.column(at), kind)
        if is_wide(kind) and read is not None and in_order:
            found = read(place)
        if found is not None and len(found) == table.num_rows:
            table = table.set_column(at, field.with_type(found.type), found)
    return table


def is_wide(kind: pa.DataType) -> bool:
    """Whether values of a type are decimals of more digits than the engine's, which reads doubles.

    Decimals inside other types count too.
    """
    return "decimal256" in str(kind)


def is_in_order(node: Mapping[str, Any]) -> bool:
    """Whether a query returns the first rows as they are stored."""
    clauses = ("where_clause", "group_expressions", "having", "qualify", "sample")
    return (
        node["from_table"]["type"] == "BASE_TABLE"
        and not node["cte_map"]["map"]
        and not any(node[clause] for clause in clauses)
        and not node["from_table"]["sample"]
        and node["aggregate_handling"] == "STANDARD_HANDLING"
        and all(map(_is_count, node["modifiers"]))
    )


def _is_count(modifier: Mapping[str, Any]) -> bool:
    """Whether it is a LIMIT of so many rows, whatever the table holds."""
    limit = modifier.get("limit") or {"class": "CONSTANT"}
    return (
        modifier["type"] == "LIMIT_MODIFIER"
        and modifier["limit_type"] == "ROW_COUNT"
        and not modifier["offset"]
        and limit["class"] == "CONSTANT"
    )


def _stored(column: "pa.ChunkedArray[Any]", kind: pa.DataType) -> "pa.ChunkedArray[Any] | None":
    """Return values of the engine in the type that the file names; None if they don't fit."""
    if is_wide(kind):
        return None  # the doubles that the engine reads have other digits
    try:
        if kind == pa.uuid() and pa.types.is_string(column.type):
            values = [None if v is None else uuid.UUID(v).bytes for v in column.to_pylist()]
            return pa.chunked_array([pa.array(values, pa.uuid())])
        if pa.types.is_time(kind) and pa.types.is_string(column.type):
            # Those with a zone are stored in UTC, and Arrow has none for times of day.
            times = [v and time.fromisoformat(v).replace(tzinfo=None) for v in column.to_pylist()]
            return pa.chunked_array([pa.array(times, kind)])
        return column.cast(kind)
    except (pa.ArrowException, ValueError):
        return None
