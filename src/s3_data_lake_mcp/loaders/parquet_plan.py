"""Which rows of which row groups make a page, and what of their column chunks they need."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s3_data_lake_mcp.errors import (
    LimitExceededError,
    MalformedDataError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.loaders.page_size import PageSize
from s3_data_lake_mcp.loaders.parquet_open import (
    HINTED_COLUMNS,
    REWRITE,
    ParquetFooter,
    translating,
)
from s3_data_lake_mcp.loaders.parquet_ranges import PAGE_BYTES, Chunk, ChunkGroup, first_bytes

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_WAVE_BYTES = 128 << 20
_TOGETHER_BYTES = 16 << 20
"""What small row groups come together up to: each alone is a round trip."""

_VALUE_BYTES = 8
_ROWS_MARGIN = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRows:
    """Rows of one row group: `take` of its `rows`, behind the first `skip`."""

    index: int
    rows: int
    skip: int
    take: int

    @property
    def share(self) -> float:
        """The share of its rows that must be decoded: all up to the last one taken."""
        return (self.skip + self.take) / self.rows


def rows_per_group(counts: Sequence[int], start: int, wanted: int) -> list[GroupRows]:
    """Return where the rows `[start, start + wanted)` lie."""
    found: list[GroupRows] = []
    at = 0
    for index, rows in enumerate(counts):
        skip = max(0, start - at)
        take = min(rows - skip, start + wanted - at - skip)
        if take > 0:
            found.append(GroupRows(index=index, rows=rows, skip=skip, take=take))
        at += rows
    return found


def leading(groups: Sequence[GroupRows], rows: int) -> list[GroupRows]:
    """Return where the first rows of those of row groups lie."""
    found: list[GroupRows] = []
    for group in groups:
        if rows > 0:
            found.append(replace(group, take=min(group.take, rows)))
        rows -= group.take
    return found


def plan_chunks(
    footer: ParquetFooter,
    columns: Sequence[int],
    groups: Sequence[GroupRows],
    max_bytes: int,
    page_size: PageSize | None = None,
) -> list[ChunkGroup]:
    """Return the column chunks to read: those that come together, row groups that are small.

    Raises:
        MalformedDataError: If the footer places a chunk outside of the object.
        LimitExceededError: If the rows, or what must be fetched for them, take too much memory.
    """
    leaves = [leaf for column in sorted(set(columns)) for leaf in footer.leaves[column]]
    with translating(footer.subject, "its footer"):
        _check_decoded(footer, leaves, groups, max_bytes)
        likely = likely_rows(footer, leaves, groups, page_size)
        plans: list[ChunkGroup] = []
        room = 0
        for group in groups:
            row_group = footer.metadata.row_group(group.index)
            # Rows that the page is not likely to have room for come when they are needed.
            first = replace(group, take=max(1, min(group.take, likely)))
            chunks = [_chunk(footer, row_group.column(leaf), first) for leaf in leaves]
            whole = _bound_wave(chunks, footer)
            size = sum(chunk.first_bytes for chunk in chunks)
            if plans and size <= room:
                plans[-1].chunks += chunks
                plans[-1].row_groups += 1
                room -= size
            else:
                plans.append(ChunkGroup(chunks, whole=whole))
                room = (_TOGETHER_BYTES if likely > 0 else PAGE_BYTES) - size
            if likely > 0 >= likely - group.take:
                room = 0
            likely -= group.take
    return plans


def likely_rows(
    footer: ParquetFooter,
    leaves: Sequence[int],
    groups: Sequence[GroupRows],
    page_size: PageSize | None,
) -> int:
    """Return how many rows a page is likely to have room for, or more."""
    rows = sum(group.take for group in groups)
    if page_size is None or not groups:
        return rows
    row_group = footer.metadata.row_group(groups[0].index)
    sizes = (max(0, row_group.column(leaf).total_uncompressed_size) for leaf in leaves)
    shown = sum(min(page_size.max_cell_chars, size / groups[0].rows) for size in sizes)
    return min(rows, 2 + int(_ROWS_MARGIN * page_size.max_bytes / max(1, shown)))


def _check_decoded(
    footer: ParquetFooter, leaves: Sequence[int], groups: Sequence[GroupRows], max_bytes: int
) -> None:
    """Refuse rows that decode to more than the budget, as far as the footer tells the truth."""
    decoded = 0.0
    for group in groups:
        row_group = footer.metadata.row_group(group.index)
        for leaf in leaves:
            chunk = row_group.column(leaf)
            size = max(chunk.total_uncompressed_size, chunk.num_values * _VALUE_BYTES)
            decoded += max(0, size) * group.take / group.rows
    if decoded > max_bytes:
        message = f"{footer.subject} would need about {int(decoded):,} bytes for these rows"
        raise LimitExceededError(
            f"{message}, more than the {max_bytes:,} that one call may decode",
            hint="Ask for fewer rows, name the columns that you need, or raise "
            "S3_DATA_LAKE_MAX_DECODED_BYTES.",
            repair=_fewer_columns(footer, len(leaves)),
        )


def _fewer_columns(footer: ParquetFooter, used: int) -> dict[str, object] | None:
    if used <= HINTED_COLUMNS:
        return None
    return {"columns": list(footer.names[:HINTED_COLUMNS])}


def stored_range(chunk: "pq.ColumnChunkMetaData") -> tuple[int, int]:
    """Return where a column chunk lies; its dictionary, if it has one, comes first."""
    data = chunk.data_page_offset
    dictionary = chunk.dictionary_page_offset or 0
    start = dictionary if 0 < dictionary < data else data
    return start, start + chunk.total_compressed_size


def _chunk(footer: ParquetFooter, chunk: "pq.ColumnChunkMetaData", group: GroupRows) -> Chunk:
    if chunk.file_path:
        message = f"{footer.subject} keeps its data in other objects"
        raise UnsupportedFormatError(message, hint="Read those objects instead.")
    start, stop = stored_range(chunk)
    size = stop - start
    if start < 0 or size < 0 or stop > footer.size_bytes:
        message = f"{footer.subject} is torn: its footer names data beyond the object's end"
        raise MalformedDataError(message, hint=REWRITE)
    ratio = size / max(1, chunk.total_uncompressed_size)
    dictionary = min(size, chunk.data_page_offset - start)
    first = first_bytes(size, dictionary, group.share, ratio)
    return Chunk(start=start, stop=stop, first_bytes=first)


def _bound_wave(chunks: Sequence[Chunk], footer: ParquetFooter) -> bool:
    """Let the first wave fetch less than all that will be needed, if that is too much at once.

    Returns:
        Whether nothing had to be bounded.
    """
    total = sum(chunk.first_bytes for chunk in chunks)
    if total <= _WAVE_BYTES:
        return True
    for chunk in chunks:
        fair = max(PAGE_BYTES * 2, chunk.first_bytes * _WAVE_BYTES // total)
        chunk.first_bytes = min(chunk.first_bytes, fair)
    total = sum(chunk.first_bytes for chunk in chunks)
    if total > 2 * _WAVE_BYTES:
        message = f"{footer.subject} would need {total:,} bytes for the first rows of all columns"
        raise LimitExceededError(
            message,
            hint="Name the columns that you need.",
            repair=_fewer_columns(footer, len(chunks)),
        )
    return False
