"""What one writes by hand with boto3 and the standard library: lean, and no more than that."""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import boto3
from botocore.exceptions import ClientError
from protocol import NotSupportedError, Request, endpoint, serve
from queries import Query

_S3 = boto3.client(
    "s3",
    endpoint_url=endpoint(),
    region_name="us-east-1",
    aws_access_key_id="bench",
    aws_secret_access_key="bench",  # noqa: S106 - the stand-in ignores signatures
)
_LINE_BYTES = 1_000


def _lines(request: Request) -> Iterator[str]:
    """Stream the object's lines, its beginning first: what is not taken is not fetched."""
    wanted = (request.get("offset", 0) + request.get("rows", 1 << 60)) * _LINE_BYTES
    body = _S3.get_object(
        Bucket=request["bucket"], Key=request["key"], Range=f"bytes=0-{min(wanted, 1 << 50)}"
    )["Body"]
    with body:
        for line in body.iter_lines(chunk_size=1 << 20):
            yield line.decode()


def page(request: Request) -> dict[str, Any]:
    """Return rows from a stream that is closed behind them; every value of a CSV is text."""
    start, stop = request["offset"], request["offset"] + request["rows"]
    lines = _lines(request)
    if request["format"] == "csv" and not request["key"].endswith(".gz"):
        rows = csv.reader(lines)
        columns = next(rows)
        return {"columns": columns, "rows": list(islice(rows, start, stop)), "untyped": True}
    if request["format"] == "jsonl":
        return {"records": [json.loads(line) for line in islice(lines, start, stop)]}
    raise NotSupportedError(request["format"])


def query(request: Request) -> dict[str, Any]:
    """Count rows; anything more is a program of its own."""
    if Query.from_json(request["query"]) != Query() or request["format"] not in {"csv", "jsonl"}:
        message = "no query engine"
        raise NotSupportedError(message)
    lines = _lines(request)
    if request["format"] == "csv":
        rows = csv.reader(lines)
        next(rows)
        return {"columns": ["n"], "rows": [[sum(1 for _ in rows)]]}
    return {"columns": ["n"], "rows": [[sum(1 for _ in lines)]]}


def find(request: Request) -> dict[str, Any]:
    """Walk all pages, one after the other."""
    pages = _S3.get_paginator("list_objects_v2").paginate(
        Bucket=request["bucket"], Prefix=request["prefix"]
    )
    keys = (item["Key"] for page in pages for item in page.get("Contents", []))
    return {"found": [key for key in keys if key.endswith(f"/{request['name']}")]}


def buckets(_: Request) -> dict[str, Any]:
    """List the buckets and try each, one after the other."""
    access = {}
    for bucket in _S3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        try:
            _S3.list_objects_v2(Bucket=name, MaxKeys=1)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            access[name] = "denied" if status == 403 else "unknown"  # noqa: PLR2004 - HTTP
        else:
            access[name] = "readable"
    return access


if __name__ == "__main__":
    serve(
        {"page": page, "query": query, "find": find, "buckets": buckets},
        {"boto3": boto3.__version__},
    )
