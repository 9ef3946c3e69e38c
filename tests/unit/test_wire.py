"""Values on the wire: the contract's rules, type by type."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pytest

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.errors import LimitExceededError

EXACT = 2**53 - 1
EAST = timezone(timedelta(hours=2))
UUID_TEXT = "2f7a4c1e-8f0b-4b7e-9d57-0c7a3d2b1e90"


def _interval(months: int, days: int, nanoseconds: int) -> Any:
    return pa.MonthDayNano((months, days, nanoseconds))  # type: ignore[call-arg,arg-type] # it takes a sequence


def shown(values: list[Any], kind: Any = None, clipper: wire.Clipper | None = None) -> list[Any]:
    """Return one column of values as the wire shows it, beginning in the middle of an array."""
    array = pa.array([None, *values], kind)
    table = pa.table({"c": array.slice(1)})
    return [row[0] for row in wire.json_rows(table, clipper or wire.Clipper())]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (pa.null(), [None], [None]),
        (pa.bool_(), [True, False, None], [True, False, None]),
        (pa.int8(), [-128, None], [-128, None]),
        (pa.int64(), [EXACT, EXACT + 1, -EXACT - 1], [EXACT, str(EXACT + 1), str(-EXACT - 1)]),
        (pa.uint64(), [2**64 - 1, 7], [str(2**64 - 1), 7]),
        (pa.float64(), [0.1, math.nan, math.inf, -math.inf], [0.1, "NaN", "Infinity", "-Infinity"]),
        (pa.float16(), [1.5, None], [1.5, None]),
        (pa.decimal32(9, 2), [Decimal("1.10"), None], ["1.10", None]),
        (pa.decimal128(38, 9), [Decimal("1e-9")], ["0.000000001"]),
        (pa.decimal128(38, 0), [Decimal(7), Decimal(10**37)], [7, str(10**37)]),
        (pa.decimal128(10, -2), [Decimal(12300)], [12300]),
        (pa.decimal256(76, 0), [Decimal("9" * 76)], ["9" * 76]),
        (pa.string(), ["é", "", None], ["é", "", None]),
        (pa.string_view(), ["longer than twelve bytes"], ["longer than twelve bytes"]),
        (pa.large_string(), ["x"], ["x"]),
        (pa.binary(), [b"\x00\xff", None], ["base64:AP8=", None]),
        (pa.binary(), [b"a" * 192, b"a" * 193], ["base64:" + "YWFh" * 64, "<binary 193 bytes>"]),
        (pa.binary(2), [b"ab"], ["base64:YWI="]),
        (pa.binary_view(), [b"ab"], ["base64:YWI="]),
        (pa.date32(), [0, -1], ["1970-01-01", "1969-12-31"]),
        (pa.date64(), [86_400_000], ["1970-01-02"]),
        (pa.time32("s"), [3_661], ["01:01:01"]),
        (pa.time64("us"), [86_400_000_000], ["24:00:00"]),
        (pa.time64("ns"), [1], ["00:00:00.000000001"]),
        (pa.timestamp("s"), [0], ["1970-01-01T00:00:00"]),
        (pa.timestamp("ms"), [-1], ["1969-12-31T23:59:59.999000"]),
        (pa.timestamp("us", "UTC"), [1], ["1970-01-01T00:00:00.000001+00:00"]),
        (pa.timestamp("s", "+05:30"), [0], ["1970-01-01T05:30:00+05:30"]),
        (pa.timestamp("s", "-03:00"), [0], ["1969-12-31T21:00:00-03:00"]),
        (pa.timestamp("s", "Nowhere/Land"), [0], ["1970-01-01T00:00:00+00:00"]),
        (pa.timestamp("s"), [253_402_300_800], ["+10000-01-01T00:00:00"]),
        (pa.timestamp("s"), [-62_167_219_201], ["-0001-12-31T23:59:59"]),
        (pa.timestamp("us"), [2**63 - 1, 1 - 2**63], ["Infinity", "-Infinity"]),
        (pa.timestamp("ns"), [2**63 - 1], ["2262-04-11T23:47:16.854775807"]),
        (pa.duration("s"), [0, 90_061, -60], ["PT0S", "P1DT1H1M1S", "-PT1M"]),
        (pa.duration("ns"), [1_500_000_000], ["PT1.5S"]),
        (
            pa.month_day_nano_interval(),
            [_interval(14, 3, 10**9), _interval(-1, 0, 0)],
            ["P1Y2M3DT1S", "-P1M"],
        ),
        (
            pa.month_day_nano_interval(),
            [_interval(1, -2, -1_500_000_000)],
            ["P1M-2DT-1.5S"],
        ),
        (pa.list_(pa.int64()), [[1, None], [], None], [[1, None], [], None]),
        (pa.large_list(pa.string()), [["a"], None], [["a"], None]),
        (pa.list_view(pa.int8()), [[1], [2, 3]], [[1], [2, 3]]),
        (pa.list_(pa.int8(), 2), [[1, 2], None, [3, 4]], [[1, 2], None, [3, 4]]),
        (pa.struct([("a", pa.int8())]), [{"a": None}, None], [{"a": None}, None]),
        (pa.struct([]), [{}, None], [{}, None]),
        (
            pa.map_(pa.string(), pa.int8()),
            [[("a", 1), ("b", None)], [], None],
            [{"a": 1, "b": None}, {}, None],
        ),
        (pa.map_(pa.int8(), pa.string()), [[(1, "a")], []], [[[1, "a"]], []]),
        (pa.map_(pa.date32(), pa.int8()), [[(0, 1)]], [[["1970-01-01", 1]]]),
        (pa.map_(pa.string(), pa.int8()), [[("a", 1), ("a", 2)]], [[["a", 1], ["a", 2]]]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", None, "a"], ["a", None, "a"]),
        (pa.uuid(), [UUID(UUID_TEXT).bytes, None], [UUID_TEXT, None]),
        (pa.bool8(), [1, 0, None], [True, False, None]),
        (pa.json_(), ['{"a":1}'], ['{"a":1}']),
    ],
    ids=str,
)
def test_each_arrow_type(kind: Any, values: list[Any], expected: list[Any]) -> None:
    """A cell of each Arrow type is the JSON value that the contract names."""
    if isinstance(kind, pa.BaseExtensionType):
        storage = pa.array([None, *values], kind.storage_type)
        array = pa.ExtensionArray.from_storage(kind, storage).slice(1)
        rows = wire.json_rows(pa.table({"c": array}), wire.Clipper())
        assert [row[0] for row in rows] == expected
        return
    assert shown(values, kind) == expected


def test_a_zone_with_daylight_saving() -> None:
    """The offset is that of the instant."""
    values = [datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 7, 31, 12, tzinfo=UTC)]
    assert shown(values, pa.timestamp("us", "Europe/Berlin")) == [
        "2026-01-31T13:00:00+01:00",
        "2026-07-31T14:00:00+02:00",
    ]


@pytest.mark.parametrize("mode", ["sparse", "dense"])
def test_unions_show_the_value_that_is_there(mode: str) -> None:
    """A union is its value, whichever of its types that has."""
    codes = pa.array([0, 1, 1, 0], pa.int8())
    if mode == "sparse":
        numbers, texts = pa.array([1, 0, 0, 4]), pa.array(["", "b", "c", ""])
        union = pa.UnionArray.from_sparse(codes, [numbers, texts])
    else:
        offsets = pa.array([0, 0, 1, 1], pa.int32())
        children: Any = [pa.array([1, 4]), pa.array(["b", "c"])]
        union = pa.UnionArray.from_dense(codes, offsets, children)
    assert [r[0] for r in wire.json_rows(pa.table({"c": union.slice(1)}), wire.Clipper())] == [
        "b",
        "c",
        4,
    ]


def test_run_end_encoded_values_are_repeated() -> None:
    """A run shows its value in each of its rows."""
    ends, values = pa.array([2, 3], pa.int32()), pa.array(["a", None])
    table = pa.table({"c": pa.RunEndEncodedArray.from_arrays(ends, values)})
    assert wire.json_rows(table, wire.Clipper()) == [["a"], ["a"], [None]]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("170141183460469231731687303715884105727::HUGEINT", str(2**127 - 1)),
        ("340282366920938463463374607431768211455::UHUGEINT", str(2**128 - 1)),
        ("'-123456789012345678901234567890'::BIGNUM", "-123456789012345678901234567890"),
        ("5::BIGNUM", 5),
        ("'0101'::BIT", "0101"),
        ("TIMETZ '12:00:00-02:30'", "12:00:00-02:30"),
        ("TIMETZ '12:00:00+00'", "12:00:00+00:00"),
        ("sum(1::HUGEINT)", 1),
        (f"'{UUID_TEXT}'::UUID", UUID_TEXT),
    ],
)
def test_values_that_only_duckdb_has(sql: str, expected: object) -> None:
    """DuckDB's opaque bytes are read as what they are."""
    with duckdb.connect() as connection:
        connection.execute("SET arrow_lossless_conversion = true")
        table = connection.sql(f"SELECT {sql} AS c").to_arrow_table()
    assert wire.json_rows(table, wire.Clipper()) == [[expected]]


def test_rows_keep_order_and_count() -> None:
    """Rows come in order, over chunks, and rows without columns are still rows."""
    columns: Any = [pa.chunked_array([[1], [2, 3]]), pa.chunked_array([["x", "y", "z"]])]
    table = pa.Table.from_arrays(columns, names=["a", "b"])
    assert wire.json_rows(table, wire.Clipper()) == [[1, "x"], [2, "y"], [3, "z"]]
    assert wire.json_rows(table.select([]), wire.Clipper()) == [[], [], []]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (-EXACT, -EXACT),
        (-EXACT - 1, str(-EXACT - 1)),
        ("12345678901234567.5", "12345678901234567.5"),
        (math.nan, "NaN"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+2"), 100),
        (Decimal("NaN"), "NaN"),
        (
            datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-31T12:00:00+02:00",
        ),
        (date(2026, 1, 31), "2026-01-31"),
        (time(1, 2, 3, 4), "01:02:03.000004"),
        (timedelta(days=-1, seconds=1), "-PT23H59M59S"),
        (UUID(UUID_TEXT), UUID_TEXT),
        (b"\x00", "base64:AA=="),
        ({"a": [1, {"b": None}], "c": ()}, {"a": [1, {"b": None}], "c": []}),
        ({1: "a"}, [[1, "a"]]),
        (_interval(1, 0, 0), "P1M"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_python_values(value: object, expected: object) -> None:
    """Python values follow the same rules."""
    assert wire.json_value(value) == expected


def test_an_integer_wider_than_python_writes_at_once() -> None:
    """Thousands of digits are digits, clipped like any text."""
    assert wire.json_value(-(10**5000), wire.Clipper(9_000)) == f"-1{'0' * 5000}"
    assert wire.json_value(10**5000) == f"1{'0' * 1999}…(+3001 chars)"


def test_long_texts_are_clipped_and_counted() -> None:
    """Texts over the limit say how much is missing, nested ones too; a cell counts once."""
    clipper = wire.Clipper(3)
    kind = pa.struct([("a", pa.string()), ("b", pa.list_(pa.string()))])
    values = [{"a": "12345", "b": ["1234", "12"]}, {"a": "123", "b": []}]
    assert shown(values, kind, clipper) == [
        {"a": "123…(+2 chars)", "b": ["123…(+1 chars)", "12"]},
        {"a": "123", "b": []},
    ]
    assert shown(["x" * 5_000] * 2, pa.dictionary(pa.int8(), pa.string()), clipper)[0] == (
        "xxx…(+4997 chars)"
    )
    assert clipper.notices() == ["3 cells were clipped to 3 characters."]


def test_lone_surrogates_are_replaced_with_a_notice() -> None:
    """What no encoding can carry becomes U+FFFD, in keys as in values."""
    clipper = wire.Clipper()
    assert wire.json_value({"k\udc80": ["\ud800x", "\U0001f600"]}, clipper) == {
        "k\ufffd": ["\ufffdx", "\U0001f600"]
    }
    assert clipper.notices() == [
        "2 texts hold characters that are not valid Unicode, shown as U+FFFD."
    ]


def test_keys_that_become_alike_are_kept_apart() -> None:
    """An object is not made smaller by replacing: then it comes as pairs."""
    assert wire.json_value({chr(0xD800): 1, chr(0xD801): 2}) == [["\ufffd", 1], ["\ufffd", 2]]


def test_text_that_is_not_utf8() -> None:
    """Bytes that a string column holds against its type are replaced with a notice."""
    offsets = pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0")
    array = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xffaok")])
    clipper = wire.Clipper()
    assert wire.json_rows(pa.table({"c": array}), clipper) == [["\ufffda"], ["ok"]]
    assert clipper.notices() == [
        "1 text holds characters that are not valid Unicode, shown as U+FFFD."
    ]


def _nested_value(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def _nested_table(levels: int) -> object:
    kind: pa.DataType = pa.int8()
    array: Any = pa.array([1], kind)
    for _ in range(levels):
        array = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), array)
    return wire.json_rows(pa.table({"c": array}), wire.Clipper())[0][0]


@pytest.mark.parametrize("make", [lambda n: wire.json_value(_nested_value(n)), _nested_table])
def test_depth_is_bounded(make: Callable[[int], object]) -> None:
    """Two hundred levels are read, one more is refused."""
    assert json.dumps(make(200)) == "[" * 200 + "1" + "]" * 200
    with pytest.raises(LimitExceededError, match="200 levels"):
        make(201)


@pytest.mark.parametrize(
    ("names", "unique", "renamed"),
    [
        (["a", "b"], ("a", "b"), ""),
        (["a", "a", "a"], ("a", "a_1", "a_2"), "a_1, a_2"),
        (["a", "a_1", "a"], ("a", "a_1", "a_2"), "a_2"),
        (["a", "a", "a_1"], ("a", "a_2", "a_1"), "a_2"),
        (["x"] * 8, ("x", *(f"x_{i}" for i in range(1, 8))), "x_1, x_2, x_3, x_4, x_5 and 2 more"),
    ],
)
def test_duplicate_names_are_numbered(
    names: list[str], unique: tuple[str, ...], renamed: str
) -> None:
    """Duplicates get `_1`, `_2`, skipping names that exist, and the notice names them."""
    notice = f"Duplicate column names were numbered: {renamed}." if renamed else ""
    assert wire.unique_names(names) == (unique, notice)


def test_many_duplicates_cost_little() -> None:
    """Thousands of columns of one name are numbered in linear time."""
    names, _ = wire.unique_names(["x"] * 5_000)
    assert len(set(names)) == 5_000


def test_column_specs_name_types_as_pyarrow_prints_them() -> None:
    """Columns have distinct names, Arrow's type names and their nullability."""
    fields = [
        pa.field("a", pa.int64(), nullable=False),
        pa.field("a", pa.timestamp("us", "UTC")),
        pa.field("l", pa.list_(pa.field("element", pa.string()))),
    ]
    assert wire.column_specs(pa.schema(fields)) == [
        {"name": "a", "type": "int64", "nullable": False},
        {"name": "a_1", "type": "timestamp[us, tz=UTC]", "nullable": True},
        {"name": "l", "type": "list<element: string>", "nullable": True},
    ]


def test_a_huge_type_name_is_clipped() -> None:
    """The name of a structure with thousands of fields does not fill the result."""
    kind = pa.struct([(f"field_{i}", pa.int8()) for i in range(3_000)])
    (spec,) = wire.column_specs(pa.schema([pa.field("c", kind)]))
    assert len(spec["type"]) < 2_100
    assert "…(+" in spec["type"]


def test_pandas_is_not_imported() -> None:
    """Zoned and nanosecond times, decimals and nested values reach the wire without pandas."""
    code = """
import sys, duckdb
from s3_data_lake_mcp import wire
table = duckdb.sql('''SELECT now() AS a, TIMESTAMP_NS '2026-01-01 00:00:00.123456789' AS b,
    1.5::DECIMAL(9,2) AS c, [now()] AS d, {'x': DATE '2026-01-01'} AS e, MAP {'k': now()} AS f,
    'x'::ENUM('x') AS g, INTERVAL '1 day' AS h, union_value(n := now()) AS i''').to_arrow_table()
wire.json_rows(table, wire.Clipper())
sys.exit("pandas" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
