"""Bytes on their way to the engine, looked at as they pass.

The engine reads some text otherwise than the loaders and says nothing. Where that shows in the
bytes, they are searched in ways that cost next to nothing, and what is found stops the reading: the
object is then read in another way.
"""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from s3_data_lake_mcp.engines.json_lines import has_long_fraction
from s3_data_lake_mcp.loaders.csv_records import Dialect
from s3_data_lake_mcp.storage.scope import Readable, SurpriseError

WATCHED_BYTES = 64 << 20
"""Plain text of a table is looked at up to this size: a gigabyte would take a third longer.

Beyond it the engine's reading holds: a record with one empty field too many counts, and a fraction
of JSON has the 17 digits of a double."""

_MOST_GOOD = 10_000
_NUMBER_BYTES = 64

type Look = Callable[[int, bytes], None]
"""Told the place of the first byte and the bytes; may raise."""


class EmptyTextError(SurpriseError):
    """Text whose empty fields were all null has an empty text in quotes."""


class RaggedError(SurpriseError):
    """A record may have empty fields too many, which the engine would not notice."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A readable whose bytes are looked at before they are handed on.

    What raises is not handed on, and so in no cache of the engine.
    """

    inner: Readable
    look: Look

    @property
    def size_bytes(self) -> int:
        """The size of what is inside."""
        return self.inner.size_bytes

    @property
    def modified(self) -> datetime:
        """The time of what is inside."""
        return self.inner.modified

    @property
    def block_bytes(self) -> int:
        """The block of what is inside."""
        return self.inner.block_bytes

    def open(self) -> Callable[[int, int], bytes]:
        """Return the function that reads and looks."""
        read = self.inner.open()

        def watched(start: int, stop: int) -> bytes:
            data = read(start, stop)
            self.look(start, data)
            return data

        return watched

    def expect_all(self) -> None:
        """Be told that all of it is going to be read."""
        self.inner.expect_all()

    def release(self) -> None:
        """Undo one `open`."""
        self.inner.release()

    def close(self) -> None:
        """Let go of what was fetched."""
        self.inner.close()


def has_quoted_empty(text: bytes, dialect: Dialect) -> bool:
    """Whether an empty text in quotes may stand in delimited text, behind its first byte.

    It is a doubled quote behind a delimiter or line break. Compared as numbers, for escaped quotes
    are doubled ones too, and may be many.
    """
    values = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(values == dialect.quote.encode()[-1])
    doubled = quotes[:-1][np.diff(quotes) == 1]
    before = values[doubled[doubled > 0] - 1]
    marks = (dialect.delimiter.encode()[-1], 0x0A, 0x0D)
    return any(bool((before == mark).any()) for mark in marks)


def without_quoted_empties(path: str, dialect: Dialect, start: int) -> Look:
    """Return a look that lets no empty text in quotes pass, from a place on.

    The look raises `EmptyTextError`.
    """
    lock = threading.Lock()
    heads: dict[int, bytes] = {}
    tails: dict[int, bytes] = {start: b"\n"}

    def look(at: int, data: bytes) -> None:
        data = data[max(0, start - at) :]
        at = max(at, start)
        stop = at + len(data)
        with lock:
            heads[at] = data[:2]
            tails.setdefault(stop, data[-2:])
            before = tails.get(at, b"") + heads[at]
            behind = tails[stop] + heads.get(stop, b"")
        if any(has_quoted_empty(text, dialect) for text in (data, before, behind)):
            raise EmptyTextError(path)

    return look


def without_empty_ends(path: str, dialect: Dialect, width: int, start: int) -> Look:
    """Return a look that lets no record pass that ends in empty fields too many, from a place on.

    The look raises `RaggedError`.
    """
    delimiter, quote = dialect.delimiter.encode(), dialect.quote.encode()
    empty_end = re.compile(re.escape(delimiter) + rb"\r?(?:\n|\Z)")
    others = bytes(set(range(256)) - {*delimiter, *quote, 0x0A})
    lock = threading.Lock()
    heads: dict[int, bytes] = {}
    tails: dict[int, bytes] = {}
    good: set[bytes] = set()

    def is_ragged(marks: bytes, first: int) -> bool:
        outside = b"".join(marks.split(quote)[first::2])
        return any(len(line) >= width * len(delimiter) for line in outside.split(b"\n"))

    def check(lines: bytes) -> None:
        if not empty_end.search(lines):
            return
        # Without all but the marks, most lines are alike.
        marks = lines.translate(None, others)
        new, firsts = set(marks.split(b"\n")) - good, [0]
        if any(line.count(quote) % 2 for line in new):
            # Quoted texts of several lines; the first line may begin in one.
            new, firsts = {marks}, [0, 1]
        if any(is_ragged(line, first) for line in new for first in firsts):
            raise RaggedError(path)
        if len(firsts) == 1 and len(good) < _MOST_GOOD:
            good.update(new)

    def look(at: int, data: bytes) -> None:
        data = data[max(0, start - at) :]
        data = data.replace(b"\r", b"\n") if dialect.newline == "\r" else data
        at = max(at, start)
        first, last = data.find(b"\n") + 1, data.rfind(b"\n") + 1
        check(data[first:last])
        with lock:
            heads[at], tails[at + len(data)] = data[:first], data[last:]
            edges = [tails.get(at, b"") + data[:first]]
            edges.append(data[last:] + heads.get(at + len(data), b""))
        for edge in edges:
            check(edge)

    return look


def without_long_fractions(path: str) -> Look:
    """Return a look that lets no number of JSON pass that the engine would round.

    The look raises `SurpriseError`.
    """
    lock = threading.Lock()
    heads: dict[int, bytes] = {}
    tails: dict[int, bytes] = {}

    def look(at: int, data: bytes) -> None:
        stop = at + len(data)
        with lock:
            heads[at], tails[stop] = data[:_NUMBER_BYTES], data[-_NUMBER_BYTES:]
            before = tails.get(at, b"") + heads[at]
            behind = tails[stop] + heads.get(stop, b"")
        if any(map(has_long_fraction, (data, before, behind))):
            raise SurpriseError(path)

    return look


def watched_blocks(blocks: Iterator[bytes], look: Look) -> Iterator[bytes]:
    """Yield blocks from the first byte on, each looked at before."""
    at = 0
    for block in blocks:
        look(at, block)
        yield block
        at += len(block)
