"""JSON Lines with some lines that must be mended or left out: what is good passes as it is.

Pieces of many lines are parsed at once, only to know that they are JSON. Pieces that are not, or
that hold what the engine reads otherwise than the JSON loader, are taken value by value.
"""

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain

import numpy as np

from s3_data_lake_mcp.engines.json_stream import record_line
from s3_data_lake_mcp.engines.streams import line_batches
from s3_data_lake_mcp.loaders.json_scan import SPACE, BadLines, Item, ValueDecoder, line_items
from s3_data_lake_mcp.loaders.json_text import TextWindow

_PIECE_BYTES = 256 << 10
_BLANK_BYTES = 64
"""Of blank lines behind the last value of a piece; of more, the next piece is taken, too."""

_LONG_FRACTION = re.compile(rb"[:\[,]\s*-?(?:0\.0*+[0-9]{18,}|(?=[1-9][0-9]*\.)[0-9.]{19,})")
"""A number with more digits than the 17 that tell a double; zeros in front are none."""

_DIGITS = bytes.maketrans(b"0123456789.", b"0" * 11)
_MANY_DIGITS = b"0" * 19
_POINTS = (b"." + b"0" * 9, b"0" * 9 + b".")
_WITH_POINTS = bytes.maketrans(b"0123456789", b"0" * 10)
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def passed_lines(
    blocks: Iterator[bytes], subject: str, bad: BadLines, said: set[str]
) -> Iterator[bytes]:
    """Yield the records of JSON Lines in UTF-8: good pieces as they are, others mended.

    `blocks` are all of the text, `bad` counts the lines that are not JSON, and `said` is given
    what there is to say of the records.
    """
    byte, line = 0, 1
    pieces = _pieces(blocks)
    for piece in pieces:
        taken = _Taken(piece, pieces)
        if _is_good(piece):
            next(taken)
            yield piece
        else:
            window = TextWindow(taken, subject=subject, encoding="utf-8", start=byte, line=line)
            items = line_items(window, ValueDecoder(), bad, proven=True)
            yield from line_batches(
                record_line(item.value, {}, said) for item in taken.items_of(window, items, byte)
            )
        byte, line = byte + taken.size, line + taken.lines


class _Taken(Iterator[bytes]):
    """A piece, and those behind it that a value goes on in, if it takes more than one line."""

    def __init__(self, piece: bytes, more: Iterator[bytes]) -> None:
        self._pieces = chain([piece], more)
        self.size = self.lines = 0

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self.size += len(piece)
        self.lines += piece.count(b"\n")
        return piece

    def items_of(self, window: TextWindow, items: Iterator[Item], begin: int) -> Iterator[Item]:
        """Yield items until all that was taken is used up."""
        for item in items:
            yield item
            left = begin + self.size - window.byte
            # What is shorter has bytes behind it that are not decoded yet, as at a bad one.
            rest = window.text[window.at :] if left <= _BLANK_BYTES else ""
            if len(rest) == left and not rest.strip(SPACE):
                return


def _pieces(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield whole lines, many at once; a byte order mark is taken off."""
    text, here = next(blocks, b""), 0
    if text.startswith(codecs.BOM_UTF8):
        here = len(codecs.BOM_UTF8)
    for block in blocks:
        while (end := text.rfind(b"\n", here, here + _PIECE_BYTES) + 1) > here:
            yield text[here:end]
            here = end
        text, here = text[here:] + block, 0
    while here < len(text):
        end = text.rfind(b"\n", here, here + _PIECE_BYTES) + 1
        end = end or text.find(b"\n", here) + 1 or len(text)
        yield text[here:end]
        here = end


def _is_good(piece: bytes) -> bool:
    """Whether each line is an object that the engine reads as the loader does."""
    if _is_odd(piece):
        return False
    lines = [line for line in piece.split(b"\n") if line.strip()]
    try:
        values = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        return False
    # Lines that are no values of their own may make some together.
    return len(values) == len(lines) and all(type(value) is dict for value in values)


def _is_odd(piece: bytes) -> bool:
    """Whether the engine may read something otherwise; searched for in the quickest ways."""
    if b"NaN" in piece or b"Infinity" in piece:
        return True
    if b"\\u" in piece and _ESCAPED_SURROGATE.search(piece):
        return True
    return has_long_fraction(piece)


def has_long_fraction(text: bytes) -> bool:
    """Whether a number has a fraction, and more digits than a double; in the quickest ways first.

    Of so many digits each fourth byte is one; and half of them stand on one side of the point.
    """
    if not _has_stride_of_digits(text) or _MANY_DIGITS not in text.translate(_DIGITS):
        return False
    digits = text.translate(_WITH_POINTS)
    return any(half in digits for half in _POINTS) and bool(_LONG_FRACTION.search(text))


def _has_stride_of_digits(text: bytes) -> bool:
    """Whether four bytes are digits or points, each the fourth behind the one before."""
    sampled = np.frombuffer(text, "<u4", len(text) // 4).astype(np.uint8)
    sampled -= ord(".")
    # The slash stands between the point and the digits.
    digits = (sampled <= ord("9") - ord(".")) & (sampled != 1)
    pairs = digits[:-1] & digits[1:]
    return bool((pairs[:-2] & pairs[2:]).any())
