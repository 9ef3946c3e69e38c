"""How much of an answer fits its limit, as compact JSON and as lines of text."""

import json
from collections.abc import Callable, Sequence

compact_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Returns a value's compact JSON, as the server writes it."""


_LIKELY = 2


def compact_size(value: object) -> int:
    """Return the UTF-8 bytes of a value's compact JSON."""
    text = compact_text(value)
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def fitting[T](values: Sequence[T], as_text: Callable[[T], str], room: int) -> int:
    """Return how many leading values fit into `room` bytes, as JSON and as lines of text."""
    first = compact_size(values[0]) if values else 0
    # All at once costs less than one by one, unless it may be very much.
    json_fits = first * len(values) <= _LIKELY * room and compact_size(values) <= room
    json_room = text_room = room
    for count, value in enumerate(values):
        json_room -= 0 if json_fits else compact_size(value) + 1
        text_room -= len(as_text(value).encode("utf-8", "replace")) + 1
        if json_room < 0 or text_room < 0:
            return count
    return len(values)
