"""How much of an answer fits its limit, as compact JSON and as lines of text."""

import json
import re
from collections.abc import Callable, Sequence

compact_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Returns a value's compact JSON, as the server writes it."""


_LIKELY = 2
_ESCAPED = re.compile(r"[\\\x7f]")
"""What JSON writes in two characters, or in one, may take six in a line of text."""


def compact_size(value: object) -> int:
    """Return the UTF-8 bytes of a value's compact JSON."""
    return _bytes(compact_text(value))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def fitting[T](values: Sequence[T], as_text: Callable[[T], str], room: int) -> int:
    """Return how many leading values fit into `room` bytes, as JSON and as lines of text.

    Where JSON escapes nothing, a line of text must not be longer than the value's JSON.
    """
    first = compact_size(values[0]) if values else 0
    # All at once costs less than one by one, unless it may be very much.
    whole = compact_text(values) if first * len(values) <= _LIKELY * room else ""
    json_fits = bool(whole) and _bytes(whole) <= room
    if json_fits and whole.isascii() and not _ESCAPED.search(whole):
        return len(values)
    json_room = text_room = room
    for count, value in enumerate(values):
        json_room -= 0 if json_fits else compact_size(value) + 1
        text_room -= len(as_text(value).encode("utf-8", "replace")) + 1
        if json_room < 0 or text_room < 0:
            return count
    return len(values)
