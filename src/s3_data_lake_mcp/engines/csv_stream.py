"""Delimited text that the engine cannot read as it is: transcoded, cleaned, or mended in places.

Text with some irregular records is searched, split and compared as a whole, about as fast as it
arrives. Only pieces that are not plainly regular are parsed record by record.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from s3_data_lake_mcp.engines.streams import in_utf8
from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.fence import first_of, plural
from s3_data_lake_mcp.loaders.compression import decoded_blocks
from s3_data_lake_mcp.loaders.csv import CsvShape, Dialect
from s3_data_lake_mcp.loaders.csv_records import Record, RecordReader
from s3_data_lake_mcp.loaders.csv_skip import RowCounter
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.storage.scope import SurpriseError

_NAMED_LINES = 5
_PIECE_BYTES = 256 << 10


class Marks(NamedTuple):
    """How records are written: as plainly as can be, or as others around them are."""

    delimiter: str = ","
    quote: str = '"'
    newline: str = "\n"


PLAIN = Marks()


@dataclass(slots=True)
class Irregular:
    """Counts records with too few or too many fields, and names the first.

    `switched` is the line from which on text that is not UTF-8 was read as Windows-1252.
    """

    short: int = 0
    long: int = 0
    short_lines: list[int] = field(default_factory=list)
    long_lines: list[int] = field(default_factory=list)
    switched: int = 0

    def add(self, line: int, *, short: bool) -> None:
        """Count one record."""
        lines = self.short_lines if short else self.long_lines
        if len(lines) < _NAMED_LINES:
            lines.append(line)
        if short:
            self.short += 1
        else:
            self.long += 1

    def notices(self, subject: str) -> Iterator[str]:
        """Return a sentence for each kind, and one for the encoding."""
        for count, lines, what in (
            (self.short, self.short_lines, "had too few fields, filled with null"),
            (self.long, self.long_lines, "had too many fields, left out"),
        ):
            if count:
                named = first_of(lines, len(lines), count)
                yield f"{plural(count, 'row')} of {subject} {what}: line {named}."
        if self.switched:
            yield (
                f"{subject} is not valid UTF-8 and was read as Windows-1252 (encoding)"
                f" from line {self.switched:,} on."
            )


def decoded(source: ObjectReader, shape: CsvShape, max_decoded_bytes: int) -> Iterator[bytes]:
    """Yield the bytes behind the header, decompressed."""
    return decoded_blocks(
        source,
        shape.dialect.compression,
        max_decoded_bytes=max_decoded_bytes,
        start=shape.start,
    )


def transcoded(source: ObjectReader, shape: CsvShape, max_decoded_bytes: int) -> Iterator[bytes]:
    """Return the records' text, decompressed, in UTF-8, as it is written else."""
    blocks = decoded(source, shape, max_decoded_bytes)
    return in_utf8(blocks, shape.dialect.encoding, source.ref, "read_csv_from_s3 names the line.")


def cleaned(
    source: ObjectReader, shape: CsvShape, max_decoded_bytes: int, irregular: Irregular
) -> Iterator[str]:
    """Yield the records as the CSV loader understands them, lines of the plainest dialect.

    Records with too few fields are filled, those with too many left out, blank lines dropped.
    """
    blocks = decoded(source, shape, max_decoded_bytes)
    reader = RecordReader(
        blocks, shape.dialect, at=shape.start, line=shape.line, subject=str(source.ref)
    )
    reader.fallback = shape.encoding_open
    for record in reader:
        irregular.switched = reader.switched_line
        yield from mended(record, len(shape.names), irregular)


def mended(record: Record, width: int, irregular: Irregular, marks: Marks = PLAIN) -> Iterator[str]:
    """Yield a record as a line of `width` fields, or nothing if it has more."""
    fields = record.fields
    if len(fields) > width:
        irregular.add(record.line, short=False)
        return
    if len(fields) < width:
        irregular.add(record.line, short=True)
        fields = [*fields, *([None] * (width - len(fields)))]
    yield marks.delimiter.join([_field(field, marks) for field in fields]) + marks.newline


def _field(text: str | None, marks: Marks) -> str:
    if text is None:
        return ""
    special = (marks.delimiter, marks.quote, "\n", "\r")
    if text and not any(mark in text for mark in special) and not text.startswith(" "):
        return text
    quote = marks.quote
    return quote + text.replace(quote, quote + quote) + quote


def is_passable(dialect: Dialect) -> bool:
    """Whether regular records of a dialect can be handed on as they are written."""
    plain = dialect.encoding in {"utf-8", "ascii"} and not dialect.escape
    plain = plain and dialect.newline in {"\n", "\r\n"}
    return plain and len(dialect.delimiter.encode()) == 1 and len(dialect.quote) == 1


def passed(
    blocks: Iterator[bytes], shape: CsvShape, subject: str, irregular: Irregular
) -> Iterator[bytes]:
    """Yield records in their own dialect: regular pieces as they are, others mended.

    `blocks` are the text from the first record on, in a dialect that is passable. `irregular`
    counts what is mended.

    Raises:
        SurpriseError: If all of it must be parsed, to know its encoding.
    """
    width, dialect = len(shape.names), shape.dialect
    counter = RowCounter(dialect.delimiter.encode(), dialect.quote.encode(), b"", width)
    marks = Marks(dialect.delimiter, dialect.quote, dialect.newline)
    text, here, at, line = b"", 0, shape.start, shape.line
    while True:
        while len(text) - here < _PIECE_BYTES and (block := next(blocks, b"")):
            text, here = text[here:] + block, 0
        piece = text[here : here + _PIECE_BYTES]
        if not piece:
            return
        if size := counter.regular_size(piece):
            yield piece[:size]
            line += piece.count(b"\n", 0, size)
        else:
            pulled = _Pulled(text[here:], blocks)
            reader = RecordReader(iter(pulled), dialect, at=at, line=line, subject=subject)
            lines: list[str] = []
            try:
                for record in reader:
                    lines += mended(record, width, irregular, marks)
                    if record.end - at >= _PIECE_BYTES:
                        break
            except MalformedDataError as exc:
                if shape.encoding_open:
                    # It may be Windows-1252: that shows when all of it is parsed.
                    raise SurpriseError(subject) from exc
                raise
            yield "".join(lines).encode()
            size, line = reader.at - at, reader.line
            text, here = bytes(pulled.text), 0
        here, at = here + size, at + size


class _Pulled:
    """Hands on a text and the blocks behind it, and keeps what it handed on."""

    def __init__(self, text: bytes, blocks: Iterator[bytes]) -> None:
        self.text = bytearray(text)
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        yield bytes(self.text)
        for block in self._blocks:
            self.text += block
            yield block
