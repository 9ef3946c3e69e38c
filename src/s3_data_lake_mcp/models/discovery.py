"""The results of discovery: buckets and keys."""

from typing import Literal

from pydantic import NonNegativeInt

from s3_data_lake_mcp.models import Model, Scan


class Bucket(Model):
    """One bucket."""

    name: str
    region: str
    creation_date: str
    access: Literal["readable", "denied", "unknown"]


class BucketList(Model):
    """Answer of `list_s3_buckets`."""

    buckets: list[Bucket]
    count: NonNegativeInt
    next_cursor: str = ""
    notices: list[str]
    scan: Scan


class Object(Model):
    """One key."""

    key: str
    size_bytes: NonNegativeInt
    last_modified: str
    storage_class: str
    etag: str
    format: str


class ObjectList(Model):
    """Answer of `list_s3_objects`."""

    bucket: str
    prefix: str
    objects: list[Object]
    common_prefixes: list[str]
    count: NonNegativeInt
    keys_scanned: NonNegativeInt
    truncated: bool
    truncated_by: str
    next_cursor: str = ""
    notices: list[str]
    scan: Scan
