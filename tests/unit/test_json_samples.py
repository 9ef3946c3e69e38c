"""How much of each JSON object of a set is looked at, and what is behind that."""

import json

import pytest

from s3_data_lake_mcp.engines import Query, json_layout, json_reads, json_table
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.memory import MemoryStore

_OBJECTS = 40
_RECORDS = 9_000


def _lines(number: int) -> bytes:
    """Return records whose values are of another type behind half of them."""
    half = _RECORDS // 2
    records = [
        {"n": at, "x": at if at < half else f"{at}a", "of": number} for at in range(_RECORDS)
    ]
    return "".join(f"{json.dumps(one)}\n" for one in records).encode()


@pytest.mark.parametrize(("objects", "kib"), [(1, 256), (12, 256), (32, 128), (64, 64), (999, 64)])
def test_of_many_objects_less_of_each_is_looked_at(objects: int, kib: int) -> None:
    """All of their samples together are parsed record by record before any row is read."""
    assert json_reads.sample_bytes(objects) == kib << 10


def test_no_more_is_parsed_than_the_samples(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the samples say not is found when it is read: no row and no value is lost."""
    store = MemoryStore()
    for number in range(_OBJECTS):
        store.put("lake", f"in/{number:02}.jsonl", _lines(number))
    parsed: list[int] = []
    find = json_layout.find_layout

    def counted(*given: object) -> json_layout.JsonLayout:
        parsed.append(int(str(given[-1])))
        return find(*given)  # type: ignore[arg-type] # handed on as they are

    monkeypatch.setattr(json_table, "find_layout", counted)
    sql = 'SELECT count(*) AS n, count(DISTINCT x) AS xs, sum("of") AS s FROM data'
    query = Query(bucket="lake", key="in/", max_rows=9, sql=sql)
    result = DuckDbEngine(store, settings).run(query, ScanMeter())
    assert result.table.to_pylist() == [
        {"n": _OBJECTS * _RECORDS, "xs": _RECORDS, "s": _RECORDS * sum(range(_OBJECTS))}
    ]
    assert sum(parsed) <= 4 << 20
