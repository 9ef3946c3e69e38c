"""Parquet whose pages are damaged: the engine's errors name the data, not the SQL."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.errors import LakeError, MalformedDataError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.memory import MemoryStore

TABLE = pa.table({"id": range(300), "text": [f"value {i % 7}" for i in range(300)]})


@pytest.mark.parametrize("codec", ["gzip", "snappy", "zstd", "brotli", "lz4"])
def test_damaged_pages_are_malformed_data(codec: str, settings: Settings) -> None:
    """Whatever the codec says of them; what can still be read is no error."""
    sink = io.BytesIO()
    pq.write_table(TABLE, sink, compression=codec, use_dictionary=False)  # type: ignore[arg-type] # its literals
    body, store = sink.getvalue(), MemoryStore()
    errors: list[LakeError] = []
    for place in range(8, 400, 7):
        key = f"{place}.parquet"
        store.put("lake", key, body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :])
        query = Query(bucket="lake", key=key, max_rows=500, sql="SELECT * FROM data")
        try:
            DuckDbEngine(store, settings).run(query, ScanMeter(), lambda _d, _t: None)
        except LakeError as exc:
            errors.append(exc)
    assert errors
    assert [exc for exc in errors if not isinstance(exc, MalformedDataError)] == []
