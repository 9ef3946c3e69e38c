"""The metadata of one object: how it is kept, what it holds, and what to call next."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from s3_data_lake_mcp.budget import fitting
from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    KmsDeniedError,
    LakeError,
    NotFoundError,
    ObjectArchivedError,
    ObjectChangedError,
    StoreError,
)
from s3_data_lake_mcp.fence import cell, scrub_all
from s3_data_lake_mcp.loaders.formats import detect_format_by_name, format_of
from s3_data_lake_mcp.profiling import tried
from s3_data_lake_mcp.profiling.contents import Contents, read_contents
from s3_data_lake_mcp.profiling.heads import settled_head
from s3_data_lake_mcp.profiling.keeping import (
    encryption_of,
    is_locked,
    restore_notice,
    restore_status,
)
from s3_data_lake_mcp.profiling.squeeze import (
    LONGEST_LAST_NOTICE,
    LONGEST_NOTICE,
    SPARE_BYTES,
    Answer,
    shortened,
    size,
    squeezed,
)
from s3_data_lake_mcp.profiling.suggestions import suggest
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import (
    ObjectHead,
    ObjectInfo,
    ObjectRef,
    ObjectStore,
    ScanMeter,
    check_versions,
)
from s3_data_lake_mcp.storage.reader import ObjectReader

_REFUSED = (AccessDeniedError, KmsDeniedError, ObjectArchivedError)
_LONG_PARTS = (
    ("csv", "columns", 5),
    ("json", "keys", 5),
    ("parquet", "key_value_metadata", 10),
    *(("parquet", name, 5) for name in ("statistics", "encrypted_columns", "bloom_filters")),
    ("parquet", "sorting_columns", 5),
)
"""Lists and maps that may be long, and the part of an answer that each may take."""


def describe_object(
    store: ObjectStore, ref: ObjectRef, settings: Settings, meter: ScanMeter
) -> dict[str, Any]:
    """Return the contract's answer, without `scan`.

    Costs five requests at most, four of them side by side: HEAD, tags, versioning, and the
    object's beginning or (as its name tells) its end.

    Raises:
        NotFoundError: If there is no such object or version.
        AccessDeniedError: If not even its HEAD may be read.
        ObjectChangedError: If it is overwritten meanwhile.
    """
    with ThreadPoolExecutor(4, thread_name_prefix="metadata") as pool:
        asked = pool.submit(store.head, ref, meter)
        tagged = pool.submit(tried, lambda: dict(store.get_tags(ref, meter)))
        versioned = pool.submit(tried, lambda: store.is_versioned(ref.bucket, meter))
        opened = pool.submit(tried, lambda: _open(store, ref, meter))
    head = settled_head(store, ref, meter, asked)
    notices: list[str] = []
    tags = _or_notice(tagged.result(), "tags", "s3:GetObjectTagging", notices)
    versions = _or_notice(versioned.result(), "versions_enabled", "s3:GetBucketVersioning", notices)
    contents = _contents(head, opened.result(), notices)
    answer = _answer(head, contents, tags, versions)
    answer["suggested_calls"] = suggest(ref, contents)
    if ref.version_id and contents is not None:
        notices.append("The tools that read data read the latest version, maybe not this one.")
    answer["notices"] = notices
    clean: Any = scrub_all(answer)
    whole = ("checksums", "suggested_calls")
    return squeezed(clean, settings.max_result_bytes, (_cut, _bare), whole=whole)


def _or_notice[T](found: T | LakeError, name: str, action: str, notices: list[str]) -> T | None:
    """Return what was found; what was refused or is not offered is None, with a notice."""
    if isinstance(found, AccessDeniedError):
        notices.append(f"{name} is null: {action} is not permitted.")
        return None
    if isinstance(found, StoreError):
        notices.append(f"{name} is null: {found}.")
        return None
    if isinstance(found, LakeError):
        raise found
    return found


def _open(store: ObjectStore, ref: ObjectRef, meter: ScanMeter) -> ObjectReader:
    if format_of(ref.key) == "parquet":
        return ObjectReader.open_tail(store, ref, meter)
    return ObjectReader.open_head(store, ref, meter)


def _contents(
    head: ObjectHead, opened: ObjectReader | LakeError, notices: list[str]
) -> Contents | None:
    """Return what the object holds; None with a notice where it may not be read."""
    if is_locked(head):
        notices.insert(0, restore_notice(head))
        return None
    if isinstance(opened, _REFUSED):
        notices.append(f"The content could not be looked at: {opened.sentences}")
        return None
    if isinstance(opened, NotFoundError):
        message = f"{head.info.ref} was deleted while it was being read"
        raise ObjectChangedError(message, hint="list_s3_objects shows what is there now.")
    if isinstance(opened, LakeError):
        raise opened
    check_versions([head.info, opened.info])
    contents = read_contents(opened)
    notices += contents.notices
    return contents


def _answer(
    head: ObjectHead,
    contents: Contents | None,
    tags: Mapping[str, str] | None,
    versions: bool | None,  # noqa: FBT001 - a field of the answer
) -> dict[str, Any]:
    told = contents or _by_name(head.info)
    return {
        "source": head.info.as_json(),
        "content_type": head.info.content_type,
        "content_encoding": head.info.content_encoding,
        "storage_class": head.storage_class,
        "archived": is_locked(head),
        "restore_status": restore_status(head),
        "encryption": encryption_of(head),
        "user_metadata": dict(head.user_metadata),
        "tags": tags,
        "checksums": dict(head.checksums),
        "detected_format": told.format,
        "detected_by": told.detected_by,
        "compression": told.compression,
        "columns": told.columns,
        "total_rows": told.total_rows,
        "parquet": told.parquet,
        "csv": told.csv,
        "json": told.json,
        "versions_enabled": versions,
    }


def _by_name(info: ObjectInfo) -> Contents:
    name, compression = detect_format_by_name(info.ref.key)
    detected_by = "suffix" if name != "unknown" else ""
    return Contents(format=name, detected_by=detected_by, compression=compression)


def _cut(answer: Answer, room: int) -> Answer:
    """Cut the lists that may be long to what fits, and count what is left out."""
    notices = [shortened(text, LONGEST_NOTICE) for text in answer["notices"]]
    room -= min(SPARE_BYTES, room // 4)
    cut = answer | {"notices": notices}
    for name, share in (("user_metadata", 10), ("tags", 10), ("suggested_calls", 5)):
        _cut_part(cut, name, room // share, name, notices)
    for part, name, share in _LONG_PARTS:
        if cut[part]:
            cut[part] = dict(cut[part])
            _cut_part(cut[part], name, room // share, f"{part}.{name}", notices)
    rest = room - size(cut | {"columns": []}) - len(notices) * 16
    _cut_part(cut, "columns", max(0, rest), "columns", notices)
    return cut


def _bare(answer: Answer, room: int) -> Answer:
    """Leave out all that has no bound."""
    empty: Answer = {
        "user_metadata": {},
        "columns": [],
        "parquet": None,
        "csv": None,
        "json": None,
        "suggested_calls": [],
    }
    tags = answer["tags"]
    if tags and size(tags) > room // 8:
        empty["tags"] = None
    left_out = ", ".join([name for name in answer if name in empty and answer[name]])
    said = f"{left_out} did not fit {room:,} bytes: raise S3_DATA_LAKE_MAX_RESULT_BYTES."
    notices = [shortened(text, LONGEST_LAST_NOTICE) for text in answer["notices"]]
    kept = fitting(notices, cell, room // 4)
    return answer | empty | {"notices": [*notices[:kept], said]}


def _cut_part(holder: dict[str, Any], name: str, room: int, label: str, notices: list[str]) -> None:
    """Cut a list or map to what fits."""
    whole = holder.get(name) or []
    parts = [[*pair] for pair in whole.items()] if isinstance(whole, dict) else list(whole)
    kept = fitting(parts, cell, room)
    if kept < len(parts):
        notices.append(f"{label}: {_first(kept, len(parts))}")
        holder[name] = type(whole)(parts[:kept])


def _first(kept: int, total: int) -> str:
    if not kept:
        return "none fits." if total == 1 else f"none of {total:,} fit."
    return f"only the first {kept:,} of {total:,} fit."
