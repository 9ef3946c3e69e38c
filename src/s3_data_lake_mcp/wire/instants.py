"""Points in time and spans of it as ISO 8601, in integer arithmetic: no digit and no year is lost.

Fractions are written as Python's `isoformat` does: none, or six digits, and nine where there are
nanoseconds.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""Units of Arrow's times, and how many of them make a second."""

_DAY_SECONDS = 86_400
_NANOSECOND = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE_YEARS = 400
_CYCLE_SECONDS = 146_097 * _DAY_SECONDS
_LAST_YEAR = 9_999
_INT64_MAX = 2**63 - 1
_INT32_MAX = 2**31 - 1


@lru_cache(maxsize=64)
def _zone_named(name: str) -> tzinfo:
    """Return the time zone of an Arrow type; UTC if this machine does not know it."""
    sign, digits = name[:1], name[1:].replace(":", "")
    if sign in ("+", "-") and digits.isdecimal() and len(digits) in (2, 4, 6):
        hours, minutes, seconds = (int(digits[at : at + 2] or 0) for at in (0, 2, 4))
        offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if offset < timedelta(days=1):
            return timezone(-offset if sign == "-" else offset)
    if name.upper() in ("UTC", "Z", "GMT", "ETC/UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def timestamp_text(unit: str, zone: str | None) -> Callable[[int], str]:
    """Return what writes a timestamp of an Arrow type, given as its integer."""
    per_second = UNITS[unit]
    nanoseconds = _NANOSECOND // per_second
    place = _zone_named(zone) if zone else None

    def text(value: int) -> str:
        if unit != "ns" and abs(value) == _INT64_MAX:
            return _infinity(value)
        seconds, rest = divmod(value, per_second)
        return _instant(seconds, rest * nanoseconds, place)

    return text


def _infinity(value: int) -> str:
    """Return DuckDB's infinities, which Arrow holds as the last numbers there are."""
    return "Infinity" if value > 0 else "-Infinity"


def _instant(seconds: int, nanoseconds: int, zone: tzinfo | None) -> str:
    """Write an instant; years that `datetime` lacks are moved by cycles of the calendar."""
    cycles = 0
    try:
        local = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone or UTC)
    except OverflowError:
        cycles = seconds // _CYCLE_SECONDS
        local = (_EPOCH + timedelta(seconds=seconds % _CYCLE_SECONDS)).astimezone(zone or UTC)
    text = local.isoformat()
    day, clock, offset = text[:10], text[11:19], text[19:] if zone else ""
    if cycles:
        day = _year(local.year + cycles * _CYCLE_YEARS) + day[4:]
    return f"{day}T{clock}{_fraction(nanoseconds)}{offset}"


def _year(year: int) -> str:
    """Write a year; ISO 8601 wants a sign beyond four digits and before year 0."""
    if year > _LAST_YEAR:
        return f"+{year}"
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


def _fraction(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    if nanoseconds % 1_000:
        return f".{nanoseconds:09d}"
    return f".{nanoseconds // 1_000:06d}"


def date_text(days: int) -> str:
    """Write a date, given as days since 1970."""
    if abs(days) == _INT32_MAX:
        return _infinity(days)
    return _instant(days * _DAY_SECONDS, 0, None)[:-9]


def time_text(unit: str) -> Callable[[int], str]:
    """Return what writes a time of day of an Arrow type, given as its integer."""
    per_second = UNITS[unit]

    def text(value: int) -> str:
        seconds, rest = divmod(abs(value), per_second)
        minutes, second = divmod(seconds, 60)
        sign = "-" if value < 0 else ""
        clock = f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"
        return sign + clock + _fraction(rest * _NANOSECOND // per_second)

    return text


def duration_text(unit: str) -> Callable[[int], str]:
    """Return what writes a duration of an Arrow type, given as its integer."""
    nanoseconds = _NANOSECOND // UNITS[unit]
    return lambda value: interval_text(0, 0, value * nanoseconds, carry_days=True)


def interval_text(months: int, days: int, nanoseconds: int, *, carry_days: bool = False) -> str:
    """Write an interval: `P1Y2M3DT4H5M6.5S`.

    One sign stands in front if all parts are negative, else each part has its own. With
    `carry_days`, 24 hours make a day, as in a duration; in an interval they do not.
    """
    sign = ""
    if max(months, days, nanoseconds) <= 0 > min(months, days, nanoseconds):
        sign, months, days, nanoseconds = "-", -months, -days, -nanoseconds
    if carry_days:
        days, nanoseconds = divmod(nanoseconds, _DAY_SECONDS * _NANOSECOND)
    years, months = _split(months, 12)
    seconds, rest = _split(nanoseconds, _NANOSECOND)
    minutes, seconds = _split(seconds, 60)
    hours, minutes = _split(minutes, 60)
    date = "".join(f"{n}{mark}" for n, mark in ((years, "Y"), (months, "M"), (days, "D")) if n)
    time = "".join(f"{n}{mark}" for n, mark in ((hours, "H"), (minutes, "M")) if n)
    if seconds or rest:
        minus = "-" if seconds < 0 or rest < 0 else ""
        time += f"{minus}{abs(seconds)}{_fraction(abs(rest)).rstrip('0')}S"
    if time:
        time = f"T{time}"
    return f"{sign}P{date}{time}" if date or time else "PT0S"


def _split(value: int, size: int) -> tuple[int, int]:
    """Divide towards zero, so that all parts have one sign."""
    whole, rest = divmod(abs(value), size)
    return (-whole, -rest) if value < 0 else (whole, rest)
