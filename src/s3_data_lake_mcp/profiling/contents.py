"""What an object holds, judged by its first bytes, and for Parquet by its footer."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from s3_data_lake_mcp.errors import LakeError, MalformedDataError, UnsupportedFormatError
from s3_data_lake_mcp.loaders import LoadRequest, LoadResult
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.csv_encoding import detect_encoding
from s3_data_lake_mcp.loaders.csv_shape import whole_lines
from s3_data_lake_mcp.loaders.formats import (
    PARQUET_MAGIC,
    detect_format,
    detect_format_by_name,
    format_of,
    refuse_compressed,
)
from s3_data_lake_mcp.loaders.json import JsonLoader
from s3_data_lake_mcp.loaders.json_table import table_of
from s3_data_lake_mcp.loaders.parquet_footer import describe_parquet
from s3_data_lake_mcp.profiling.json_head import read_head
from s3_data_lake_mcp.profiling.sample_figures import dated
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader
from s3_data_lake_mcp.wire import column_specs

_LONG_TAIL_BYTES = 256 << 10
_BLOCK_BYTES = 1 << 20
"""A block of bzip2 or zstd, of which nothing is told before its end, has fewer bytes."""

_ALL_ROWS = 1_000_000
_JSON_TOOL = "read_json_from_s3"


@dataclass(slots=True, kw_only=True)
class Contents:
    """What is in an object; `total_rows` is exact or None, `is_damaged` if no tool reads it."""

    format: str = ""
    detected_by: str = ""
    compression: str = ""
    columns: list[dict[str, Any]] = field(default_factory=list)
    total_rows: int | None = None
    parquet: dict[str, Any] | None = None
    csv: dict[str, Any] | None = None
    json: dict[str, Any] | None = None
    notices: list[str] = field(default_factory=list)
    is_damaged: bool = False


def read_contents(source: ObjectReader) -> Contents:
    """Describe what an object holds by its beginning or end, whichever `source` was opened by.

    Costs nothing for an object that is here whole, and one more request where the other end tells.
    """
    named, announced = detect_format_by_name(source.ref.key)
    if not source.size_bytes:
        return Contents(
            format=named, detected_by="suffix" if named != "unknown" else "", notices=["Empty."]
        )
    if named == "parquet" and _ends_like_parquet(source):
        return _parquet(source)
    head = source.read_range(0, HEAD_BYTES)
    if head.startswith(PARQUET_MAGIC):
        source.prefetch([(max(0, source.size_bytes - _LONG_TAIL_BYTES), source.size_bytes)])
        return _parquet(source)
    found = Contents(compression=detect_compression(head))
    whole = len(head) >= source.size_bytes
    if found.compression:
        head, whole = _decoded(source, head, found)
    elif announced:
        found.notices.append(f"The name says {announced}, but the content is not compressed.")
    found.format, found.detected_by = detect_format(source.info, head)
    found.notices += _contradictions(source, head, named, found.format)
    if found.format == "parquet" and found.compression:
        found.notices.append(f"Parquet inside of {found.compression} is not read: decompress it.")
    read = {"csv": _csv, "json": _json}.get(found.format)
    if read is not None and head:
        _described(found, read, source, head, whole=whole)
    return found


def _contradictions(source: ObjectReader, head: bytes, named: str, format_name: str) -> list[str]:
    """Say what content that is not as its name says is instead, as far as it is known."""
    if format_name == "unknown":
        try:
            refuse_compressed(source.info, head)
        except UnsupportedFormatError as exc:
            return [exc.sentences]
        return [] if named == "unknown" else [f"The name says {named}, but the content is not."]
    if named in (format_name, "text", "unknown"):
        return []
    return [f"The name says {named}, but the content is {format_name}."]


def _ends_like_parquet(source: ObjectReader) -> bool:
    size = source.size_bytes
    return source.read_range(max(0, size - 4), size) in PARQUET_MAGIC


def _parquet(source: ObjectReader) -> Contents:
    found = Contents(format="parquet", detected_by="magic")
    try:
        told = describe_parquet(source)
    except LakeError as exc:
        found.notices.append(exc.sentences)
    else:
        found.columns = told["columns"]
        found.total_rows = told["total_rows"]
        found.parquet = told["parquet"]
        found.notices += told["notices"]
    named = format_of(source.ref.key)
    if named not in ("parquet", "unknown"):
        found.notices.append(f"The name says {named}, but the content is parquet.")
    return found


def _decoded(source: ObjectReader, head: bytes, found: Contents) -> tuple[bytes, bool]:
    """Return the beginning of the decompressed text, and whether it is all of it."""
    here = len(head) >= source.size_bytes
    known = source.holding(head)
    text = b""
    blocks = decoded_blocks(known, found.compression, max_decoded_bytes=1 << 40)
    try:
        for block in blocks:
            text += block
            if len(text) > HEAD_BYTES:
                return text[:HEAD_BYTES], False
    except LakeError as exc:
        # The compressed bytes end with the head: only of a whole object is that damage.
        if here:
            found.notices.append(exc.sentences)
            found.is_damaged = True
        elif not text and len(head) < _BLOCK_BYTES:
            more = source.read_ranges([(len(head), _BLOCK_BYTES)], part_bytes=_BLOCK_BYTES)
            return _decoded(source, head + more[0], found)
        return text, False
    return text, here


type _Reader = Callable[[ObjectReader, bytes, bool, Contents], None]


def _described(
    found: Contents, read: _Reader, source: ObjectReader, head: bytes, *, whole: bool
) -> None:
    try:
        read(source, head, whole, found)
    except LakeError as exc:
        found.notices.append(exc.sentences)
        if found.format == "csv" and exc.repair_tool == _JSON_TOOL:
            # Its name was believed; whoever read it knows better.
            found.format, found.detected_by = "json", "content"
            _described(found, _json, source, head, whole=whole)


def _csv(source: ObjectReader, head: bytes, whole: bool, found: Contents) -> None:  # noqa: FBT001 - one of two readers
    body = head if whole else _whole_lines(head, str(source.ref))
    known = source.holding(body)
    loaded = CsvLoader().load(known, CsvRequest(max_rows=_ALL_ROWS, torn=not whole))
    _take(found, loaded, whole=whole)
    if not whole:
        found.notices.append("Columns and their types are those of the first 64 KiB.")
    dialect: Any = loaded.details["dialect"]
    found.csv = {
        "dialect": dict(dialect) | {"compression": found.compression},
        "columns": found.columns,
    }


def _whole_lines(head: bytes, subject: str) -> bytes:
    if b"\n" not in head and b"\r" not in head:
        message = f"{subject} begins with a line of more than {len(head):,} bytes"
        raise MalformedDataError(message, hint="Its columns are not told; is it delimited text?")
    return whole_lines(head, detect_encoding(head, "", subject)[0])


def _take(found: Contents, loaded: LoadResult, *, whole: bool) -> None:
    found.columns = column_specs(loaded.table.schema)
    if whole:
        found.total_rows = loaded.total_rows
        found.notices += [*loaded.notices, *map(str, loaded.told(loaded.table.num_rows))]


def _json(source: ObjectReader, head: bytes, whole: bool, found: Contents) -> None:  # noqa: FBT001 - as above
    if whole:
        known = source.holding(head)
        loaded = JsonLoader().load(known, LoadRequest(max_rows=_ALL_ROWS))
        details: Any = loaded.details["json"]
        found.json = {"layout": details["layout"], "keys": list(details["keys"])}
        if details["layout"] in ("array", "lines"):
            _take(found, replace(loaded, table=dated(loaded.table)), whole=True)
        return
    told = read_head(head, source.ref.key)
    if not told.layout:
        message = f"{source.ref} does not begin like JSON"
        raise MalformedDataError(message, hint="Its layout is not told.")
    found.json = {"layout": told.layout, "keys": told.keys}
    found.notices.append("Keys and columns are those of the first 64 KiB.")
    if told.records:
        found.columns = column_specs(dated(table_of(told.records, str(source.ref))).schema)
