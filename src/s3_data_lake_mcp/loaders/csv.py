"""Delimited text to Arrow: one page, read no further than it needs."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pyarrow as pa

from s3_data_lake_mcp.errors import InvalidArgumentError, MalformedDataError, UnknownColumnError
from s3_data_lake_mcp.loaders import LoadResult, Position
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression
from s3_data_lake_mcp.loaders.csv_dialect import (
    CsvRequest,
    column_names,
    detect_dialect,
    detect_encoding,
    looks_like_header,
    refuse_binary,
    sample,
)
from s3_data_lake_mcp.loaders.csv_records import (
    MAX_RECORD_BYTES,
    Dialect,
    Record,
    RecordReader,
    is_wide,
)
from s3_data_lake_mcp.loaders.csv_types import typed_column
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader

__all__ = ["CsvLoader", "CsvRequest", "CsvShape", "Dialect", "sniff"]

_NAMED_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvShape:
    """What the head of a delimited text tells: `start` is the byte, `line` the line of the data."""

    dialect: Dialect
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    null_tokens: tuple[frozenset[str], ...]
    start: int
    line: int
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class _Rows:
    """The rows of a page and what was wrong with them."""

    kept: list[Record] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    ended: bool = False


def _taken(blocks: Iterator[bytes]) -> bytes:
    """Take blocks up to a line's end, at least 64 KiB."""
    head = b""
    for block in blocks:
        head += block
        if len(head) >= HEAD_BYTES and (b"\n" in head or b"\r" in head):
            break
        if len(head) > MAX_RECORD_BYTES:
            break
    return head


def sniff(source: ObjectReader, request: CsvRequest) -> CsvShape:
    """Return dialect, names and types as the object's head shows them.

    Raises:
        MalformedDataError: If it is empty or no delimited text.
        InvalidArgumentError: If the request's dialect cannot be used.
    """
    compression = detect_compression(source.info, source.read_range(0, HEAD_BYTES))
    blocks = decoded_blocks(source, compression, max_decoded_bytes=request.max_decoded_bytes)
    return _shape(source, request, compression, _taken(blocks))


def _shape(source: ObjectReader, request: CsvRequest, compression: str, head: bytes) -> CsvShape:
    subject = str(source.ref)
    refuse_binary(head, subject)
    if request.has_header not in ("auto", "true", "false"):
        message = f"has_header {request.has_header!r} is none of auto, true, false"
        raise InvalidArgumentError(message, repair={"has_header": "auto"})
    encoding, start = detect_encoding(head, request.encoding, subject)
    body = head[start:]
    whole = compression == "" and len(head) >= source.size_bytes
    text = _head_text(body, encoding, subject, whole=whole)
    if not text.strip():
        message = f"{subject} is empty"
        raise MalformedDataError(message, hint="An object without a line has no columns.")
    dialect = detect_dialect(text, request, encoding=encoding, compression=compression)
    rows = sample(text, dialect)
    reader = RecordReader(iter([body]), dialect, at=start, line=1, subject=subject)
    first = next(iter(reader))
    header = looks_like_header(rows or [first.fields])
    if request.has_header != "auto":
        header = request.has_header == "true"
    dialect = _with_header(dialect, header=header)
    width = max(len(first.fields), 1)
    if not header:
        names, notices = column_names([f"column_{i}" for i in range(1, width + 1)])
    else:
        names, notices = column_names(first.fields)
    if encoding == "cp1252" and not request.encoding:
        notices.append("The text is not valid UTF-8 and was read as Windows-1252 (encoding).")
    data = [row for row in (rows[1:] if header else rows) if len(row) <= width]
    columns = [typed_column([r[i] if i < len(r) else None for r in data]) for i in range(width)]
    return CsvShape(
        dialect=dialect,
        names=names,
        types=tuple(column.type for column, _ in columns),
        null_tokens=tuple(tokens for _, tokens in columns),
        start=first.end if header else start,
        line=first.next_line if header else 1,
        notices=tuple(notices),
    )


def _with_header(dialect: Dialect, *, header: bool) -> Dialect:
    values = {**dialect.as_json(), "has_header": header}
    return Dialect(**values)  # type: ignore[arg-type] # its own fields, read back


def _head_text(body: bytes, encoding: str, subject: str, *, whole: bool) -> str:
    """Return the head's whole lines as text."""
    if is_wide(encoding):
        body = body[: len(body) - len(body) % (4 if "32" in encoding else 2)] if not whole else body
    elif not whole:
        body = body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1] or body
    try:
        text = body.decode(encoding)
    except UnicodeError as exc:
        line = body[: getattr(exc, "start", 0)].count(b"\n") + 1
        message = f"{subject} is not valid {encoding} in line {line}"
        raise MalformedDataError(message, hint="Name the file's encoding.") from exc
    if "\0" in text:
        message = f"{subject} holds NUL bytes: it does not look like delimited text"
        raise MalformedDataError(message, hint="get_file_metadata tells the object's format.")
    return text if whole else text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text


class CsvLoader:
    """Reads CSV, TSV and other delimited text."""

    name = "csv"
    suffixes = (".csv", ".tsv", ".tab", ".psv", ".txt")

    def load(self, source: ObjectReader, request: CsvRequest) -> LoadResult:
        """Load one page; see `Loader.load`."""
        subject = str(source.ref)
        compression = detect_compression(source.info, source.read_range(0, HEAD_BYTES))
        limit = request.max_decoded_bytes
        blocks = decoded_blocks(source, compression, max_decoded_bytes=limit)
        head = _taken(blocks)
        shape = _shape(source, _as_before(request), compression, head)
        picked = _pick(shape, request.columns, subject)
        at, line, row, skip = shape.start, shape.line, request.offset, request.offset
        if request.position is not None:
            at, line, row = (_number(request.position, key) for key in ("at", "line", "row"))
            skip = 0
        if at <= len(head):
            stream: Iterator[bytes] = chain([head[at:]], blocks)
        else:
            stream = decoded_blocks(source, compression, max_decoded_bytes=limit, start=at)
        reader = RecordReader(stream, shape.dialect, at=at, line=line, subject=subject)
        width = len(shape.names)
        skipped = reader.skip(skip, width) if skip else 0
        rows = _Rows(ended=True) if skipped < skip else _read(reader, request.max_rows, width)
        total = row - skip + skipped + len(rows.kept) if rows.ended else None
        table, null_notices = _table(rows.kept, shape, picked)
        return LoadResult(
            table=table,
            offset=row,
            resume=_resume(rows.kept, row, shape.dialect),
            total_rows=total,
            notices=(*shape.notices, *_notices(rows), *null_notices),
            details={"dialect": shape.dialect.as_json()},
        )


def _as_before(request: CsvRequest) -> CsvRequest:
    """Return the request with the dialect that the position was made with."""
    position = request.position
    if position is None:
        return request
    return CsvRequest(
        max_rows=request.max_rows,
        delimiter=str(position.get("d", request.delimiter)),
        encoding=str(position.get("enc", request.encoding)),
        has_header="true" if position.get("h") else "false",
        max_decoded_bytes=request.max_decoded_bytes,
    )


def _number(position: Position, key: str) -> int:
    value = position.get(key)
    if not isinstance(value, int) or value < 0:
        message = "cursor does not fit a delimited text"
        raise InvalidArgumentError(message, hint="Begin again without a cursor.")
    return value


def _pick(shape: CsvShape, columns: Sequence[str], subject: str) -> list[int]:
    """Return the indexes of the columns that were asked for, in that order."""
    if not columns:
        return list(range(len(shape.names)))
    near = {c: difflib.get_close_matches(c, shape.names, n=3, cutoff=0.5) for c in columns}
    unknown = [c for c in columns if c not in shape.names]
    if unknown:
        types = dict(zip(shape.names, shape.types, strict=True))
        close = near[unknown[0]] or list(shape.names[:5])
        listed = ", ".join(f"{name} ({types[name]})" for name in close)
        fixed = [c if c in types else (near[c] or [""])[0] for c in columns]
        message = f"{subject} has no column {unknown[0]!r}"
        raise UnknownColumnError(
            message,
            hint=f"Nearest columns: {listed}.",
            repair={"columns": [c for c in fixed if c]},
        )
    return [shape.names.index(c) for c in columns]


def _read(reader: RecordReader, max_rows: int, width: int) -> _Rows:
    rows = _Rows()
    for record in reader:
        if len(record.fields) > width:
            rows.long.append(record.line)
            continue
        if len(record.fields) < width:
            rows.short.append(record.line)
        rows.kept.append(record)
        if len(rows.kept) > max_rows:
            return rows
    rows.ended = True
    return rows


def _table(
    records: Sequence[Record], shape: CsvShape, picked: Sequence[int]
) -> tuple[pa.Table, list[str]]:
    arrays: list[pa.Array[Any]] = []
    notices: list[str] = []
    for index in picked:
        cells = [r.fields[index] if index < len(r.fields) else None for r in records]
        column, tokens = typed_column(cells)
        arrays.append(column)
        if tokens:
            listed = ", ".join(sorted(tokens))
            notices.append(f"Column {shape.names[index]}: {listed} was read as null.")
    return pa.Table.from_arrays(arrays, names=[shape.names[i] for i in picked]), notices


def _notices(rows: _Rows) -> Iterator[str]:
    for lines, what in (
        (rows.short, "had too few fields and were filled with null"),
        (rows.long, "had too many fields and were left out"),
    ):
        if lines:
            named = ", ".join(map(str, lines[:_NAMED_LINES]))
            more = ", …" if len(lines) > _NAMED_LINES else ""
            yield f"{len(lines):,} rows {what}: line {named}{more}."


def _resume(records: Sequence[Record], row: int, dialect: Dialect) -> Callable[[int], Position]:
    def position(count: int) -> Position:
        last = records[count - 1]
        return {
            "at": last.end,
            "line": last.next_line,
            "row": row + count,
            "d": dialect.delimiter,
            "enc": dialect.encoding,
            "h": dialect.has_header,
        }

    return position
