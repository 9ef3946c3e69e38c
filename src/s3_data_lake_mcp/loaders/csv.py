"""Delimited text to Arrow: one page, read no further than it needs.

The rules: encoding in csv_encoding, delimiter, quote and escape in csv_dialect, header, names and
width in csv_header, types and null tokens in csv_types. All are judged by the head of the text, its
first `HEAD_BYTES` cut at a line's end (the first line, if that is longer), so that every page is
read alike: a column of a page has the type that its values in the head and on the page share, and
text if it is text in the head, or has no value in either. Beside them:

- A first line `sep=;` names the delimiter and is passed over.
- Blank lines are no rows. An unquoted empty field is null, a quoted one is `""`.
- Rows with too few fields are filled with null, rows with too many are left out; both are named.
- If the head is ASCII and what follows is not UTF-8, it is Windows-1252 if it can be.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from s3_data_lake_mcp.cursors import count_in
from s3_data_lake_mcp.loaders import LoadResult, Position, RowNotice
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression
from s3_data_lake_mcp.loaders.csv_records import Dialect, Record, RecordReader
from s3_data_lake_mcp.loaders.csv_rows import (
    filling_of,
    null_notices,
    pick_columns,
    read_rows,
    table_of,
)
from s3_data_lake_mcp.loaders.csv_shape import CsvRequest, CsvShape, shape_of, take_head
from s3_data_lake_mcp.loaders.formats import refuse_other
from s3_data_lake_mcp.loaders.page_size import Filling
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader

__all__ = ["CsvLoader", "CsvRequest", "CsvShape", "Dialect", "sniff"]

_MOST_PAGE_BYTES = 1 << 20
_MARGIN = 1.02
_GUESSES = 2


def sniff(source: ObjectReader, request: CsvRequest) -> CsvShape:
    """Return dialect, names and types as the object's head shows them.

    Raises:
        MalformedDataError: If it is empty or no delimited text.
        InvalidArgumentError: If the request's dialect cannot be used.
        LimitExceededError: If it has too many columns, or too long a record at its beginning.
    """
    compression, blocks = _open(source, request)
    with closing(blocks):
        head, whole = take_head(blocks)
    refuse_other(source.info, head, "csv", compression)
    return shape_of(head, request, subject=str(source.ref), compression=compression, whole=whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a page begins: the byte and line of a row, its number, and how many rows to skip."""

    at: int
    line: int
    row: int
    skip: int = 0


class CsvLoader:
    """Reads CSV, TSV and other delimited text."""

    def load(self, source: ObjectReader, request: CsvRequest) -> LoadResult:
        """Load one page; see `Loader.load`.

        A first page costs one request if it fits `HEAD_BYTES`, else two. A page by `position` costs
        two, side by side, or one near the head. `offset` reads all bytes up to the page, about as
        fast as they arrive: rows are counted, not parsed, where that is safe (csv_skip).
        """
        subject = str(source.ref)
        place = _resumed(source, request)
        compression, blocks = _open(source, request)
        with closing(blocks):
            head, whole = take_head(blocks)
            whole = whole and not request.torn
            refuse_other(source.info, head, "csv", compression)
            known = _as_before(request)
            judged = partial(shape_of, head, subject=subject, compression=compression, whole=whole)
            # As a rule the same as on the first page, and then it is remembered.
            shape = judged(request)
            if request.position and not _is_that_of(shape.dialect, request.position):
                shape = judged(known)
            picked = pick_columns(shape, request.columns, subject)
            if place is None:
                skip = request.offset
                place = _Place(at=shape.start, line=shape.line, row=skip, skip=skip)
            all_blocks = chain([head], blocks)
            size = request.page_size
            filling = filling_of(shape, picked, size) if size else None
            plain = _plain(source, head, place, partial(_expected, place, shape, request, filling))
            with closing(_behind(all_blocks, place.at) if compression else plain) as stream:
                reader = RecordReader(
                    stream, shape.dialect, at=place.at, line=place.line, subject=subject
                )
                reader.fallback, reader.torn = shape.encoding_open, request.torn
                width = len(shape.names)
                skipped = reader.skip(place.skip, width)
                rows = read_rows(reader, request.max_rows, width, filling)
        table, nulls = table_of(rows.kept, shape, picked)
        dialect = replace(shape.dialect, encoding=reader.encoding)
        first = place.row - place.skip + skipped

        def told(count: int) -> list[RowNotice]:
            return [
                *_switch_notice(reader),
                *rows.notices(count),
                *null_notices(rows.kept[:count], shape, nulls),
            ]

        return LoadResult(
            table=table,
            offset=place.row,
            resume=partial(_position, rows.kept, place.row, dialect, known),
            full=rows.full,
            total_rows=first + len(rows.kept) if rows.ended else None,
            notices=(*shape.notices, *_end_notice(place, skipped)),
            told=told,
            details={"dialect": dialect.as_json()},
        )


def _open(source: ObjectReader, request: CsvRequest) -> tuple[str, Generator[bytes]]:
    source.prefetch([(0, HEAD_BYTES)])
    compression = detect_compression(source.read_range(0, HEAD_BYTES))
    limit = request.max_decoded_bytes
    return compression, decoded_blocks(source, compression, max_decoded_bytes=limit)


def _resumed(source: ObjectReader, request: CsvRequest) -> _Place | None:
    """Return the place that a position names; fetch head and page there side by side."""
    position = request.position
    if not position:
        return None
    at, line, row = (count_in(position, key, "a delimited text") for key in ("at", "line", "row"))
    if not position.get("z"):
        guess = int((request.max_rows + 1) * at / max(row, 1) * _MARGIN)
        size = max(HEAD_BYTES, min(guess, _MOST_PAGE_BYTES))
        near = at <= HEAD_BYTES
        source.prefetch([(0, at + size)] if near else [(0, HEAD_BYTES), (at, at + size)])
    return _Place(at=at, line=line, row=row)


def _expected(
    place: _Place, shape: CsvShape, request: CsvRequest, filling: Filling[Record] | None, at: int
) -> int:
    """Return how many bytes behind `at` the page is likely to take."""
    done = at - place.at
    size = int((place.skip + request.max_rows + 1) * shape.record_bytes * _MARGIN) - done
    if filling is None:
        return size
    skipped = int(place.skip * shape.record_bytes * _MARGIN) - done
    return min(size, filling.lacking(max(0, skipped) + _MOST_PAGE_BYTES))


def _plain(
    source: ObjectReader, head: bytes, place: _Place, expected: Callable[[int], int]
) -> Generator[bytes]:
    """Yield the text from a place on, fetching at once what the page is likely to take.

    That is known better once some of it is read.
    """
    at = place.at
    if at < len(head):
        yield head[at:]
        at = len(head)
    for _ in range(_GUESSES):
        size = max(HEAD_BYTES, expected(at))
        yield from source.blocks(at, at + size, expected_bytes=size)
        at += size
    yield from source.blocks(at)


def _behind(blocks: Iterator[bytes], start: int) -> Generator[bytes]:
    """Yield a stream from its byte `start` on."""
    for block in blocks:
        if start < len(block):
            yield block[start:]
        start = max(0, start - len(block))


def _as_before(request: CsvRequest) -> CsvRequest:
    """Return the request with the dialect that the position was made with."""
    position = request.position
    if not position:
        return request
    return replace(
        request,
        delimiter=str(position.get("d", "")),
        encoding=str(position.get("enc", "")),
        has_header="true" if position.get("h") else "false",
    )


def _is_that_of(dialect: Dialect, position: Position) -> bool:
    """Whether a dialect is the one that a position was made with."""
    told = (position.get("d"), position.get("enc"), position.get("h"))
    return told == (dialect.delimiter, "", dialect.has_header)


def _position(
    records: Sequence[Record], row: int, dialect: Dialect, known: CsvRequest, count: int
) -> Position:
    """Return where to go on behind `count` records; an encoding that was detected is open still."""
    last = records[count - 1]
    detected = dialect.encoding == "utf-8" and not known.encoding
    return {
        "at": last.end,
        "line": last.next_line,
        "row": row + count,
        "d": dialect.delimiter,
        "enc": "" if detected else dialect.encoding,
        "h": dialect.has_header,
        "z": dialect.compression,
    }


def _switch_notice(reader: RecordReader) -> Iterator[RowNotice]:
    if reader.switched_line:
        yield RowNotice(
            "The text is not valid UTF-8 and was read as Windows-1252 (encoding)",
            f" from line {reader.switched_line:,} on",
        )


def _end_notice(place: _Place, skipped: int) -> Iterator[str]:
    if skipped < place.skip:
        yield f"offset {place.skip:,} is behind the last of {skipped:,} rows."
