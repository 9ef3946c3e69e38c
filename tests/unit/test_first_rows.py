"""The first rows of a table: no more objects are opened than hold them, and none is missing."""

from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

_ROWS = 7


def _store(objects: int, folder: str = "in/p={part}") -> MemoryStore:
    """Return a store with objects of `_ROWS` rows each, numbered throughout."""
    store = MemoryStore()
    for at in range(objects):
        table = pa.table({"n": pa.array(range(at * _ROWS, (at + 1) * _ROWS), pa.int64())})
        key = f"{folder.format(part=at // 50)}/{at:03}.parquet"
        store.put("lake", key, parquet_bytes(table))
    return store


def _numbers(settings: Settings, store: MemoryStore, meter: ScanMeter, **asked: Any) -> list[int]:
    query = Query(**{"bucket": "lake", "key": "in/", "max_rows": 100, **asked})
    table = DuckDbEngine(store, settings).run(query, meter).table
    return [row["n"] for row in table.to_pylist()]


@pytest.mark.parametrize("objects", [5, 64, 300])
@pytest.mark.parametrize(
    ("asked", "first", "rows"),
    [
        ({"sql": "SELECT * FROM data LIMIT 5"}, 0, 5),
        ({"sql": "SELECT n, p FROM data LIMIT 8"}, 0, 8),
        ({"sql": "SELECT n FROM data"}, 0, 101),
        ({"sql": "SELECT n FROM data LIMIT 0"}, 0, 0),
        ({"sql": "FROM data LIMIT 20", "max_rows": 9}, 0, 10),
        ({"sql": "SELECT n FROM data LIMIT 3 OFFSET 13"}, 13, 3),
        ({}, 0, 101),
        ({"max_rows": 10, "offset": 6}, 6, 11),
        ({"max_rows": 10, "offset": 95, "columns": ("n",)}, 95, 11),
    ],
)
def test_the_first_rows_are_those_of_the_first_objects(
    settings: Settings, objects: int, asked: dict[str, Any], first: int, rows: int
) -> None:
    """A row more than a page shows that there is more, wherever objects end."""
    found = _numbers(settings, _store(objects), ScanMeter(), **asked)
    assert found == list(range(objects * _ROWS))[first : first + rows]


@pytest.mark.parametrize("sql", ["SELECT * FROM data LIMIT 5", "SELECT n FROM data LIMIT 30"])
def test_few_objects_are_opened_for_the_first_rows(settings: Settings, sql: str) -> None:
    """Of three hundred: a listing, a sample of them, and those that hold the rows."""
    meter = ScanMeter()
    _numbers(settings, _store(300), meter, sql=sql)
    assert meter.requests <= 1 + 12 + 6


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT n FROM data LIMIT 10%", 210),
        ("SELECT * FROM data LIMIT 10 PERCENT", 210),
        ("SELECT n FROM data LIMIT (SELECT count(*) / 10 FROM data)", 210),
        ("SELECT n FROM data LIMIT 1 + 1", 2),
    ],
)
def test_a_share_is_one_of_all_rows(settings: Settings, sql: str, rows: int) -> None:
    """How many rows a limit leaves may depend on the rows that are not shown."""
    found = _numbers(settings, _store(300), ScanMeter(), sql=sql, max_rows=500)
    assert found == list(range(rows))


def test_a_share_of_text_is_one_of_all_rows(settings: Settings) -> None:
    """Of text, too, no more than the first rows are read where a number of them is asked for."""
    store = MemoryStore()
    store.put("lake", "in/x.csv", b"n,m\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(300_000)))
    sql = "SELECT * FROM data LIMIT 1 PERCENT"
    found = _numbers(settings, store, ScanMeter(), key="in/x.csv", sql=sql, max_rows=5_000)
    assert found == list(range(3_000))


@pytest.mark.parametrize("objects", [5, 64, 300])
@pytest.mark.parametrize(
    ("values", "kind"), [([0.5, 1.5], pa.float64()), (["a", "b"], pa.string())]
)
@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize("asked", [{}, {"sql": "SELECT n FROM data LIMIT 18"}])
def test_values_of_leading_objects_keep_their_digits(
    settings: Settings,
    objects: int,
    values: list[Any],
    kind: "pa.DataType",
    at: int,
    asked: dict[str, Any],
) -> None:
    """One of those that hold the first rows is not like those that tell of very many."""
    store = _store(objects, folder="in")
    body = parquet_bytes(pa.table({"n": pa.array(values, kind), "m": [1, 2]}))
    store.put("lake", f"in/{at:03}.parquet", body)
    found = _numbers(settings, store, ScanMeter(), **asked)
    start = at * _ROWS
    assert found[start : start + 2] == values
    assert len(found) == min(18 if asked else 101, (objects - 1) * _ROWS + 2)


@pytest.mark.parametrize("value", [[1], {"x": 1}, {"x": [{"y": 1}]}])
def test_columns_that_hold_the_like_are_not_taken_for_each_other(
    settings: Settings, value: Any
) -> None:
    """A list of integers is no other list of integers: their items are all called alike."""
    store = MemoryStore()
    for name in "ab":
        store.put("lake", f"in/{name}.parquet", parquet_bytes(pa.table({name: [value]})))
    query = Query(bucket="lake", key="in/", max_rows=9)
    table = DuckDbEngine(store, settings).run(query, ScanMeter()).table
    assert table.to_pylist() == [{"a": value, "b": None}, {"a": None, "b": value}]


@pytest.mark.parametrize("objects", [5, 70])
def test_a_hint_about_all_values_knows_more_than_the_first_rows(
    settings: Settings, objects: int
) -> None:
    """What all of the first rows have in common says nothing of the others."""
    store = MemoryStore()
    for at in range(objects):
        day = "2024-01-01" if at else "n/a"
        store.put("lake", f"in/{at:03}.parquet", parquet_bytes(pa.table({"day": [day] * 5})))
    with pytest.raises(LakeError) as caught:
        _numbers(
            settings, store, ScanMeter(), sql="SELECT CAST(day AS DATE) AS n FROM data LIMIT 3"
        )
    assert "all of its values" not in caught.value.hint
    assert caught.value.repair == {"sql": "SELECT TRY_CAST(day AS DATE) AS n FROM data LIMIT 3"}
