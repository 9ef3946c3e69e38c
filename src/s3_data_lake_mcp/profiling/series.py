"""Regular series of dates in names and partitions: what is missing in them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from s3_data_lake_mcp.fence import plural

_LEAST_ENTRIES = 4
_REGULAR_SHARE = 0.6
_MOST_NAMED = 10
_WEEKEND = 5
_UNITS = {4: "year", 6: "quarter", 7: "month", 8: "week", 10: "day", 13: "hour", 16: "minute"}
_MINUTE, _HOUR, _DAY, _MONTH = 16, 13, 10, 7
"""Characters of moments."""

_PART_CHARS = len("T23")
_CYCLES = {"minute": 60, "hour": 24}
"""How many are one of the next unit."""

_WEEK_DAYS = 7
_CYCLES_TELL = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A regular series: one entry every `step` units; `missing` names at most ten gaps.

    `chars` is how many characters of its moments count.
    """

    unit: str
    step: int
    chars: int
    entries: int
    first: str
    last: str
    missing: tuple[str, ...]
    missing_total: int

    @property
    def interval(self) -> str:
        """The usual interval in words, such as `1 day` or `2 hours`."""
        return plural(self.step, self.unit)


def find_series(moments: Iterable[str]) -> Series | None:
    """Find the regular series in ISO moments of one precision; None if there is none.

    A series has at least four entries, most of them the same interval apart, and fewer gaps than
    entries. Days that are missing on week-ends alone are no gaps. Minutes that are no series count
    as hours, such hours as days, and days of which each month has one, at about the same place, as
    months.
    """
    texts = set(moments)
    lengths = {len(text) for text in texts}
    if lengths and lengths <= {_MINUTE, _HOUR, _DAY}:
        for chars in range(min(lengths), _DAY, -_PART_CHARS):
            if found := _series({text[:chars] for text in texts}, chars):
                return found
        texts, lengths = {text[:_DAY] for text in texts}, {_DAY}
    if lengths == {_DAY} and _is_monthly(texts):
        texts, lengths = {text[:_MONTH] for text in texts}, {_MONTH}
    return _series(texts, lengths.pop()) if len(lengths) == 1 else None


def _series(texts: set[str], chars: int) -> Series | None:
    """Find the regular series in moments of so many characters."""
    unit = _UNITS.get(chars, "")
    places = sorted(place for text in texts if (place := _place(text, unit)) is not None)
    if len(places) < _LEAST_ENTRIES:
        return None
    gaps = Counter(after - before for before, after in pairwise(places))
    step, times = gaps.most_common(1)[0]
    if times < _REGULAR_SHARE * (len(places) - 1):
        return None
    if unit in _CYCLES and _is_of_parts(places, step, unit):
        return None
    total = 0
    missing: list[str] = []
    weekdays = unit == "day" and step == 1 and not any(_weekend(place) for place in places)
    for before, after in pairwise(places):
        # Not from the first on: a Tuesday instead of a Monday moves all that follow.
        for place in range(before + step, after - step + 1, step):
            if weekdays and _weekend(place):
                continue
            total += 1
            if len(missing) < _MOST_NAMED:
                missing.append(_text(place, unit))
            if total > len(places):
                return None
    return Series(
        unit=unit,
        step=step,
        chars=chars,
        entries=len(places),
        first=_text(places[0], unit),
        last=_text(places[-1], unit),
        missing=tuple(missing),
        missing_total=total,
    )


def _is_monthly(days: set[str]) -> bool:
    within = [int(day[_MONTH + 1 :]) for day in days]
    return len({day[:_MONTH] for day in days}) == len(days) and (
        max(within) - min(within) < _WEEK_DAYS
    )


def _is_of_parts(places: list[int], step: int, unit: str) -> bool:
    """Whether what looks like hours or minutes does not fill the days or hours, as parts do not.

    Those leave some out every time, and minutes of hour 0 alone are most likely numbers from 0 on.
    """
    cycle = _CYCLES[unit]
    if cycle % step or step == cycle:
        return True
    if places[-1] - places[0] < _CYCLES_TELL * cycle:
        return unit == "minute" and {place // cycle % _CYCLES["hour"] for place in places} == {0}
    return len({place % cycle for place in places}) * step < cycle


def _place(text: str, unit: str) -> int | None:
    """Return the moment's place on the axis of its unit; None for a date that does not exist."""
    try:
        if unit in _CYCLES:
            moment = datetime.fromisoformat(f"{text}+00:00")
            return (moment - _EPOCH) // timedelta(**{f"{unit}s": 1})
        if unit in ("day", "week"):
            monday = unit == "week"
            place = date.fromisoformat(f"{text}-1" if monday else text).toordinal()
            return place // _WEEK_DAYS if monday else place
        if unit == "quarter":
            return int(text[:4]) * 4 + int(text[5:]) - 1
        if unit == "month":
            return int(text[:4]) * 12 + int(text[5:]) - 1
        return int(text)
    except ValueError:
        return None


def _text(place: int, unit: str) -> str:
    if unit in _CYCLES:
        moment = _EPOCH + timedelta(**{f"{unit}s": place})
        return moment.isoformat()[: _MINUTE if unit == "minute" else _HOUR]
    if unit == "day":
        return date.fromordinal(place).isoformat()
    if unit == "week":
        return f"{date.fromordinal(place * _WEEK_DAYS + 1):%G-W%V}"
    if unit == "quarter":
        return f"{place // 4:04d}Q{place % 4 + 1}"
    if unit == "month":
        return f"{place // 12:04d}-{place % 12 + 1:02d}"
    return f"{place:04d}"


def _weekend(place: int) -> bool:
    return date.fromordinal(place).weekday() >= _WEEKEND
