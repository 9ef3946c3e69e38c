"""The bytes that are left for the rows of a page, as JSON and as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.budget import compact_size, compact_text
from s3_data_lake_mcp.fence import visible
from s3_data_lake_mcp.loaders.page_size import PageSize
from s3_data_lake_mcp.settings import Settings

_TEXT_BYTES = 448
"""First line without its URI, the marks of the fence, and the next call without its cursor."""

_LATE_BYTES = 224
"""What is added after the rows: the boundary's own notices, digits of the cost."""

_FILLED = {"truncated": False, "truncated_by": "max_records", "next_cursor": ""}


def page_size(settings: Settings) -> PageSize:
    """Return the limits of a page."""
    return PageSize(max_bytes=settings.max_result_bytes, max_cell_chars=settings.max_cell_chars)


def room_for_rows(
    page: Mapping[str, Any], header: str, cursor_bytes: int, settings: Settings
) -> int:
    """Return how many bytes the rows may take.

    Args:
        page: The answer without its rows, with its notices.
        header: The text's header line.
        cursor_bytes: Length of the next page's cursor.
        settings: The limits.
    """
    structured = compact_size({**_FILLED, **page})
    notices = sum(len(visible(text).encode()) + 9 for text in page["notices"])
    uri = visible(page["source"]["uri"])
    text = _TEXT_BYTES + len(uri.encode()) + len(header.encode()) + notices
    return settings.max_result_bytes - max(structured, text) - cursor_bytes - _LATE_BYTES


def kept_within(values: Sequence[Any], room: int) -> list[Any]:
    """Return as many leading values as fit, at least one where there is one."""
    kept: list[Any] = []
    for value in values:
        room -= compact_size(value) + 1
        if room < 0 and kept:
            break
        kept.append(value)
    return kept


def clipped(value: object, chars: int) -> object:
    """Return a list or object whose compact JSON is longer than `chars` as that text, clipped."""
    if not isinstance(value, list | dict):
        return value
    text = compact_text(value)
    if len(text) <= chars:
        return value
    return wire.Clipper(chars).text(text)


def clipped_text(text: str, room: int) -> str:
    """Return a text, clipped if its JSON takes more than `room` bytes: some characters take six."""
    chars = len(text) if compact_size(text) <= room else room
    while chars > 1 and compact_size(text[:chars]) > room:
        chars = chars * 3 // 4
    return wire.Clipper(chars).text(text)
