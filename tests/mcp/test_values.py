"""Values as clients get them: nothing rounded, nothing guessed, the same from every tool."""

import gzip
import math
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.lake import Lake
from support.mcp import BUCKET, Answer, Caller
from support.objects import SHELF, Objects

EDGE = 2**53
UUID = uuid.UUID(int=5)
STRUCT = pa.struct([("a", pa.int8()), ("b", pa.decimal128(4, 1))])

VALUES: dict[str, tuple[Any, list[object]]] = {
    "small": (pa.array([-128, None], pa.int8()), [-128, None]),
    "edge": (pa.array([EDGE - 1, EDGE], pa.int64()), [EDGE - 1, str(EDGE)]),
    "negative": (pa.array([1 - EDGE, -EDGE], pa.int64()), [1 - EDGE, str(-EDGE)]),
    "unsigned": (pa.array([2**64 - 1, 7], pa.uint64()), [str(2**64 - 1), 7]),
    "odd": (pa.array([math.nan, math.inf, -math.inf]), ["NaN", "Infinity", "-Infinity"]),
    "decimal": (pa.array([Decimal("1.50")], pa.decimal128(10, 2)), ["1.50"]),
    "whole": (pa.array([Decimal(10**20), Decimal(5)], pa.decimal128(30, 0)), [str(10**20), 5]),
    "nano": (pa.array([1], pa.timestamp("ns")), ["1970-01-01T00:00:00.000000001"]),
    "zoned": (pa.array([0], pa.timestamp("us", tz="UTC")), ["1970-01-01T00:00:00+00:00"]),
    "day": (pa.array([date(2026, 1, 31)]), ["2026-01-31"]),
    "time": (pa.array([86_399_999_999], pa.time64("us")), ["23:59:59.999999"]),
    "bytes192": (pa.array([b"x" * 192]), ["base64:" + "eHh4" * 64]),
    "bytes193": (pa.array([b"x" * 193]), ["<binary 193 bytes>"]),
    "texts": (pa.array(["", None, "NA"]), ["", None, "NA"]),
    "nulls": (pa.array([None], pa.null()), [None]),
    "map": (
        pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        [{"a": 1}, {}, None],
    ),
    "pairs": (pa.array([[(1, "x")], []], pa.map_(pa.int32(), pa.string())), [[[1, "x"]], []]),
    "dated": (
        pa.array([[(date(2026, 1, 31), 1)]], pa.map_(pa.date32(), pa.int8())),
        [[["2026-01-31", 1]]],
    ),
    "nested": (pa.array([[1, None, 2**60], []]), [[1, None, str(2**60)], []]),
    "struct": (
        pa.array([{"a": 1, "b": Decimal("1.0")}, None], STRUCT),
        [{"a": 1, "b": "1.0"}, None],
    ),
    "uuid": (
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([UUID.bytes], pa.binary(16))),
        [str(UUID)],
    ),
    "coded": (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
}
SQL: dict[str, tuple[str, object]] = {
    "sum of integers": ("(SELECT sum(x) FROM (VALUES (1), (2)) t(x))", 3),
    "huge sum": (
        "(SELECT sum(x) FROM (VALUES (9223372036854775807), (1)) t(x))",
        "9223372036854775808",
    ),
    "largest huge": ("170141183460469231731687303715884105727", str(2**127 - 1)),
    "decimal": ("1.50::DECIMAL(10, 2)", "1.50"),
    "whole decimal": ("100::DECIMAL(20, 0)", 100),
    "not a number": ("'nan'::DOUBLE", "NaN"),
    "interval": ("INTERVAL '1 month 2 days 3 hours'", "P1M2DT3H"),
    "negative interval": ("INTERVAL '-1 day'", "-P1D"),
    "no interval": ("INTERVAL 0 day", "PT0S"),
    "zoned": ("TIMESTAMPTZ '2026-01-31 12:00:00+02'", "2026-01-31T10:00:00+00:00"),
    "nanoseconds": (
        "TIMESTAMP_NS '2026-01-31 12:00:00.123456789'",
        "2026-01-31T12:00:00.123456789",
    ),
    "time": ("TIME '12:00:01.5'", "12:00:01.500000"),
    "map": ("map {'k': 2}", {"k": 2}),
    "map of numbers": ("map {1: 'a'}", [[1, "a"]]),
    "struct": ("{'x': 1::HUGEINT}", {"x": 1}),
    "list": ("[[1, NULL], []]", [[1, None], []]),
    "uuid": ("'00000000-0000-0000-0000-000000000005'::UUID", str(UUID)),
    "json keeps its digits": (
        """'{"a": 12345678901234567890}'::JSON""",
        '{"a": 12345678901234567890}',
    ),
    "year before the first": ("'0044-03-15 (BC)'::DATE", "-0043-03-15"),
}


def _column(answer: Answer) -> list[object]:
    assert not answer.is_error, answer.text
    return [row[0] for row in answer.data["rows"]]


def _padded(array: Any, rows: int) -> Any:  # any Arrow array
    return pa.concat_arrays([array, pa.nulls(rows - len(array), array.type)])


@pytest.mark.parametrize("tool", ["read_parquet_from_s3", "query_csv_data"])
async def test_every_type_of_parquet(call: Caller, objects: Objects, tool: str) -> None:
    """Reading and querying write a value alike, by the contract's rules."""
    rows = max(len(array) for array, _ in VALUES.values())
    table = pa.table({name: _padded(array, rows) for name, (array, _) in VALUES.items()})
    key = objects.parquet("values/types.parquet", table)
    answer = await call(tool, bucket_name=SHELF, object_key=key)
    assert not answer.is_error, answer.text
    columns = dict(zip(VALUES, map(list, zip(*answer.data["rows"], strict=True)), strict=True))
    for name, (_, expected) in VALUES.items():
        assert columns[name] == expected + [None] * (rows - len(expected)), name


async def test_every_type_of_sql(call: Caller) -> None:
    """What only a query can compute follows the same rules."""
    texts = ", ".join(text for text, _ in SQL.values())
    answer = await call(
        "query_csv_data", bucket_name=BUCKET, object_key="orders.csv", sql=f"SELECT {texts}"
    )
    assert not answer.is_error, answer.text
    [row] = answer.data["rows"]
    for (name, (_, expected)), value in zip(SQL.items(), row, strict=True):
        assert value == expected, name


async def test_json_numbers_keep_their_digits(call: Caller, objects: Objects) -> None:
    """What a double would round comes as text."""
    body = "[12345678901234567890, 1.23456789012345678, 1e400, 0.1, 9007199254740991, 1.0]"
    key = objects.put("values/numbers.json", body)
    answer = await call("read_json_from_s3", bucket_name=SHELF, object_key=key)
    assert answer.data["records"] == [
        "12345678901234567890",
        "1.23456789012345678",
        "1e400",
        0.1,
        EDGE - 1,
        1.0,
    ]


CSV = {
    "leading zeros": ("01234\n00001\n", ["01234", "00001"]),
    "more digits than integers have": ("12345678901234567890\n1\n", ["12345678901234567890", "1"]),
    "more digits than doubles have": (
        "0.12345678901234567890\n1\n",
        ["0.12345678901234567890", "1"],
    ),
    "integers beyond doubles": ("9007199254740993\n1\n", ["9007199254740993", 1]),
    "null in numbers": ("1\nNA\n", [1, None]),
    "null in text": ("x\nNA\nNULL\n", ["x", "NA", "NULL"]),
    "empty and quoted empty": ('""\nx\n', ["", "x"]),
    "booleans": ("true\nfalse\nNone\n", [True, False, None]),
    "widened late": ("1\n" * 3_000 + "x\n", ["1"] * 3_000 + ["x"]),
}


@pytest.mark.parametrize("name", CSV)
async def test_csv_loses_no_digit(call: Caller, objects: Objects, name: str) -> None:
    """Types are widened rather than wrong; a query sees the same."""
    body, expected = CSV[name]
    lines = "".join(f"{line},0\n" for line in body.splitlines())
    key = objects.put(f"values/{name}.csv", f"v,w\n{lines}")
    for tool in ("read_csv_from_s3", "query_csv_data"):
        answer = await call(tool, bucket_name=SHELF, object_key=key, max_rows=9_000)
        assert _column(answer) == expected


@pytest.mark.parametrize(
    ("levels", "code"), [(200, ""), (201, "limit_exceeded"), (100_000, "limit_exceeded")]
)
@pytest.mark.parametrize("suffix", ["json", "jsonl"])
async def test_two_hundred_levels(
    call: Caller, objects: Objects, levels: int, code: str, suffix: str
) -> None:
    """One level more is a limit, not a crash."""
    key = objects.put(f"values/deep-{levels}.{suffix}", "[" * levels + "]" * levels)
    for tool in ("read_json_from_s3", "query_csv_data"):
        answer = await call(tool, bucket_name=SHELF, object_key=key)
        assert answer.is_error is bool(code), answer.text[:200]
        assert answer.text.startswith(code)


async def test_parquet_that_nests_too_deep_is_a_limit(call: Caller, objects: Objects) -> None:
    """It is not damaged."""
    kind: Any = pa.int64()
    nested: object = 1
    for _ in range(201):
        kind, nested = pa.list_(kind), [nested]
    key = objects.parquet("values/deep.parquet", pa.table({"v": pa.array([nested], kind)}))
    answer = await call("read_parquet_from_s3", bucket_name=SHELF, object_key=key)
    assert answer.text.startswith("limit_exceeded: ")


async def test_repeated_names_are_numbered_past_those_that_exist(
    call: Caller, objects: Objects
) -> None:
    """With a notice, in every tool that makes columns."""
    key = objects.put("values/twice.csv", "a,a,a_1,a\n1,2,3,4\n")
    table = pa.Table.from_arrays([pa.array([i]) for i in range(4)], names=["a", "a", "a_1", "a"])
    calls = [
        ("read_csv_from_s3", key, {}),
        ("query_csv_data", key, {}),
        ("read_parquet_from_s3", objects.parquet("values/twice.parquet", table), {}),
        ("query_csv_data", key, {"sql": "SELECT 1 a, 2 a, 3 a_1, 4 a"}),
    ]
    for tool, where, arguments in calls:
        answer = await call(tool, bucket_name=SHELF, object_key=where, **arguments)
        assert [c["name"] for c in answer.data["columns"]] == ["a", "a_2", "a_1", "a_3"], tool
        assert any("a_2, a_3" in notice for notice in answer.data["notices"]), tool


async def test_long_cells_are_clipped_and_counted(call: Caller, objects: Objects) -> None:
    """Also inside lists and structs; at the limit nothing is clipped."""
    table = pa.table({"s": ["x" * 2_000, "x" * 2_001], "l": [[], [{"t": "é" * 3_000}]]})
    key = objects.parquet("values/long.parquet", table)
    for tool in ("read_parquet_from_s3", "query_csv_data"):
        answer = await call(tool, bucket_name=SHELF, object_key=key)
        (whole, _), (clipped, nested) = answer.data["rows"]
        assert whole == "x" * 2_000
        assert clipped == "x" * 2_000 + "…(+1 chars)"
        assert nested == [{"t": "é" * 2_000 + "…(+1000 chars)"}]
        assert "2 cells were clipped to 2,000 characters." in answer.data["notices"]


async def test_a_table_without_columns_has_no_rows(
    call: Caller, objects: Objects, lake: Lake
) -> None:
    """As many rows as the file says, not as many as were asked for."""
    objects.parquet("values/no-columns.parquet", pa.table({}))
    key = "values/no-columns.parquet"
    answer = await call("read_parquet_from_s3", bucket_name=SHELF, object_key=key)
    assert not answer.is_error, answer.text
    assert (answer.data["rows"], answer.data["returned_rows"], answer.data["total_rows"]) == (
        [],
        0,
        0,
    )
    assert answer.lines[0].startswith("0 rows")
    assert len(lake.frame(f"s3://{SHELF}/{key}")) == 0


@pytest.mark.parametrize("cut", range(1, 6))
async def test_a_mark_is_found_across_short_members(
    call: Caller, objects: Objects, cut: int
) -> None:
    """Compressed members may end anywhere, also within the byte order mark."""
    for name, text in (("json", '\ufeff [{"a": 1}]'), ("jsonl", '\ufeff{"a": 1}\n{"a": 2}\n')):
        body = text.encode()
        packed = gzip.compress(body[:cut]) + gzip.compress(body[cut:])
        key = objects.put(f"values/members-{cut}.{name}.gz", packed)
        records = [{"a": i + 1} for i in range(text.count("a"))]
        read = await call("read_json_from_s3", bucket_name=SHELF, object_key=key)
        assert read.data.get("records") == records, read.text
        query = await call("query_csv_data", bucket_name=SHELF, object_key=key)
        assert query.data.get("rows") == [[i + 1] for i in range(len(records))], query.text


@pytest.mark.parametrize("form", ["plain", "gzip", "utf-16"])
@pytest.mark.parametrize(
    "text", ['a,b\n"x" ,1\n"y",2\n', 'a\n"x""" \nz\n', 'a\nx\n"y" ', 'a,b\n1,"x\ny"  \r\n2,z\r\n']
)
async def test_blanks_behind_a_quote_stay(
    call: Caller, objects: Objects, form: str, text: str
) -> None:
    """Queried or read, in whatever form the text is stored."""
    body = text.encode("utf-16" if form == "utf-16" else "utf-8")
    body = gzip.compress(body) if form == "gzip" else body
    key = objects.put(f"values/blanks-{form}-{len(text)}.csv", body)
    read = await call("read_csv_from_s3", bucket_name=SHELF, object_key=key)
    assert '" ' in text
    assert any(str(cell).endswith(" ") for row in read.data["rows"] for cell in row), read.text
    query = await call("query_csv_data", bucket_name=SHELF, object_key=key, sql="FROM data")
    assert query.data["rows"] == read.data["rows"]


@pytest.mark.parametrize(
    ("key", "tool"),
    [
        ("case.csv", "read_csv_from_s3"),
        ("case.csv", "query_csv_data"),
        ("case.csv", "get_dataset_summary"),
        ("case.parquet", "read_parquet_from_s3"),
        ("case.parquet", "query_csv_data"),
        ("case.parquet", "get_dataset_summary"),
    ],
)
async def test_columns_are_named_in_any_case(
    call: Caller, objects: Objects, key: str, tool: str
) -> None:
    """A name stands for itself, else for the one column that differs in case, told as it is."""
    table = pa.table({"id": [1], "Total": [2.5], "ab": ["x"], "AB": ["y"]})
    if key.endswith(".csv"):
        objects.put(key, "id,Total,ab,AB\n1,2.5,x,y\n")
    else:
        objects.parquet(key, table)
    asked = ["TOTAL", "ID", "ab"]
    place = "prefix" if tool == "get_dataset_summary" else "object_key"
    answer = await call(tool, bucket_name=SHELF, columns=asked, **{place: key})
    assert not answer.is_error, answer.text
    told = answer.data.get("columns") or answer.data["profile"]["columns"]
    assert [one["name"] for one in told] == ["Total", "id", "ab"]
    if tool.startswith("read"):
        doubtful = await call(tool, bucket_name=SHELF, object_key=key, columns=["aB"])
        assert doubtful.text.startswith("unknown_column: "), doubtful.text
        assert "ab (string), AB (string)" in doubtful.text
