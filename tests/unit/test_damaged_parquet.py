"""Parquet whose pages are damaged: the engine's errors name the data, not the SQL."""

import io
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.errors import LakeError, MalformedDataError
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.engine import Desk
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

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


def _null_arrays() -> bytes:
    """Return what DuckDB writes of arrays without values: pyarrow finds too few elements."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        duckdb.sql(
            f"COPY (SELECT NULL::INTEGER[3] AS v, 1 AS id) TO '{file.name}' (FORMAT parquet)"
        )
        return Path(file.name).read_bytes()


def _split_rows() -> bytes:
    """Return a list whose elements are on pages of their own: pyarrow passes over the row."""
    table = pa.table({"v": [[1, 2]], "id": [1]})
    return parquet_bytes(table, data_page_size=1, write_batch_size=1)


@pytest.mark.parametrize("body", [_null_arrays(), _split_rows()], ids=["nulls", "split"])
def test_what_pyarrow_cannot_decode_is_not_called_damaged(body: bytes) -> None:
    """The engine reads it, and the error says so."""
    desk = Desk()
    desk.put("a.parquet", body)
    ref = ObjectRef(bucket="lake", key="a.parquet")
    for columns in ((), ("v",)):
        source = ObjectReader.open_head(desk.store, ref, ScanMeter())
        with pytest.raises(MalformedDataError) as caught:
            ParquetLoader().load(source, LoadRequest(max_rows=9, columns=columns))
        assert "damaged" not in str(caught.value)
        assert "query_csv_data has another reader" in caught.value.hint
    assert len(desk.rows("a.parquet")) == 1


def test_text_that_is_no_unicode_is_no_damage() -> None:
    """The error of a set names the object, and what is wrong with it."""
    desk, data = Desk(), pa.array([b"\xff\xfe"]).buffers()
    texts = (pa.array(["x"]), pa.Array.from_buffers(pa.string(), 1, data))
    for at, column in enumerate(texts):
        desk.put(f"set/{at}.parquet", parquet_bytes(pa.table({"v": column})))
    with pytest.raises(MalformedDataError, match=r"set/1.parquet .* text that is not valid UTF-8"):
        desk.run("set/", "SELECT max(v) FROM data")
