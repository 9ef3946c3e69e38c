"""Bytes on their way to the engine, looked at as they pass.

The engine reads some text otherwise than the loaders and says nothing. Where that shows in the
bytes, they are searched in ways that cost next to nothing, and what is found stops the reading: the
object is then read in another way.
"""

import re
import threading
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from s3_data_lake_mcp.engines.json_lines import has_long_fraction
from s3_data_lake_mcp.loaders.csv_records import Dialect
from s3_data_lake_mcp.storage.scope import SurpriseError

WATCHED_BYTES = 64 << 20
"""Plain text of a table is looked at up to this size: a gigabyte would take a third longer.

Beyond it the engine's reading holds: a record with one empty field too many counts, and a fraction
of JSON has the 17 digits of a double."""

_MOST_GOOD = 10_000
_NUMBER_BYTES = 64
_EDGE_BYTES = 4
_SPACE = 0x20
_MOST_SPACES = 64
_SHORT_BYTES = 256 << 10
"""Decompression ends in the middle of lines, now and then soon."""

_INNER = b"\n"
"""In place of the end of a block that is within a line: no such end holds a line break."""

type Look = Callable[[int, bytes], None]
"""Told the place of the first byte and the bytes; what raises is in no cache of the engine."""


class EmptyTextError(SurpriseError):
    """Text whose empty fields were all null has an empty text in quotes."""


class RaggedError(SurpriseError):
    """A record may have what the engine passes over: empty fields too many, or spaced quotes."""


class _Edges:
    """Brings together what ends and what begins at a place, whichever comes first.

    Both are let go of then: a text may be long. What is read again is kept anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heads: dict[int, bytes] = {}
        self._tails: dict[int, bytes] = {}

    def around(
        self, at: int, head: bytes, stop: int, tail: bytes
    ) -> tuple[bytes | None, bytes | None]:
        """Return what ends at `at`, and what begins at `stop`; None where that is yet to come."""
        with self._lock:
            before, behind = self._tails.pop(at, None), self._heads.pop(stop, None)
            if before is None:
                self._heads[at] = head
            if behind is None:
                self._tails[stop] = tail
        return before, behind


def has_quoted_empty(text: bytes, dialect: Dialect) -> bool:
    """Whether an empty text in quotes may stand in delimited text, behind its first byte.

    It is a doubled quote behind a delimiter or line break. Compared as numbers, for escaped quotes
    are doubled ones too, and may be many.
    """
    if dialect.quote.encode() not in text:
        return False
    values = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(values == dialect.quote.encode()[-1])
    doubled = quotes[:-1][np.diff(quotes) == 1]
    before = values[doubled[doubled > 0] - 1]
    return any(bool((before == mark).any()) for mark in _marks(dialect))


def has_spaced_quotes(text: bytes, dialect: Dialect) -> bool:
    """Whether spaces may stand between a field's quotes and its ends, behind the first byte."""
    quote, marks = dialect.quote.encode()[-1:], _marks(dialect)
    if not quote or quote not in text:
        return False
    values = np.frombuffer(text, np.uint8)
    at = np.flatnonzero(values == quote[0])
    at = at[(at > 1) & (at < len(values) - 2)]
    for way in (-1, 1):
        spaced = at[values[at + way] == _SPACE]
        if not len(spaced):
            continue  # what follows takes long for the little that most texts hold
        spaced = spaced[np.isin(values[spaced + 2 * way], [*marks, _SPACE])]
        # A doubled quote is one in a text, or an empty text.
        single = values[spaced - way] != quote[0]
        spaced = spaced[single | np.isin(values[spaced - 2 * way], [*marks])]
        for end in spaced:
            stop = max(-1, end + way * _MOST_SPACES)
            run = values[end + way : None if stop < 0 else stop : way].tobytes()
            if run.lstrip(b" ")[:1] in marks:
                return True
    return False


def _marks(dialect: Dialect) -> bytes:
    return dialect.delimiter.encode()[-1:] + b"\r\n"


def without_quoted_empties(path: str, dialect: Dialect, start: int) -> Look:
    """Return a look that lets no empty text in quotes pass, nor spaced quotes, from a place on.

    The look raises `EmptyTextError` or `RaggedError`.
    """
    edges = _Edges()

    def look(at: int, data: bytes) -> None:
        data = data[max(0, start - at) :]
        if not data:
            return
        at = max(at, start)
        head, tail = data[:_EDGE_BYTES], data[-_EDGE_BYTES:]
        before, behind = edges.around(at, head, at + len(data), tail)
        before = b"\n" if at == start else before
        texts = (data, (before or b"") + head, tail + (behind or b""))
        if any(has_spaced_quotes(text, dialect) for text in texts):
            raise RaggedError(path)
        if any(has_quoted_empty(text, dialect) for text in texts):
            raise EmptyTextError(path)

    return look


class _Ends:
    """Judges whole records by how they end, and by their quotes."""

    def __init__(self, path: str, dialect: Dialect, width: int) -> None:
        self._path = path
        self._dialect = dialect
        self._quote = dialect.quote.encode()
        delimiter = dialect.delimiter.encode()
        self._most_bytes = width * len(delimiter)
        self._empty_end = re.compile(re.escape(delimiter) + rb"\r?(?:\n|\Z)")
        self._others = bytes(set(range(256)) - {*delimiter, *self._quote, 0x0A})
        self._good: set[bytes] = set()

    def check(self, lines: bytes) -> None:
        """Raise `RaggedError` if one may end in empty fields too many, or has spaced quotes."""
        if has_spaced_quotes(b"\n" + lines, self._dialect):
            raise RaggedError(self._path)
        if not self._empty_end.search(lines):
            return
        # Without all but the marks, most lines are alike.
        marks = lines.translate(None, self._others)
        new, firsts = set(marks.split(b"\n")) - self._good, [0]
        if any(line.count(self._quote) % 2 for line in new):
            # Quoted texts of several lines; the first line may begin in one.
            new, firsts = {marks}, [0, 1]
        if any(self._is_ragged(line, first) for line in new for first in firsts):
            raise RaggedError(self._path)
        if len(firsts) == 1 and len(self._good) < _MOST_GOOD:
            self._good.update(new)

    def _is_ragged(self, marks: bytes, first: int) -> bool:
        outside = b"".join(marks.split(self._quote)[first::2])
        return any(len(line) >= self._most_bytes for line in outside.split(b"\n"))


def without_empty_ends(path: str, dialect: Dialect, width: int, start: int) -> Look:
    """Return a look that lets no record pass that ends in empty fields too many, from a place on.

    The look raises `RaggedError`, also for a line that begins before a block and ends behind it.
    """
    ends, edges = _Ends(path, dialect, width), _Edges()

    def look(at: int, data: bytes) -> None:
        data = data[max(0, start - at) :]
        if not data:
            return
        data = data.replace(b"\r", b"\n") if dialect.newline == "\r" else data
        at = max(at, start)
        first, last = data.find(b"\n") + 1, data.rfind(b"\n") + 1
        # A line that is longer than a block would be judged in parts.
        is_inner = not last and at > start
        head, tail = (data, _INNER) if is_inner else (data[:first], data[last:])
        before, behind = edges.around(at, head, at + len(data), tail)
        if before == _INNER or (is_inner and behind is not None):
            raise RaggedError(path)
        ends.check(data[first:last])
        ends.check((before or b"") + head)
        if not is_inner:
            ends.check(tail + (behind or b""))

    return look


def without_long_fractions(path: str) -> Look:
    """Return a look that lets no number of JSON pass that the engine would round.

    The look raises `SurpriseError`.
    """
    edges = _Edges()

    def look(at: int, data: bytes) -> None:
        if not data:
            return
        head, tail = data[:_NUMBER_BYTES], data[-_NUMBER_BYTES:]
        before, behind = edges.around(at, head, at + len(data), tail)
        if any(map(has_long_fraction, (data, (before or b"") + head, tail + (behind or b"")))):
            raise SurpriseError(path)

    return look


def watched_blocks(blocks: Iterator[bytes], look: Look) -> Iterator[bytes]:
    """Yield blocks from the first byte on, each looked at before; short ones together."""
    at, size = 0, 0
    parts: list[bytes] = []
    for block in chain(blocks, [b""]):
        parts.append(block)
        size += len(block)
        if size >= _SHORT_BYTES or (size and not block):
            held = parts[0] if len(parts) == 1 else b"".join(parts)
            look(at, held)
            yield held
            at, parts, size = at + size, [], 0
