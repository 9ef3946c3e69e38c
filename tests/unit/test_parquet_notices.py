"""What SQL has otherwise than the objects of Parquet: told, where it is not shown as it is."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from support.engine import Desk
from support.parquet_files import parquet_bytes

_LONG = 2**53 + 1
_LONG_FOR_FLOATS = 2**24 + 1
_FLOATS = pa.list_(pa.float32())


def _decimals(precision: int, scale: int) -> "pa.Array[Any]":
    return pa.array([Decimal("1.5")], pa.decimal128(precision, scale))


def _told(first: "pa.Array[Any]", second: "pa.Array[Any]", **options: Any) -> list[str]:
    """Return what is said of rounding in a set of two objects."""
    desk = Desk()
    for at, values in enumerate((first, second)):
        body = parquet_bytes(pa.table({"v": values}), **options)
        desk.put(f"odd/{at}.parquet", body)
    return [notice for notice in desk.run("odd/").notices if "rounded" in notice]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.array([_LONG]), pa.array([0.5])),
        (pa.array([-_LONG]), pa.array([0.5], pa.float32())),
        (pa.array([[_LONG]]), pa.array([[0.5]])),
        (pa.array([[_LONG_FOR_FLOATS]]), pa.array([[0.5]], _FLOATS)),
        (pa.array([{"A": _LONG, "b": "x"}]), pa.array([{"a": 0.5}])),
        (_decimals(16, 2), pa.array([0.5])),
        (_decimals(38, 2), _decimals(38, 10)),
    ],
)
def test_a_set_that_may_round_says_so(first: "pa.Array[Any]", second: "pa.Array[Any]") -> None:
    """The notice names the column and its types."""
    (notice,) = _told(first, second)
    assert f"v ({first.type} and {second.type})".replace("<item", "<element") in notice


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.array([_LONG - 1, None]), pa.array([0.5])),
        (pa.array([None], pa.int64()), pa.array([0.5])),
        (pa.array([[_LONG_FOR_FLOATS]]), pa.array([[0.5]])),
        (pa.array([{"a": _LONG}]), pa.array([{"b": 0.5}])),
        (_decimals(15, 2), pa.array([0.5])),
        (_decimals(28, 2), _decimals(36, 10)),
        (pa.array([_LONG]), pa.array(["x"])),
    ],
)
def test_a_set_that_keeps_all_digits_says_nothing(
    first: "pa.Array[Any]", second: "pa.Array[Any]"
) -> None:
    """Types that differ are no reason to warn."""
    assert _told(first, second) == []


@pytest.mark.parametrize(("values", "count"), [([], 0), ([1], 1)])
def test_without_statistics_integers_may_be_long(values: list[int], count: int) -> None:
    """Of no values there is nothing to round."""
    told = _told(pa.array(values, pa.int64()), pa.array([0.5]), write_statistics=False)
    assert len(told) == count


_MOMENT = 1_600_000_000_000_000
_MICROS = pa.timestamp("us")
_ZONES = "What has no zone is taken as UTC beside what has one: "
_SPANS = "Durations are plain numbers of their unit beside other types or units: "
_APART = ". Query the objects of each type on their own."


def _set(*tables: Mapping[str, "pa.Array[Any]"]) -> Desk:
    desk = Desk()
    for at, columns in enumerate(tables):
        desk.put(f"odd/{at}.parquet", parquet_bytes(pa.table(columns)))
    return desk


@pytest.mark.parametrize(
    ("first", "second", "notice"),
    [
        (
            pa.array([_MOMENT], _MICROS),
            pa.array([_MOMENT], pa.timestamp("us", "UTC")),
            f"{_ZONES}v (timestamp[us] and timestamp[us, tz=UTC]).",
        ),
        (
            pa.array([{"a": 1}], pa.struct([("a", pa.date32())])),
            pa.array([{"a": _MOMENT}], pa.struct([("a", pa.timestamp("us", "UTC"))])),
            f"{_ZONES}v (struct<a: date32[day]> and struct<a: timestamp[us, tz=UTC]>).",
        ),
        (
            pa.array([5], pa.duration("ms")),
            pa.array([5], pa.duration("s")),
            f"{_SPANS}v (duration[ms] and duration[s]){_APART}",
        ),
        (
            pa.array([5], pa.duration("ms")),
            pa.array([5]),
            f"{_SPANS}v (duration[ms] and int64){_APART}",
        ),
    ],
)
def test_zones_and_units_that_get_lost_are_told(
    first: "pa.Array[Any]", second: "pa.Array[Any]", notice: str
) -> None:
    """The values of one object mean something else beside those of the other."""
    assert list(_set({"v": first}, {"v": second}).run("odd/").notices) == [notice]


@pytest.mark.parametrize("kind", [_MICROS, pa.timestamp("ns")])
def test_one_kind_of_timestamps_is_not_talked_of(kind: pa.DataType) -> None:
    """Units differ, and dates stand among them: nothing of that changes what they mean."""
    moments = {"v": pa.array([_MOMENT], kind)}
    days = {"v": pa.array([1], pa.date32())}
    assert _set(moments, days).run("odd/").notices == []


def test_types_are_kept_in_sets_whose_objects_lack_columns() -> None:
    """A column has the type of the objects that have it."""
    spans = pa.array([5], pa.duration("ms"))
    desk = _set({"v": spans, "more": pa.array([1])}, {"V": spans}, {"other": pa.array([1])})
    found = desk.run("odd/").table
    assert [str(kind) for kind in found.schema.types] == ["duration[ms]", "int64", "int64"]


def test_types_are_kept_beside_a_column_that_partitions_hide() -> None:
    """The folders' column stands last, whatever its place in the files: `v` came as text."""
    desk = Desk()
    body = parquet_bytes(pa.table({"day": pa.array(["x"]), "v": pa.array([5])}))
    for day in (1, 2):
        desk.put(f"odd/day={day}/0.parquet", body)
    assert desk.rows("odd/") == [{"v": 5, "day": 1}, {"v": 5, "day": 2}]


def _legacy(**metadata: str) -> Desk:
    desk, moment = Desk(), pa.array([_MOMENT * 1_000 + 789], pa.timestamp("ns"))
    table = pa.table({"t": moment}).replace_schema_metadata(metadata)
    desk.put("a.parquet", parquet_bytes(table, use_deprecated_int96_timestamps=True))
    return desk


def test_timestamps_of_96_bits_are_told_and_the_way_to_all_digits_leads_there() -> None:
    """The engine cuts them to microseconds, unless it is told otherwise."""
    desk = _legacy()
    (notice,) = desk.run("a.parquet").notices
    assert "INT96 are cut to microseconds in SQL: t. read_parquet('s3://…', int96_as" in notice
    source = "read_parquet('s3://lake/a.parquet', int96_as='timestamp_ns')"
    sql = f"SELECT CAST(t AS VARCHAR) FROM {source}"
    assert desk.value("a.parquet", sql) == "2020-09-13 12:26:40.000000789"


def test_timestamps_that_spark_wrote_lose_nothing() -> None:
    """Spark has microseconds; most INT96 is its."""
    assert _legacy(**{"org.apache.spark.version": "3.5.1"}).run("a.parquet").notices == []
