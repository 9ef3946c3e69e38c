"""Rows out of column chunks: decoded in small batches, counted, and exact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from s3_data_lake_mcp.budget import compact_size
from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError
from s3_data_lake_mcp.loaders.page_size import Filling, PageSize
from s3_data_lake_mcp.loaders.parquet_intervals import shown_intervals
from s3_data_lake_mcp.loaders.parquet_open import OTHER_READER, ParquetFooter, translating
from s3_data_lake_mcp.loaders.parquet_plan import GroupRows, leading, likely_rows
from s3_data_lake_mcp.loaders.parquet_ranges import ChunkFile
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.wire import Clipper, json_rows
from s3_data_lake_mcp.wire.instants import UNITS

_BATCH_BYTES = 16 << 20
_PAGE_ROWS = 1_024
_WEIGHED_ROWS = 32
_SCAN_ROWS = 16_384
_BUFFER_BYTES = 64 << 10
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead:
    """What is to be decoded: columns by place, in the order asked for, and rows by row group.

    If there is a `page_size`, no more batches than fill a page, and one.
    """

    footer: ParquetFooter
    file: ChunkFile
    meter: ScanMeter
    columns: Sequence[int]
    groups: Sequence[GroupRows]
    max_bytes: int
    page_size: PageSize | None = None


def decode(read: PageRead) -> tuple[pa.Table, list[str]]:
    """Return the rows as a table, and notices.

    Raises:
        MalformedDataError: If they cannot be decoded, or are fewer than the footer says.
        LimitExceededError: If they take more than `read.max_bytes`.
    """
    if not read.groups:
        # An empty table of a schema with a UUID in a struct cannot be had of Arrow.
        empty = pa.Table.from_batches([], read.footer.schema).select(list(read.columns))
        return _named(empty, read), []
    with translating(read.footer.subject, "its data"):
        table = _named(_table(read, read.columns), read)
        read = replace(read, groups=leading(read.groups, table.num_rows), page_size=None)
        _check_times(table, read.footer.subject)
        table, notices = _exact_timestamps(table, read)
        for at, column in enumerate(read.columns):
            table = shown_intervals(table, at, read.footer.schema.field(column).type)
        return table, notices


def _named(table: pa.Table, read: PageRead) -> pa.Table:
    names = [read.footer.names[column] for column in read.columns]
    return table.rename_columns(names).replace_schema_metadata(None)


def _table(read: PageRead, columns: Sequence[int], unit: str | None = None) -> pa.Table:
    """Decode columns; `unit` is what legacy INT96 timestamps become, nanoseconds by default."""
    footer = read.footer
    stored = sorted(set(columns))
    leaves = [leaf for column in stored for leaf in footer.leaves[column]]
    file = pq.ParquetFile(
        read.file.native(),
        metadata=footer.metadata,
        pre_buffer=False,
        buffer_size=_BUFFER_BYTES,
        coerce_int96_timestamp_unit=unit,
        page_checksum_verification=True,
    )
    kept: list[pa.RecordBatch] = []
    room = read.max_bytes
    for batch in _enough(
        read, chain.from_iterable(_batches(read, file, g, leaves) for g in read.groups)
    ):
        kept.append(batch)
        room -= batch.nbytes
        if room < 0:
            raise _too_large(read)
    table = pa.Table.from_batches(kept)
    return table.select([stored.index(column) for column in columns])


def _enough(read: PageRead, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches until they fill a page, and one more."""
    size = read.page_size
    left = sum(group.take for group in read.groups)
    if size is None:
        yield from batches
        return
    filling = Filling(size.max_bytes, partial(_json_bytes, size))
    full = False
    for batch in batches:
        yield batch
        left -= batch.num_rows
        if full or not left:
            return
        full = filling.is_full(batch, batch.nbytes, batch.num_rows)


def _json_bytes(size: PageSize, batch: pa.RecordBatch) -> int:
    """Return the bytes that rows take on a page, or a number that is too large for one."""
    total = 0
    clipper = Clipper(size.max_cell_chars)
    for at in range(0, batch.num_rows, _WEIGHED_ROWS):
        part = pa.Table.from_batches([batch.slice(at, _WEIGHED_ROWS)])
        total += sum(map(compact_size, json_rows(part, clipper)))
        if total > size.max_bytes:
            break
    return total


def _batches(
    read: PageRead, file: pq.ParquetFile, group: GroupRows, leaves: Sequence[int]
) -> Iterator[pa.RecordBatch]:
    """Yield the wanted rows of one row group."""
    skip, left = group.skip, group.take
    size = _batch_rows(read, group, leaves)
    for batch in file.reader.iter_batches(size, [group.index], list(leaves), use_threads=False):
        read.meter.check()
        if batch.nbytes > read.max_bytes:
            raise _too_large(read)
        part = batch.slice(skip, left)
        skip = max(0, skip - batch.num_rows)
        left -= part.num_rows
        if part.num_rows:
            yield part
        if not left:
            return
    message = f"{read.footer.subject} has rows in row group {group.index} that cannot be decoded"
    raise MalformedDataError(message, hint=OTHER_READER)


def _batch_rows(read: PageRead, group: GroupRows, leaves: Sequence[int]) -> int:
    """Return how many rows to decode at once: small batches keep a lying footer's harm small."""
    row_group = read.footer.metadata.row_group(group.index)
    size = sum(max(0, row_group.column(leaf).total_uncompressed_size) for leaf in leaves)
    needed = group.skip + group.take
    most = min(needed, _PAGE_ROWS if needed <= _SCAN_ROWS else _SCAN_ROWS)
    if not group.skip:
        most = min(most, likely_rows(read.footer, leaves, [group], read.page_size))
    return max(1, min(most, _BATCH_BYTES * group.rows // max(1, size)))


def _too_large(read: PageRead) -> LimitExceededError:
    message = f"{read.footer.subject} decodes to more than {read.max_bytes:,} bytes for these rows"
    return LimitExceededError(message, hint="Ask for fewer rows, or name the columns you need.")


def _check_times(table: pa.Table, subject: str) -> None:
    """Refuse times of day that no day has; pyarrow hands them out unchecked."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not pa.types.is_time(column.type):
            continue
        integer = pa.int32() if pa.types.is_time32(column.type) else pa.int64()
        bounds = pc.call_function("min_max", [column.cast(integer)])
        least, most = (bounds[end].as_py() for end in ("min", "max"))
        day = _DAY_SECONDS * UNITS[column.type.unit]
        if least is not None and (least < 0 or most > day):
            message = f"{subject} is damaged: column {name!r} has times of day beyond 24 hours"
            raise MalformedDataError(message, hint="Leave that column out with columns.")


def _exact_timestamps(table: pa.Table, read: PageRead) -> tuple[pa.Table, list[str]]:
    """Undo the wrapping of legacy INT96 timestamps that nanoseconds of 64 bits do not reach.

    pyarrow wraps them in silence. In milliseconds all fit; what does not survive the way from
    there to the column's type was wrapped, and is read again in a coarser unit.
    """
    places = [i for i, column in enumerate(read.columns) if column in read.footer.legacy]
    if not places:
        return table, []
    columns = [read.columns[place] for place in places]
    coarse = _table(read, columns, "ms")
    wrapped: dict[int, str] = {}
    for unit, word in (("us", "microseconds"), ("ms", "milliseconds")):
        lost = [i for i, at in enumerate(places) if not _reaches(coarse, i, table.field(at).type)]
        if not lost:
            break
        finer = _table(read, columns, unit)
        for i in lost:
            name = table.field(places[i]).name
            table = table.set_column(places[i], name, finer.column(i))
            wrapped[places[i]] = f"Column {name} has times beyond 1677 to 2262, given in {word}."
    return table, list(wrapped.values())


def _reaches(coarse: pa.Table, place: int, kind: pa.DataType) -> bool:
    try:
        coarse.column(place).cast(kind)
    except pa.ArrowNotImplementedError:
        return True
    except pa.ArrowInvalid:
        return False
    return True
