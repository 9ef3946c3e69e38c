"""Regular series of dates in names and partitions: what is missing in them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

_LEAST_ENTRIES = 4
_REGULAR_SHARE = 0.6
_MOST_NAMED = 10
_WEEKEND = 5
_UNITS = {4: "year", 6: "quarter", 7: "month", 8: "week", 10: "day", 13: "hour"}
_HOUR, _DAY, _MONTH = 13, 10, 7
"""Characters of moments."""

_DAY_HOURS = 24
_WEEK_DAYS = 7
_DAYS_TELL = 3
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
        return f"{self.step} {self.unit}{'s' if self.step > 1 else ''}"


def find_series(moments: Iterable[str]) -> Series | None:
    """Find the regular series in ISO moments of one precision; None if there is none.

    A series has at least four entries, most of them the same interval apart, and fewer gaps than
    entries. Days that are missing on week-ends alone are no gaps. Hours that are no series, or one
    a day, count as days, and days of which each month has one, at about the same place, as months.
    """
    texts = set(moments)
    lengths = {len(text) for text in texts}
    if _HOUR in lengths and lengths <= {_HOUR, _DAY}:
        days = {text[:_DAY] for text in texts}
        if len(days) < len(texts) and lengths == {_HOUR} and (found := _series(texts, _HOUR)):
            return found
        texts, lengths = days, {_DAY}
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
    if unit == "hour" and _no_hours(places, step):
        return None
    present = set(places)
    total = 0
    missing: list[str] = []
    weekdays = unit == "day" and step == 1 and not any(_weekend(place) for place in places)
    for place in range(places[0], places[-1], step):
        if place in present or (weekdays and _weekend(place)):
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


def _no_hours(places: list[int], step: int) -> bool:
    """Whether what looks like hours leaves some out on every day, as numbers of parts do."""
    if places[-1] - places[0] < _DAYS_TELL * _DAY_HOURS:
        return False
    return len({place % _DAY_HOURS for place in places}) * step < _DAY_HOURS


def _place(text: str, unit: str) -> int | None:
    """Return the moment's place on the axis of its unit; None for a date that does not exist."""
    try:
        if unit == "hour":
            moment = datetime.fromisoformat(f"{text}:00:00+00:00")
            return round((moment - _EPOCH).total_seconds()) // 3600
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
    if unit == "hour":
        return f"{_EPOCH + timedelta(hours=place):%Y-%m-%dT%H}"
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
