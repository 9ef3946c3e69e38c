"""Where the table begins and how its columns are called, judged by the first records.

- Titles: leading records with fewer fields than nearly all the others are passed over (at most 20;
  three or more records must follow, nine in ten of one width).
- Header: the first record left is one if a column below it is of one type (csv_types) and the
  name is not, if a name stands above a column without a value, or if nothing speaks against it. It
  is data if it is typed as what is below it, or as most of that, or above nothing, or above fewer
  than three rows, except for numbers that are names: years over what are not years, and 0, 1, 2 and
  so on; or if it is text without letters, such as `01234` and `1.2.2026`, written as half of the
  values below it are; or a line of a log, with a time of day in it as in half of them. A sign of a
  missing value, such as `-`, names nothing. A lone record is a header if no field is typed.
- A header one field shorter than every row: the field without a name is the last if it is always
  empty (a delimiter ends each row), else the first (row names, as R writes them).
- Names are as written, blanks included; an empty one is `column_3`, a duplicate gets `_1`.
- Rows: the width of the table is the number of names; without a header it is that of the first
  record, or the most frequent one if that is larger.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.loaders import MAX_COLUMNS
from s3_data_lake_mcp.loaders.csv_types import NULL_TOKENS, guess

type Row = Sequence[str | None]

_MAX_TITLES = 20
_LEAST_ROWS = 3
_REGULAR_SHARE = 0.9
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_DIGITS = re.compile("[0-9]+")
_CLOCK = re.compile(r"\b[0-9]{1,2}:[0-9]{2}:[0-9]{2}\b")
_MISSING = frozenset({"-", "--", "?", ".", "nan", "na", "n/a", "#n/a", "null", "none"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How a table begins: `titles` records to pass over, then perhaps the header."""

    titles: int
    has_header: bool
    names: tuple[str, ...]
    notices: tuple[str, ...]


def read_head(rows: Sequence[Row], has_header: str, subject: str) -> Head:
    """Judge the first records of a text.

    `rows` are its records, at least one; `has_header` is `auto`, `true` or `false`.

    Raises:
        LimitExceededError: If there are more than `MAX_COLUMNS` columns.
    """
    titles = count_titles(rows)
    first, below = rows[titles], rows[titles + 1 :]
    header = has_header == "true" or (has_header == "auto" and is_header(first, below))
    notices = []
    if titles:
        above = f"{titles} records were" if titles > 1 else "record was"
        notices.append(f"The first {above} passed over: no part of the table.")
    names = list(first) if header else [None] * max(len(first), usual_width(rows))
    if header and len(below) > 1 and all(len(row) == len(names) + 1 for row in below):
        last = all(row[-1] is None for row in below)
        names.insert(len(names) if last else 0, None)
        notices.append(
            f"The header is one field shorter than every row: the {'last' if last else 'first'}"
            " column has no name in it."
        )
    if len(names) > MAX_COLUMNS:
        message = f"{subject} has {len(names):,} columns, the limit is {MAX_COLUMNS:,}"
        raise LimitExceededError(message, hint="Check the delimiter.")
    distinct, renamed = wire.unique_names(
        [name if name and name.strip() else f"column_{i}" for i, name in enumerate(names, 1)]
    )
    return Head(
        titles=titles,
        has_header=header,
        names=distinct,
        notices=(*notices, *filter(None, [renamed])),
    )


def usual_width(rows: Sequence[Row]) -> int:
    """Return the most frequent number of fields."""
    return Counter(map(len, rows)).most_common(1)[0][0]


def count_titles(rows: Sequence[Row]) -> int:
    """Return how many leading records are no part of the table."""
    width = usual_width(rows)
    lead = next(i for i, row in enumerate(rows) if len(row) == width)
    rest = rows[lead:]
    if not 0 < lead <= _MAX_TITLES or len(rest) < _LEAST_ROWS:
        return 0
    if any(len(row) > width for row in rows[:lead]):
        return 0
    if sum(len(row) == width for row in rest) < len(rest) * _REGULAR_SHARE:
        return 0
    short_header = lead == 1 and len(rows[0]) == width - 1
    return 0 if short_header and _evidence(rest[0], rest[1:]) <= 0 else lead


def is_header(first: Row, below: Sequence[Row]) -> bool:
    """Return whether a record names the columns of those below it."""
    if not below:
        return not any(cell and _is_typed(cell) for cell in first)
    evidence = _evidence(first, below)
    return evidence >= 0 or _counts(first) or _years(first, below)


def _evidence(first: Row, below: Sequence[Row]) -> int:
    """Return 1 if the columns show a record to be their header, -1 to be one of them, else 0."""
    against = 0
    for column, cell in enumerate(first):
        if not cell:
            continue
        values, missing = _values(below, column), cell.lower() in _MISSING
        if values and guess(values) != pa.string():
            if guess(values | {cell}) == pa.string() and not missing:
                return 1
            against = -1
        elif _is_typed(cell):
            typed = [value for value in values if _is_typed(value)]
            alike = sum(guess([cell, value]) != pa.string() for value in typed)
            few = len(below) < _LEAST_ROWS and alike == len(typed)
            against = -1 if few or not values or alike * 2 > len(values) else against
        elif not values:
            if len(below) > 1 and not missing:
                return 1
        elif (form := _form(cell)) and sum(_form(v) == form for v in values) * 2 >= len(values):
            against = -1
    return against


def _is_typed(cell: str) -> bool:
    return guess([cell]) != pa.string()


def _form(cell: str) -> str:
    """Return how text without letters is written, `9` for its digits.

    It is `:` if a time of day is in the text, and empty for all else.
    """
    if _CLOCK.search(cell) and not _is_typed(cell):
        return ":"
    if not _DIGITS.search(cell) or any(map(str.isalpha, cell)) or _is_typed(cell):
        return ""
    return _DIGITS.sub("9", cell.lstrip("+-"))


def _values(rows: Sequence[Row], column: int) -> set[str]:
    found = {row[column] for row in rows if len(row) > column}
    return {cell for cell in found if cell and cell not in NULL_TOKENS}


def _counts(first: Row) -> bool:
    """Whether a record counts 0, 1, 2 …, as a frame's columns without names do."""
    cells = [cell for cell in first if cell]
    return len(cells) > 2 and cells == list(map(str, range(len(cells))))  # noqa: PLR2004 - 0, 1: data


def _years(first: Row, below: Sequence[Row]) -> bool:
    """Whether the numbers of a record are years, in order, above columns that hold none.

    A single one must stand above fractions.
    """
    numbers = [(i, cell) for i, cell in enumerate(first) if cell and _is_typed(cell)]
    years = [cell for _, cell in numbers if _YEAR.fullmatch(cell)]
    if not numbers or len(years) < len(numbers) or len(numbers) == len(first):
        return False
    values = set().union(*(_values(below, i) for i, _ in numbers))
    if any(map(_YEAR.fullmatch, values)):
        return False
    if len(years) == 1:
        return all("." in value for value in values)
    return years in (sorted(set(years)), sorted(set(years), reverse=True))
