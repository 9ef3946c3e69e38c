"""What the simple form, and pages without SQL, cannot reach comes with the call that does."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.mcp import Caller
from support.objects import SHELF, Objects

_RECORDS = [
    {"id": 1, "user": {"plan": "pro", "geo": {"lat": 47.5}}},
    {"id": 2, "user": {"plan": "free", "geo": {"lat": 8.5}}},
    {"id": 3, "user": {"plan": "it's pro", "geo": None}},
]


@pytest.mark.parametrize(
    ("column", "operator", "value", "ids"),
    [
        ("user.plan", "auto", "PRO", [1, 3]),
        ("user.plan", "=", "it's pro", [3]),
        ("user.plan", "in", "free, pro", [1, 2]),
        ("user.geo.lat", ">", "10", [1]),
        ("user.geo.lat", "is_null", "", [3]),
    ],
)
async def test_a_field_is_asked_for_in_sql(
    call: Caller, objects: Objects, column: str, operator: str, value: str, ids: list[int]
) -> None:
    """The proposed call filters by the field, and keeps the columns."""
    objects.put("fields/a.json", json.dumps(_RECORDS).encode())
    failed = await call(
        "query_csv_data",
        bucket_name=SHELF,
        object_key="fields/a.json",
        filter_column=column,
        filter_operator=operator,
        filter_value=value,
        columns=["id"],
    )
    assert failed.text.startswith("unknown_column: ")
    found = await call(failed.next["tool"], **failed.next["arguments"])
    assert found.data["rows"] == [[one] for one in ids], found.text


async def test_bytes_that_sql_cannot_decode_are_named(call: Caller, objects: Objects) -> None:
    """The error says which columns they are, and the call reads the others."""
    raw = pa.array([bytes([i] * 4) for i in range(20)], pa.binary(4))
    table, sink = pa.table({"raw": raw, "n": range(20)}), io.BytesIO()
    split = {"raw": "BYTE_STREAM_SPLIT", "n": "PLAIN"}
    pq.write_table(table, sink, use_dictionary=False, column_encoding=split)
    objects.put("fields/split.parquet", sink.getvalue())
    place = {"bucket_name": SHELF, "object_key": "fields/split.parquet"}
    failed = await call("read_parquet_from_s3", **place, where="n = 3")
    assert failed.text.startswith("unsupported_format: ")
    assert "'raw'" in failed.text
    found = await call(failed.next["tool"], **failed.next["arguments"])
    assert found.data["rows"] == [[3]]
    unmended = await call("query_csv_data", **place, sql="SELECT raw FROM data")
    assert "read_parquet_from_s3 without where" in unmended.text


async def test_what_has_no_type_is_text_with_a_notice(call: Caller) -> None:
    """VARIANT and UNION hold values of several types."""
    sql = "SELECT 1::VARIANT AS v, [union_value(n := 3)] AS u, 'VARIANT' AS t"
    found = await call("query_csv_data", bucket_name=SHELF, sql=sql)
    assert found.data["notices"] == [
        "VARIANT and UNION are shown as text: v, u. CAST(… AS JSON) gives JSON."
    ]
