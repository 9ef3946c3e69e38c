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
_UNITS = {4: "year", 7: "month", 10: "day", 13: "hour"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A regular series: one entry every `step` units; `missing` names at most ten gaps."""

    unit: str
    step: int
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
    entries. Days that are missing on week-ends alone are no gaps.
    """
    texts = set(moments)
    lengths = {len(text) for text in texts}
    if len(texts) < _LEAST_ENTRIES or len(lengths) != 1:
        return None
    unit = _UNITS.get(lengths.pop(), "")
    places = sorted(place for text in texts if (place := _place(text, unit)) is not None)
    if len(places) < _LEAST_ENTRIES:
        return None
    gaps = Counter(after - before for before, after in pairwise(places))
    step, times = gaps.most_common(1)[0]
    if times < _REGULAR_SHARE * (len(places) - 1):
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
        entries=len(places),
        first=_text(places[0], unit),
        last=_text(places[-1], unit),
        missing=tuple(missing),
        missing_total=total,
    )


def _place(text: str, unit: str) -> int | None:
    """Return the moment's place on the axis of its unit; None for a date that does not exist."""
    try:
        if unit == "hour":
            moment = datetime.fromisoformat(f"{text}:00:00+00:00")
            return round((moment - _EPOCH).total_seconds()) // 3600
        if unit == "day":
            return date.fromisoformat(text).toordinal()
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
    if unit == "month":
        return f"{place // 12:04d}-{place % 12 + 1:02d}"
    return f"{place:04d}"


def _weekend(place: int) -> bool:
    return date.fromordinal(place).weekday() >= _WEEKEND
