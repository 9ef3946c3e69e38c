"""Byte order marks, and the encodings that they, or the beginning of JSON, name."""

import codecs
from itertools import chain

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


_BEGINNINGS = [
    (bracket.encode(name), name)
    for name in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
    for bracket in "{["
]
"""Of JSON without a mark; its first characters are ASCII (RFC 4627, section 3)."""


def marked_encoding(head: bytes) -> tuple[str, int] | None:
    """Return the encoding that a text's mark names, and the mark's length; None without one.

    Where JSON begins in another encoding than UTF-8, no mark is needed: its length is 0.
    """
    marks = ((name, len(mark)) for mark, name in MARKS if head.startswith(mark))
    begun = ((name, 0) for text, name in _BEGINNINGS if head.startswith(text))
    return next(chain(marks, begun), None)


def in_utf8(head: bytes) -> bytes:
    """Return the beginning of a text in UTF-8, without its mark; as it is if it has none."""
    name, size = marked_encoding(head) or ("utf-8", 0)
    text = head[size:]
    return text if name == "utf-8" else text.decode(name, "ignore").encode("utf-8", "ignore")
