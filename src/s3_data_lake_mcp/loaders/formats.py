"""Which format an object has, by its name or its bytes; light enough for the server process."""

import json
import re

from s3_data_lake_mcp.errors import MalformedDataError, UnsupportedFormatError
from s3_data_lake_mcp.loaders.byte_order_marks import in_utf8
from s3_data_lake_mcp.loaders.csv_encoding import wide_encoding
from s3_data_lake_mcp.storage import ObjectInfo

_COMPRESSIONS = {
    ".gz": "gzip",
    ".gzip": "gzip",
    ".bz2": "bzip2",
    ".xz": "xz",
    ".zst": "zstd",
    ".zstd": "zstd",
}
_FORMATS = {
    "csv": ("csv", "tsv", "tab", "psv"),
    "json": (
        *("json", "jsonl", "ndjson", "jsonlines", "ldjson"),
        *("geojson", "geojsonl", "geojsons", "topojson"),
    ),
    "parquet": ("parquet", "pq", "parq", "pqt", "geoparquet"),
    "avro": ("avro",),
    "orc": ("orc",),
    "arrow": ("arrow", "feather", "ipc", "arrows"),
    "excel": ("xlsx", "xls", "xlsm", "xlsb"),
    "text": ("txt", "log", "md", "text", "yaml", "yml", "ini", "toml", "html", "htm", "sql"),
    "xml": ("xml", "gpx", "kml"),
    "archive": ("zip", "tar", "tgz", "7z", "rar", "jar"),
    "image": ("png", "jpg", "jpeg", "gif", "tif", "tiff", "webp", "bmp", "svg"),
    "pdf": ("pdf",),
    "sqlite": ("sqlite", "sqlite3", "db"),
    "hdf5": ("h5", "hdf5", "nc"),
    "media": ("mp3", "mp4", "wav", "avi", "mov", "mkv", "flac", "ogg"),
}
_BY_SUFFIX = {suffix: name for name, suffixes in _FORMATS.items() for suffix in suffixes}
FORMAT_NAMES = (*_FORMATS, "unknown")
"""All that a key's name can announce."""

ARE_READ = "CSV, TSV, JSON, JSON Lines and Parquet are read."
NO_KEYS = "Decrypt it first: this server holds no Parquet keys."
PARQUET = b"PAR1"
ENCRYPTED_PARQUET = b"PARE"
PARQUET_MAGIC = (PARQUET, ENCRYPTED_PARQUET)
"""One of these stands at both ends of a Parquet object, the second if its footer is encrypted."""

_MAGIC = (
    *((magic, "parquet") for magic in PARQUET_MAGIC),
    (b"ORC", "orc"),
    (b"Obj\x01", "avro"),
    (b"ARROW1", "arrow"),
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\x89HDF\r\n", "hdf5"),
    (b"Rar!\x1a\x07", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
)
_INNER_MAGIC = ((8, b"WEBPVP8", "image"), (257, b"ustar", "archive"))
_WORDS = frozenset({*PARQUET_MAGIC, b"ORC", b"GIF8"})
"""Magic numbers that may begin a word, such as ORCID: only bytes that are no text confirm them."""

_PACKED = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
    (b"\x1f\x9d", "compress"),
    (b"\x5d\x00\x00\x80\x00", "lzma"),
)
_PACKED_NAMES = {
    "lz4": "lz4",
    "snappy": "snappy",
    "sz": "snappy",
    "br": "brotli",
    "lzo": "lzo",
    "lzma": "lzma",
    "z": "compress",
    "deflate": "deflate",
}
_JSON_RECORD = re.compile(rb'\[?\s*\{\s*"[^"]*"\s*:')
_LONGEST_HEADER_BYTES = 32 << 10
"""A longer line that begins like a JSON object is one, though its end is not seen."""
_JSON_OPENERS = (b"{", b"[", b"[{")
_SHOWN_BYTES = 512
_SHORTEST_BYTES = 16
READ_TOOLS = {
    "parquet": "read_parquet_from_s3",
    "csv": "read_csv_from_s3",
    "json": "read_json_from_s3",
}
"""The formats that are read, each with its tool; of two with as many objects the first is taken."""

_DELIMITERS = b",;\t|"
_SAMPLE_LINES = 20
_JSON_OBJECT = re.compile(rb'\{\s*("|\}|$)')
_JSON_ARRAY = re.compile(rb'\[\s*([\[{\]"\-0-9]|true|false|null|$)')
_JSON_SCALAR = re.compile(rb'("[^"\r\n]*"|-?\d+(\.\d+)?|true|false|null)\s*\Z')
_NO_TEXT = bytes({*range(0x20)} - {*b"\t\n\v\f\r\x1b"})
"""Control characters that text does not hold."""


def strip_compression(key: str) -> str:
    """Return a lower-case key without the suffix that announces compression."""
    for suffix in _COMPRESSIONS:
        if key.endswith(suffix):
            return key[: -len(suffix)]
    return key


def detect_format_by_name(key: str) -> tuple[str, str]:
    """Return the format and compression that a key's suffixes announce.

    The format is `unknown` if they announce none, the compression then and otherwise `""`.
    `part-0.snappy.parquet` is Parquet: what compresses inside the format is not told.
    """
    name = key.lower().rpartition("/")[2]
    bare = strip_compression(name)
    compression = _COMPRESSIONS[name[len(bare) :]] if bare != name else ""
    if bare.endswith(".tgz"):
        compression = "gzip"
    stem, dot, suffix = bare.rpartition(".")
    found = _BY_SUFFIX.get(suffix, "unknown") if dot and stem else "unknown"
    return found, compression


def format_of(key: str) -> str:
    """Return the format that a key's suffixes announce, `unknown` for none."""
    return detect_format_by_name(key)[0]


def detect_format(info: ObjectInfo, head: bytes) -> tuple[str, str]:
    """Return the format and what told it: `magic`, `content`, `suffix`, or `""` if unknown.

    Bytes win over the name. `head` is decompressed already. What looks like plain text takes its
    format from the key, if that announces a text format.
    """
    if found := _by_magic(head):
        return found, "magic"
    named = format_of(info.ref.key)
    if not head:
        return named, "suffix" if named != "unknown" else ""
    if _may_be_table(info.ref.key, named) and _is_table(head):
        return "csv", "content"
    return _text_format(head, named)


def _by_magic(head: bytes) -> str:
    """Return the format of a magic number, empty for none."""
    for magic, name in _MAGIC:
        if head.startswith(magic) and not (magic in _WORDS and _reads_on(head)):
            return name
    if head.startswith(b"PK\x03\x04"):
        return "excel" if b"xl/" in head or b"[Content_Types]" in head else "archive"
    return next((name for at, magic, name in _INNER_MAGIC if head.startswith(magic, at)), "")


def encrypted_parquet(subject: str) -> UnsupportedFormatError:
    """Return the error of Parquet that no tool reads anything of."""
    return UnsupportedFormatError(f"{subject} is encrypted Parquet, its footer too", hint=NO_KEYS)


def refuse_other(info: ObjectInfo, head: bytes, wanted: str, compression: str = "") -> None:
    """Raise if an object plainly has another format than the `csv` or `json` that is wanted.

    Its magic number tells; for what is read as CSV, a first line that is JSON does too, and for
    what is read as JSON, lines that are plainly delimited. `compression` is what `head` was in.

    Raises:
        MalformedDataError: If it is a format that another tool reads, with the call that does.
        UnsupportedFormatError: If no tool reads it, or its compression.
    """
    refuse_compressed(info, head)
    name, told = detect_format(info, head)
    if told != "magic":
        named = format_of(info.ref.key)
        if not (_is_table(head) if wanted == "json" else _is_json(head, named=named)):
            return
        name = "csv" if wanted == "json" else "json"
    if head.startswith(ENCRYPTED_PARQUET):
        raise encrypted_parquet(str(info.ref))
    if compression and name == "parquet":
        message = f"{info.ref} is Parquet compressed as a whole, with {compression}"
        raise UnsupportedFormatError(message, hint="Decompress it: Parquet compresses within.")
    message = f"{info.ref} is not {wanted.upper()}: it looks like {name}"
    if tool := READ_TOOLS.get(name):
        repair = {"bucket_name": info.ref.bucket, "object_key": info.ref.key}
        raise MalformedDataError(message, hint=f"Use {tool}.", repair=repair, repair_tool=tool)
    unpack = "Upload what is packed in it: " if name == "archive" else ""
    raise UnsupportedFormatError(message, hint=f"{unpack}{ARE_READ}")


def refuse_compressed(info: ObjectInfo, head: bytes) -> None:
    """Raise if text is still compressed: twice, or in a way that is not read."""
    name = next((name for magic, name in _PACKED if head.startswith(magic)), "")
    said = re.findall(r"\w+", f"{info.ref.key.rpartition('.')[2]} {info.content_encoding}".lower())
    if not name and _is_binary(head[:_SHOWN_BYTES]):
        name = next((_PACKED_NAMES[word] for word in said if word in _PACKED_NAMES), "")
    if not name:
        return
    twice = name in _COMPRESSIONS.values()
    how = f"twice: there is {name} data within" if twice else f"with {name}, which is not read"
    message = f"{info.ref} is compressed {how}"
    raise UnsupportedFormatError(message, hint="Compress it once, with gzip, bzip2, xz or zstd.")


def _is_json(head: bytes, *, named: str) -> bool:
    """Whether text is JSON: its first line is an object or opens one, and no CSV under such a name.

    What a key calls CSV must be an object whole, or an array of them, for columns may be in braces
    too.
    """
    text = in_utf8(head).lstrip()
    line = text.partition(b"\n")[0].rstrip()
    if named != "csv" and (
        _JSON_OBJECT.match(text) or (named == "json" and _JSON_ARRAY.match(text))
    ):
        return True
    if line in _JSON_OPENERS or (len(line) > _LONGEST_HEADER_BYTES and _JSON_RECORD.match(line)):
        return True
    value = _value(line)
    records = value if isinstance(value, list) and value else [value]
    return all(isinstance(record, dict) for record in records)


def _value(line: bytes) -> object:
    """Return the JSON value of a line, None if it is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_binary(data: bytes, stray: int = 0) -> bool:
    # Several times as fast as a search by a pattern.
    return len(data.translate(None, _NO_TEXT)) + stray < len(data)


def _reads_on(head: bytes) -> bool:
    """Whether what begins like a magic number goes on as text."""
    return len(head) >= _SHORTEST_BYTES and not _is_binary(head[:_SHOWN_BYTES])


def _text_format(head: bytes, named: str) -> tuple[str, str]:
    text = in_utf8(head)
    wide = named in ("csv", "text") and wide_encoding(text)
    text = text.lstrip()
    opens = not wide and (_JSON_OBJECT.match(text) or _JSON_ARRAY.match(text))
    is_named = named in ("csv", "json", "text", "xml")
    # Stray control characters make no binary of what is named text, nor do any in bad JSON Lines.
    stray = max(1, len(text) // 50) if is_named and b"\0" not in text else 0
    if not wide and not (opens and named == "json") and _is_binary(text, stray):
        return "unknown", ""
    if opens:
        # `[a] b` and the like is text with brackets; a name that says otherwise decides.
        is_csv = named == "csv" and not _is_json(head, named=named)
        return (named, "suffix") if is_csv else ("json", "content")
    if is_named:
        return named, "suffix"
    if text.startswith((b"<?xml", b"<!DOCTYPE", b"<html")):
        return "xml", "content"
    if _JSON_SCALAR.match(text):
        return "json", "content"
    return ("csv" if _is_delimited(text) else "text"), "content"


def _may_be_table(key: str, named: str) -> bool:
    """Whether delimited text has been seen under such a name; logs are delimited by chance."""
    return named == "json" or strip_compression(key.lower()).endswith((".txt", ".text"))


def _is_table(head: bytes) -> bool:
    """Whether text is plainly delimited, and not JSON values one a line."""
    text = in_utf8(head).lstrip()
    if _JSON_OBJECT.match(text) or _JSON_ARRAY.match(text) or _is_binary(text):
        return False
    lines = text.splitlines()
    return len(lines) > 1 and _is_delimited(text) and _value(lines[0]) is None


def _is_delimited(text: bytes) -> bool:
    """Whether the first whole lines all hold one delimiter equally often."""
    lines = [line for line in text.splitlines()[:_SAMPLE_LINES] if line.strip()]
    if len(lines) > 2:  # noqa: PLR2004 - the last of many may be cut off
        lines.pop()
    return any(
        counts[0] > 0 and len(set(counts)) == 1
        for counts in ([line.count(mark) for line in lines] for mark in _DELIMITERS)
        if counts
    )
