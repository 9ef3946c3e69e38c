"""Python values to JSON values, by the same rules as columns."""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, NoReturn
from uuid import UUID

from pyarrow import MonthDayNano

from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.wire.instants import interval_text
from s3_data_lake_mcp.wire.texts import Clipper, binary_text

MAX_LEVELS = 200
"""Most levels of arrays and objects in one value."""

_EXACT = 2**53 - 1
_DIGITS = 4_000


def too_deep() -> NoReturn:
    """Refuse a value that nests deeper than a reader of JSON must follow."""
    message = f"A value nests arrays and objects more than {MAX_LEVELS} levels deep"
    raise LimitExceededError(message, hint="Choose other columns, or a path into the value.")


def integer(value: int) -> int | str:
    """Return an integer, or its digits if a reader's double could not hold it."""
    return value if -_EXACT <= value <= _EXACT else _digits(value)


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes 4,300 digits at once and no more
        high, low = divmod(abs(value), 10**_DIGITS)
        return f"{'-' if value < 0 else ''}{_digits(high)}{low:0{_DIGITS}d}"


def fraction(value: float) -> float | str:
    """Return a double, or the name of one that JSON has no number for."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def decimal(value: Decimal) -> int | float | str:
    """Return a decimal: digits as a string if it has a fraction part, else as an integer."""
    if not value.is_finite():
        return fraction(float(value))
    if value == value.to_integral_value() and _exponent(value) >= 0:
        return integer(int(value))
    return format(value, "f")


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def json_value(value: object, clipper: Clipper | None = None) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON value of a Python value.

    Raises:
        LimitExceededError: If it nests more than 200 levels deep.
    """
    return _value(value, clipper or Clipper(), 1)


def _value(value: object, clipper: Clipper, level: int) -> Any:  # noqa: ANN401 - JSON
    # Most are one of these, and asking what else a value may be takes several times as long.
    if type(value) is str:
        return clipper.text(value)
    if type(value) is dict:
        return _mapping(value, clipper, level)
    return _any_value(value, clipper, level)


def _any_value(value: object, clipper: Clipper, level: int) -> Any:  # noqa: ANN401, PLR0911 - JSON, a line a type
    match value:
        case None | bool():
            return value
        case str():
            return clipper.text(value)
        case int():
            known = integer(int(value))
            return clipper.text(known) if isinstance(known, str) else known
        case float():
            return fraction(float(value))
        case Mapping():
            return _mapping(value, clipper, level)
        case bytes() | bytearray() | memoryview():
            return binary_text(bytes(value))
        case MonthDayNano():
            return interval_text(value.months, value.days, value.nanoseconds)
        case Sequence() | AbstractSet():
            if level > MAX_LEVELS:
                too_deep()
            return [_value(item, clipper, level + 1) for item in value]
        case _:
            return _scalar(value, clipper)


def _mapping(value: Mapping[Any, Any], clipper: Clipper, level: int) -> Any:  # noqa: ANN401 - JSON
    if level > MAX_LEVELS:
        too_deep()
    return pairs_value(
        [_value(key, clipper, level + 1) for key in value],
        [_value(item, clipper, level + 1) for item in value.values()],
    )


def pairs_value(keys: Sequence[Any], items: Sequence[Any]) -> dict[str, Any] | list[list[Any]]:
    """Return a map as an object, or as pairs if an object would not hold all of its keys."""
    if all(issubclass(kind, str) for kind in set(map(type, keys))):
        found = dict(zip(keys, items, strict=True))
        if len(found) == len(keys):
            return found
    return [[key, item] for key, item in zip(keys, items, strict=True)]


def _scalar(value: object, clipper: Clipper) -> Any:  # noqa: ANN401, PLR0911 - JSON, a line a type
    match value:
        case Decimal():
            return decimal(value)
        case datetime() | date() | time():
            # pandas has a missing time that is a datetime too, and equals nothing.
            return value.isoformat() if value == value else None  # noqa: PLR0124
        case timedelta():
            microseconds = (value.days * 86_400 + value.seconds) * 10**6 + value.microseconds
            return interval_text(0, 0, microseconds * 1_000, carry_days=True)
        case UUID():
            return str(value)
        case Integral():
            return integer(int(value))
        case Real():
            return fraction(float(value))
    return clipper.text(str(value))
