"""The dialect of delimited text, judged by its first records.

Each delimiter, quote and escape that could be is tried, and the one that gives the records the most
regular shape wins: the share of records of the most frequent width, times the share of the sample
that could be parsed; then the wider shape; then the order of `DELIMITERS`. Delimiters other than
comma, semicolon, tab and bar need clearer evidence, and so does a comma that stands between digits
alone. `"` is the quote, `'` only if fields begin with it and none with `"`, and then for certain if
each line has fields in it and none that it only begins; tabs may also go without any. A backslash
is the escape only if that is more regular, or if without it text stands behind closing quotes
farther on in the head. In a text of one column the delimiter is the first that does not occur in
it, so that no field is cut.
"""

import re
from collections.abc import Iterator, Sequence

from s3_data_lake_mcp.errors import InvalidArgumentError, LimitExceededError, MalformedDataError
from s3_data_lake_mcp.loaders.csv_header import Row, count_titles, is_header, usual_width
from s3_data_lake_mcp.loaders.csv_records import Dialect, Record, RecordReader

DELIMITERS = ",;\t|:^~\x01\x1f"
"""In order of preference."""

SAMPLE_RECORDS = 100
"""Records that the dialect and the header are judged by."""

_PLAIN = ",;\t|"
_SPOKEN = {"\\t": "\t", "tab": "\t"}
_UNREADABLE = -1.0
_NO_DECIMALS = re.compile("(?<![0-9]),|,(?![0-9])")
_CLOCKS_AND_URLS = re.compile(r"[0-9]:[0-9]{2}|://")


def detect_dialect(
    body: bytes, *, delimiter: str, encoding: str, compression: str, whole: bool
) -> Dialect:
    """Return the dialect of a text that begins with `body`, a number of whole lines.

    `delimiter` is empty if it is not known, `whole` says that there is no more of the text.

    Raises:
        InvalidArgumentError: If the delimiter cannot be one.
    """
    known = _usable(delimiter, encoding)
    text = body.decode(encoding, "replace")
    ends = re.search(r"\r\n|\r|\n", text)
    best: Dialect | None = None
    score = (_UNREADABLE, 0)
    decimals = (
        not known and any(map(text.__contains__, _PLAIN[1:])) and not _NO_DECIMALS.search(text)
    )
    for each, quote, escape in _candidates(text, known):
        dialect = Dialect(
            delimiter=each,
            quote=quote,
            escape=escape,
            encoding=encoding,
            has_header=True,
            compression=compression,
            newline=ends[0] if ends else "\n",
        )
        reached = _score(body, dialect, whole=whole)
        if decimals and each == ",":
            reached = (reached[0] * 0.9, reached[1])
        farther = escape and best and reached == score and best.delimiter == each
        if (
            best is None
            or reached > score
            or (farther and _reach(body, dialect) > _reach(body, best))
        ):
            best, score = dialect, reached
    if best is not None and (known or score[0]):
        return best
    absent = next((d for d in DELIMITERS if d not in text), DELIMITERS[0])
    return detect_dialect(
        body, delimiter=absent, encoding=encoding, compression=compression, whole=whole
    )


def first_records(
    body: bytes, dialect: Dialect, limit: int = SAMPLE_RECORDS, *, strict: bool = False
) -> tuple[list[Record], bool]:
    """Return the first records of a text, and whether they parsed up to the limit or the end."""
    reader = RecordReader(iter([body]), dialect, at=0, line=1, subject="The head", strict=strict)
    records: list[Record] = []
    try:
        for record in reader:
            records.append(record)
            if len(records) >= limit:
                break
    except (MalformedDataError, LimitExceededError):
        return records, False
    return records, True


def _usable(asked: str, encoding: str) -> str:
    delimiter = _SPOKEN.get(asked.lower(), asked)
    try:
        usable = len(delimiter.encode(encoding)) and delimiter not in ("\n", "\r", '"')
        if not asked or (len(delimiter) == 1 and usable):
            return delimiter
        message = f"delimiter {asked!r} is not one usable character"
    except UnicodeEncodeError:
        message = f"delimiter {asked!r} is no character of {encoding}"
    raise InvalidArgumentError(
        message, hint="Leave it out to have it detected.", repair={"delimiter": ""}
    )


def _candidates(text: str, known: str) -> Iterator[tuple[str, str, str]]:
    delimiters = known or "".join(filter(text.__contains__, DELIMITERS))
    if not known and ":" in delimiters and _CLOCKS_AND_URLS.search(text):
        delimiters = delimiters.replace(":", "")
    escapes = "\\" in text
    for delimiter in delimiters:
        quote = _likely_quote(text, delimiter)
        if quote == '"' or not _encloses(text, delimiter):
            yield delimiter, '"', ""
        if quote == "'":
            yield delimiter, quote, ""
        if escapes and delimiter != "\\" and (f"\\{quote}" in text or f"\\{delimiter}" in text):
            yield delimiter, quote, "\\"
    if "\t" in delimiters:
        yield "\t", "", ""


def _likely_quote(text: str, delimiter: str) -> str:
    if "'" not in text or delimiter == "'":
        return '"'
    return "'" if _opens(text, delimiter, "'") and not _opens(text, delimiter, '"') else '"'


def _opens(text: str, delimiter: str, quote: str) -> bool:
    """Whether a field begins with a quote."""
    # To search for two characters takes ten times as long.
    *before, _ = text.split(quote)
    return bool(before) and (not before[0] or any(p.endswith((delimiter, "\n")) for p in before))


def _encloses(text: str, delimiter: str) -> bool:
    """Whether each line, but for names, has fields in `'`, and it closes all that begin with it."""
    field = f"(?:'(?:[^']|'')*+'|(?!')[^{re.escape(delimiter)}]*+)"
    line = re.compile(f"{field}(?:{re.escape(delimiter)}{field})*+")
    lines = [each for each in text.splitlines() if each]
    return all(map(line.fullmatch, lines)) and all(
        each.startswith("'") or f"{delimiter}'" in each for each in lines[1:] or lines
    )


def _score(body: bytes, dialect: Dialect, *, whole: bool) -> tuple[float, int]:
    records, complete = first_records(body, dialect, strict=True)
    trust = 1.0
    if not complete:
        records, complete = first_records(body, dialect)
        trust = 0.9
    if not records:
        return _UNREADABLE, 0
    rows = [record.fields for record in records]
    # The last record of a head may be cut in two where a quoted text holds line ends.
    if not complete and (whole or records[-1].end < len(body) / 2):
        trust *= max(records[-1].end / len(body), 0.1)
    score = round(_regularity(rows, dialect.delimiter) * trust, 2)
    return score, usual_width(rows) if score else 0


def _reach(body: bytes, dialect: Dialect) -> int:
    """Return where the first text behind a closing quote stands, or the end."""
    records, _ = first_records(body, dialect, len(body), strict=True)
    return records[-1].end if records else 0


def _regularity(rows: Sequence[Row], delimiter: str) -> float:
    """Return the share of records of one width; 0 if that is 1, or the first has but one field.

    A delimiter may end each row below a single name.
    """
    width, titles = usual_width(rows), count_titles(rows)
    first, rest = rows[titles], rows[titles:]
    if width == 1 < len(first):  # comments between the rows, or rows that are all too short
        like_first = sum(len(row) == len(first) for row in rest[1:])
        names = all(cell and cell == cell.strip() for cell in first)
        return max(like_first / len(rest) / 2, 0.01 * names)
    if len(first) == 1:
        ended = len(rest) > 2 and all(row[1:] == [None] for row in rest[1:])  # noqa: PLR2004 - names, two rows
        return float(ended and delimiter in _PLAIN)
    if titles and delimiter == "," and width == 2 and not is_header(first, rest[1:]):  # noqa: PLR2004 - "Last, First"
        return 0.0
    if delimiter != "," and len(rest) > 1 and all(len(row) == 1 for row in rest[1:]):
        return 0.0
    share = sum(len(row) == width for row in rest) / len(rest)
    if delimiter not in _PLAIN:
        return 0.7 if share == 1 < len(rest) else 0.0
    return share * (0.9 if titles else 1.0)
