"""From rows to a page: how many fit the result's size, and the cursor behind the last one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3_data_lake_mcp import fence, wire
from s3_data_lake_mcp.budget import compact_size, fitting
from s3_data_lake_mcp.cursors import Cursor
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ScanMeter

if TYPE_CHECKING:
    import pyarrow as pa

_CURSOR_RESERVE_BYTES = 512
_TEXT_RESERVE_BYTES = 640
_SMALLEST_CELL_CHARS = 16
_COLUMNS_SHARE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """What the server sent along so that the page's cursor can be written."""

    tool: str
    bucket: str
    key: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    position: Mapping[str, Any] = field(default_factory=dict)

    def cursor(self, identity: Mapping[str, Any], position: Mapping[str, Any]) -> str:
        """Return the text of the cursor that goes on at `position`."""
        return Cursor(
            tool=self.tool,
            bucket=self.bucket,
            key=self.key,
            arguments=self.arguments,
            identity=identity,
            position=position,
        ).encode()


def source_json(info: ObjectInfo) -> dict[str, Any]:
    """Return the `source` part of an answer for one object."""
    modified = info.last_modified.isoformat() if info.last_modified else ""
    return {
        "uri": fence.scrub(info.ref.uri),
        "etag": info.etag,
        "version_id": info.version_id,
        "size_bytes": info.size_bytes,
        "last_modified": modified,
    }


def scan_json(meter: ScanMeter) -> dict[str, int]:
    """Return the `scan` part of an answer."""
    return {
        "requests": meter.requests,
        "bytes_read": meter.bytes_read,
        "elapsed_ms": meter.elapsed_ms,
    }


def table_page(
    table: "pa.Table",
    max_rows: int,
    envelope: dict[str, Any],
    settings: Settings,
    cursor_after: Callable[[int], str],
) -> dict[str, Any]:
    """Fill an answer with the rows of a table that fit.

    Args:
        table: Up to `max_rows + 1` rows; the last one only proves that there is more.
        max_rows: Most rows to return.
        envelope: The answer without its rows, columns and counts; `notices` is added to.
        settings: The limits.
        cursor_after: Returns the cursor behind the first `n` rows.

    Returns:
        The whole answer: `columns`, `rows`, `returned_rows`, `truncated`, `truncated_by` and
        `next_cursor` filled in.
    """
    notices: list[str] = list(envelope["notices"])
    names, renamed = wire.unique_names(table.schema.names)
    if renamed:
        notices.append(renamed)
    specs = wire.column_specs(table.schema)
    shown = _columns_that_fit(specs, settings)
    if shown < len(specs):
        notices.append(
            f"Only the first {shown} of {len(specs)} columns are shown; name others in columns."
        )
        table, specs, names = table.select(range(shown)), specs[:shown], names[:shown]
    more_rows = table.num_rows > max_rows
    clipper = wire.Clipper(settings.max_cell_chars)
    rows = wire.json_rows(table.slice(0, max_rows), clipper)
    page = envelope | {"columns": specs, "rows": [], "notices": [*notices, *clipper.notices()]}
    room = settings.max_result_bytes - overhead(page, fence.row(names))
    kept = fitting(rows, fence.row, room)
    if rows and kept == 0:
        kept, rows, clipper = 1, *_squeezed(table, room, settings)
    elif kept < len(rows):
        clipper = wire.Clipper(settings.max_cell_chars)
        rows = wire.json_rows(table.slice(0, kept), clipper)
    cut = kept < min(table.num_rows, max_rows)
    truncated = cut or more_rows
    columns_cut = shown < len(table.schema.names)
    return page | {
        "rows": rows[:kept],
        "notices": [*notices, *clipper.notices()],
        "returned_rows": kept,
        "truncated": truncated or columns_cut,
        "truncated_by": "max_bytes" if cut else "max_rows" if more_rows else "",
        "next_cursor": cursor_after(kept) if truncated else "",
    }


def _columns_that_fit(specs: Sequence[Mapping[str, Any]], settings: Settings) -> int:
    room = settings.max_result_bytes // _COLUMNS_SHARE
    for count, spec in enumerate(specs):
        room -= compact_size(spec) + 1
        if room < 0:
            return max(1, count)
    return len(specs)


def overhead(page: Mapping[str, Any], header: str) -> int:
    """Return the larger of what the answer's JSON and its text need beside the rows."""
    structured = compact_size(page) + _CURSOR_RESERVE_BYTES
    notices = sum(len(text.encode()) + 9 for text in page["notices"])
    text = len(header.encode()) + notices + _TEXT_RESERVE_BYTES + _CURSOR_RESERVE_BYTES
    uri = len(str(page.get("source", "")))
    return max(structured, text + uri)


def squeezed_value(value: object, room: int, settings: Settings) -> object:
    """Return one JSON record with its texts clipped as hard as it takes to fit, or an outline."""
    chars = settings.max_cell_chars
    while True:
        shown = wire.json_value(value, wire.Clipper(chars))
        if fitting([shown], fence.cell, room):
            return shown
        if chars <= _SMALLEST_CELL_CHARS:
            return f"{{… a record of {compact_size(shown):,} bytes}}"
        chars = max(_SMALLEST_CELL_CHARS, chars // 4)


def _squeezed(
    table: "pa.Table", room: int, settings: Settings
) -> tuple[list[list[Any]], wire.Clipper]:
    """Return the first row with its cells clipped as hard as it takes to fit."""
    chars = min(settings.max_cell_chars, max(_SMALLEST_CELL_CHARS, room // 2))
    while True:
        clipper = wire.Clipper(chars)
        rows = wire.json_rows(table.slice(0, 1), clipper)
        if fitting(rows, fence.row, room) or chars <= _SMALLEST_CELL_CHARS:
            return rows, clipper
        chars = max(_SMALLEST_CELL_CHARS, chars // 2)
