"""The call that comes with an error: found, and tried with little before it is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from s3_data_lake_mcp.cursors import Cursor
from s3_data_lake_mcp.errors import (
    InvalidArgumentError,
    LakeError,
    NotFoundError,
    ObjectChangedError,
)
from s3_data_lake_mcp.lake import Call
from s3_data_lake_mcp.loaders.formats import READ_TOOLS
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter, deleted
from s3_data_lake_mcp.storage.keys import split_uri
from s3_data_lake_mcp.tools.arguments import Signature
from s3_data_lake_mcp.tools.meant import PAGE_SIZES

_MOST_TRIED = 4
_MOST_SECONDS = 5.0
"""A worker bounds what it tries itself; this is for one that has to start, or hangs."""

_PROVEN = frozenset(
    {"query_csv_data", "read_csv_from_s3", "read_json_from_s3", "read_parquet_from_s3"}
)
"""The tools whose workers try what they propose."""

_OF_MANY = "query_csv_data"
_OF_ONE = {
    **dict.fromkeys((READ_TOOLS["csv"], READ_TOOLS["json"]), (_OF_MANY, "object_key")),
    "get_file_metadata": ("list_s3_objects", "pattern"),
}
"""Tools of one object, with a tool that takes a glob, and where."""


@dataclass(slots=True, kw_only=True)
class Proposal:
    """A call, and whether it may fail for something else."""

    tool: str
    arguments: dict[str, Any]
    untried: bool


def proposal(
    exc: LakeError, arguments: Mapping[str, Any], call: Call, signature: Signature
) -> Proposal | None:
    """Return the call that an error proposes, if it does."""
    if isinstance(exc, ObjectChangedError) and not exc.repair_tool and call.cursor is not None:
        begin = signature.first_call(call.cursor)
        return Proposal(tool=call.tool, arguments=begin, untried=True)
    if exc.repair is None:
        return None
    if exc.repair_tool:
        # Else it is of keys or an object that were just looked at; nothing is wrong with no bucket.
        untried = isinstance(exc, InvalidArgumentError) and "bucket_name" in exc.repair
        untried |= isinstance(exc, NotFoundError) and exc.repair_tool == _OF_MANY
        asked = {**exc.repair, **_page_size(exc.repair_tool, arguments)}
        return Proposal(tool=exc.repair_tool, arguments=asked, untried=untried)
    whole = signature.mended(arguments, exc.repair, call)
    if whole is None:
        return None
    untried = call.retold or not call.worked
    if call.tool == "list_s3_buckets":
        untried = False
    elif call.tool not in _PROVEN:
        untried |= bool(exc.repair.keys() & {"bucket_name", "version_id"})
        untried |= bool(whole.get("columns")) and "columns" not in exc.repair
    return Proposal(tool=call.tool, arguments=whole, untried=untried)


def _page_size(tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the page size that was asked for, as a tool that reads rows or records takes it."""
    name = "max_records" if tool == READ_TOOLS["json"] else "max_rows"
    size = next((value for given, value in arguments.items() if given in PAGE_SIZES), None)
    return {name: size} if size is not None and tool in _PROVEN else {}


def attempts(found: Proposal, failed: Call) -> Iterator[Call]:
    """Yield calls that try a proposal."""
    for _ in range(_MOST_TRIED):
        seconds = min(_MOST_SECONDS, failed.meter.remaining_seconds)
        meter = ScanMeter(timeout_seconds=seconds, max_bytes=failed.meter.remaining_bytes)
        yield Call(lake=failed.lake, tool=found.tool, meter=meter, trial=True)


def since(exc: LakeError, cursor: Cursor | None) -> LakeError:
    """Return the error as it is for who goes on with a cursor: what is not there now, was."""
    if cursor is None or not isinstance(exc, NotFoundError):
        return exc
    # An error without a key is of a bucket, which held the object.
    key = exc.key or (cursor.key if exc.bucket == cursor.bucket else "")
    if not key:
        return exc
    return deleted(ObjectRef(bucket=exc.bucket, key=key), "since the cursor was made")


def misplaced(exc: LakeError, arguments: Mapping[str, Any], place: str) -> LakeError:
    """Return the error of who gives a whole URI for a key, which is taken literally, with the way.

    No such key was found: an object whose key looks like a URI is read.
    """
    key = arguments.get(place)
    if not isinstance(exc, NotFoundError) or not isinstance(key, str):
        return exc
    repair: dict[str, object] | None = None
    try:
        if (found := split_uri(key)) and found[1]:
            repair = {"bucket_name": found[0], place: found[1]}
    except InvalidArgumentError as wrong:
        repair = wrong.repair
    hint = f"{place} is a key alone: a whole URI goes into bucket_name."
    return NotFoundError(str(exc), hint=hint, repair=repair) if repair else exc


def of_one(exc: LakeError, tool: str) -> LakeError:
    """Return the error of who gives a glob to a tool of one object, with a tool that takes one."""
    # Other signs of a glob are in keys as well, one of which may be misspelt.
    if not isinstance(exc, NotFoundError) or "*" not in exc.key:
        return exc
    taker, place = _OF_ONE.get(tool, ("", ""))
    if not taker:
        return exc
    fits = str((exc.repair or {}).get("object_key"))
    return NotFoundError(
        str(exc),
        hint=f"{tool} reads one object; {taker} takes a glob.",
        repair={"bucket_name": exc.bucket, place: fits if "**" in fits else exc.key},
        repair_tool=taker,
    )
