"""What a Parquet footer tells, and that it never tells too much."""

import base64
import contextlib
import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.errors import LakeError, UnsupportedFormatError
from s3_data_lake_mcp.loaders.parquet_footer import describe_parquet
from s3_data_lake_mcp.loaders.parquet_open import open_footer
from s3_data_lake_mcp.loaders.parquet_statistics import ColumnStatistics, column_statistics
from s3_data_lake_mcp.loaders.parquet_thrift import parse_beginning, parse_footer
from s3_data_lake_mcp.loaders.thrift import ThriftError
from support.parquet_files import encrypted, loaded, opened, parquet_bytes


def told(body: bytes) -> list[ColumnStatistics]:
    """Return what the footer tells of each column."""
    return column_statistics(open_footer(opened(body)))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int8(), [-5, 3]),
        (pa.uint8(), [1, 255]),
        (pa.uint32(), [1, 2**32 - 1]),
        (pa.uint64(), [1, 2**64 - 1]),
        (pa.int64(), [-(2**63), 2**63 - 1]),
        (pa.float32(), [-0.5, 0.25]),
        (pa.float64(), [0.0, 1e300]),
        (pa.float16(), [-1.5, 2.5]),
        (pa.bool_(), [False, True]),
        (pa.string(), ["a", "é"]),
        (pa.large_string(), ["a", "b"]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
        (pa.decimal128(9, 2), [Decimal("-1.10"), Decimal("2.00")]),
        (pa.decimal128(38, 3), [Decimal("-1.100"), Decimal("12345678901234567890.001")]),
        (pa.decimal128(20, 0), [Decimal(-3), Decimal(10**18)]),
        (pa.date32(), [date(1969, 12, 31), date(2026, 1, 1)]),
        (pa.date64(), [date(1969, 12, 31), date(2026, 1, 1)]),
        (pa.time32("ms"), [time(1), time(2, 3, 4, 5000)]),
        (pa.time64("ns"), [time(1), time(2, 3, 4, 5)]),
        (pa.timestamp("s"), [datetime(2026, 1, 1), datetime(2026, 1, 2)]),  # noqa: DTZ001 - local
        (
            pa.timestamp("us", "Europe/Berlin"),
            [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)],
        ),
        (pa.timestamp("ns"), [1, 2]),
        (pa.duration("us"), [timedelta(seconds=1), timedelta(days=2)]),
        (pa.uuid(), [UUID(int=1).bytes, UUID(int=2**127).bytes]),
    ],
    ids=str,
)
def test_bounds_are_the_values_of_the_column(kind: Any, values: list[Any]) -> None:
    """Minimum and maximum are written as the rows' own cells are; nulls are counted."""
    storage = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    array: Any = pa.array([values[1], None, values[0], None], storage)
    if storage is not kind:
        array = pa.ExtensionArray.from_storage(kind, array)
    body = parquet_bytes(pa.table({"c": array}), row_group_size=3)
    read = pq.ParquetFile(pa.BufferReader(body)).read()
    cells = [row[0] for row in wire.json_rows(read, wire.Clipper())]
    (column,) = told(body)
    assert (column.min, column.max) == (cells[2], cells[0])
    assert (column.nulls, column.exact) == (2, True)
    assert column.type == str(read.schema.field("c").type)


def test_bounds_of_all_row_groups() -> None:
    """Each row group adds to bounds and nulls; one without statistics leaves them open."""
    table = pa.table({"n": [5, None, 1, 9, None, None], "m": list(range(6))})
    n, m = told(parquet_bytes(table, row_group_size=2, write_statistics=["n"]))
    assert (n.nulls, n.min, n.max, n.exact) == (3, 1, 9, True)
    assert (m.nulls, m.min, m.max, m.exact) == (None, None, None, False)
    assert n.compressed_bytes > 0


def test_columns_without_an_order_or_values() -> None:
    """Binary and nested columns have no bounds, nor has a column of nulls; NaN is none."""
    table = pa.table(
        {
            "bytes": [b"a", b"b"],
            "list": [[1], [2]],
            "struct": [{"x": 1}, {"x": 2}],
            "nulls": pa.nulls(2, pa.int8()),
            "nan": [float("nan"), 1.0],
        }
    )
    columns = {column.name: column for column in told(parquet_bytes(table))}
    for name in ("bytes", "list", "struct", "nulls"):
        assert (columns[name].min, columns[name].max, columns[name].exact) == (None, None, False)
    assert columns["nulls"].nulls == 2
    assert columns["list"].nulls is None
    assert (columns["nan"].min, columns["nan"].max) == (1.0, 1.0)


def test_shortened_texts_are_not_exact(tmp_path: Path) -> None:
    """DuckDB keeps 256 bytes of a text in its statistics, and says so."""
    path = tmp_path / "x.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT repeat('a', 300) || i AS long, 'b' || i AS short FROM range(9) t(i))"
            f" TO '{path}'"
        )
    long, short = told(path.read_bytes())
    assert (long.min, long.exact) == ("a" * 256, False)
    assert (short.min, short.max, short.exact) == ("b0", "b8", True)


def test_texts_of_writers_that_do_not_say_are_not_exact() -> None:
    """Without a word on it, only writers that never shorten texts are believed."""
    body = parquet_bytes(pa.table({"t": ["a", "b"], "n": [1, 2]}))
    silent = body.replace(b"\x11\x11\x00", b"\x51\x51\x00")  # the flags, renumbered
    assert [column.exact for column in told(silent)] == [True, True]
    other = silent.replace(b"parquet-cpp-arrow", b"parquet-mr--other")
    assert [column.exact for column in told(other)] == [False, True]


def test_the_description_is_ready_for_json() -> None:
    """A description names schema, sizes, order, statistics and metadata."""
    table = pa.table({"k": list(range(100)), "t": ["x"] * 100}).replace_schema_metadata(
        {"owner": "ä" * 900, "pandas": "{}"}
    )
    body = parquet_bytes(
        table,
        row_group_size=40,
        sorting_columns=[pq.SortingColumn(0, descending=True, nulls_first=True)],
        write_page_index=True,
    )
    source = opened(body)
    found = json.loads(json.dumps(describe_parquet(source)))
    assert source.meter.requests == 1
    assert found["columns"] == wire.column_specs(table.schema)
    said = "key_value_metadata: 1 cell was clipped to 500 characters."
    assert (found["total_rows"], found["notices"]) == (100, [said])
    parquet = found["parquet"]
    assert parquet["num_row_groups"] == 3
    assert parquet["row_group_rows"] == {"min": 20, "max": 40}
    assert 0 < parquet["row_group_bytes"]["min"] <= parquet["row_group_bytes"]["max"]
    assert parquet["compressed_bytes"] < len(body)
    assert parquet["compression"] == "SNAPPY"
    assert parquet["sorting_columns"] == [{"name": "k", "descending": True, "nulls_first": True}]
    assert parquet["page_index"] is True
    assert parquet["encrypted_columns"] == parquet["bloom_filters"] == []
    assert parquet["statistics"][0] | {"compressed_bytes": 0, "uncompressed_bytes": 0} == {
        "name": "k",
        "nulls": 0,
        "min": 0,
        "max": 99,
        "exact": True,
        "compressed_bytes": 0,
        "uncompressed_bytes": 0,
    }
    assert parquet["key_value_metadata"] == {"owner": f"{'ä' * 500}…(+400 chars)"}


def test_many_pairs_of_metadata_are_cut_with_a_notice() -> None:
    """What is left out is counted."""
    pairs = {f"k{at:03}": "v" for at in range(60)}
    found = describe_parquet(
        opened(parquet_bytes(pa.table({"a": [1]}).replace_schema_metadata(pairs)))
    )
    assert list(found["parquet"]["key_value_metadata"]) == list(pairs)[:50]
    assert found["notices"] == ["key_value_metadata: only the first 50 of 60 are shown."]


def test_bloom_filters(tmp_path: Path) -> None:
    """Columns with a filter are named."""
    path = tmp_path / "x.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT i % 9 AS a, i AS b FROM range(2000) t(i)) TO '{path}'")
    found = describe_parquet(opened(path.read_bytes()))
    assert found["parquet"]["bloom_filters"] == ["a"]


def test_statistics_of_many_columns_are_cut_with_a_notice() -> None:
    """The first columns have theirs."""
    names = [f"c{at:03}" for at in range(201)]
    found = describe_parquet(opened(parquet_bytes(pa.table({name: [1] for name in names}))))
    assert [column["name"] for column in found["parquet"]["statistics"]] == names[:200]
    assert found["notices"] == ["Statistics are shown for the first 200 columns."]


def test_encryption_is_told() -> None:
    """A plaintext footer names the columns that need a key; an encrypted one is refused."""
    table = pa.table({"a": [1], "b": ["x"]})
    found = describe_parquet(opened(encrypted(table, ["b"], plaintext_footer=True)))
    assert found["parquet"]["encrypted"] is True
    assert found["parquet"]["encrypted_columns"] == ["b"]
    with pytest.raises(UnsupportedFormatError):
        describe_parquet(opened(encrypted(table, ["b"], plaintext_footer=False)))


def test_the_beginning_of_a_footer_is_enough() -> None:
    """The first row group is read without those behind it."""
    body = parquet_bytes(pa.table({"a": list(range(9))}), row_group_size=1)
    data = open_footer(opened(body)).data
    whole = parse_footer(data)
    assert len(whole.row_groups) == 9
    assert parse_beginning(data[: len(data) // 3]).row_groups == whole.row_groups[:1]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    """Whatever stands where a footer should, it is read or refused."""
    for parse in (parse_footer, parse_beginning):
        with contextlib.suppress(ThriftError):
            parse(data)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.data())
def test_a_damaged_footer_is_read_or_refused(data: st.DataObject) -> None:
    """A footer with a changed byte never ends in anything but a description or an error."""
    body = bytearray(parquet_bytes(pa.table({"a": [1, 2], "b": ["x", None], "c": [[1], []]})))
    length = int.from_bytes(body[-8:-4], "little")
    at = len(body) - 8 - data.draw(st.integers(1, length))
    body[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(LakeError):
        json.dumps(describe_parquet(opened(bytes(body))))


def test_types_that_this_arrow_lacks() -> None:
    """A file whose writer has integers of 128 bits, as Polars has, is read in Parquet's types."""
    table = pa.table({"n": pa.array([1, None]), "day": [date(2026, 1, 1), None]})
    known = table.schema.serialize().to_pybytes()
    wider = known.replace(b"\x40\0\0\0", b"\x80\0\0\0")
    body = parquet_bytes(table).replace(base64.b64encode(known), base64.b64encode(wider))
    with pytest.raises(pa.ArrowNotImplementedError):
        pq.read_table(io.BytesIO(body))
    page = loaded(body)
    assert page.columns == table.to_pydict()
    (notice,) = page.result.notices
    assert "(ARROW:schema) cannot be read" in notice
