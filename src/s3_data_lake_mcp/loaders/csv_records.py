"""Delimited text to records: line by line, with the exact byte at which every record ends."""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError

MAX_RECORD_BYTES = 16 << 20
csv.field_size_limit(MAX_RECORD_BYTES)

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


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
        return {name: getattr(self, name) for name in Dialect.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record: `None` is an unquoted empty field. `end` is the byte behind it."""

    fields: list[str | None]
    line: int
    next_line: int
    end: int


def is_wide(encoding: str) -> bool:
    """Return whether a codec's units are wider than one byte."""
    return encoding.startswith(("utf-16", "utf-32"))


def _wide_lines(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    pending = ""
    for block in blocks:
        pending += decoder.decode(block)
        lines = _LINE.findall(pending)
        # A trailing \r may be half of \r\n, so the last line waits unless \n ends it.
        pending = "" if not lines or lines[-1].endswith("\n") else lines.pop()
        yield from (line.encode(encoding) for line in lines)
        _bound(len(pending) * 2)
    pending += decoder.decode(b"", final=True)
    yield from (line.encode(encoding) for line in _LINE.findall(pending))


def _narrow_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for block in blocks:
        if parts and b"\n" not in block and b"\r" not in block and not parts[-1].endswith(b"\r"):
            parts.append(block)
            size += len(block)
            _bound(size)
            continue
        lines = (b"".join(parts) + block).splitlines(keepends=True)
        parts = [] if not lines or lines[-1].endswith(b"\n") else [lines.pop()]
        size = len(parts[0]) if parts else 0
        yield from lines
        _bound(size)
    yield from b"".join(parts).splitlines(keepends=True)


def _bound(size: int) -> None:
    if size > MAX_RECORD_BYTES:
        message = f"A record is longer than {MAX_RECORD_BYTES:,} bytes"
        raise LimitExceededError(message, hint="Check the delimiter, the encoding and the quotes.")


class RecordReader:
    """Iterates the records of a stream of blocks; blank lines are not records.

    Args:
        blocks: The decompressed bytes from byte `at` on, where a record begins.
        dialect: How they are written.
        at: Number of the first byte.
        line: Number of the first line, from 1.
        subject: What to name in errors.
    """

    def __init__(
        self, blocks: Iterator[bytes], dialect: Dialect, *, at: int, line: int, subject: str
    ) -> None:
        self._dialect = dialect
        self.at = at
        self.line = line
        self._subject = subject
        self._wide = is_wide(dialect.encoding)
        self._lines = _wide_lines(blocks, dialect.encoding) if self._wide else _narrow_lines(blocks)
        self._bytewise = dialect.encoding in ("utf-8", "ascii") or dialect.encoding.startswith(
            ("cp125", "iso8859")
        )
        self._special = [
            mark.encode(dialect.encoding) for mark in (dialect.quote, dialect.escape) if mark
        ]
        self._separator = dialect.delimiter.encode(dialect.encoding)
        self._raw: list[str] = []
        self._record_bytes = 0
        self._ended = False
        self._pushed: bytes | None = None
        self._reader = self._make_reader()
        self._fields = _field_pattern(dialect)

    def _make_reader(self) -> "Iterator[list[str]]":
        d = self._dialect
        return csv.reader(
            self._text_lines(),
            delimiter=d.delimiter,
            quotechar=d.quote or None,
            escapechar=d.escape or None,
            quoting=csv.QUOTE_MINIMAL if d.quote else csv.QUOTE_NONE,
        )

    def _next_line(self) -> bytes | None:
        try:
            data = next(self._lines, None)
        except UnicodeError as exc:
            raise self._undecodable() from exc
        except LimitExceededError as exc:
            message = f"{self._subject}, line {self.line}: {exc}"
            raise LimitExceededError(message, hint=exc.hint) from exc
        if data is None:
            self._ended = True
            return None
        self.at += len(data)
        self.line += 1
        return data

    def _undecodable(self) -> MalformedDataError:
        message = (
            f"{self._subject} is not valid {self._dialect.encoding} in line {self.line}"
            f" (byte {self.at:,} and on)"
        )
        return MalformedDataError(message, hint="Name the file's encoding.")

    def _decode(self, data: bytes) -> str:
        try:
            text = data.decode(self._dialect.encoding)
        except UnicodeError as exc:
            self.line -= 1
            self.at -= len(data)
            raise self._undecodable() from exc
        if "\0" in text:
            message = f"{self._subject} holds NUL bytes in line {self.line - 1}: not delimited text"
            raise MalformedDataError(message, hint="get_file_metadata tells the object's format.")
        return text

    def _text_lines(self) -> Iterator[str]:
        while True:
            data = self._pushed if self._pushed is not None else self._next_line()
            self._pushed = None
            if data is None:
                return
            self._record_bytes += len(data)
            _bound(self._record_bytes)
            text = self._decode(data)
            self._raw.append(text)
            yield text

    def _quoted(self, data: bytes) -> list[str | None]:
        first = self.line - 1
        self._pushed, self._raw, self._record_bytes = data, [], 0
        try:
            fields = next(self._reader, [])
        except (csv.Error, LimitExceededError) as exc:
            message = f"{self._subject} has a record without end that begins in line {first}"
            raise MalformedDataError(message, hint="Check its quotes.") from exc
        if self._ended:
            message = f"{self._subject} opens a quote in line {first} that is never closed"
            raise MalformedDataError(message, hint="Mend the quote, or name another delimiter.")
        if "" not in fields:
            return list(fields)
        return self._with_nulls(fields)

    def _with_nulls(self, fields: list[str]) -> list[str | None]:
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
        delimiter = self._dialect.delimiter
        while (data := self._next_line()) is not None:
            line = self.line - 1
            if any(mark in data for mark in self._special):
                fields = self._quoted(data)
            else:
                text = self._decode(data).rstrip("\r\n")
                fields = [field or None for field in text.split(delimiter)] if text else []
            if fields:
                yield Record(fields=fields, line=line, next_line=self.line, end=self.at)

    def skip(self, rows: int, width: int) -> int:
        """Skip up to `rows` records of at most `width` fields; return how many there were.

        Records of more fields are passed over without being counted, as a reading leaves them out.
        """
        done = 0
        while done < rows and (data := self._next_line()) is not None:
            if any(mark in data for mark in self._special):
                fields = self._quoted(data)
                done += bool(fields) and len(fields) <= width
            elif not self._bytewise:
                text = self._decode(data).rstrip("\r\n")
                done += bool(text) and text.count(self._dialect.delimiter) < width
            elif data not in (b"\n", b"\r\n", b"\r"):
                done += data.count(self._separator) < width
        return done


def _field_pattern(dialect: Dialect) -> "re.Pattern[str]":
    d, q, e = (re.escape(mark) for mark in (dialect.delimiter, dialect.quote, dialect.escape))
    if not q:
        return re.compile(f"()[^{d}]*")
    escaped = f"|{e}." if e else ""
    return re.compile(
        f"({q}(?:[^{q}{e}]|{q}{q}{escaped})*+{q}?)?(?:[^{d}{e}]{escaped})*+", re.DOTALL
    )
