"""Discovery: buckets and keys."""

from collections.abc import Iterator
from typing import Annotated

from fastmcp.dependencies import Depends
from pydantic import Field

from s3_data_lake_mcp.catalog.buckets import BucketSearch, survey_buckets
from s3_data_lake_mcp.catalog.filters import KeyFilter
from s3_data_lake_mcp.catalog.objects import Search, find_objects
from s3_data_lake_mcp.errors import NotFoundError
from s3_data_lake_mcp.lake import Call
from s3_data_lake_mcp.models.discovery import BucketList, ObjectList
from s3_data_lake_mcp.storage.keys import is_glob
from s3_data_lake_mcp.storage.nearest import explain_missing
from s3_data_lake_mcp.tools.context import current_call
from s3_data_lake_mcp.tools.words import clip

_NOTICE_PART = 4
"""Share of a result that one notice may take."""


def list_s3_buckets(
    name_contains: str = "",
    check_access: bool = True,
    max_buckets: Annotated[int, Field(ge=1)] = 100,
    cursor: str = "",
    *,
    call: Call = Depends(current_call),
) -> BucketList:
    """List the buckets with their regions, and whether their objects can be listed.

    Args:
        name_contains: Only buckets whose name contains this.
        check_access: Whether to find out which can be read.
        max_buckets: Most buckets to return.
        cursor: next_cursor of the page before.
        call: Injected by the server.
    """
    search = BucketSearch(
        name_contains=name_contains,
        check_access=check_access,
        max_buckets=max_buckets,
        room_bytes=call.lake.settings.max_result_bytes,
        start_after=call.start_after(),
    )
    allowed = call.lake.store.allowed.bucket_names()
    found = survey_buckets(call.lake.store, allowed, call.meter, search)
    return BucketList(
        buckets=found.buckets,
        count=len(found.buckets),
        next_cursor=call.next_cursor("", "", found.last) if found.more else "",
        notices=[*call.notices, *found.notices],
        scan=call.scan(),
    )


def list_s3_objects(
    bucket_name: str,
    prefix: str = "",
    pattern: str = "",
    delimiter: str = "",
    format: str = "",
    min_size_bytes: Annotated[int, Field(ge=0)] = 0,
    max_size_bytes: Annotated[int, Field(ge=0)] = 0,
    modified_after: str = "",
    modified_before: str = "",
    max_keys: Annotated[int, Field(ge=1)] = 100,
    cursor: str = "",
    *,
    call: Call = Depends(current_call),
) -> ObjectList:
    """List objects under a prefix in the order of keys, filtered by glob, format, size and date.

    Args:
        bucket_name: Bucket, or a whole s3://bucket/prefix URI.
        prefix: Only keys that start with this.
        pattern: Glob on the whole key; ** crosses /, * does not.
        delimiter: / folds deeper keys into common_prefixes.
        format: Only this format, judged by name: csv, json, parquet, …
        min_size_bytes: Smallest size.
        max_size_bytes: Largest size; 0: no bound.
        modified_after: Modified at or after; ISO 8601.
        modified_before: Modified before; ISO 8601.
        max_keys: Most keys to return.
        cursor: next_cursor of the page before.
        call: Injected by the server.
    """
    wanted = KeyFilter.read(
        pattern=pattern,
        format=format,
        min_size_bytes=min_size_bytes,
        max_size_bytes=max_size_bytes,
        modified_after=modified_after,
        modified_before=modified_before,
    )
    search = Search(
        bucket=bucket_name,
        prefix=prefix,
        delimiter=delimiter,
        # What is only tried must not look at every key for a filter that finds nothing.
        wanted=KeyFilter() if call.trial else wanted,
        max_keys=1 if call.trial else max_keys,
        room_bytes=call.lake.settings.max_result_bytes,
        start_after=call.start_after(),
    )
    try:
        found = find_objects(call.lake.store, call.meter, search, call.progress)
    except NotFoundError as exc:
        raise explain_missing(call.lake.store, exc, call.meter) from exc
    begin = wanted.narrowed(prefix)
    if begin and not (found.keys_scanned or call.cursor):
        found.notices.append(_nothing_below(call, bucket_name, begin))
    elif not (found.objects or found.truncated):
        found.notices += _taken_literally(pattern)
    return ObjectList(
        bucket=bucket_name,
        prefix=prefix,
        objects=found.objects,
        common_prefixes=found.common_prefixes,
        count=len(found),
        keys_scanned=found.keys_scanned,
        truncated=found.truncated,
        truncated_by=found.truncated_by,
        next_cursor=call.next_cursor(bucket_name, prefix, found.last) if found.truncated else "",
        notices=[*call.notices, *found.notices],
        scan=call.scan(),
    )


def _taken_literally(pattern: str) -> Iterator[str]:
    """Yield what a pattern that fits no key does not mean here, as it may elsewhere."""
    if "*" in pattern and "**" not in pattern:
        yield f"* does not cross /, ** does{'' if '/' in pattern else f': **/{pattern}'}."
    if "{" in pattern:
        yield "Braces in a pattern are taken literally: ask for one at a time."
    elif pattern and not is_glob(pattern):
        yield f"A pattern is of whole keys: **{pattern}** fits all that hold it."


def _nothing_below(call: Call, bucket: str, prefix: str) -> str:
    """Say that no key begins so, and what there is instead."""
    if is_glob(prefix):
        return "prefix is taken literally: give a glob as pattern."
    if "://" in prefix:
        return "prefix and pattern are of keys alone: without s3:// and the bucket."
    message = f"No key begins with {prefix}"
    missing = NotFoundError(message, bucket=bucket, key=prefix)
    explained = explain_missing(call.lake.store, missing, call.meter)
    share = call.lake.settings.max_result_bytes // _NOTICE_PART
    return clip(f"{message}. {explained.hint}".rstrip(), share)
