"""Maps and lists whose items are all null, as the engine hands them over."""

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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


@pytest.mark.parametrize("make", [pa.list_, pa.large_list])
def test_a_list_of_nulls_has_all_its_items(make: Callable[[pa.DataType], pa.DataType]) -> None:
    """Inside of a struct, too; the engine hands over as many items as there are rows."""
    lists = pa.array([[None, None], [None, None, None], []], make(pa.null()))
    inside = pa.StructArray.from_arrays([lists], ["q"])
    sink = io.BytesIO()
    pq.write_table(pa.table({"l": lists, "s": inside}), sink)
    desk = Desk()
    desk.put("l.parquet", sink.getvalue())
    rows = wire.json_rows(desk.run("l.parquet").table, wire.Clipper(100))
    assert rows == [[items, {"q": items}] for items in ([None] * 2, [None] * 3, [])]
