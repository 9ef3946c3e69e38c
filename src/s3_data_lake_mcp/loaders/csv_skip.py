"""Counts rows of delimited text without parsing them, at about the speed of a download.

Bytes are only ever searched, split and compared as a whole. What that cannot tell for certain
(escapes, lone carriage returns, quotes within unquoted fields) is left to the parser.
"""

import re
from dataclasses import dataclass

from s3_data_lake_mcp.loaders.csv_encoding import is_wide

_LONE_RETURN = re.compile(rb"\r(?!\n)")
_BLANK = (b"", b"\r")


def counts_bytes(encoding: str) -> bool:
    """Return whether ASCII bytes in text of a codec stand for nothing but ASCII characters."""
    return not is_wide(encoding) and (
        encoding in ("utf-8", "ascii") or encoding.startswith(("cp125", "iso8859", "koi8"))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Rows in leading bytes and their lines; no bytes if only the parser can tell."""

    rows: int
    size_bytes: int
    lines: int


_DOUBTFUL = Counted(rows=0, size_bytes=0, lines=0)


class _Quoting:
    """Finds whole records in bytes, whatever is quoted in them.

    Delimiter and quote are one byte each; there may be no quote.
    """

    def __init__(self, delimiter: bytes, quote: bytes) -> None:
        self._quote = quote
        d, q = re.escape(delimiter), re.escape(quote)
        # A quote mark that does not open or close a field: in `"`s that stand for quoted texts,
        # each must have a delimiter, a line's end or another one on either side.
        self._stray = re.compile(
            rb"%b(?:(?![%b\r\n%b])|(?<![%b\n%b]%b)(?<!\A%b))" % (q, d, q, d, q, q, q)
        )

    def cut(self, data: bytes) -> tuple[bytes, int]:
        """Return whole records, each quoted text cut down to one quote, and their real size.

        Nothing where a carriage return stands alone: it may end a line.
        """
        records, size = self._cut(data)
        # The search finds its first character far slower than `in` does.
        lone = b"\r" in data and _LONE_RETURN.search(data, 0, size)
        return (b"", 0) if lone else (records, size)

    def _cut(self, data: bytes) -> tuple[bytes, int]:
        if not self._quote or self._quote not in data:
            size = data.rfind(b"\n") + 1
            return data[:size], size
        pieces = data.split(self._quote)
        size = len(data)
        if len(pieces) % 2 == 0:
            size -= len(pieces.pop()) + 1
        # The text behind the last line's end outside of quotes belongs to an unfinished record.
        while (end := pieces[-1].rfind(b"\n")) < 0:
            if len(pieces) == 1:
                return b"", 0
            size -= len(pieces.pop()) + len(pieces.pop()) + 2
        size -= len(pieces[-1]) - end - 1
        pieces[-1] = pieces[-1][: end + 1]
        lines = self._quote.join(pieces[::2])
        return (b"", 0) if self._stray.search(lines) else (lines, size)


class RowCounter:
    """Counts the rows that a reading keeps: not blank, and of at most `width` fields.

    Delimiter, quote and escape are one byte each; there may be no quote and no escape.
    """

    def __init__(self, delimiter: bytes, quote: bytes, escape: bytes, width: int) -> None:
        self._delimiter = delimiter
        self._quote = quote
        self._escape = escape
        self._width = width
        self._others = bytes(set(range(256)) - {delimiter[0], 0x0A})
        self._regular = delimiter * (width - 1) + b"\n"
        self._quoting = _Quoting(delimiter, quote)

    def count(self, data: bytes) -> Counted:
        """Count in the whole records at the beginning of `data`, where one begins."""
        if self._escape and self._escape in data:
            return _DOUBTFUL
        records, size = self._quoting.cut(data)
        if not size:
            return _DOUBTFUL
        rows = self._regular_rows(records)
        if not rows:
            each = records.split(b"\n")[:-1]
            rows = sum(r not in _BLANK and r.count(self._delimiter) < self._width for r in each)
        elif len(records) == size:
            return Counted(rows=rows, size_bytes=size, lines=rows)
        return Counted(rows=rows, size_bytes=size, lines=data.count(b"\n", 0, size))

    def regular_size(self, data: bytes) -> int:
        """Return the size of the whole records at the beginning; 0 if any is not regular."""
        records, size = self._quoting.cut(data)
        return size if self._regular_rows(records) else 0

    def _regular_rows(self, records: bytes) -> int:
        """Return how many records of `width` fields these are; 0 if any has others, or may have."""
        marks = records.translate(None, self._others)
        rows, rest = divmod(len(marks), self._width)
        return 0 if self._width == 1 or rest or marks != self._regular * rows else rows
