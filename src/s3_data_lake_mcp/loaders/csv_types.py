"""Types of text columns: only patterns that Arrow and DuckDB cast to the very same value.

A column has the first type of this list that all of its values fit, else it is text (`string`):

| type | a value is |
|---|---|
| `bool` | `true`, `false`, `True`, `False`, `TRUE` or `FALSE`; not `yes`, `t` or `0` |
| `date32[day]` | `YYYY-MM-DD`, from year 1 |
| `time64[us]` | `HH:MM:SS`, with up to 6 digits of a second |
| `timestamp[…, tz=UTC]` | a timestamp as below, then `Z`, `+HH`, `+HHMM` or `+HH:MM` |
| `timestamp[…]` | `YYYY-MM-DD`, `T` or a blank, `HH:MM` or `HH:MM:SS`, with up to 9 digits |
| `int64` | digits without leading zeros, perhaps a minus sign, within 64 bits |
| `double` | the same with fraction or exponent, if a double gives back all of its digits |

Timestamps are in microseconds, in nanoseconds if any has more than 6 digits of a second. So
`01234`, `+1`, `1_000`, `1,000`, `5%`, `0x1F`, ` 12 `, `NaN`, 20-digit integers and dates that do
not exist leave their column text.

The patterns are public, and RE2 reads them too, for whoever casts text elsewhere. They say what a
value looks like; a double must besides give back its digits, and all must be within their range.

An unquoted empty field is null. `NULL_TOKENS`, quoted or not, are null in a typed column and text
in a text column. A column without any other value is text.
"""

import math
import re
from collections.abc import Collection, Sequence
from datetime import time
from decimal import Decimal
from typing import Any, Literal

import pyarrow as pa

NULL_TOKENS = frozenset({"NA", "N/A", "NULL", "null", "None"})

_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_DAY = "-[0-9]{2}-[0-9]{2}"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_AT = "[ T]" + _CLOCK + r"(?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_OFFSET = "[0-9]{2}(?::?[0-9]{2})?"

INTEGER = "0|-?[1-9][0-9]{0,18}"
FLOAT = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
BOOLEAN = "true|false|True|False|TRUE|FALSE"
DATE = _YEAR + _DAY
TIME = _CLOCK + r":[0-5][0-9](?:\.[0-9]{1,6})?"
STAMP = _YEAR + _DAY + _AT
# In UTC a moment may fall out of the years 1 to 9999, which are all that a date can name.
ZONED = (
    f"(?:[1-8][0-9]{{3}}|9(?:[0-8][0-9]{{2}}|9[0-8][0-9]|99[0-8])|0[1-9][0-9]{{2}}|00[1-9][0-9]"
    f"|000[2-9]){_DAY}{_AT}(?:Z|[+-]{_OFFSET})|9999{_DAY}{_AT}(?:Z|[+]{_OFFSET})"
)

_INT, _FLOAT, _BOOL, _DATE, _TIME, _STAMP, _ZONED = map(
    re.compile, (INTEGER, FLOAT, BOOLEAN, DATE, TIME, STAMP, ZONED)
)
_CENTS = re.compile(r"-?[0-9]+\.[0-9]{2}")
_SHORT_FLOAT = re.compile(r"-?(?=[0-9.]{1,15}\Z)(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
"""Of up to 15 digits, all of which a double gives back."""
_FRACTION = re.compile(r"\.([0-9]+)")
_MICROS = 6
_EXACT_DIGITS = 15
_MOST_DIGITS = 17
_PLAIN: tuple[tuple[re.Pattern[str], pa.DataType], ...] = (
    (_BOOL, pa.bool_()),
    (_DATE, pa.date32()),
    (_TIME, pa.time64("us")),
)


def _is_float(text: str) -> bool:
    """Whether a double, written out with as many digits, is the same number."""
    if _SHORT_FLOAT.fullmatch(text):
        return True
    if not _FLOAT.fullmatch(text):
        return False
    whole, _, fraction = text.lower().partition("e")[0].lstrip("-").partition(".")
    digits = len((whole + fraction.rstrip("0")).lstrip("0"))
    number = float(text)
    if digits > _MOST_DIGITS or math.isinf(number) or (number == 0) != (digits == 0):
        return False
    return (digits <= _EXACT_DIGITS and abs(number) > 1e-290) or (  # noqa: PLR2004 - no subnormal
        Decimal(format(number, f".{max(digits, 1) - 1}e")) == Decimal(text)
    )


def _all(pattern: re.Pattern[str], values: Collection[str]) -> bool:
    return all(map(pattern.fullmatch, values))


def guess(values: Collection[str]) -> pa.DataType:
    """Return the type that all values fit; text if there are none. They hold no null tokens."""
    first = next(iter(values), "")
    for pattern, kind in _PLAIN:
        if pattern.fullmatch(first):
            return kind if _all(pattern, values) else pa.string()
    if _ZONED.fullmatch(first):
        return pa.timestamp(_unit(values), "UTC") if _all(_ZONED, values) else pa.string()
    if _STAMP.fullmatch(first):
        return pa.timestamp(_unit(values)) if _all(_STAMP, values) else pa.string()
    if not _FLOAT.fullmatch(first):
        return pa.string()
    if _all(_INT, values):
        return pa.int64()
    return pa.float64() if all(map(_is_float, values)) else pa.string()


def are_cents(values: Collection[str]) -> bool:
    """Whether all values have two fraction digits, as amounts of money have."""
    return _all(_CENTS, values)


def _unit(values: Collection[str]) -> Literal["us", "ns"]:
    longest = max((len(m[1]) for v in values if (m := _FRACTION.search(v))), default=0)
    return "ns" if longest > _MICROS else "us"


def typed_column(
    cells: Sequence[str | None],
    known: pa.DataType | None = None,
    seen: Collection[str] = (),
) -> tuple["pa.Array[Any]", frozenset[str]]:
    """Return a column in the narrowest type that keeps every value, and the null tokens in it.

    Args:
        cells: Its cells; None is null.
        known: The type that the column has elsewhere.
        seen: The values it has there, no null tokens, which the type must fit too: text stays text.
    """
    present = {cell for cell in cells if cell is not None}
    values = present - NULL_TOKENS
    if known is not None and (values.issubset(seen) or (seen and known == pa.string())):
        kind = known
    else:
        kind = guess(values.union(seen))
    if kind == pa.string():
        return pa.array(cells, pa.string()), frozenset()
    tokens = frozenset(present & NULL_TOKENS)
    plain = [None if cell in tokens else cell for cell in cells]
    try:
        if kind == pa.time64("us"):
            times = [None if cell is None else time.fromisoformat(cell) for cell in plain]
            return pa.array(times, kind), tokens
        return pa.array(plain, pa.string()).cast(kind), tokens
    except pa.ArrowInvalid:
        # Beyond the type's range: a date such as 2026-02-30, an integer over 64 bits.
        return pa.array(cells, pa.string()), frozenset()
