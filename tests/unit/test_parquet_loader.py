"""Parquet pages: exact, cheap, and refused in plain words where they cannot be read."""

import gzip
import struct
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    LakeError,
    LimitExceededError,
    MalformedDataError,
    UnknownColumnError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.storage import ScanMeter
from support.parquet_files import dice, encrypted, loaded, opened, parquet_bytes

NUMBERS = pa.table({"n": list(range(1_000)), "t": [f"text {i}" for i in range(1_000)]})
SMALL = pa.table({"a": [1, 2], "b": ["x", "y"]})


def refused(
    body: bytes, error: type[LakeError], key: str = "x.parquet", **request: Any
) -> LakeError:
    """Return the error that a load ends in."""
    with pytest.raises(error) as caught:
        ParquetLoader().load(opened(body, key), LoadRequest(max_rows=10, **request))
    assert str(caught.value).startswith(f"s3://b/{key}")
    assert caught.value.hint or not body
    return caught.value


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_codec_and_page_version(codec: str, version: str) -> None:
    """All that writers compress with is read, and named."""
    body = parquet_bytes(NUMBERS, compression=codec, data_page_version=version, row_group_size=300)
    page = loaded(body, 50, offset=280)
    assert page.columns == NUMBERS.slice(280, 51).to_pydict()
    told: Any = page.result.details["parquet"]
    assert told["compression"] in (codec.upper().replace("NONE", "UNCOMPRESSED"), "LZ4_RAW")


@pytest.mark.parametrize(
    ("kind", "values", "encoding"),
    [
        (pa.int32(), [3, 1, 2], "DELTA_BINARY_PACKED"),
        (pa.string(), ["ab", "abc", "b"], "DELTA_BYTE_ARRAY"),
        (pa.string(), ["ab", "abc", "b"], "DELTA_LENGTH_BYTE_ARRAY"),
        (pa.float64(), [0.5, 1e300, -1.0], "BYTE_STREAM_SPLIT"),
        (pa.bool_(), [True, False, None], "RLE"),
    ],
)
def test_every_encoding(kind: Any, values: list[Any], encoding: str) -> None:
    """All that writers encode with is read."""
    table = pa.table({"c": pa.array(values, kind)})
    body = parquet_bytes(table, use_dictionary=False, column_encoding=encoding)
    assert loaded(body).columns == {"c": values}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.uint64(), [2**64 - 1, None]),
        (pa.uint32(), [2**32 - 1]),
        (pa.decimal128(38, 10), [Decimal("1.0000000001"), None]),
        (pa.decimal256(60, 2), [Decimal("1.10")]),
        (pa.dictionary(pa.int32(), pa.string()), ["a", "b", "a", None]),
        (pa.large_string(), ["x"]),
        (pa.timestamp("us", "Europe/Berlin"), [datetime(2026, 1, 1, tzinfo=UTC)]),
        (pa.list_(pa.struct([("a", pa.list_(pa.int8()))])), [[{"a": [1, None]}], [], None]),
        (pa.map_(pa.string(), pa.int32()), [[("k", 1)], None]),
        (pa.binary(2), [b"ab"]),
    ],
    ids=str,
)
def test_types_come_back_as_they_were_written(kind: Any, values: list[Any]) -> None:
    """`ARROW:schema` restores what Parquet itself has no type for."""
    table = pa.table({"c": pa.array(values, kind)})
    result = loaded(parquet_bytes(table)).result
    assert result.table.schema.field("c").type == kind
    assert result.table.to_pydict() == table.to_pydict()


def test_the_page_says_what_was_read() -> None:
    """Totals are exact, and only the row groups that hold the page are read."""
    page = loaded(parquet_bytes(NUMBERS, row_group_size=100), 10, offset=195)
    assert (page.result.offset, page.result.total_rows) == (195, 1_000)
    assert page.result.table["n"].to_pylist() == list(range(195, 206))
    told: Any = page.result.details["parquet"]
    assert told | {"created_by": ""} == {
        "num_rows": 1_000,
        "num_row_groups": 10,
        "row_groups_read": 2,
        "created_by": "",
        "compression": "SNAPPY",
        "encrypted": False,
    }
    assert told["created_by"].startswith("parquet-cpp-arrow")


@pytest.mark.parametrize("offset", [1_023, 5_000, 19_999])
def test_deep_in_a_row_group(offset: int) -> None:
    """Rows before the page are decoded and left out, however many they are."""
    body = parquet_bytes(pa.table({"n": list(range(20_000))}))
    expected = list(range(offset, min(offset + 11, 20_000)))
    assert loaded(body, 10, offset=offset).columns == {"n": expected}


@pytest.mark.parametrize("offset", [1_000, 1_001])
def test_behind_the_last_row(offset: int) -> None:
    """There the page is empty, has its columns, and a notice if it began too far behind."""
    result = loaded(parquet_bytes(NUMBERS), 10, offset=offset, columns=("t",)).result
    assert (result.table.num_rows, result.table.column_names) == (0, ["t"])
    assert bool(result.notices) == (offset > 1_000)


def test_behind_the_last_row_of_nested_uuids() -> None:
    """There the page is empty too, though Arrow has no empty column of their type."""
    uuids = pa.array([bytes(range(16))], pa.uuid())
    table = pa.table({"s": pa.StructArray.from_arrays([uuids], names=["u"])})
    page = loaded(parquet_bytes(table), 10, offset=1).result.table
    assert (page.num_rows, page.schema.field("s").type) == (0, table.schema.field("s").type)


@pytest.mark.parametrize("rows", [0, 2])
def test_no_rows_or_no_columns(rows: int) -> None:
    """Files without rows, or without columns, are tables too."""
    table = SMALL.slice(0, rows)
    assert loaded(parquet_bytes(table)).result.table.column_names == ["a", "b"]
    assert loaded(parquet_bytes(table)).result.total_rows == rows
    assert loaded(parquet_bytes(table.select([]))).result.table.num_columns == 0


def test_columns_in_the_order_asked_for() -> None:
    """A projection keeps its order, whatever the file's, and may repeat a column."""
    body = parquet_bytes(SMALL)
    assert loaded(body, columns=("b", "a")).result.table.column_names == ["b", "a"]
    assert loaded(body, columns=("b", "b")).result.table.num_columns == 2


def test_duplicate_names() -> None:
    """Columns of one name are all there, numbered, and can be asked for by number."""
    columns: list[Any] = [pa.array([i]) for i in range(3)]
    body = parquet_bytes(pa.Table.from_arrays(columns, names=["x", "x", "y.z"]))
    page = loaded(body)
    assert page.columns == {"x": [0], "x_1": [1], "y.z": [2]}
    assert list(page.result.notices) == ["Duplicate column names were numbered: x_1."]
    assert loaded(body, columns=("y.z", "x_1")).columns == {"y.z": [2], "x_1": [1]}


def test_a_part_of_a_structure_selects_the_whole() -> None:
    """`s.a.b` is answered with the column `s`, once, and a notice."""
    body = parquet_bytes(pa.table({"s": [{"a": {"b": 1}, "c": 2}], "t": [0]}))
    page = loaded(body, columns=("s.a.b", "s.c"))
    assert page.columns == {"s": [{"a": {"b": 1}, "c": 2}]}
    assert list(page.result.notices) == [
        "s.a.b is no column of its own: s is shown whole.",
        "s.c is no column of its own: s is shown whole.",
    ]


@pytest.mark.parametrize(
    ("asked", "hint", "columns"),
    [
        (("pricee", "id"), "Nearest columns: price (double).", ["price", "id"]),
        (("PRICES",), "Nearest columns: price (double).", ["price"]),
        (("zzz",), "It has: id (int64), price (double).", []),
    ],
)
def test_an_unknown_column(asked: tuple[str, ...], hint: str, columns: list[str]) -> None:
    """It is named, with the nearest ones and their types, and a call that would work."""
    body = parquet_bytes(pa.table({"id": [1], "price": [1.5]}))
    error = refused(body, UnknownColumnError, columns=asked)
    assert (error.hint, error.repair) == (hint, {"columns": columns})


def test_columns_that_are_not_told_are_counted() -> None:
    """What is like none of them is told some, and how many more there are."""
    body = parquet_bytes(pa.table({f"c{i}": [i] for i in range(9)}))
    error = refused(body, UnknownColumnError, columns=("zzz",))
    assert error.hint.startswith("It has: c0 (int64), ")
    assert error.hint.endswith(" and 4 more.")


def test_too_many_columns() -> None:
    """More than 5,000 columns are refused, those inside a structure counted one by one."""
    wide = pa.struct([(f"f{i}", pa.int8()) for i in range(5_001)])
    refused(parquet_bytes(pa.table({"c": pa.nulls(1, wide)})), LimitExceededError)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is empty"),
        (b"PAR1", "is torn: it begins like Parquet"),
        (parquet_bytes(SMALL)[:-100], "is torn: it begins like Parquet"),
        (parquet_bytes(SMALL)[500:], "is torn"),
        (b"a,b\n1,2\n3,4\n" * 9, "is not Parquet: it looks like csv"),
        (b'{"a": 1}\n' * 9, "is not Parquet: it looks like json"),
        (gzip.compress(parquet_bytes(SMALL), mtime=0), "is not Parquet: it looks like gzip"),
        (bytes(range(256)), "is not Parquet: it has no footer"),
        (b"PAR1" + b"\xff" * 40 + struct.pack("<I", 20) + b"PAR1", "is damaged: its footer"),
        (b"PAR1" + struct.pack("<I", 2**31) + b"PAR1", "is torn: its footer of 2,147,483,648"),
    ],
)
def test_what_is_not_whole_parquet(body: bytes, message: str) -> None:
    """The error says what the object looks like."""
    assert message in str(refused(body, MalformedDataError))


def test_data_that_is_not_there() -> None:
    """A footer that names data beyond the object's end belongs to a torn object."""
    body = parquet_bytes(pa.table({"c": [dice(i).randbytes(200) for i in range(200)]}))
    assert "is torn: its footer names data" in str(
        refused(body[:4] + body[30_000:], MalformedDataError)
    )


def test_a_footer_that_contradicts_itself() -> None:
    """The rows of the row groups must add up to those of the object."""
    body = parquet_bytes(pa.table({"c": [1, 2, 3]}))
    assert body.count(b"\x16\x06\x19\x1c") == 1  # num_rows, then the list of row groups
    wrong = body.replace(b"\x16\x06\x19\x1c", b"\x16\x08\x19\x1c")
    assert "contradicts itself" in str(refused(wrong, MalformedDataError))


@pytest.mark.parametrize(
    ("key", "body", "tool"),
    [
        ("dir/x.parquet", b"a,b\n1,2\n3,4\n", "read_csv_from_s3"),
        ("dir/x.csv", b'{"a": 1}\n{"a": 2}\n', "read_json_from_s3"),
        ("dir/x.csv", b'[{"a": 1}, {"a": 2}]', "read_json_from_s3"),
        ("dir/x.csv", b"[a],b\n[1],2\n", "read_csv_from_s3"),
    ],
)
def test_text_is_sent_to_its_own_tool(key: str, body: bytes, tool: str) -> None:
    """The corrected call uses the tool that reads the format, whatever the name says."""
    error = refused(body, MalformedDataError, key)
    assert error.repair_tool == tool
    assert error.repair == {"bucket_name": "b", "object_key": key}


def test_encrypted_columns() -> None:
    """Columns that need a key are refused, the others are read."""
    body = encrypted(SMALL, ["b"], plaintext_footer=True)
    error = refused(body, UnsupportedFormatError)
    assert "is encrypted: column 'b'" in str(error)
    assert error.repair == {"columns": ["a"]}
    page = loaded(body, columns=("a",))
    assert page.columns == {"a": [1, 2]}
    assert page.result.details["parquet"]["encrypted"] is True  # type: ignore[index] # plain JSON


def test_an_encrypted_footer() -> None:
    """A footer that needs a key is refused as encrypted."""
    body = encrypted(SMALL, ["b"], plaintext_footer=False)
    assert "is encrypted" in str(refused(body, UnsupportedFormatError))


def _plain(**columns: list[Any]) -> bytes:
    return parquet_bytes(
        pa.table(columns), compression="none", use_dictionary=False, write_page_checksum=True
    )


def test_a_flipped_bit_is_noticed() -> None:
    """Page checksums are checked; the damaged column is named, and those that can be read."""
    body = _plain(good=["g" * 50] * 9, bad=["needle" * 9] * 9)
    at = body.index(b"needle" * 9 + b"6\0\0\0needle")  # in the page, not in its statistics
    torn = body[:at] + b"N" + body[at + 1 :]
    error = refused(torn, MalformedDataError)
    assert "column 'bad' cannot be decoded" in str(error)
    assert error.repair == {"columns": ["good"]}
    assert loaded(torn, columns=("good",)).columns == {"good": ["g" * 50] * 9}


def test_footers_that_claim_too_much_are_refused_before_any_data_is_read() -> None:
    """The rows asked for must fit the budget, by what the footer says."""
    chance = dice(1)
    body = parquet_bytes(pa.table({"c": [chance.randbytes(50_000).hex() for _ in range(50)]}))
    meter = ScanMeter()
    source = opened(body, meter=meter)
    with pytest.raises(LimitExceededError):
        ParquetLoader().load(source, LoadRequest(max_rows=50, max_decoded_bytes=1 << 20))
    assert meter.requests == 1
    assert loaded(body, 5, max_decoded_bytes=1 << 20).result.table.num_rows == 6


@pytest.mark.parametrize("limit", [8 << 20, 30 << 20])
def test_dictionaries_that_multiply_are_stopped(limit: int) -> None:
    """One long value in thousands of rows is small in the file and large in memory."""
    body = parquet_bytes(pa.table({"c": ["x" * 20_000] * 3_000}))
    assert len(body) < 400_000
    with pytest.raises(LimitExceededError):
        loaded(body, 2_000, max_decoded_bytes=limit)
    assert loaded(body, 10, max_decoded_bytes=8 << 20).result.table.num_rows == 11


def test_legacy_timestamps() -> None:
    """INT96 keeps its nanoseconds, and does not wrap beyond what 64 bits of them reach."""
    table = pa.table(
        {
            "near": pa.array([1, None, -1], pa.timestamp("ns")),
            "far": pa.array([datetime(9999, 12, 31, 1, 2, 3, 4), None, datetime(1, 1, 1)]),  # noqa: DTZ001 - local times
        }
    )
    page = loaded(parquet_bytes(table, use_deprecated_int96_timestamps=True))
    assert page.result.table.schema.field("near").type == pa.timestamp("ns")
    assert page.result.table["near"].cast(pa.int64()).to_pylist() == [1, None, -1]
    assert page.result.table["far"].to_pylist() == table["far"].to_pylist()
    (notice,) = page.result.notices
    assert notice == "Column far has times beyond 1677 to 2262, given in microseconds."


def test_legacy_timestamps_in_lists() -> None:
    """The same inside of lists."""
    table = pa.table({"l": [[datetime(3000, 1, 1)], None]})  # noqa: DTZ001 - a local time
    body = parquet_bytes(table, use_deprecated_int96_timestamps=True)
    assert loaded(body).columns == table.to_pydict()


def test_times_that_no_day_has() -> None:
    """A negative time of day is damage."""
    times = pa.array([-1, 5], pa.int32()).view(pa.time32("ms"))
    error = refused(parquet_bytes(pa.table({"c": times})), MalformedDataError)
    assert "'c' has times of day beyond 24 hours" in str(error)


@pytest.mark.parametrize("position", [{}, {"row": -1}, {"row": "1"}, {"at": 5}])
def test_a_position_of_another_format(position: dict[str, Any]) -> None:
    """A cursor that no Parquet page wrote is refused."""
    with pytest.raises(InvalidArgumentError, match="cursor"):
        loaded(parquet_bytes(SMALL), position=position)


def test_a_cancelled_call_ends() -> None:
    """The deadline's error comes through as it is, from within pyarrow's reads too."""
    meter = ScanMeter()
    body = parquet_bytes(pa.table({"c": [str(i) * 20 for i in range(40_000)]}), compression="none")
    source = opened(body, meter=meter)
    meter.cancel()
    with pytest.raises(DeadlineExceededError):
        ParquetLoader().load(source, LoadRequest(max_rows=10))


def test_pandas_is_not_imported() -> None:
    """A page of zoned and legacy times is read, and a footer described, without pandas."""
    code = """
import sys, duckdb
import pyarrow as pa, pyarrow.parquet as pq
table = duckdb.sql("SELECT now() AS a, TIMESTAMP '2026-01-01' AS b, [1] AS c").to_arrow_table()
sink = pa.BufferOutputStream()
writer = pq.ParquetWriter(sink, table.schema, use_deprecated_int96_timestamps=True)
writer.write(table)
writer.close()
from s3_data_lake_mcp import wire
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.loaders.parquet_footer import describe_parquet
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore
store = MemoryStore()
ref = store.put("b", "k", sink.getvalue().to_pybytes())
source = ObjectReader.open_tail(store, ref, ScanMeter())
describe_parquet(source)
wire.json_rows(ParquetLoader().load(source, LoadRequest(max_rows=5)).table, wire.Clipper())
sys.exit("pandas" in sys.modules)
"""
    tests = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=tests).returncode == 0
