"""What the head of a delimited text tells of the whole: dialect, names and types."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest

import pyarrow as pa

from s3_data_lake_mcp.errors import InvalidArgumentError, LimitExceededError, MalformedDataError
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.csv_dialect import SAMPLE_RECORDS, detect_dialect, first_records
from s3_data_lake_mcp.loaders.csv_encoding import detect_encoding, is_wide
from s3_data_lake_mcp.loaders.csv_header import Head, read_head
from s3_data_lake_mcp.loaders.csv_lines import MAX_RECORD_BYTES
from s3_data_lake_mcp.loaders.csv_records import Dialect, Record, RecordReader
from s3_data_lake_mcp.loaders.csv_types import NULL_TOKENS, typed_column
from s3_data_lake_mcp.storage.reader import HEAD_BYTES

_TYPED_RECORDS = 1_000
_REMEMBERED = 4
_ENDS = (b"\n", b"\r")
_NAMED_DELIMITER = re.compile(r"sep=([^\r\n])\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRequest(LoadRequest):
    """Adds what the caller knows of the dialect; empty means detect.

    `torn` says that the text is the beginning of another one, cut behind a line's end: a record
    that goes on is left out.
    """

    delimiter: str = ""
    encoding: str = ""
    has_header: str = "auto"
    torn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvShape:
    """What the head of a delimited text tells.

    `start` is the byte and `line` the line at which the rows begin. `null_tokens` are those found
    in a column, `values` its other values in the head. `record_bytes` is the mean length of a
    record. `encoding_open` says that the head is ASCII, so that text which follows and is not UTF-8
    may be Windows-1252.
    """

    dialect: Dialect
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    null_tokens: tuple[frozenset[str], ...]
    start: int
    line: int
    notices: tuple[str, ...] = ()
    values: tuple[frozenset[str], ...] = ()
    record_bytes: float = 0.0
    encoding_open: bool = False


def take_head(blocks: Iterator[bytes]) -> tuple[bytes, bool]:
    """Take the head off a text, at least one line; return whether that is all of it."""
    head = b""
    for block in blocks:
        head += block
        if len(head) >= HEAD_BYTES and (b"\n" in head or b"\r" in head):
            return head, False
        if len(head) > MAX_RECORD_BYTES:
            return head, False
    return head, True


def shape_of(
    head: bytes, request: CsvRequest, *, subject: str, compression: str, whole: bool
) -> CsvShape:
    """Judge a text by its head.

    `head` is from `take_head`; `whole` says that it is all of the text.

    Raises:
        MalformedDataError: If it is empty or no delimited text.
        InvalidArgumentError: If the request's dialect cannot be used.
        LimitExceededError: If it has too many columns, or too long a record at its beginning.
    """
    if request.has_header not in ("auto", "true", "false"):
        message = f"has_header {request.has_header!r} is none of auto, true, false"
        raise InvalidArgumentError(message, repair={"has_header": "auto"})
    cut = _cut(head)
    known = (request.delimiter, request.encoding, request.has_header)
    whole = whole and len(head) <= cut
    # A first line may be long, and is not worth the memory.
    judge = _judged if cut <= HEAD_BYTES else _judged.__wrapped__
    return judge(head[:cut], known, subject, compression, whole=whole)


@lru_cache(maxsize=_REMEMBERED)
def _judged(
    head: bytes, known: tuple[str, str, str], subject: str, compression: str, *, whole: bool
) -> CsvShape:
    """Judge a head as `shape_of` does; each page of a text begins with that."""
    delimiter, codec, has_header = known
    encoding, start = detect_encoding(head, codec, subject)
    body = head[start:] if whole else whole_lines(head[start:], encoding)
    text = body.decode(encoding, "replace")
    if not text.strip():
        message = f"{subject} is empty"
        raise MalformedDataError(message, hint="An object without a line has no columns.")
    named, line = _NAMED_DELIMITER.match(text), 1
    if named:
        size, line = len(named[0].encode(encoding)), 2
        body, start = body[size:], start + size
    dialect = detect_dialect(
        body,
        delimiter=delimiter or (named[1] if named else ""),
        encoding=encoding,
        compression=compression,
        whole=whole,
    )
    records = _records(body, dialect, subject, whole=whole)
    top = read_head([r.fields for r in records[:SAMPLE_RECORDS]], has_header, subject)
    lead = top.titles + top.has_header
    begin = records[lead - 1].end if lead else 0
    shape = CsvShape(
        dialect=replace(dialect, has_header=top.has_header),
        names=top.names,
        types=(),
        null_tokens=(),
        start=start + begin,
        line=line - 1 + (records[lead - 1].next_line if lead else 1),
        notices=_notices(top, encoding, codec),
        record_bytes=(records[-1].end - begin) / max(len(records) - lead, 1),
        encoding_open=not codec and encoding == "utf-8" and head.isascii(),
    )
    return _typed(shape, records[lead:])


def _cut(head: bytes) -> int:
    """Return how much of a head is judged, however much is here: the same on each page."""
    ends = (head.find(end) for end in _ENDS)
    return max(HEAD_BYTES, 1 + min((at for at in ends if at >= 0), default=len(head)))


def whole_lines(body: bytes, encoding: str) -> bytes:
    """Cut a body behind its last line's end, if it has one."""
    if is_wide(encoding):
        text = body.decode(encoding, "ignore")
        return (text[: max(map(text.rfind, "\r\n")) + 1] or text).encode(encoding)
    return body[: max(map(body.rfind, _ENDS)) + 1] or body


def _records(body: bytes, dialect: Dialect, subject: str, *, whole: bool) -> list[Record]:
    records, _ = first_records(body, dialect, _TYPED_RECORDS)
    if records:
        return records
    if not whole:
        message = f"{subject} begins with a record of more than {len(body):,} bytes"
        raise LimitExceededError(message, hint="Check the delimiter, the encoding and the quotes.")
    # There is one, since the text is not empty; or it cannot be read, which raises.
    return [next(iter(RecordReader(iter([body]), dialect, at=0, line=1, subject=subject)))]


def _notices(top: Head, encoding: str, known: str) -> tuple[str, ...]:
    if encoding != "cp1252" or known:
        return top.notices
    return (
        *top.notices,
        "The text is not valid UTF-8 and was read as Windows-1252 (encoding).",
    )


def _typed(shape: CsvShape, records: list[Record]) -> CsvShape:
    width = len(shape.names)
    rows = [r.fields for r in records if len(r.fields) <= width]
    cells = zip_longest(*rows, [None] * width)
    present = [frozenset(cell for cell in set(column) if cell is not None) for column in cells]
    columns = [typed_column(list(column)) for column in present]
    return replace(
        shape,
        types=tuple(column.type for column, _ in columns),
        null_tokens=tuple(tokens for _, tokens in columns),
        values=tuple(column - NULL_TOKENS for column in present),
    )
