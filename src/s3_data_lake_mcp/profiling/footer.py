"""Profiles from the statistics in Parquet footers: exact counts and ends, and no data read."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from pyarrow import types

from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter, open_footer
from s3_data_lake_mcp.loaders.parquet_statistics import ColumnStatistics, column_statistics
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.aggregates import LONGEST_TEXT, ProfiledColumn, kind_of
from s3_data_lake_mcp.profiling.columns import spelt_once
from s3_data_lake_mcp.profiling.figures import unsigned
from s3_data_lake_mcp.profiling.partitions import Partitions, partition_figures
from s3_data_lake_mcp.storage import ListedObject, ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.reader import TAIL_BYTES, ObjectReader
from s3_data_lake_mcp.wire import Clipper, json_value

_MOST_FOOTERS = 1_000
_THREADS = 16
_NAMED = 6


@dataclass(slots=True)
class _Ends:
    """What the statistics of one column add up to; None is what any object leaves out."""

    type: pa.DataType
    nulls: int | None = 0
    known: bool = True
    mixed: bool = False
    low: Any = None
    high: Any = None

    def add(self, told: ColumnStatistics, rows: int, kind: pa.DataType) -> None:
        """Add what one object's footer tells of the column, which has this type there."""
        nulls = rows if types.is_null(kind) else told.nulls
        self.nulls = None if nulls is None or self.nulls is None else self.nulls + nulls
        wider = _wider(self.type, kind)
        if nulls == rows:
            self.type = self.type if self.mixed else wider or self.type
            return
        self.mixed = self.mixed or wider is None
        # As what no type holds is shown in samples.
        self.type = pa.string() if self.mixed else wider or self.type
        if (
            self.mixed
            or told.type != str(kind)
            or not told.exact
            or told.min is None
            or told.max is None
        ):
            self.known = False
            return
        order = _order(self.type)
        self.low = told.min if self.low is None else min(self.low, told.min, key=order)
        self.high = told.max if self.high is None else max(self.high, told.max, key=order)

    def as_json(self, name: str, rows: int) -> Json:
        """Return the contract's column."""
        clipper = Clipper(LONGEST_TEXT)
        share = self.nulls / rows if rows and self.nulls is not None else None
        return {
            "name": name,
            "type": str(self.type),
            "nulls": self.nulls,
            "null_fraction": share,
            "distinct": None,
            "min": self._shown(self.low, clipper),
            "max": self._shown(self.high, clipper),
            "mean": None,
            "stddev": None,
            "quantiles": None,
            "top": [],
            "histogram": [],
            "basis": "footer",
        }

    def _shown(self, end: Any, clipper: Clipper) -> object:  # noqa: ANN401 - JSON
        if not self.known:
            return None
        if types.is_floating(self.type) and isinstance(end, int):
            end = float(end)
        elif types.is_decimal(self.type) and self.type.scale > 0 and end is not None:
            end = f"{Decimal(str(end)):.{self.type.scale}f}"
        return json_value(unsigned(end), clipper)


def _wider(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return the type of the values of both, None if there is none with an order of its own."""
    if one.equals(other) or types.is_null(other):
        return one
    if types.is_null(one):
        return other
    kinds = {kind_of(one), kind_of(other)}
    if (
        kinds <= {"number", "float"}
        or kinds == {"text"}
        or (types.is_timestamp(one) and types.is_timestamp(other))
    ):
        schemas = [pa.schema([("x", kind)]) for kind in (one, other)]
        with contextlib.suppress(pa.ArrowException):
            unified: pa.Schema = pa.unify_schemas(schemas, promote_options="permissive")
            return unified.types[0]
    return None


def _order(kind: pa.DataType) -> Callable[[Any], Any]:
    """Return what JSON values of a type are ordered by."""
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return lambda value: Decimal(str(value))
    if types.is_timestamp(kind) and getattr(kind, "tz", None):
        # The offsets of a zone may differ; of equal microseconds, more digits are later.
        return lambda value: (datetime.fromisoformat(value), value)
    return lambda value: value


@dataclass(slots=True)
class FooterProfile:
    """Rows and columns of one or many objects, as their footers say."""

    rows: int = 0
    columns: dict[str, _Ends] = field(default_factory=dict)
    partitions: dict[str, Json] = field(default_factory=dict)

    def add(self, footer: ParquetFooter, wanted: Sequence[str], spelt: Mapping[str, str]) -> None:
        """Add one object's statistics; a column that it lacks is null there."""
        told = {spelt[one.name]: one for one in column_statistics(footer)}
        kinds = dict(zip(footer.names, footer.schema.types, strict=True))
        for name in wanted:
            if name in told and name not in self.columns:
                self.columns[name] = _Ends(type=kinds[told[name].name], nulls=self.rows)
        for name, ends in self.columns.items():
            if name in told:
                ends.add(told[name], footer.num_rows, kinds[told[name].name])
            elif ends.nulls is not None:
                ends.nulls += footer.num_rows
        self.rows += footer.num_rows

    def mixture(self) -> str:
        """Say which columns have no ends because their types differ; empty for none."""
        mixed = [name for name, ends in self.columns.items() if ends.mixed]
        named = first_of(mixed, _NAMED)
        return f"No min and max of columns whose types differ: {named}." if mixed else ""

    def as_json(self, wanted: Sequence[str]) -> list[Json]:
        """Return the contract's columns, in the order wanted."""
        stored = {n: ends.as_json(n, self.rows) for n, ends in self.columns.items()}
        found = stored | self.partitions
        return [found[name] for name in wanted if name in found]


def profile_footers(
    footers: Sequence[ParquetFooter], columns: Sequence[ProfiledColumn], partitions: Partitions
) -> FooterProfile:
    """Return what the footers of objects and the names of their folders tell of columns."""
    found = FooterProfile()
    stored = [column.name for column in columns if column.name not in partitions]
    spelt = spelt_once([footer.names for footer in footers])
    for footer in footers:
        found.add(footer, stored, spelt)
    rows = [footer.num_rows for footer in footers]
    for column in columns:
        if column.name in partitions:
            told = partition_figures(column, partitions[column.name], rows)
            found.partitions[column.name] = told.as_json("footer")
    return found


def refuse_many(uri: str, count: int) -> None:
    """Refuse to read more footers than are read.

    Raises:
        LimitExceededError: With a sample as the call that works.
    """
    if count > _MOST_FOOTERS:
        raise LimitExceededError(
            f"{uri} has {count:,} objects",
            hint=f"Footers of {_MOST_FOOTERS:,} are read at most: narrow the prefix.",
            repair={"basis": "sample"},
        )


def are_few(objects: Sequence[ListedObject], total: int, meter: ScanMeter) -> bool:
    """Whether all of so many footers are read, and a call may still read as many bytes."""
    size = sum(min(one.size_bytes, TAIL_BYTES) for one in objects)
    return total <= _MOST_FOOTERS and size <= meter.remaining_bytes


def read_footers(
    store: ObjectStore, refs: Sequence[ObjectRef], meter: ScanMeter
) -> list[ParquetFooter]:
    """Return the footers of many objects, fetched side by side."""

    def one(ref: ObjectRef) -> ParquetFooter:
        return open_footer(ObjectReader.open_tail(store, ref, meter))

    if len(refs) == 1:
        return [one(refs[0])]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="footer") as pool:
        try:
            return list(pool.map(one, refs))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
