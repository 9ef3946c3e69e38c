"""Intervals of Parquet, which Arrow reads as twelve bytes."""

import struct
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

_INTERVAL = pa.month_day_nano_interval()
_NANOSECONDS = 10**6


def with_intervals(
    schema: pa.Schema, leaves: Sequence[range], metadata: pq.FileMetaData
) -> pa.Schema:
    """Return the schema with intervals in place of their bytes."""
    for at, field in enumerate(schema):
        if types.is_fixed_size_binary(field.type):
            stored = metadata.schema.column(leaves[at][0])
            if stored.converted_type == "INTERVAL":
                schema = schema.set(at, field.with_type(_INTERVAL))
    return schema


def shown_intervals(table: pa.Table, at: int, kind: pa.DataType) -> pa.Table:
    """Return the table with a column in its type of the schema, if that is an interval."""
    if kind != _INTERVAL:
        return table
    values = [None if v is None else _interval(v) for v in table.column(at).to_pylist()]
    return table.set_column(at, table.field(at).with_type(kind), pa.array(values, kind))


def _interval(data: bytes) -> tuple[int, int, int]:
    months, days, milliseconds = struct.unpack("<iiI", data)
    return months, days, milliseconds * _NANOSECONDS
