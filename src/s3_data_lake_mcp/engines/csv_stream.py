"""Delimited text that the engine cannot read as it is: transcoded, or cleaned record by record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from s3_data_lake_mcp.engines.streams import in_utf8
from s3_data_lake_mcp.loaders.compression import decoded_blocks
from s3_data_lake_mcp.loaders.csv import CsvShape
from s3_data_lake_mcp.loaders.csv_records import Record, RecordReader
from s3_data_lake_mcp.storage.reader import ObjectReader

_NAMED_LINES = 5


class Marks(NamedTuple):
    """How records are written: as plainly as can be, or as others around them are."""

    delimiter: str = ","
    quote: str = '"'
    newline: str = "\n"


PLAIN = Marks()


@dataclass(slots=True)
class Irregular:
    """Counts records with too few or too many fields, and names the first."""

    short: int = 0
    long: int = 0
    short_lines: list[int] = field(default_factory=list)
    long_lines: list[int] = field(default_factory=list)

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
        """Return a sentence for each kind."""
        for count, lines, what in (
            (self.short, self.short_lines, "had too few fields and were filled with null"),
            (self.long, self.long_lines, "had too many fields and were left out"),
        ):
            if count:
                more = ", …" if count > len(lines) else ""
                named = ", ".join(map(str, lines))
                yield f"{count:,} rows of {subject} {what}: line {named}{more}."


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
