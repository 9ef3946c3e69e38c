"""Pages of JSON: records that fit, or one value, clipped or as an outline where it does not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from s3_data_lake_mcp import fence, wire
from s3_data_lake_mcp.budget import compact_size, fitting
from s3_data_lake_mcp.loaders import told_nothing
from s3_data_lake_mcp.loaders.json import MAX_KEYS
from s3_data_lake_mcp.loaders.json_outline import OUTLINE, outline
from s3_data_lake_mcp.pages.room import kept_within, room_for_rows
from s3_data_lake_mcp.settings import Settings

_KEYS_SHARE = 4
_KEY_CHARS = 200
_SMALLEST_CELL_CHARS = 16
_OUTLINE_SHARES = (2, 8, 32)


def record_page(
    records: Sequence[object],
    max_records: int,
    envelope: Mapping[str, Any],
    settings: Settings,
    cursor_after: Callable[[int], str],
    told: Callable[[int], Iterable[object]] = told_nothing,
) -> dict[str, Any]:
    """Fill an answer with the records that fit, or with its `data`.

    Args:
        records: Up to `max_records + 1` values; the last one only proves that there is more.
        max_records: Most records to return.
        envelope: The answer without `records`, its counts and `next_cursor`; its `keys` and `data`
            are raw values.
        settings: The limits.
        cursor_after: Returns the cursor behind the first `n` records.
        told: Returns notices about these, which come first: the next page tells of the others.

    Returns:
        The whole answer.
    """
    clipper = wire.Clipper(settings.max_cell_chars)
    keys, said = _keys(envelope["keys"], settings)
    data = wire.json_value(envelope["data"], clipper)
    shown = [wire.json_value(value, clipper) for value in records[:max_records]]
    notices = [*envelope["notices"], *said]
    page = {
        **envelope,
        "keys": keys,
        "records": [],
        "data": None,
        "returned_records": len(shown),
        "notices": [*map(str, told(len(shown))), *notices, *clipper.notices()],
    }
    cursor_bytes = len(cursor_after(min(max_records, len(records)))) if records else 0
    room = room_for_rows(page, "", cursor_bytes, settings)
    asked = len(shown)
    kept = fitting(shown, fence.cell, room)
    outlined = False
    if shown and not kept:
        kept, clipper = 1, wire.Clipper(settings.max_cell_chars)
        shown[0], outlined = _squeezed(records[0], room, clipper)
    elif not fitting([data], fence.cell, room):
        clipper = wire.Clipper(settings.max_cell_chars)
        data, outlined = _squeezed(envelope["data"], room, clipper)
    elif kept < len(shown):
        clipper = wire.Clipper(settings.max_cell_chars)
        shown = [wire.json_value(value, clipper) for value in records[:kept]]
    more = "max_bytes" if kept < asked else "max_records" if len(records) > kept else ""
    if outlined and not envelope["truncated"]:
        notices.append(OUTLINE)
    outlined = outlined or envelope["truncated"]
    return page | {
        "records": shown[:kept],
        "data": data,
        "returned_records": kept,
        "notices": [*map(str, told(kept)), *notices, *clipper.notices()],
        "truncated": bool(more or outlined),
        "truncated_by": "max_bytes" if outlined else more,
        "next_cursor": cursor_after(kept) if more else "",
    }


def _keys(keys: Sequence[str], settings: Settings) -> tuple[list[str], list[str]]:
    """Return the keys that fit their share, and what to say of the others."""
    clipper = wire.Clipper(min(_KEY_CHARS, settings.max_cell_chars))
    texts = [clipper.text(key) for key in keys[:MAX_KEYS]]
    kept = kept_within(texts, settings.max_result_bytes // _KEYS_SHARE)
    if len(kept) == len(keys):
        return kept, []
    return kept, [f"`keys` holds the first {len(kept):,} of {len(keys):,} keys."]


def _squeezed(value: object, room: int, clipper: wire.Clipper) -> tuple[object, bool]:
    """Return a JSON value with its texts clipped as hard as it takes to fit, or an outline."""
    while True:
        shown = wire.json_value(value, clipper)
        if fitting([shown], fence.cell, room):
            return shown, False
        clipper.clipped = clipper.replaced = 0
        if clipper.max_chars <= _SMALLEST_CELL_CHARS:
            break
        clipper.max_chars = max(_SMALLEST_CELL_CHARS, clipper.max_chars // 4)
    for share in _OUTLINE_SHARES:
        shape = wire.json_value(outline(value, max(room, 0) // share), clipper)
        if fitting([shape], fence.cell, room):
            return shape, True
        clipper.clipped = clipper.replaced = 0
    return f"{{… a value of {compact_size(shown):,} bytes}}", True
