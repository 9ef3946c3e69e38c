"""Footer profiles: what statistics say, equal to the data, and nothing that they do not say."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError
from s3_data_lake_mcp.profiling.columns import spelt_once
from s3_data_lake_mcp.profiling.footer import FooterProfile, read_footers, refuse_many
from s3_data_lake_mcp.storage import ScanMeter
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes
from support.summaries import Summaries


def _profile(
    *bodies: bytes, columns: tuple[str, ...] = (), meter: ScanMeter | None = None
) -> dict[str, dict[str, Any]]:
    store = MemoryStore()
    refs = [store.put("lake", f"{at}.parquet", body) for at, body in enumerate(bodies)]
    found = FooterProfile()
    footers = read_footers(store, refs, meter or ScanMeter())
    names = list(columns) or list(dict.fromkeys(n for footer in footers for n in footer.names))
    for footer in footers:
        found.add(footer, names, spelt_once([each.names for each in footers]))
    rows: dict[str, dict[str, Any]] = {str(c["name"]): dict(c) for c in found.as_json(names)}
    return rows | {"": {"rows": found.rows}}


_NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
_VALUES: dict[str, tuple[pa.DataType, list[Any], Any, Any]] = {
    "i8": (pa.int8(), [3, -1], -1, 3),
    "u32": (pa.uint32(), [1, 2**32 - 1], 1, 2**32 - 1),
    "u64": (pa.uint64(), [2**64 - 1, 5], 5, str(2**64 - 1)),
    "f": (pa.float64(), [1.5, float("nan"), -2.0], -2.0, 1.5),
    "s": (pa.string(), ["é", "z"], "z", "é"),
    "b": (pa.bool_(), [True, False], False, True),
    "d": (pa.date32(), [dt.date(2026, 1, 2), dt.date(1969, 1, 1)], "1969-01-01", "2026-01-02"),
    "ns": (pa.timestamp("ns"), [1, 2], "1970-01-01T00:00:00.000000001", None),
    "tz": (pa.timestamp("us", "UTC"), [_NOW], "2026-01-02T03:04:05.000006+00:00", None),
    "ms": (pa.timestamp("ms"), [60_000], "1970-01-01T00:01:00", None),
    "t": (pa.time64("us"), [dt.time(1, 2, 3)], "01:02:03", None),
    "t32": (pa.time32("ms"), [dt.time(1, 2, 3)], "01:02:03", None),
    "dec": (pa.decimal128(30, 2), [Decimal("-1.10"), Decimal("2.00")], "-1.10", "2.00"),
    "dic": (pa.dictionary(pa.int8(), pa.string()), ["b", "a"], "a", "b"),
}


@pytest.mark.parametrize("name", _VALUES)
def test_ends_of_every_type(name: str) -> None:
    """Smallest and largest values are those of the data, in the contract's JSON."""
    kind, values, low, high = _VALUES[name]
    found = _profile(parquet_bytes(pa.table({"x": pa.array([*values, None], kind)})))["x"]
    assert (found["type"], found["nulls"], found["basis"]) == (str(kind), 1, "footer")
    assert found["min"] == low
    assert high is None or found["max"] == high


def test_row_groups_and_objects_add_up() -> None:
    """Counts are sums, ends those of all row groups of all objects."""
    bodies = [
        parquet_bytes(pa.table({"x": [*range(at, at + 50), None]}), row_group_size=7)
        for at in (100, 0)
    ]
    found = _profile(*bodies)
    assert found[""]["rows"] == 102
    assert (found["x"]["nulls"], found["x"]["min"], found["x"]["max"]) == (2, 0, 149)
    assert found["x"]["null_fraction"] == pytest.approx(2 / 102, abs=1e-6)


def test_a_column_that_an_object_lacks_is_null_there() -> None:
    """Rows of objects without a column count as nulls, before and after it came."""
    found = _profile(
        parquet_bytes(pa.table({"a": [1, 2]})),
        parquet_bytes(pa.table({"a": [3], "b": [4]})),
        parquet_bytes(pa.table({"a": [5, 6, 7]})),
    )
    assert (found["a"]["nulls"], found["b"]["nulls"]) == (0, 5)


def test_what_statistics_leave_out_is_null() -> None:
    """No statistics, nested columns, cut texts: null, never a guess."""
    table = pa.table({"x": [1, 2], "l": [[1], None], "s": [{"a": 1}, {"a": 2}]})
    bare = _profile(parquet_bytes(table, write_statistics=False))["x"]
    assert bare["nulls"] is bare["min"] is bare["null_fraction"] is None
    nested = _profile(parquet_bytes(table))
    assert nested["l"]["nulls"] is nested["s"]["min"] is None
    changed = _profile(
        parquet_bytes(table.select([0])), parquet_bytes(pa.table({"x": ["a", None]}))
    )["x"]
    assert (changed["nulls"], changed["min"]) == (1, None)


def test_all_nulls_have_no_ends() -> None:
    """A row group of nulls alone spoils no ends of the others."""
    found = _profile(
        parquet_bytes(pa.table({"x": pa.array([None, None, 4, 5])}), row_group_size=2)
    )["x"]
    assert (found["nulls"], found["min"], found["max"]) == (2, 4, 5)


def test_columns_are_chosen_in_order() -> None:
    """Only the columns asked for are looked at, in that order."""
    body = parquet_bytes(pa.table({"a": [1], "b": [2], "c": [3]}))
    assert list(_profile(body, columns=("c", "a")))[:2] == ["c", "a"]


def test_one_object_costs_two_requests_at_most() -> None:
    """Statistics of a wide object with many row groups need its footer alone."""
    table = pa.table({f"c{i}": np.arange(2_000).tolist() for i in range(30)})
    small, large = ScanMeter(), ScanMeter()
    _profile(parquet_bytes(table), meter=small)
    body = parquet_bytes(table, row_group_size=20)
    _profile(body, meter=large)
    assert small.requests == 1
    assert large.requests == 2
    assert large.bytes_read < len(body)


def test_a_torn_object_is_refused() -> None:
    """An object without a footer is an error that names it."""
    with pytest.raises(MalformedDataError, match=r"1\.parquet"):
        _profile(parquet_bytes(pa.table({"x": [1]})), b"PAR1 torn")


def test_objects_without_values_have_types_too() -> None:
    """The type is the one that the other bases name."""
    summaries = Summaries()
    summaries.put("t/1.parquet", pa.table({"x": pa.array([1], pa.int32())}))
    summaries.put("t/2.parquet", pa.table({"x": pa.array([None], pa.int64())}))
    told = [summaries.columns("t/", basis)["x"] for basis in ("footer", "exact")]
    assert [(one["type"], one["min"], one["nulls"]) for one in told] == [("int64", 1, 1)] * 2


@pytest.mark.parametrize(
    ("kinds", "kind", "low", "high"),
    [
        ((pa.int32(), pa.int64()), "int64", 1, 2),
        ((pa.int64(), pa.float64()), "double", 1.0, 2.0),
        ((pa.decimal128(5, 1), pa.decimal128(9, 2)), "decimal128(9, 2)", "1.00", "2.00"),
        ((pa.null(), pa.int8()), "int8", 2, 2),
        ((pa.int8(), pa.null()), "int8", 1, 1),
        ((pa.int64(), pa.string()), "string", None, None),
        ((pa.int64(), pa.date32(), pa.int64()), "string", None, None),
        (
            (pa.timestamp("ms"), pa.timestamp("us")),
            "timestamp[us]",
            "0001-01-01T00:00:00",
            "0002-01-01T00:00:00",
        ),
    ],
)
def test_types_that_differ_between_objects(
    kinds: tuple[pa.DataType, ...], kind: str, low: object, high: object
) -> None:
    """Numbers have the type that holds all of them; what has no common order has no ends."""
    summaries = Summaries()
    for at, each in enumerate(kinds, 1):
        text = f"000{at}-01-01" if pa.types.is_temporal(each) else str(at)
        values = pa.nulls(1) if each == pa.null() else pa.array([text]).cast(each)
        summaries.put(f"t/{at}.parquet", pa.table({"x": values}))
    told = summaries.of("t/", "footer")
    (column,) = told["profile"]["columns"]
    assert (column["type"], column["min"], column["max"]) == (kind, low, high)
    said = "No min and max of columns whose types differ: x."
    assert (said in told["notices"]) is (low is None)
    assert summaries.columns("t/", "sample")["x"]["type"] == kind


def test_footers_of_very_many_objects_are_not_read() -> None:
    """A thousand are; of more, a sample is the call that works."""
    refuse_many("s3://lake/t/", 1_000)
    with pytest.raises(LimitExceededError) as caught:
        refuse_many("s3://lake/t/", 1_001)
    assert caught.value.repair == {"basis": "sample"}


def test_ends_of_several_objects_are_ordered_by_their_instants() -> None:
    """When clocks are set back, what is written later may be earlier."""
    kind = pa.timestamp("s", "Europe/Berlin")
    written = [1792888200, 1792890000]  # 02:30 before the clocks are set back, 02:00 behind it
    bodies = [parquet_bytes(pa.table({"t": pa.array([at], kind)})) for at in written]
    ends = [_profile(*some)["t"] for some in (bodies, bodies[::-1])]
    for column in ends:
        assert column["min"] == "2026-10-25T02:30:00+02:00"
        assert column["max"] == "2026-10-25T02:00:00+01:00"
