"""Delimited text with some records that must be mended: what is regular passes as it is.

Bytes are searched, split and compared as a whole, about as fast as they arrive. Only pieces that
are not plainly regular are parsed record by record.
"""

from collections.abc import Iterator

from s3_data_lake_mcp.engines.csv_stream import Irregular, Marks, mended
from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders.csv import CsvShape, Dialect
from s3_data_lake_mcp.loaders.csv_records import RecordReader
from s3_data_lake_mcp.loaders.csv_skip import Quoting
from s3_data_lake_mcp.storage.scope import SurpriseError

_PIECE_BYTES = 256 << 10


def is_passable(dialect: Dialect) -> bool:
    """Whether regular records of a dialect can be handed on as they are written."""
    plain = dialect.encoding in {"utf-8", "ascii"} and not dialect.escape
    plain = plain and dialect.newline in {"\n", "\r\n"}
    return plain and len(dialect.delimiter.encode()) == 1 and len(dialect.quote) == 1


def passed(
    blocks: Iterator[bytes], shape: CsvShape, subject: str, irregular: Irregular
) -> Iterator[bytes]:
    """Yield records in their own dialect: regular pieces as they are, others mended.

    Args:
        blocks: The text from the first record on.
        shape: Its shape; the dialect is passable.
        subject: What to name in errors.
        irregular: Counts what is mended.

    Raises:
        SurpriseError: If all of it must be parsed, to know its encoding.
    """
    judge = _Judge(shape)
    width, dialect = len(shape.names), shape.dialect
    marks = Marks(dialect.delimiter, dialect.quote, dialect.newline)
    text, here, at, line = b"", 0, shape.start, shape.line
    while True:
        while len(text) - here < _PIECE_BYTES and (block := next(blocks, b"")):
            text, here = text[here:] + block, 0
        piece = text[here : here + _PIECE_BYTES]
        if not piece:
            return
        if size := judge.regular_size(piece):
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


class _Judge:
    """Tells whole records of exactly the right number of fields from all else."""

    def __init__(self, shape: CsvShape) -> None:
        delimiter = shape.dialect.delimiter.encode()
        self._quoting = Quoting(delimiter, shape.dialect.quote.encode())
        self._others = bytes(set(range(256)) - {delimiter[0], 0x0A})
        self._record = delimiter * (len(shape.names) - 1) + b"\n"
        self._width = len(shape.names)

    def regular_size(self, data: bytes) -> int:
        """Return the size of the whole records at the beginning; 0 if any is not regular."""
        records, size = self._quoting.cut(data)
        if self._width == 1 or not size:
            return 0
        marks = records.translate(None, self._others)
        count, rest = divmod(len(marks), self._width)
        return size if not rest and marks == self._record * count else 0
