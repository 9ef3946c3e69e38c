"""Profiles from the statistics in Parquet footers: exact counts and ends, and no data read."""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyarrow import types

from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter, open_footer
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.aggregates import LONGEST_TEXT
from s3_data_lake_mcp.storage import ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.wire import Clipper, json_rows

TAIL_BYTES = 128 << 10
"""Holds most footers whole; a longer one costs a second request."""

MOST_FOOTERS = 1_000
_THREADS = 16
_NUMBERS = {0: "<?", 1: "<i", 2: "<q", 4: "<f", 5: "<d"}
"""How the numbers of a physical type are written: booleans, 32 and 64 bits, floats, doubles."""

_UNITS = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}


@dataclass(slots=True)
class _Ends:
    """What the statistics of one column add up to; None is what any of them leaves out."""

    type: pa.DataType
    nulls: int | None = 0
    known: bool = True
    low: Any = None
    high: Any = None
    unit: str = ""

    def forget(self) -> None:
        self.known, self.low, self.high = False, None, None


@dataclass(slots=True)
class FooterProfile:
    """Rows and columns of one or many objects, as their footers say."""

    rows: int = 0
    columns: dict[str, _Ends] = field(default_factory=dict)

    def add(self, footer: ParquetFooter, wanted: Sequence[str]) -> None:
        """Add one object's statistics."""
        new = not self.columns and not self.rows
        earlier = self.rows
        self.rows += footer.num_rows
        places = {name: at for at, name in enumerate(footer.names)}
        for name in wanted or footer.names:
            if name in places:
                kind = footer.schema.field(places[name]).type
                ends = self.columns.setdefault(name, _Ends(type=kind, nulls=0 if new else earlier))
                _add_column(ends, footer, places[name])
        for name, ends in self.columns.items():
            if name not in places and ends.nulls is not None:
                ends.nulls += footer.num_rows

    def as_json(self) -> list[Json]:
        """Return the contract's columns."""
        return [
            {
                "name": name,
                "type": str(ends.type),
                "nulls": ends.nulls,
                "null_fraction": round(ends.nulls / self.rows, 6)
                if self.rows and ends.nulls is not None
                else None,
                "distinct": None,
                "min": _shown(ends, ends.low),
                "max": _shown(ends, ends.high),
                "mean": None,
                "stddev": None,
                "quantiles": None,
                "top": [],
                "histogram": [],
                "basis": "footer",
            }
            for name, ends in self.columns.items()
        ]


def read_footers(
    store: ObjectStore, refs: Sequence[ObjectRef], meter: ScanMeter
) -> list[ParquetFooter]:
    """Return the footers of many objects, fetched side by side."""

    def one(ref: ObjectRef) -> ParquetFooter:
        return open_footer(ObjectReader.open_tail(store, ref, meter, length=TAIL_BYTES))

    if len(refs) == 1:
        return [one(refs[0])]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="footer") as pool:
        try:
            return list(pool.map(one, refs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _add_column(ends: _Ends, footer: ParquetFooter, place: int) -> None:
    leaves = footer.leaves[place]
    kind = footer.schema.field(place).type
    if len(leaves) != 1 or types.is_nested(kind) or leaves[0] in footer.encrypted:
        ends.nulls = None
        ends.forget()
        return
    if kind != ends.type:
        ends.forget()
    for group in footer.fields.row_groups:
        _add_chunk(ends, group["chunks"][leaves[0]].get("column", {}), footer, leaves[0])


def _add_chunk(ends: _Ends, chunk: Mapping[str, Any], footer: ParquetFooter, leaf: int) -> None:
    statistics = chunk.get("statistics", {})
    nulls = statistics.get("nulls")
    ends.nulls = None if nulls is None or ends.nulls is None else ends.nulls + nulls
    if not ends.known or nulls == chunk.get("num_values"):
        return
    kind = _plain(ends.type)
    low, high = (_value(statistics, end, chunk.get("type", -1), kind) for end in ("min", "max"))
    unit = _unit(footer, leaf) if types.is_temporal(kind) else ""
    if low is None or high is None or unit != (ends.unit or unit):
        ends.forget()
        return
    ends.unit = unit
    ends.low = low if ends.low is None else min(ends.low, low)
    ends.high = high if ends.high is None else max(ends.high, high)


def _value(
    statistics: Mapping[str, Any], end: str, physical: int, kind: pa.DataType
) -> int | float | bytes | None:
    """Return a value that orders like the column's; None if it is not known for sure."""
    data = statistics.get(end)
    unsigned = types.is_unsigned_integer(kind)
    if data is None and physical in _NUMBERS and not unsigned:
        # The older fields had no order but that of signed numbers (parquet.thrift, Statistics).
        data = statistics.get(f"old_{end}")
    # Writers may cut long texts, and say so.
    if data is None or statistics.get(f"{end}_exact") is False:
        return None
    if physical in _NUMBERS:
        try:
            number: int | float = struct.unpack(_NUMBERS[physical], data)[0]
        except struct.error:
            return None
        if math.isnan(number):
            return None
        return number % (1 << 8 * len(data)) if unsigned else number
    if types.is_decimal(kind):
        return int.from_bytes(data, "big", signed=True)
    return bytes(data) if types.is_string(kind) or types.is_large_string(kind) else None


def _unit(footer: ParquetFooter, leaf: int) -> str:
    """Return the unit in which a column's moments are stored."""
    logical = json.loads(footer.metadata.schema.column(leaf).logical_type.to_json())
    return _UNITS.get(logical.get("timeUnit", ""), "")


def _shown(ends: _Ends, value: Any) -> object:  # noqa: ANN401 - what statistics hold
    """Return the JSON of a smallest or largest value."""
    if value is None:
        return None
    try:
        array = _array(value, ends.unit, ends.type)
        return json_rows(pa.table({"x": array}), Clipper(LONGEST_TEXT))[0][0]
    except (pa.ArrowException, ValueError, OverflowError):
        # A footer may claim what is no value of its type.
        return None


def _plain(kind: Any) -> Any:  # noqa: ANN401 - any Arrow type
    return kind.value_type if types.is_dictionary(kind) else kind


def _array(value: Any, unit: Any, stored: Any) -> Any:  # noqa: ANN401 - any Arrow value and type
    kind = _plain(stored)
    if types.is_decimal(kind):
        return pa.array([Decimal(value).scaleb(-kind.scale)], kind)
    if isinstance(value, bytes):
        return pa.array([value.decode()])
    if not types.is_temporal(kind):
        return pa.array([value], kind)
    small = types.is_date(kind) or (unit == "ms" and types.is_time(kind))
    if types.is_date(kind):
        kind = pa.date32()
    elif types.is_timestamp(kind):
        kind = pa.timestamp(unit or kind.unit, kind.tz)
    elif types.is_time(kind):
        kind = pa.time32("ms") if small else pa.time64(unit or kind.unit)
    return pa.array([value], pa.int32() if small else pa.int64()).cast(kind)
