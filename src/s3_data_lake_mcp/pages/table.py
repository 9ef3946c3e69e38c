"""Pages of tables: as many columns and rows as fit, cells clipped as hard as it takes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3_data_lake_mcp import fence, wire
from s3_data_lake_mcp.budget import fitting
from s3_data_lake_mcp.loaders import told_nothing
from s3_data_lake_mcp.pages.room import clipped, page_size, room_for_rows
from s3_data_lake_mcp.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

_SMALLEST_CELL_CHARS = 1


def table_page(  # noqa: PLR0913 - what there is, and how much of it fits
    table: "pa.Table",
    max_rows: int,
    envelope: Mapping[str, Any],
    settings: Settings,
    cursor_after: Callable[[int], str],
    told: Callable[[int], Iterable[object]] = told_nothing,
    *,
    most_columns: int | None = None,
) -> dict[str, Any]:
    """Fill an answer with the rows of a table that fit.

    Args:
        table: Up to `max_rows + 1` rows; the last one only proves that there is more.
        max_rows: Most rows to return.
        envelope: The answer without its rows, columns and counts.
        settings: The limits.
        cursor_after: Returns the cursor behind the first `n` rows.
        told: Returns notices about these, which come first: the next page tells of the others.
        most_columns: Most columns to return, where the others were not read; None: all.

    Returns:
        The whole answer: `columns`, `rows`, `returned_rows`, `truncated`, `truncated_by` and
        `next_cursor` filled in, `notices` added to.
    """
    size = page_size(settings)
    names, renamed = wire.unique_names(table.schema.names, size.name_chars)
    notices = [*envelope["notices"], *([renamed] if renamed else [])]
    sheet = _Sheet(
        table=table,
        max_rows=max_rows,
        envelope={**envelope, "notices": notices},
        settings=settings,
        names=names,
        specs=wire.column_specs(table.schema, size.name_chars),
        cursor_bytes=len(cursor_after(min(max_rows, table.num_rows))) if table.num_rows else 0,
        told=told,
    )
    shown = size.columns_that_fit(sheet.specs[:most_columns])
    page, fits = sheet.page(shown)
    while not fits and shown > 1:
        shown //= 2
        page, fits = sheet.page(shown)
    if page["truncated_by"] and page["returned_rows"]:
        page["next_cursor"] = cursor_after(page["returned_rows"])
    if shown < len(sheet.specs):
        page |= {"truncated": True, "truncated_by": page["truncated_by"] or "max_bytes"}
    return page


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A table and its answer, before it is known what fits."""

    table: "pa.Table"
    max_rows: int
    envelope: Mapping[str, Any]
    settings: Settings
    names: Sequence[str]
    specs: Sequence[Mapping[str, Any]]
    cursor_bytes: int
    told: Callable[[int], Iterable[object]]

    def page(self, shown: int) -> tuple[dict[str, Any], bool]:
        """Return the page with the first `shown` columns, and whether it fits."""
        table = self.table.select(range(shown))
        notices = [*self.envelope["notices"], *self._narrowed(shown)]
        clipper = wire.Clipper(self.settings.max_cell_chars)
        # A table without columns would grow by a slice.
        asked = min(self.max_rows, table.num_rows)
        rows = wire.json_rows(table.slice(0, asked), clipper)
        page = {
            **self.envelope,
            "columns": list(self.specs[:shown]),
            "rows": [],
            "returned_rows": len(rows),
        }
        header = fence.row(self.names[:shown])
        said = {**page, "notices": [*map(str, self.told(asked)), *notices, *clipper.notices()]}
        room = room_for_rows(said, header, self.cursor_bytes, self.settings)
        kept = fitting(rows, fence.row, room)
        fits = kept > 0 or not rows
        if not fits:
            kept, (rows, clipper) = 1, _squeezed(table, room, self.settings)
            fits = bool(fitting(rows, fence.row, room))
        elif kept < len(rows):
            clipper = wire.Clipper(self.settings.max_cell_chars)
            rows = wire.json_rows(table.slice(0, kept), clipper)
        cut = kept < asked
        by = "max_bytes" if cut else "max_rows" if table.num_rows > self.max_rows else ""
        return page | {
            "rows": rows,
            "notices": [*map(str, self.told(len(rows))), *notices, *clipper.notices()],
            "returned_rows": len(rows),
            "truncated": bool(by),
            "truncated_by": by,
            "next_cursor": "",
        }, fits

    def _narrowed(self, shown: int) -> list[str]:
        if shown == len(self.specs):
            return []
        return [
            f"Only the first {shown:,} of {len(self.specs):,} columns fit; name others in columns."
        ]


def _squeezed(
    table: "pa.Table", room: int, settings: Settings
) -> tuple[list[list[Any]], wire.Clipper]:
    """Return the first row with its cells clipped as hard as it takes to fit."""
    chars = min(settings.max_cell_chars, max(_SMALLEST_CELL_CHARS, room // 2))
    while True:
        clipper = wire.Clipper(chars)
        row = [_cell(table.select([at]), clipper) for at in range(table.num_columns)]
        if fitting([row], fence.row, room) or chars <= _SMALLEST_CELL_CHARS:
            return [row], clipper
        chars = max(_SMALLEST_CELL_CHARS, chars // 2)


def _cell(column: "pa.Table", clipper: wire.Clipper) -> object:
    """Return the first cell of a column; a nested one that is still long as text, clipped."""
    inner = clipper.fresh()
    value = wire.json_rows(column.slice(0, 1), inner)[0][0]
    shown = clipped(value, clipper.max_chars)
    inner.clipped = 1 if shown is not value else inner.clipped
    clipper.add(inner)
    return shown
