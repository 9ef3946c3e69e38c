"""A second bucket of the MCP tests, into which each test puts what it needs."""

import io
import json
from typing import TYPE_CHECKING

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.config import Config

SHELF = "mcp-shelf"

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Objects:
    """Puts objects into the bucket; the environment says where it is."""

    def __init__(self) -> None:
        self.client: S3Client = boto3.client(
            "s3", region_name="us-east-1", config=Config(s3={"addressing_style": "path"})
        )
        self.client.create_bucket(Bucket=SHELF)

    def put(self, key: str, body: bytes | str) -> str:
        """Write an object and return its key."""
        data = body if isinstance(body, bytes) else body.encode()
        self.client.put_object(Bucket=SHELF, Key=key, Body=data)
        return key

    def json(self, key: str, value: object) -> str:
        """Write a value as JSON and return the key."""
        return self.put(key, json.dumps(value))

    def parquet(self, key: str, table: "pa.Table") -> str:
        """Write a table as Parquet and return the key."""
        sink = io.BytesIO()
        pq.write_table(table, sink)
        return self.put(key, sink.getvalue())
