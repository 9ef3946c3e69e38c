"""Whole records out of the middle of text: ranges of an object, cut where records begin and end."""

import csv
import io
import random
from dataclasses import dataclass

RANGE_BYTES = 256 << 10
EARLY_RANGE_BYTES = 128 << 10
"""A scan waits for its sample."""

RANGES = 8
_TRIES = 6
_MOST_ODD = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLayout:
    """How text is cut into records: `start` is the first byte of data, `width` its fields.

    An empty `delimiter` means that a line is a record, whatever is in it.
    """

    start: int
    encoding: str = "utf-8"
    delimiter: str = ""
    quote: str = ""
    escape: str = ""
    width: int = 0

    @property
    def unit(self) -> int:
        """Bytes of one code unit."""
        return len("\n".encode(self.encoding))


def spread_ranges(
    size_bytes: int, start: int, seed: str, *, count: int, length: int
) -> list[tuple[int, int]]:
    """Return ranges of `[start, size_bytes)`: one in each of `count - 1` equal parts, and the end.

    Where they lie in their parts is random; the same seed gives the same ranges. None overlap, and
    none has more than `length` bytes.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    stop = size_bytes - length
    part = (stop - start) / (count - 1)
    found: list[tuple[int, int]] = []
    at = start
    for number in range(count - 1):
        low, high = start + part * number, start + part * (number + 1) - length
        at = max(at, int(low + chance.random() * max(0.0, high - low)))
        found.append((at, min(at + length, stop)))
        at += length
    return [(a, b) for a, b in [*found, (stop, size_bytes)] if a < b]


def whole_records(body: bytes, layout: TextLayout, *, first: bool, last: bool) -> bytes:
    """Return the records that lie whole in a range; empty if it can't be told where they begin.

    Args:
        body: The range's bytes; it begins at a code unit.
        layout: How records are cut.
        first: Whether the range begins with a record.
        last: Whether it ends with the object.
    """
    newline = "\n".encode(layout.encoding)
    begin = 0 if first else _after_newline(body, newline, 0)
    for _ in range(_TRIES):
        if begin < 0:
            return b""
        found = body[begin:] if last else _closed(body[begin:], newline, layout)
        if found and _fits(found, layout):
            return found if found.endswith(newline) else found + newline
        if first:
            return b""
        begin = _after_newline(body, newline, begin)
    return b""


def _after_newline(body: bytes, newline: bytes, start: int) -> int:
    at = body.find(newline, start)
    while at >= 0 and at % len(newline):
        at = body.find(newline, at + 1)
    return at + len(newline) if at >= 0 else -1


def _closed(body: bytes, newline: bytes, layout: TextLayout) -> bytes:
    """Cut a body behind its last line that no open quote goes across."""
    end = len(body)
    for _ in range(_TRIES * 10):
        end = body.rfind(newline, 0, end)
        while end > 0 and end % len(newline):
            end = body.rfind(newline, 0, end)
        if end < 0:
            return b""
        found = body[: end + len(newline)]
        if not layout.quote or found.count(layout.quote.encode(layout.encoding)) % 2 == 0:
            return found
    return b""


def _fits(body: bytes, layout: TextLayout) -> bool:
    """Whether a body that may begin inside a quoted field parses as records of the right width."""
    if not (layout.delimiter and layout.quote) or layout.quote.encode(layout.encoding) not in body:
        return True
    try:
        reader = csv.reader(
            io.StringIO(body.decode(layout.encoding, "replace"), newline=""),
            delimiter=layout.delimiter,
            quotechar=layout.quote,
            escapechar=layout.escape or None,
            strict=True,
        )
        widths = [len(fields) for fields in reader if fields]
    except csv.Error:
        return False
    odd = sum(width != layout.width for width in widths)
    # Inside a quoted field, only the first record gives it away.
    return widths[:1] == [layout.width] and odd <= _MOST_ODD * len(widths)
