"""Text of any length through a window: decoded as it streams, byte and line positions exact."""

import codecs
import re
from collections.abc import Iterator

from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders.byte_order_marks import MARKS, marked_encoding

ENCODINGS = tuple(sorted({name for _, name in MARKS}))
"""All that a window decodes."""

_NO_TEXT = re.compile("[\udc80-\udcff]")
"""How Python shows a byte that is not UTF-8."""


def detect_encoding(head: bytes) -> tuple[str, int]:
    """Return the encoding that a byte order mark names, else UTF-8, and the mark's length."""
    return marked_encoding(head) or ("utf-8", 0)


_PIECE_BYTES = 256 << 10


def _pieces(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut blocks into pieces: an error's line is counted from its window's beginning."""
    for block in blocks:
        for at in range(0, len(block), _PIECE_BYTES):
            yield block[at : at + _PIECE_BYTES]


class TextWindow:
    """Shows the text from `at` on, as far as it was needed yet.

    Bytes that are not text raise when the text before them is used up, not when they arrive: what
    a page needs does not depend on how the object was cut into blocks. `lenient` lets such bytes in
    where UTF-8 was expected, and `is_text` finds them: where lines are read, one may be bad.

    Args:
        blocks: The bytes, from `start` on.
        subject: What error messages name.
        encoding: One of `ENCODINGS`.
        start: Position of the first byte in the decoded object.
        line: Number of the line there, from 1.
    """

    def __init__(
        self, blocks: Iterator[bytes], *, subject: str, encoding: str, start: int = 0, line: int = 1
    ) -> None:
        self._blocks = _pieces(blocks)
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self.encoding = encoding
        self._fed = start
        self._failure: MalformedDataError | None = None
        self._bad = b""
        self._ended = False
        self.lenient = False
        self.damaged = False
        self.subject = subject
        self.text = ""
        self.at = 0
        self.byte = start
        self.line = line

    def move(self, to: int) -> None:
        """Set `at`, which only moves forward."""
        self.byte += self.size_bytes(to)
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def size_bytes(self, to: int) -> int:
        """Return how many bytes are between `at` and `to`."""
        if self.encoding == "utf-8" and self.text.isascii():
            return to - self.at
        return len(self.text[self.at : to].encode(self.encoding, "surrogateescape"))

    def is_text(self, start: int, stop: int) -> bool:
        """Whether there is no byte between two positions that is not text."""
        return not self.damaged or not _NO_TEXT.search(self.text, start, stop)

    def grow(self, factor: int = 2) -> bool:
        """Read on until the text ahead is `factor` times as long; return whether there is any more.

        Growing so keeps the cost of parsing again from `at` on linear, however small blocks are.
        Positions in `text` hold on only if the answer is False.

        Raises:
            MalformedDataError: If what comes next is not text of the encoding.
        """
        ahead = self.text[self.at :]
        parts, goal, size = [ahead], factor * len(ahead), len(ahead)
        while size <= goal and (piece := self._next()) is not None:
            parts.append(piece)
            size += len(piece)
        if size > len(ahead):
            self.text, self.at = "".join(parts), 0
            return True
        if self._failure is not None:
            raise self._failure
        return False

    def _next(self) -> str | None:
        if self._failure is not None and self.lenient and self.encoding == "utf-8":
            self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
            self._failure, self.damaged = None, True
            return self._decoder.decode(self._bad, final=self._ended)
        if self._ended or self._failure is not None:
            return None
        data = next(self._blocks, b"")
        self._ended = not data
        pending = self._decoder.getstate()[0]
        try:
            return self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as exc:
            byte = self._fed - len(pending) + exc.start
            message = f"{self.subject} is not {self.encoding.upper()} text at byte {byte:,}"
            self._failure = MalformedDataError(message, hint="JSON text must be Unicode (UTF-8).")
            good: bytes = exc.object[: exc.start]
            self._bad = exc.object[exc.start :]
            return good.decode(self.encoding)
        finally:
            self._fed += len(data)

    def skip(self, characters: str) -> str:
        """Move over the given characters; return the next one, or `""` at the end."""
        while True:
            rest = self.text[self.at : self.at + 64]
            kept = rest.lstrip(characters)
            self.move(self.at + len(rest) - len(kept))
            if kept:
                return kept[0]
            if self.at == len(self.text) and not self.grow():
                return ""

    def skip_line(self) -> None:
        """Move to the line feed that ends the line, or to the end."""
        while (stop := self.text.find("\n", self.at)) < 0:
            self.move(len(self.text))
            if not self.grow():
                return
        self.move(stop)
