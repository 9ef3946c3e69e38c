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
        self._lines: Iterator[bytes] = iter(())

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while not (line := next(self._lines, b"")):
            self._split()
        self._at += len(line)
        return line

    def peek(self, least: int) -> bytes:
        """Return what comes next, `least` bytes of it or more; fewer only at the end."""
        while len(self._data) - self._at < least and self._more():
            pass
        return self._data[self._at :]

    def take(self, size: int) -> None:
        """Move over bytes that `peek` has shown."""
        self._at += size
        self._lines = iter(())

    def _split(self) -> None:
        """Find the next lines; if there is none yet, take more of the text.

        Raises:
            StopIteration: At the end.
        """
        rest = self._data[self._at :]
        lines = rest.splitlines(keepends=True)
        bound(max(map(len, lines), default=0))
        if not rest.endswith(b"\n"):
            if len(lines) > 1:
                # It may go on, and a \r be half of \r\n.
                lines.pop()
            elif self._more():
                # Twice as much each time: a long line is not looked through for every piece of it.
                self.peek(2 * len(rest))
                return
            elif not rest:
                raise StopIteration
        self._lines = iter(lines)

    def _more(self) -> bool:
        """Take one more piece; small ones stay in the processor's cache, and are copied once."""
        if not self._block:
            self._block = memoryview(next(self._blocks, b""))
            if not self._block:
                return False
        bound(len(self._data) - self._at)
        self._data = self._data[self._at :] + self._block[:PIECE_BYTES]
        self._block = self._block[PIECE_BYTES:]
        self._at = 0
        self._lines = iter(())
        return True
