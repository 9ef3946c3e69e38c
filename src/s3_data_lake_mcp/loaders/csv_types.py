"""Types of text columns: only patterns that DuckDB casts to the very same value."""

import math
import re
from collections.abc import Sequence
from datetime import time

import pyarrow as pa

NULL_TOKENS = frozenset({"NA", "N/A", "NULL", "null", "None"})

_INT = re.compile(r"0|-?[1-9][0-9]{0,18}")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOL = re.compile(r"true|false|True|False|TRUE|FALSE")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?")
_ZONED = re.compile(_STAMP.pattern + r"(?:Z|[+-][0-9]{2}:[0-9]{2})")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?")
_FRACTION = re.compile(r"\.([0-9]+)")
_MICROS = 6
_SIGNIFICANT = 17


def _is_float(text: str) -> bool:
    if not _FLOAT.fullmatch(text):
        return False
    digits = re.split("[eE]", text)[0].replace("-", "").replace(".", "").lstrip("0")
    return len(digits) <= _SIGNIFICANT and math.isfinite(float(text))


def _unit(values: Sequence[str]) -> str:
    longest = max((len(m[1]) for v in values if (m := _FRACTION.search(v))), default=0)
    return "ns" if longest > _MICROS else "us"


def _guess(values: Sequence[str]) -> pa.DataType:
    first = values[0]
    for pattern, kind in (
        (_BOOL, pa.bool_()),
        (_DATE, pa.date32()),
        (_TIME, pa.time64("us")),
    ):
        if pattern.fullmatch(first):
            return kind if all(map(pattern.fullmatch, values)) else pa.string()
    if _ZONED.fullmatch(first) and all(map(_ZONED.fullmatch, values)):
        return pa.timestamp(_unit(values), "UTC")
    if _STAMP.fullmatch(first) and all(map(_STAMP.fullmatch, values)):
        return pa.timestamp(_unit(values))
    if all(map(_INT.fullmatch, values)):
        return pa.int64()
    return pa.float64() if all(map(_is_float, values)) else pa.string()


def typed_column(cells: Sequence[str | None]) -> tuple[pa.Array, frozenset[str]]:
    """Return a column in the narrowest type that keeps every value, and the null tokens in it.

    A column without any value is text.
    """
    present = {cell for cell in cells if cell is not None}
    tokens = frozenset(present & NULL_TOKENS)
    values = sorted(present - tokens)
    kind = _guess(values) if values else pa.string()
    if kind == pa.string():
        return pa.array(cells, pa.string()), frozenset()
    plain = pa.array([None if cell in tokens else cell for cell in cells], pa.string())
    try:
        if kind == pa.time64("us"):
            times = [None if c is None or c in tokens else time.fromisoformat(c) for c in cells]
            return pa.array(times, kind), tokens
        return plain.cast(kind), tokens
    except (pa.ArrowInvalid, ValueError):
        # Beyond the type's range: a date such as 2026-02-30, an integer over 64 bits.
        return pa.array(cells, pa.string()), frozenset()


def is_typed(text: str) -> bool:
    """Return whether a single cell reads as anything else than text."""
    return text not in NULL_TOKENS and _guess([text]) != pa.string()
