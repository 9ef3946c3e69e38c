"""Intervals and times of day with a zone: plain reads and SQL show the same."""

import duckdb
import pyarrow as pa
import pytest

from s3_data_lake_mcp import wire
from support.engine import Desk
from support.parquet_files import loaded, parquet_bytes

_SQL = """
SELECT INTERVAL '1 year 2 months 3 days 4.5 seconds' AS span,
    TIMETZ '12:34:56.78+02:30' AS zoned, TIME '01:02:03' AS plain
UNION ALL SELECT NULL, NULL, NULL
UNION ALL SELECT INTERVAL '90 minutes', TIMETZ '23:59:59-11', TIME '00:00:00.000001'
"""
_TYPES = {"span": "month_day_nano_interval", "zoned": "time64[us]", "plain": "time64[us]"}


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a file of DuckDB."""
    path = tmp_path_factory.mktemp("times") / "a.parquet"
    duckdb.connect().execute(f"COPY ({_SQL}) TO '{path}'")
    return path.read_bytes()


def _shown(table: pa.Table) -> tuple[dict[str, str], list[list[object]]]:
    types = {field.name: str(field.type) for field in table.schema}
    return types, wire.json_rows(table, wire.Clipper(100))


@pytest.mark.parametrize("offset", [0, 2, 3])
def test_plain_reads_agree_with_sql(body: bytes, offset: int) -> None:
    """Types and values are those of a query, on a page without rows, too."""
    desk = Desk()
    desk.put("a.parquet", body)
    types, rows = _shown(loaded(body, offset=offset).result.table)
    asked = _shown(desk.run("a.parquet", "SELECT * FROM data").table)
    assert types == asked[0] == _TYPES
    assert rows == asked[1][offset:]


def test_values_are_those_of_the_contract(body: bytes) -> None:
    """Intervals are ISO 8601; times with a zone are those of UTC, as Arrow has them."""
    rows = _shown(loaded(body).result.table)[1]
    assert rows[0] == ["P1Y2M3DT4.5S", "10:04:56.780000", "01:02:03"]
    assert rows[1] == [None, None, None]
    assert rows[2] == ["PT1H30M", "10:59:59", "00:00:00.000001"]


def test_bytes_of_the_same_length_stay_bytes() -> None:
    """Only the footer makes twelve bytes an interval."""
    table = pa.table({"raw": pa.array([b"abcdefghijkl"], pa.binary(12))})
    assert loaded(parquet_bytes(table)).columns == {"raw": [b"abcdefghijkl"]}
