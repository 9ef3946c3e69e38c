"""The encoding of delimited text, judged by its head.

A byte order mark decides. Without one, text with a NUL in nearly every other byte is UTF-16; bytes
that are UTF-8 are UTF-8; the rest is Windows-1252 if it can be, see `reads_as_windows_1252`, and
refused if it cannot. NUL characters within UTF-8 text are kept, unless the head is full of them.
"""

import codecs
import re

from s3_data_lake_mcp.errors import InvalidArgumentError, MalformedDataError
from s3_data_lake_mcp.loaders.byte_order_marks import marked_encoding

_UNMARKED = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}
_MARKED = frozenset({"utf-8-sig", "utf-16", "utf-32"})
_NOT_A_CHARSET = frozenset({"unicode-escape", "raw-unicode-escape", "utf-7", "idna", "punycode"})
_NUL_SAMPLE_BYTES = 512
_SMALLEST_WIDE_BYTES = 4
# Bytes that Windows-1252 leaves undefined, ÿÿ, and control characters no text has; 01 and 1F may
# be delimiters, 1A ends a DOS file.
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|\xff\xff|[\x00\x02-\x08\x0e-\x19\x1b-\x1e]")
_UTF8_SHAPED = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{1,2}|[\xf0-\xf4][\x80-\xbf]{1,3}"
)
_HIGH = re.compile(rb"[\x80-\xff]")


def is_wide(encoding: str) -> bool:
    """Return whether a codec's units are wider than one byte."""
    return encoding.startswith(("utf-16", "utf-32"))


def detect_encoding(head: bytes, asked: str, subject: str) -> tuple[str, int]:
    """Return the codec and the length of the byte order mark.

    Raises:
        MalformedDataError: If the head is no text of any encoding that is detected.
        InvalidArgumentError: If there is no such encoding as `asked`.
    """
    marked = marked_encoding(head)
    if not asked:
        return marked or (_unmarked_encoding(head, subject), 0)
    name = _codec(asked)
    if marked and (name == marked[0] or name in _MARKED):
        return marked
    return _UNMARKED.get(name, name), 0


def reads_as_windows_1252(data: bytes) -> bool:
    """Return whether bytes that are not UTF-8 are likely to be Windows-1252.

    They are not if they hold what such text never does, or if most of their bytes beyond ASCII
    stand together as UTF-8's do: that is UTF-8 with a few bytes damaged.
    """
    if _NOT_1252.search(data):
        return False
    shaped = _UTF8_SHAPED.findall(data)
    return len(_HIGH.findall(data)) - sum(map(len, shaped)) >= len(shaped)


def wide_encoding(head: bytes) -> str:
    """Return the encoding of UTF-16 without a byte order mark, `""` if it is none."""
    if len(head) < _SMALLEST_WIDE_BYTES:
        return ""
    pairs = len(head) // 2
    odd, even = head[1::2].count(0) / pairs, head[::2].count(0) / pairs
    if odd > 0.4 and even < 0.1:  # noqa: PLR2004 - Latin text, with other signs here and there
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.1 else ""  # noqa: PLR2004 - as above


def _unmarked_encoding(head: bytes, subject: str) -> str:
    if wide := wide_encoding(head):
        return wide
    first = head[:_NUL_SAMPLE_BYTES]
    if first.count(0) * 2 > len(first):
        message = f"{subject} is full of NUL bytes: it does not look like delimited text"
        raise MalformedDataError(message, hint="get_file_metadata tells the object's format.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError as exc:
        if reads_as_windows_1252(head):
            return "cp1252"
        raise not_text(subject, "utf-8", head[: exc.start].count(b"\n") + 1) from exc
    return "utf-8"


def not_text(subject: str, encoding: str, line: int) -> MalformedDataError:
    """Return the error for bytes that are no text of an encoding."""
    message = f"{subject} is not valid {encoding} in line {line:,}"
    hint = (
        "Name the file's encoding in `encoding` of read_csv_from_s3: windows-1252 reads nearly "
        "anything, latin-1 anything. In SQL, read_csv('s3://…', ignore_errors=true) leaves out "
        "lines that are not UTF-8."
    )
    return MalformedDataError(message, hint=hint)


def _codec(asked: str) -> str:
    hint = "Use the name of a character set, such as utf-8, utf-16, windows-1252 or latin-1."
    try:
        name = codecs.lookup(asked).name
        fits = name.replace("_", "-") not in _NOT_A_CHARSET and (
            is_wide(name) or b'\n,"'.decode(name) == '\n,"'
        )
    except (LookupError, ValueError) as exc:
        message = f"encoding {asked!r} is unknown"
        raise InvalidArgumentError(message, hint=hint, repair={"encoding": ""}) from exc
    if not fits:
        message = f"encoding {asked!r} does not write line ends as ASCII does"
        raise InvalidArgumentError(message, hint=hint, repair={"encoding": ""})
    return name
