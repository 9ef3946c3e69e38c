"""Sets of Parquet whose numbers no one type holds: rounded, they are told."""

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
