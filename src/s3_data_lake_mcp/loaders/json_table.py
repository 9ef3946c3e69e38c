"""Parsed JSON values as an Arrow table, for whoever computes on columns."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from s3_data_lake_mcp.budget import compact_text
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.fence import scrub, scrub_all
from s3_data_lake_mcp.loaders import MAX_COLUMNS

_MAX_FIELDS = 1_000
_MAX_LEVELS = 32
_INT64 = range(-(1 << 63), 1 << 63)
_EXACT = range(-(1 << 53), (1 << 53) + 1)
_HUGE = 10**38


def table_of(records: Sequence[object], subject: str) -> pa.Table:
    """Return one row per record: objects as columns, other values in a column `value`.

    A column whose values share no Arrow type holds their JSON text.

    Raises:
        LimitExceededError: If the records have more than `MAX_COLUMNS` keys.
    """
    names = dict.fromkeys(key for r in records if isinstance(r, dict) for key in r)
    if len(names) > MAX_COLUMNS:
        message = f"{subject} has more than {MAX_COLUMNS:,} different keys"
        raise LimitExceededError(message, hint="Read fewer records, or use `path`.")
    columns = {
        scrub(name): [r.get(name) if isinstance(r, dict) else None for r in records]
        for name in names
    }
    if not names or any(not isinstance(r, dict) for r in records):
        name = "value"
        while name in columns:
            name += "_1"
        columns[name] = [None if isinstance(r, dict) else r for r in records]
    arrays = [_array(values) for values in columns.values()]
    return pa.Table.from_arrays(arrays, names=list(columns))


def _array(values: list[object]) -> "pa.Array[Any]":
    kinds = {type(v) for v in values if v is not None}
    if not kinds:
        return pa.array(values, pa.null())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds <= {int, float}:
        return _numbers(values, kinds)
    if kinds in ({dict}, {list}) and _is_modest(values):
        try:
            return pa.array([scrub_all(v) for v in values])
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return _texts(values)
    return _texts(values)


def _numbers(values: list[object], kinds: set[type]) -> "pa.Array[Any]":
    integers = [v for v in values if isinstance(v, int)]
    if kinds == {int} and all(v in _INT64 for v in integers):
        return pa.array(values, pa.int64())
    if kinds == {int} and all(abs(v) < _HUGE for v in integers):
        # As queries have them, too.
        return pa.array(values, pa.decimal128(38, 0))
    if float in kinds and all(v in _EXACT for v in integers):
        return pa.array([float(v) if isinstance(v, int) else v for v in values], pa.float64())
    return _texts(values)


def _texts(values: list[object]) -> "pa.Array[Any]":
    texts = [
        None if v is None else scrub(v if isinstance(v, str) else compact_text(v)) for v in values
    ]
    return pa.array(texts, pa.string())


def _is_modest(values: list[object]) -> bool:
    """Whether nested values have few enough fields and levels to become an Arrow type.

    Twenty thousand rows with a key of their own each would make 400 million cells.
    """
    keys: set[str] = set()
    stack = [(value, 1) for value in values]
    while stack:
        node, level = stack.pop()
        if isinstance(node, dict):
            keys.update(node)
            stack.extend((child, level + 1) for child in node.values())
        elif isinstance(node, list):
            stack.extend((child, level + 1) for child in node)
        if level > _MAX_LEVELS or len(keys) > _MAX_FIELDS:
            return False
    return True
