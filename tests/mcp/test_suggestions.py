"""The calls that metadata suggests: each one works as it is, whatever the object."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s3_data_lake_mcp.models.analysis import DatasetSummary
from s3_data_lake_mcp.tools.rendering import render
from support.mcp import Caller
from support.objects import SHELF, Objects

_CSV = b"id,name,v\n1,a,1.5\n2,b,2.5\n"


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


_TABLE = pa.table({"id": [1, 2, 3], "name": ["a", "b", None], "l": [[1], [2], None]})
_KINDS: dict[str, bytes] = {
    "a.csv": _CSV,
    "header.csv": b"id,name\n",
    "empty.csv": b"",
    "quoted.csv": b'a,"b""c",d\n1,2,3\n',
    "nameless.csv": b",,\n1,2,3\n",
    "wide.csv": ",".join(f"c{i}" for i in range(60)).encode() + b"\n" + b"1," * 59 + b"1\n",
    "utf16.csv": _CSV.decode().encode("utf-16"),
    "a.csv.gz": gzip.compress(_CSV),
    "plain.csv.gz": _CSV,
    "torn.csv.gz": gzip.compress(_CSV * 5_000)[:-200],
    "array.json": b'[{"a":1,"b":"x"},{"a":2}]',
    "object.json": b'{"a":{"b":[1,2]},"c":3}',
    "scalar.json": b"42",
    "none.json": b"[]",
    "lines.jsonl": b'{"a":1}\n{"a":2}\n',
    "bad.json": b'{"a":',
    "odd.json": rb'[{"a\"b":1,"":2,"a b":3,"A":1,"a":2}]',
    "nameless.json": b'[{"":1,"b":2}]',
    "big.json": json.dumps([{"a": i, "b": "x" * 50} for i in range(3_000)]).encode(),
    "a.parquet": _parquet(_TABLE),
    "parquet.csv": _parquet(_TABLE),
    "parquet-without-suffix": _parquet(_TABLE),
    "csv.parquet": _CSV,
    "csv.json": _CSV,
    "csv.json.gz": gzip.compress(_CSV),
    "csv.txt": _CSV,
    "array.csv": b'[{"a":1,"b":"x"},{"a":2,"b":"y"}]',
    "lines.csv": b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n',
    "lines.csv.gz": gzip.compress(b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n'),
    "no-rows.parquet": _parquet(_TABLE.slice(0, 0)),
    "no-columns.parquet": _parquet(pa.table({})),
    "odd.parquet": _parquet(pa.table({'we"ird': [1], "a b": ["x"], "": [2], "select": [3]})),
    "torn.parquet": _parquet(_TABLE)[:-10],
    "notes.txt": b"hello\nworld\n",
    "bytes": bytes(range(256)),
    "folder/": b"",
}


@pytest.mark.parametrize("key", _KINDS)
async def test_every_suggested_call_works(call: Caller, objects: Objects, key: str) -> None:
    """None is an error, and none is a profile that cannot be made."""
    objects.put(f"kinds/{key}", _KINDS[key])
    found = await call("get_file_metadata", bucket_name=SHELF, object_key=f"kinds/{key}")
    assert found.data["suggested_calls"]
    for suggested in found.data["suggested_calls"]:
        answer = await call(suggested["tool"], **suggested["arguments"])
        assert not answer.is_error, answer.text
        if suggested["tool"] == "get_dataset_summary":
            assert answer.data["profile"], answer.text


async def test_of_several_datasets_one_is_proposed(call: Caller, objects: Objects) -> None:
    """The text ends with the call that profiles the largest of those that are read."""
    for at in range(3):
        objects.put(f"several/a b/part-{at}.csv", _CSV)
        objects.put(f"several/[c]/part-{at}.csv", _CSV * 9)
        objects.put(f"several/pictures/{at}.png", bytes(2_000))
    found = await call("get_dataset_summary", bucket_name=SHELF, prefix="several/")
    assert found.data["profile"] is None
    answer = await call(found.next["tool"], **found.next["arguments"])
    assert answer.data["prefix"].startswith("several/[")
    assert answer.data["profile"]["rows"] == 3 * 26
    assert answer.lines[-1].startswith("<<end")


async def test_pictures_are_not_proposed(call: Caller, objects: Objects) -> None:
    """Of none of these datasets there would be a profile."""
    for suffix in ("png", "pdf"):
        objects.put(f"pictures/{suffix}/x.{suffix}", bytes(2_000))
    found = await call("get_dataset_summary", bucket_name=SHELF, prefix="pictures/")
    assert len(found.data["datasets"]) == 2
    assert found.lines[-1].startswith("<<end")


async def test_where_a_listing_took_too_long_one_object_is_next(
    objects: Objects, call: Caller
) -> None:
    """The same prefix again would take as long; its example has a profile at once."""
    for at in range(3):
        objects.put(f"long/p-{at}.csv", _CSV)
    found = await call("get_dataset_summary", bucket_name=SHELF, prefix="long/")
    stopped = found.data | {"inventory": found.data["inventory"] | {"complete": False}}
    answer = DatasetSummary.model_validate(stopped | {"profile": None})
    text = render(answer, "get_dataset_summary", None, brief=False)
    follow = json.loads(text.rpartition("next: ")[2])
    assert (await call(follow["tool"], **follow["arguments"])).data["profile"]["rows"] == 2
