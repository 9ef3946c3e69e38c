"""The dialect of delimited text, judged by its head."""

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from s3_data_lake_mcp.errors import InvalidArgumentError, LimitExceededError, MalformedDataError
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.csv_records import Dialect, RecordReader, is_wide
from s3_data_lake_mcp.loaders.csv_types import is_typed

MAX_COLUMNS = 5_000
_DELIMITERS = ",;\t|:^~\x01"
_SAMPLE_RECORDS = 100
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = (
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a zip archive or Excel workbook"),
    (b"%PDF-", "PDF"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"ARROW1", "Arrow"),
    (b"SQLite format 3", "SQLite"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRequest(LoadRequest):
    """Adds what the caller knows of the dialect; empty means detect."""

    delimiter: str = ""
    encoding: str = ""
    has_header: str = "auto"


def refuse_binary(head: bytes, subject: str) -> None:
    """Raise if a head has the magic number of a binary format."""
    for magic, name in _BINARY:
        if head.startswith(magic):
            message = f"{subject} is no delimited text: it looks like {name}"
            raise MalformedDataError(message, hint="get_file_metadata tells the fitting tool.")


def detect_encoding(head: bytes, asked: str, subject: str) -> tuple[str, int]:
    """Return the codec and the length of the byte order mark."""
    marked = next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), None)
    if asked:
        name = _codec(asked)
        if marked and (name == marked[0] or name in ("utf-16", "utf-32", "utf-8-sig")):
            return marked
        return {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}.get(
            name, name
        ), 0
    return marked or (_unmarked_encoding(head, subject), 0)


def _unmarked_encoding(head: bytes, subject: str) -> str:
    pairs = max(1, len(head) // 2)
    if head[1::2].count(0) > pairs * 0.4 and head[::2].count(0) < pairs * 0.1:
        return "utf-16-le"
    if head[::2].count(0) > pairs * 0.4 and head[1::2].count(0) < pairs * 0.1:
        return "utf-16-be"
    if 0 in head:
        message = f"{subject} holds NUL bytes: it does not look like delimited text"
        raise MalformedDataError(message, hint="get_file_metadata tells the object's format.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeError:
        return "cp1252"
    return "utf-8"


def _codec(asked: str) -> str:
    hint = "Use a Python codec's name such as utf-8, utf-16, cp1252 or latin-1."
    try:
        name = codecs.lookup(asked).name
        fits = is_wide(name) or b'\n,"'.decode(name) == '\n,"'
    except (LookupError, ValueError, AssertionError) as exc:
        message = f"encoding {asked!r} is unknown"
        raise InvalidArgumentError(message, hint=hint, repair={"encoding": ""}) from exc
    if not fits:
        message = f"encoding {asked!r} does not write line ends as ASCII does"
        raise InvalidArgumentError(message, hint=hint, repair={"encoding": ""})
    return name


def detect_dialect(text: str, request: CsvRequest, *, encoding: str, compression: str) -> Dialect:
    """Return the dialect that gives the sample the most regular shape."""
    if len(request.delimiter) > 1 or request.delimiter in ("\n", "\r", '"'):
        message = f"delimiter {request.delimiter!r} is not one usable character"
        raise InvalidArgumentError(message, repair={"delimiter": ""})
    ends = re.search(r"\r\n|\r|\n", text)
    best: tuple[tuple[float, int, int], Dialect] | None = None
    for quote in ('"', "'"):
        if quote == "'" and not re.search(r"(?:^|[,;\t|])'", text, re.MULTILINE):
            continue
        escape = "\\" if re.search(rf"(?<!\\)\\{quote}(?!\s*$)", text, re.MULTILINE) else ""
        for rank, delimiter in enumerate(request.delimiter or _DELIMITERS):
            if delimiter not in text and delimiter != (request.delimiter or ","):
                continue
            dialect = Dialect(
                delimiter=delimiter,
                quote=quote,
                escape=escape,
                encoding=encoding,
                has_header=True,
                compression=compression,
                newline=ends[0] if ends else "\n",
            )
            score = _score(text, dialect, rank)
            if best is None or score > best[0]:
                best = (score, dialect)
    if best is None:  # the first candidate is always tried
        message = "No delimiter could be tried"
        raise MalformedDataError(message)
    return best[1]


def sample(text: str, dialect: Dialect, limit: int = _SAMPLE_RECORDS) -> list[list[str | None]]:
    """Return the first records of a text, up to the first that does not parse."""
    data = iter([text.encode(dialect.encoding)])
    rows: list[list[str | None]] = []
    try:
        for record in RecordReader(data, dialect, at=0, line=1, subject="The sample"):
            rows.append(record.fields)
            if len(rows) >= limit:
                break
    except (MalformedDataError, LimitExceededError):
        return rows
    return rows


def _score(text: str, dialect: Dialect, rank: int) -> tuple[float, int, int]:
    rows = sample(text, dialect)
    if not rows:
        return (-1.0, 0, -rank)
    width, count = Counter(map(len, rows)).most_common(1)[0]
    regular = count / len(rows) if width > 1 and len(rows[0]) > 1 else 0.0
    weight = 1.0 if dialect.delimiter in ",;\t|" else 0.7
    return (round(regular * weight, 2), width if regular else 1, -rank)


def looks_like_header(rows: list[list[str | None]]) -> bool:
    """Return whether the first record names the columns: it is text where the others are not."""
    first, rest = rows[0], rows[1:]
    typed = [bool(cell) and is_typed(str(cell)) for cell in first]
    if not any(typed):
        return True
    for column, cell in enumerate(first):
        below = [row[column] for row in rest if len(row) > column and row[column]]
        if cell and not typed[column] and below and all(is_typed(str(c)) for c in below):
            return True
    return False


def column_names(header: list[str | None]) -> tuple[tuple[str, ...], list[str]]:
    """Return distinct names and notices: `column_3` for an empty one, `_1` for a duplicate."""
    if len(header) > MAX_COLUMNS:
        message = f"The header has {len(header):,} columns, the limit is {MAX_COLUMNS:,}"
        raise LimitExceededError(message, hint="Name the right delimiter.")
    wanted = [(cell or "").strip() or f"column_{i}" for i, cell in enumerate(header, 1)]
    existing, used = set(wanted), set[str]()
    names: list[str] = []
    for name in wanted:
        unique, number = name, 0
        while unique in used or (number and unique in existing):
            number += 1
            unique = f"{name}_{number}"
        used.add(unique)
        names.append(unique)
    renamed = [new for old, new in zip(wanted, names, strict=True) if old != new]
    notice = f"Duplicate column names were numbered: {', '.join(renamed[:5])}."
    return tuple(names), [notice] if renamed else []
