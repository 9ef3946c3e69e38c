"""Parquet to Arrow: one page, from the row groups and columns that it needs."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from s3_data_lake_mcp.cursors import count_in
from s3_data_lake_mcp.errors import (
    LimitExceededError,
    MalformedDataError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.loaders import LoadRequest, LoadResult
from s3_data_lake_mcp.loaders.page_size import PageSize
from s3_data_lake_mcp.loaders.parquet_decode import PageRead, decode
from s3_data_lake_mcp.loaders.parquet_open import (
    HINTED_COLUMNS,
    ParquetFooter,
    needs_key,
    open_footer,
)
from s3_data_lake_mcp.loaders.parquet_plan import GroupRows, leading, plan_chunks, rows_per_group
from s3_data_lake_mcp.loaders.parquet_ranges import ChunkFile
from s3_data_lake_mcp.loaders.unknown_column import finder, unknown_column
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.wire import column_specs

_PAGE_BYTES = 512 << 20
"""Most bytes that the rows of a page may decode to, and this much more for each of them:"""

_ROW_BYTES = 64 << 10


class ParquetLoader:
    """Reads Parquet. Open the source by its tail: the footer stands there."""

    def load(self, source: ObjectReader, request: LoadRequest) -> LoadResult:
        """Load one page; see `Loader.load`.

        Costs the footer and, of each row group that holds rows of the page, the beginnings of the
        needed column chunks: up to four requests, side by side.
        """
        footer = open_footer(source)
        columns, notices = _pick(footer, request.columns)
        start = request.offset
        if request.position is not None:
            start = count_in(request.position, "row", "a Parquet object")
        groups = rows_per_group(footer.group_rows, start, request.max_rows + 1)
        _refuse_encrypted(footer, columns)
        shown = _with_room(footer, columns, request.page_size)
        rows = sum(group.take for group in groups)
        table, more = _decoded(source, footer, shown, request, groups)
        full = table.num_rows < rows
        groups = leading(groups, table.num_rows) if full else groups
        table = _with_unread(table, footer, columns[len(shown) :])
        if start > footer.num_rows:
            more = [*more, f"offset {start:,} is behind the last of {footer.num_rows:,} rows."]
        return LoadResult(
            table=table,
            offset=start,
            resume=lambda count: {"row": start + count},
            full=full,
            loaded=len(shown),
            total_rows=footer.num_rows,
            notices=(*footer.notices, *notices, *more),
            details={"parquet": _details(footer, groups)},
        )

    def load_parts(
        self, source: ObjectReader, parts: Sequence[GroupRows], wanted: Sequence[str] = ()
    ) -> pa.Table:
        """Load rows of several places, in their order; what lies between costs no memory.

        A row group of which several parts are wanted is fetched once. Encrypted columns are left
        out, unless all are. Only the `wanted` columns are loaded, if it has all of them.
        """
        footer = open_footer(source)
        places = {name: at for at, name in enumerate(footer.names) if at not in footer.locked}
        if not places:
            _refuse_encrypted(footer, range(len(footer.names)))
        found = [one for one in map(finder(places), wanted) if one is not None]
        chosen = found if len(found) == len(wanted) > 0 else places
        columns = sorted({places[name] for name in chosen})
        reach: dict[int, GroupRows] = {}
        for part in parts:
            known = reach.get(part.index)
            end = max(part.skip + part.take, known.take if known else 0)
            reach[part.index] = replace(part, skip=0, take=end)
        groups = list(reach.values())
        request = LoadRequest(max_rows=sum(group.take for group in groups))
        return _decoded(source, footer, columns, request, groups, parts)[0]


def _decoded(
    source: ObjectReader,
    footer: ParquetFooter,
    columns: Sequence[int],
    request: LoadRequest,
    groups: Sequence[GroupRows],
    parts: Sequence[GroupRows] = (),
) -> tuple[pa.Table, list[str]]:
    """Return rows of row groups, or those `parts` of them, with what there is to say."""
    rows = sum(group.take for group in groups)
    max_bytes = min(request.max_decoded_bytes, _PAGE_BYTES + rows * _ROW_BYTES)
    chunks = plan_chunks(footer, columns, groups, max_bytes, request.page_size)
    read = PageRead(
        footer=footer,
        file=ChunkFile(source, chunks),
        meter=source.meter,
        columns=columns,
        groups=parts or groups,
        max_bytes=max_bytes,
        page_size=request.page_size,
    )
    try:
        return decode(read)
    except MalformedDataError as exc:
        raise _damaged(replace(read, page_size=None), exc) from exc


def _with_room(footer: ParquetFooter, columns: list[int], size: PageSize | None) -> list[int]:
    """Return the leading columns that a page has room for: no others are shown."""
    if size is None:
        return columns
    schema = pa.schema([footer.schema.field(at).with_name(footer.names[at]) for at in columns])
    return columns[: size.columns_that_fit(column_specs(schema, size.name_chars))]


def _with_unread(table: pa.Table, footer: ParquetFooter, columns: Sequence[int]) -> pa.Table:
    """Return the table with columns behind its own that no page shows, empty."""
    if not columns:
        return table
    unread = [footer.schema.field(at).with_name(footer.names[at]) for at in columns]
    empty = [pa.nulls(table.num_rows, field.type) for field in unread]
    return pa.Table.from_arrays(
        [*table.columns, *empty], schema=pa.schema([*table.schema, *unread])
    )


def _details(footer: ParquetFooter, groups: Sequence[GroupRows]) -> dict[str, object]:
    return {
        "num_rows": footer.num_rows,
        "num_row_groups": footer.metadata.num_row_groups,
        "row_groups_read": len(groups),
        "created_by": footer.created_by,
        "compression": footer.compression,
        "encrypted": bool(footer.encrypted),
    }


def _pick(footer: ParquetFooter, wanted: Sequence[str]) -> tuple[list[int], list[str]]:
    """Return the places of the columns that were asked for, in that order, and notices."""
    if not wanted:
        return list(range(len(footer.names))), []
    places = {name: i for i, name in enumerate(footer.names)}
    find = finder(places)
    notices: list[str] = []
    picked: list[int] = []
    for name in wanted:
        whole = name
        while (found := find(whole)) is None and "." in whole:
            whole = whole.rpartition(".")[0]
        if found is None:
            types = dict(zip(footer.names, footer.schema.types, strict=True))
            raise unknown_column(footer.subject, types, wanted, name)
        if whole != name:
            notices.append(f"{name} is no column of its own: {found} is shown whole.")
        if whole == name or places[found] not in picked:
            picked.append(places[found])
    return picked, notices


def _refuse_encrypted(footer: ParquetFooter, columns: Sequence[int]) -> None:
    if locked := sorted(footer.locked & set(columns)):
        free = [name for at, name in enumerate(footer.names) if at not in footer.locked]
        raise needs_key(footer.subject, [footer.names[at] for at in locked], free)


def _damaged(read: PageRead, exc: MalformedDataError) -> MalformedDataError:
    """Name the column that cannot be decoded, and those that can."""
    if not 1 < len(read.columns) <= HINTED_COLUMNS * 10:
        return exc
    good: list[str] = []
    bad: list[str] = []
    for column in sorted(read.columns):
        try:
            decode(replace(read, columns=[column]))
        except (MalformedDataError, UnsupportedFormatError, LimitExceededError):
            bad.append(read.footer.names[column])
        else:
            good.append(read.footer.names[column])
    if not good or not bad:
        return exc
    message = f"{read.footer.subject} cannot be read: column {bad[0]!r} cannot be decoded"
    if len(bad) > 1:
        message += f", nor can {len(bad) - 1} others"
    shown = good[:HINTED_COLUMNS]
    hint = f"Columns that can: {', '.join(shown)}. {exc.hint}"
    return MalformedDataError(message, hint=hint, repair={"columns": shown})
