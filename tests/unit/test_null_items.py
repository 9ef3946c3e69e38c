"""Maps whose items are all null, as the engine hands them over."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from s3_data_lake_mcp import wire
from support.engine import Desk


def test_a_map_of_nulls_has_all_its_keys() -> None:
    """Its items are fewer than its keys there."""
    kind = pa.map_(pa.string(), pa.null())
    maps = pa.array([[("a", None), ("b", None)], [("c", None), ("d", None)]], kind)
    sink = io.BytesIO()
    pq.write_table(pa.table({"m": maps}), sink)
    desk = Desk()
    desk.put("m.parquet", sink.getvalue())
    rows = wire.json_rows(desk.run("m.parquet").table, wire.Clipper(100))
    assert rows == [[{"a": None, "b": None}], [{"c": None, "d": None}]]
