"""A lake on the S3 API, filled once, and clients on a server over it."""

import gzip
import io
import json
from collections.abc import AsyncIterator, Iterator

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.config import Config
from fastmcp import Client

from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from support.mcp import BUCKET, ROWS, Caller
from support.objects import Objects


def orders_csv() -> bytes:
    """Return 250 orders as CSV."""
    lines = ["id,city,amount,placed,note"]
    lines += [
        f'{i},{("Bern", "Basel", "Genf")[i % 3]},{i / 4},2026-01-{i % 28 + 1:02d},"n, {i}"'
        for i in range(ROWS)
    ]
    return ("\n".join(lines) + "\n").encode()


def orders_parquet() -> bytes:
    """Return the same orders as Parquet, in three row groups."""
    table = pa.table(
        {
            "id": pa.array(range(ROWS), pa.int64()),
            "city": pa.array([("Bern", "Basel", "Genf")[i % 3] for i in range(ROWS)]),
            "amount": pa.array([i / 4 for i in range(ROWS)]),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=100)
    return sink.getvalue()


def _objects() -> dict[str, bytes]:
    records = [{"id": i, "tags": [i, str(i)], "city": "Bern"} for i in range(ROWS)]
    objects = {
        "orders.csv": orders_csv(),
        "orders.csv.gz": gzip.compress(orders_csv()),
        "orders.parquet": orders_parquet(),
        "records.json": json.dumps(records).encode(),
        "records.jsonl": "\n".join(map(json.dumps, records)).encode(),
        "document.json": json.dumps({"a": {"b": [1, 2, 3]}, "c": "x"}).encode(),
        "odd/a b+c%20é#?.csv": b"x,y\n1,2\n",
        "odd/[1]*.csv": b"x\n1\n2\n",
        "empty.csv": b"",
        "surrogate.json": rb'[{"a\udc00": "x\ud800y"}]',
        "torn.parquet": orders_parquet()[:500],
        "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "bad.json": b'{"a": 1,}',
        "torn.csv.gz": gzip.compress(orders_csv())[:400],
    }
    for day in range(1, 5):
        for part in range(2):
            sink = io.BytesIO()
            table = pa.table({"v": pa.array([day * 10 + part, day * 10 + part + 5], pa.int32())})
            pq.write_table(table, sink)
            objects[f"hive/dt=2026-01-0{day}/part-{part}.parquet"] = sink.getvalue()
    return objects


@pytest.fixture(scope="session")
def lake_bucket(moto_endpoint: str) -> Iterator[str]:
    """Fill the bucket once, and set the environment of the tests in this folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("AWS_ENDPOINT_URL_S3", moto_endpoint),
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ):
            patch.setenv(name, value)
        client = boto3.client(
            "s3", region_name="us-east-1", config=Config(s3={"addressing_style": "path"})
        )
        client.create_bucket(Bucket=BUCKET)
        for key, body in _objects().items():
            client.put_object(Bucket=BUCKET, Key=key, Body=body)
        client.put_object(Bucket=BUCKET, Key="cold.csv", Body=b"a\n1\n", StorageClass="GLACIER")
        client.close()
        yield BUCKET


@pytest.fixture(scope="session")
def objects(lake_bucket: str) -> Iterator[Objects]:
    """Return a way to put objects into a bucket of their own."""
    del lake_bucket
    made = Objects()
    yield made
    made.client.close()


@pytest.fixture
def lake_surrogate(lake_bucket: str) -> str:
    """Return the key of a JSON object with a lone surrogate in a value and in a key."""
    del lake_bucket
    return "surrogate.json"


@pytest.fixture(scope="session")
def lake(lake_bucket: str) -> Iterator[Lake]:
    """Return one lake for all tests of this folder: its workers stay warm."""
    del lake_bucket
    lake = Lake.connect(Settings(_env_file=None))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    yield lake
    lake.close()


@pytest.fixture
async def call(lake: Lake) -> AsyncIterator[Caller]:
    """Return a function that calls a tool of a server in this process."""
    async with Client(build_server(lake)) as client:
        yield Caller(client)
