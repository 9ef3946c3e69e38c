"""How untrusted data is shown in text: nothing invisible, one line a row, inside a marked fence."""

import re
import secrets
from collections.abc import Iterable, Sequence
from math import isfinite

from s3_data_lake_mcp.budget import compact_text

_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff]"
)
_LAST_OF_PLANE_0 = 0xFFFF
_SURROGATE = re.compile("[\ud800-\udfff]")


def _escape(match: re.Match[str]) -> str:
    point = ord(match.group())
    if point <= _LAST_OF_PLANE_0:
        return f"\\u{point:04x}"
    high, low = divmod(point - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def scrub(text: str) -> str:
    """Return `text` with lone surrogates, which no encoding can carry, as U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def scrub_all(value: object) -> object:
    """Return JSON with lone surrogates in its texts and keys as U+FFFD."""
    if isinstance(value, str):
        return scrub(value)
    match value:
        case dict():
            return {scrub(str(key)): scrub_all(item) for key, item in value.items()}
        case list() | tuple():
            return [scrub_all(item) for item in value]
        case _:
            return value


def visible(text: str) -> str:
    r"""Return `text` with control, bidirectional and zero-width characters as `\u....`."""
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(_escape, scrub(text))


def cell(value: object) -> str:
    """Return one value as a cell of a TSV line: null is empty, an empty text is `""`."""
    if isinstance(value, str):
        return visible(value) if value else '""'
    match value:
        case None:
            return ""
        case int() if value is not True and value is not False:
            return str(value)
        case float() if isfinite(value):
            return repr(value)
        case _:
            return visible(compact_text(value))


def row(values: Iterable[object]) -> str:
    """Return values as one TSV line."""
    return "\t".join(map(cell, values))


def plural(count: int, noun: str, one: str = "", more: str = "") -> str:
    """Return a count with its noun, and with the verb of one or of more."""
    text = f"{count:,} {noun} {one}" if count == 1 else f"{count:,} {noun}s {more}"
    return text.rstrip(" ")


def first_of(names: Sequence[object], most: int, total: int | None = None) -> str:
    """Return the first names of a list, and how many more there are.

    Args:
        names: The names.
        most: How many of them to name.
        total: How many there are, if not all are listed.
    """
    more = (len(names) if total is None else total) - min(most, len(names))
    return ", ".join(map(str, names[:most])) + (f" and {more:,} more" if more > 0 else "")


def clipped(text: str, kept: str) -> str:
    """Return the beginning of a text that is kept of it, with the number of characters left out."""
    return f"{kept}…(+{len(text) - len(kept)} chars)"


def fenced(lines: Sequence[str]) -> list[str]:
    """Return lines of data between marks with a fresh nonce, which the data cannot know."""
    nonce = secrets.token_hex(4)
    return [f"<<data {nonce}>>", *lines, f"<<end {nonce}>>"]
