"""Small Parquet objects of which little is read: the rest is not fetched with it."""

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.pinned import WHOLE_BYTES, comes_apart
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

_ROWS = 60_000
_COLUMNS = 10


@cache
def _body(group_rows: int) -> bytes:
    values = np.random.default_rng(7).random((_COLUMNS, _ROWS))
    table = pa.table({f"c{at}": values[at] for at in range(_COLUMNS)})
    return parquet_bytes(table, row_group_size=group_rows, use_dictionary=False)


def _asked(settings: Settings, objects: int, sql: str, group_rows: int = _ROWS) -> ScanMeter:
    """Ask of as many like objects and return what it cost."""
    store, meter = MemoryStore(), ScanMeter()
    for at in range(objects):
        store.put("lake", f"in/part-{at:03}.parquet", _body(group_rows))
    assert len(_body(group_rows)) < WHOLE_BYTES
    query = Query(bucket="lake", key="in/", max_rows=9, sql=sql)
    table = DuckDbEngine(store, settings).run(query, meter).table
    assert table.num_rows in {0, 1}
    return meter


@pytest.mark.parametrize("objects", [3, 90])
@pytest.mark.parametrize(
    "sql", ["SELECT count(c1) FROM data", "SELECT c1 FROM data WHERE c2 BETWEEN 2 AND 3 OR c1 > 1"]
)
def test_of_little_that_is_read_the_rest_is_not_fetched(
    settings: Settings, objects: int, sql: str
) -> None:
    """Of a set, too, of which most footers are not known: the others tell for them."""
    meter = _asked(settings, objects, sql)
    assert meter.bytes_read < objects * len(_body(_ROWS)) / 2
    assert meter.requests <= 1 + 3 * objects


def test_what_lies_in_many_places_comes_with_the_rest(settings: Settings) -> None:
    """A request for each of many row groups would cost more than the bytes between them."""
    sql = "SELECT count(c1), count(c5), count(c8) FROM data"
    meter = _asked(settings, 90, sql, 2_000)
    assert meter.requests <= 1 + 6 * 90


@pytest.mark.parametrize(
    ("parts", "apart"),
    [
        ([(0, 100_000)], True),
        ([(at << 20, (at << 20) + 9_000) for at in range(4)], True),
        ([(at << 20, (at << 20) + 9_000) for at in range(8)], True),
        ([(at << 19, (at << 19) + 9_000) for at in range(16)], True),
        ([(at << 18, (at << 18) + 9_000) for at in range(32)], False),
        ([(0, 5 << 20)], False),
        ([(at << 16, (at << 16) + 9_000) for at in range(128)], False),
    ],
)
def test_parts_are_fetched_if_they_save_more_than_they_cost(
    parts: list[tuple[int, int]], *, apart: bool
) -> None:
    """Half a MiB for each request more than all of it takes; near ones are one."""
    assert comes_apart(parts, 8 << 20) is apart


def test_objects_that_lie_in_more_parts_than_those_that_are_known_come_whole(
    settings: Settings,
) -> None:
    """A sample of very many tells nothing of the row groups of the others."""
    store, meter, objects, known = MemoryStore(), ScanMeter(), 90, {0, 8, 16, 24, 32, 40, 49}
    for at in range(objects):
        group_rows = _ROWS if at in known or (at > 49 and at % 8 == 1) else 400
        store.put("lake", f"in/part-{at:03}.parquet", _body(group_rows))
    query = Query(bucket="lake", key="in/", max_rows=9, sql="SELECT count(c1) FROM data")
    table = DuckDbEngine(store, settings).run(query, meter).table
    assert table.to_pylist() == [{"count(c1)": objects * _ROWS}]
    assert meter.requests <= 1 + 20 * objects


@pytest.mark.parametrize("objects", [3, 40])
@pytest.mark.parametrize("group_rows", [4_000, 20_000])
def test_what_the_engine_reads_whole_is_fetched_once(
    settings: Settings, objects: int, group_rows: int
) -> None:
    """Up to 2 MiB it asks for all, so that parts fetched before would come twice."""
    values = np.random.default_rng(7).random((_COLUMNS, 20_000))
    table = pa.table({f"c{at}": values[at] for at in range(_COLUMNS)})
    body = parquet_bytes(table, row_group_size=group_rows, use_dictionary=False)
    assert 1 << 20 < len(body) < 2 << 20
    store, meter = MemoryStore(), ScanMeter()
    for at in range(objects):
        store.put("lake", f"in/part-{at:03}.parquet", body)
    query = Query(bucket="lake", key="in/", max_rows=9, sql="SELECT sum(c1) FROM data")
    DuckDbEngine(store, settings).run(query, meter)
    assert meter.bytes_read <= objects * len(body)
    assert meter.requests <= 1 + 3 * objects
