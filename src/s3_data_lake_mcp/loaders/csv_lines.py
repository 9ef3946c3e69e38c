"""Bytes to lines: each with its end, a line feed, a carriage return or both."""

import codecs
import re
from collections.abc import Iterator

from s3_data_lake_mcp.errors import LimitExceededError

MAX_RECORD_BYTES = 16 << 20
"""Longest record, line ends within quotes included."""

PIECE_BYTES = 256 << 10
"""What is looked at together."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_UNSEARCHED = -1


def bound(size: int) -> None:
    """Raise if a record of `size` bytes is too long."""
    if size > MAX_RECORD_BYTES:
        message = f"A record is longer than {MAX_RECORD_BYTES:,} bytes"
        raise LimitExceededError(message, hint="Check the delimiter, the encoding and the quotes.")


def wide_lines(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the lines of UTF-16 or UTF-32 text, in that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    pending = ""
    for block in blocks:
        pending += decoder.decode(block)
        lines = _LINE.findall(pending)
        # A trailing \r may be half of \r\n, so the last line waits unless \n ends it.
        pending = "" if not lines or lines[-1].endswith("\n") else lines.pop()
        yield from (line.encode(encoding) for line in lines)
        bound(len(pending) * 2)
    pending += decoder.decode(b"", final=True)
    yield from (line.encode(encoding) for line in _LINE.findall(pending))


class NarrowLines:
    """Iterates the lines of text whose line ends are single bytes; shows what comes next."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = memoryview(b"")
        self._data = b""
        self._at = 0
        # Where the next \n is; the data's length if there is none in it.
        self._feed = _UNSEARCHED

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while (stop := self._line_end()) < 0:
            if not self._more():
                stop = len(self._data)
                if stop == self._at:
                    raise StopIteration
                break
        bound(stop - self._at)
        line = self._data[self._at : stop]
        self._at = stop
        return line

    def peek(self, least: int) -> bytes:
        """Return what comes next, `least` bytes of it or more; fewer only at the end."""
        while len(self._data) - self._at < least and self._more():
            pass
        return self._data[self._at :]

    def take(self, size: int) -> None:
        """Move over bytes that `peek` has shown."""
        self._at += size

    def _line_end(self) -> int:
        if self._feed < self._at:
            found = self._data.find(b"\n", self._at)
            self._feed = found if found >= 0 else len(self._data)
        at = self._data.find(b"\r", self._at, self._feed)
        # What a \r at the data's end is shows only in the next block.
        if 0 <= at < len(self._data) - 1:
            return at + 1 if at + 1 < self._feed or self._feed == len(self._data) else at + 2
        return self._feed + 1 if at < 0 and self._feed < len(self._data) else -1

    def _more(self) -> bool:
        """Take one more piece; small ones stay in the processor's cache, and are copied once."""
        if not self._block:
            self._block = memoryview(next(self._blocks, b""))
            if not self._block:
                return False
        bound(len(self._data) - self._at)
        self._data = self._data[self._at :] + self._block[:PIECE_BYTES]
        self._block = self._block[PIECE_BYTES:]
        self._at, self._feed = 0, _UNSEARCHED
        return True
