"""Delimited text to records: line by line, with the exact byte at which every record ends."""

import csv
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError
from s3_data_lake_mcp.loaders.csv_encoding import is_wide, not_text, reads_as_windows_1252
from s3_data_lake_mcp.loaders.csv_lines import (
    MAX_RECORD_BYTES,
    PIECE_BYTES,
    NarrowLines,
    bound,
    wide_lines,
)
from s3_data_lake_mcp.loaders.csv_skip import RowCounter, counts_bytes

_QUOTES = "Mend its quotes. In SQL, read_csv('s3://…', quote='') takes them as they stand."

csv.field_size_limit(MAX_RECORD_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a delimited text is written. An empty `quote` or `escape` means that there is none."""

    delimiter: str
    quote: str
    escape: str
    encoding: str
    has_header: bool
    compression: str
    newline: str

    def as_json(self) -> dict[str, object]:
        """Return the `dialect` part of an answer."""
        return asdict(self)


class Record(NamedTuple):
    """One record: `None` is an unquoted empty field. `end` is the byte behind it."""

    fields: list[str | None]
    line: int
    next_line: int
    end: int


class RecordReader:
    """Iterates the records of a stream of blocks; blank lines are not records.

    Args:
        blocks: The decompressed bytes from byte `at` on, where a record begins.
        dialect: How they are written.
        at: Number of the first byte.
        line: Number of the first line, from 1.
        subject: What to name in errors.
        strict: Whether text behind a closing quote is an error.

    Attributes:
        at: Number of the byte behind the last line taken.
        line: Number of the next line.
        fallback: Whether text that turns out not to be UTF-8 may be Windows-1252, if all the text
            before it is ASCII.
        torn: Whether a record may go on behind the end; it is left out.
        switched_line: Where it turned out so; 0 if it did not.
        encoding: The codec, as it turned out.
    """

    def __init__(
        self,
        blocks: Iterator[bytes],
        dialect: Dialect,
        *,
        at: int,
        line: int,
        subject: str,
        strict: bool = False,
    ) -> None:
        self.at = at
        self.line = line
        self.fallback = False
        self.torn = False
        self.switched_line = 0
        self._dialect = dialect
        self._subject = subject
        self.encoding = dialect.encoding
        self._lines: Iterator[bytes] = (
            wide_lines(blocks, dialect.encoding)
            if is_wide(dialect.encoding)
            else NarrowLines(blocks)
        )
        marks = (mark for mark in (dialect.quote, dialect.escape) if mark)
        special = b"|".join(re.escape(mark.encode(dialect.encoding)) for mark in marks)
        self._special = re.compile(special or b"(?!)")
        self._raw: list[str] = []
        self._record_bytes = 0
        self._ended = False
        self._pushed: bytes | None = None
        self._fields = _field_pattern(dialect)
        self._reader = csv.reader(
            self._text_lines(),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            escapechar=dialect.escape or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            strict=strict,
        )

    def _next_line(self) -> bytes | None:
        try:
            data = next(self._lines, None)
        except UnicodeError as exc:
            raise not_text(self._subject, self.encoding, self.line) from exc
        except LimitExceededError as exc:
            message = f"{self._subject}, line {self.line}: {exc}"
            raise LimitExceededError(message, hint=exc.hint) from exc
        if data is None:
            self._ended = True
            return None
        self.at += len(data)
        self.line += 1
        return data

    def _decode(self, data: bytes) -> str:
        try:
            text = data.decode(self.encoding)
        except UnicodeError as exc:
            if not (self.fallback and reads_as_windows_1252(data)):
                raise not_text(self._subject, self.encoding, self.line - 1) from exc
            self.encoding, self.fallback = "cp1252", False
            self.switched_line = self.line - 1
            return data.decode(self.encoding)
        if self.fallback and not text.isascii():
            self.fallback = False
        return text

    def _text_lines(self) -> Iterator[str]:
        while True:
            data = self._pushed if self._pushed is not None else self._next_line()
            self._pushed = None
            if data is None:
                return
            self._record_bytes += len(data)
            bound(self._record_bytes)
            text = self._decode(data)
            self._raw.append(text)
            yield text

    def _parse(self, data: bytes) -> list[str | None]:
        """Return the fields of the record that begins with a line, perhaps taking more lines."""
        if not self._special.search(data):
            text = self._decode(data).rstrip("\r\n")
            return [field or None for field in text.split(self._dialect.delimiter)] if text else []
        first = self.line - 1
        self._pushed, self._raw, self._record_bytes = data, [], 0
        try:
            fields = next(self._reader, [])
        except (csv.Error, LimitExceededError) as exc:
            message = f"{self._subject} has a record without end that begins in line {first}"
            raise MalformedDataError(message, hint=_QUOTES) from exc
        if self._ended and self.torn:
            return []
        if self._ended:
            message = f"{self._subject} opens a quote in line {first} that is never closed"
            raise MalformedDataError(message, hint=_QUOTES)
        return self._with_nulls(fields) if "" in fields else list(fields)

    def _with_nulls(self, fields: list[str]) -> list[str | None]:
        """Tell empty fields that are quoted from those that are not."""
        raw = "".join(self._raw)
        at = 0
        out: list[str | None] = []
        for field in fields:
            found = self._fields.match(raw, at)
            quoted = found is not None and bool(found[1])
            at = (found.end() if found else at) + 1
            out.append(field if field or quoted else None)
        return out

    def __iter__(self) -> Iterator[Record]:
        """Yield records in order."""
        while (data := self._next_line()) is not None:
            line = self.line - 1
            if fields := self._parse(data):
                yield Record(fields, line, self.line, self.at)

    def skip(self, rows: int, width: int) -> int:
        """Skip up to `rows` records of at most `width` fields; return how many there were.

        Records of more fields are passed over without being counted, as a reading leaves them out.
        """
        done = 0
        counter = self._counter(width)
        while done < rows and not self._ended:
            if counter is not None and isinstance(self._lines, NarrowLines):
                counted = counter.count(self._lines.peek(PIECE_BYTES))
                if counted.size_bytes and done + counted.rows <= rows:
                    self._lines.take(counted.size_bytes)
                    self.at += counted.size_bytes
                    self.line += counted.lines
                    done += counted.rows
                    continue
            done += self._skip_parsing(rows - done, width, self.at + PIECE_BYTES)
        return done

    def _counter(self, width: int) -> RowCounter | None:
        d = self._dialect
        delimiter = d.delimiter.encode(d.encoding)
        if len(delimiter) > 1 or not counts_bytes(d.encoding):
            return None
        return RowCounter(delimiter, d.quote.encode(), d.escape.encode(), width)

    def _skip_parsing(self, rows: int, width: int, stop: int) -> int:
        done = 0
        while done < rows and self.at < stop and (data := self._next_line()) is not None:
            fields = self._parse(data)
            done += bool(fields) and len(fields) <= width
        return done


def _field_pattern(dialect: Dialect) -> "re.Pattern[str]":
    d, q, e = (re.escape(mark) for mark in (dialect.delimiter, dialect.quote, dialect.escape))
    if not q:
        return re.compile(f"()[^{d}]*")
    escaped = f"|{e}." if e else ""
    return re.compile(
        f"({q}(?:[^{q}{e}]|{q}{q}{escaped})*+{q}?)?(?:[^{d}{e}]{escaped})*+", re.DOTALL
    )
