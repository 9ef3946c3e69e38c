"""Opening the object that a job reads: at its head, or where a cursor's page ended."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from s3_data_lake_mcp.cursors import Cursor, misfit
from s3_data_lake_mcp.errors import InvalidArgumentError, MalformedDataError, ObjectChangedError
from s3_data_lake_mcp.jobs.workplace import Arguments, Workplace
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.lookup import marked_folder
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader
from s3_data_lake_mcp.storage.s3_names import check_bucket

_LATEST_SECONDS = 253_402_300_800
"""Midnight after the last day of the year 9999."""


def paging(a: Arguments) -> Cursor:
    """Return what the server sent along for the next page's cursor."""
    return Cursor(bucket=a["bucket"], key=a["key"], **a["paging"])


def key(a: Arguments) -> str:
    """Return the object's key.

    Raises:
        InvalidArgumentError: If there is none, or no bucket can have the bucket's name.
    """
    check_bucket(a["bucket"])
    if not a["key"]:
        message = f"s3://{a['bucket']} is a bucket, not an object"
        raise InvalidArgumentError(
            message,
            hint="Give object_key; list_s3_objects shows the keys.",
            repair={"bucket_name": a["bucket"]},
            repair_tool="list_s3_objects",
        )
    return str(a["key"])


def ref(a: Arguments) -> ObjectRef:
    """Return the object's name."""
    return ObjectRef(bucket=a["bucket"], key=key(a))


def identity(info: ObjectInfo) -> dict[str, Any]:
    """Return what a cursor pins: ETag, size, version and date."""
    # S3 keeps whole seconds.
    modified = int(info.last_modified.timestamp()) if info.last_modified else 0
    return {"e": info.etag, "s": info.size_bytes, "v": info.version_id, "m": modified}


def open_head(
    w: Workplace, a: Arguments, meter: ScanMeter, paging: Cursor, *, length: int = HEAD_BYTES
) -> ObjectReader:
    """Open by the first bytes; a cursor knows the version, so there nothing is fetched."""
    if not paging.identity:
        source = ObjectReader.open_head(w.store, ref(a), meter, length=length)
        if folder := marked_folder(source.ref.key, source.size_bytes):
            raise MalformedDataError(
                f"{source.ref} is empty: it marks a folder",
                hint="list_s3_objects shows what is below it.",
                repair={"bucket_name": source.ref.bucket, "prefix": folder},
                repair_tool="list_s3_objects",
            )
        return source
    return ObjectReader(w.store, _pinned(ref(a), paging.identity), meter)


def _pinned(ref: ObjectRef, identity: Mapping[str, Any]) -> ObjectInfo:
    """Return the version that a cursor pins; cursors are untrusted input.

    Raises:
        InvalidArgumentError: If the cursor pins none.
    """
    match identity:
        case {"e": str(etag), "s": int(size), "v": str(version), "m": int(modified)} if (
            etag and size >= 0 and 0 <= modified < _LATEST_SECONDS
        ):
            return ObjectInfo(
                ref=ref,
                size_bytes=size,
                etag=etag,
                version_id=version,
                last_modified=datetime.fromtimestamp(modified, UTC) if modified else None,
            )
        case _:
            raise misfit("this object")


def check_unchanged(info: ObjectInfo, paging: Cursor) -> None:
    """Raise if an object is not the version that a cursor was made for.

    Raises:
        ObjectChangedError: If it has changed.
    """
    if paging.identity and paging.identity.get("e") != info.etag:
        message = f"{info.ref} has changed since the cursor was made"
        raise ObjectChangedError(message, hint="Start again without a cursor.")
