"""Objects without a byte among those of a prefix: markers, and parts that were never written."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.memory import MemoryStore


def _part() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"v": [1]}), sink)
    return sink.getvalue()


def test_an_empty_part_is_left_out_by_name_and_a_marker_is_not_told(settings: Settings) -> None:
    """A part without a byte may be a write that failed."""
    store = MemoryStore()
    for key in ("a/_SUCCESS", "a/", "a/part-1.parquet", "a/.part-2.parquet"):
        store.put("lake", key, b"")
    store.put("lake", "a/part-0.parquet", _part())
    query = Query(bucket="lake", key="a/", max_rows=9, sql="SELECT * FROM data")
    result = DuckDbEngine(store, settings).run(query, ScanMeter(), lambda _d, _t: None)
    assert result.table.to_pylist() == [{"v": 1}]
    [notice] = result.notices
    assert notice == "1 object is empty and left out: a/part-1.parquet."
