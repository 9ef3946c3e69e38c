"""One group of keys that look alike: aggregates alone, whatever the number of its keys."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from s3_data_lake_mcp.profiling.crossings import Crossings
from s3_data_lake_mcp.profiling.names import (
    FOLDERS_AND_NAMES,
    FOLDERS_AND_NUMBERS,
    SHORT_DATES,
    KeyShape,
    signature_of,
)
from s3_data_lake_mcp.profiling.series import Series, find_series
from s3_data_lake_mcp.storage import ListedObject, is_archived

SMALL_BYTES = 1 << 20
MOST_VALUES = 10_000
"""Distinct values kept per partition column; beyond it, counts are lower bounds."""

MOST_MOMENTS = 30_000
"""Dates kept per series: more than three years of hours."""

_DATED_SHARE = 0.5
_MOST_EMPTY_NAMED = 3
_MOST_SAMPLES = 32
_PART_CHARS = len("-31")

CARRIERS = frozenset({"folders", "names", FOLDERS_AND_NAMES, FOLDERS_AND_NUMBERS, SHORT_DATES})
"""What carries dates beside partition columns."""

_ENDS = {7: ("01", "12"), 10: ("01", "28"), 13: ("00", "23"), 16: ("00", "45")}
"""The first number, and one that the last reaches, of months, days, hours and minutes."""

type GroupKey = tuple[tuple[str, ...], str, str]
"""Folders, stem and suffix, with `*` for what varies."""


class SpacedKeys:
    """Keeps evenly spaced objects of a stream whose length is not known."""

    def __init__(self) -> None:
        self._stride = 1
        self._seen = 0
        self._kept: list[ListedObject] = []
        self._last: ListedObject | None = None

    def add(self, listed: ListedObject) -> None:
        """Take the next object."""
        if self._seen % self._stride == 0:
            self._kept.append(listed)
            if len(self._kept) > _MOST_SAMPLES:
                self._kept = self._kept[::2]
                self._stride *= 2
        self._seen += 1
        self._last = listed

    def absorb(self, other: "SpacedKeys") -> None:
        """Take the kept objects of another stream."""
        for listed in other.spread(_MOST_SAMPLES):
            self.add(listed)

    def spread(self, count: int) -> list[ListedObject]:
        """Return up to `count` objects in key order, the first and the last among them."""
        by_key = {listed.key: listed for listed in (*self._kept, *filter(None, (self._last,)))}
        ordered = [by_key[key] for key in sorted(by_key)]
        if len(ordered) <= count:
            return ordered
        if count == 1:
            return ordered[:1]
        step = (len(ordered) - 1) / (count - 1)
        return [ordered[round(step * i)] for i in range(count)]


@dataclass(slots=True)
class Group:
    """Aggregates of the keys of one shape."""

    key: GroupKey
    signature: str | None = None
    objects: int = 0
    bytes: int = 0
    small: int = 0
    empty: int = 0
    empty_keys: list[str] = field(default_factory=list)
    archived: int = 0
    newest: datetime | None = None
    partitions: dict[str, set[str]] = field(default_factory=dict)
    moments: dict[str, set[str]] = field(default_factory=dict)
    dated: Counter[str] = field(default_factory=Counter)
    samples: SpacedKeys = field(default_factory=SpacedKeys)
    crossings: Crossings = field(default_factory=Crossings)

    def add(self, listed: ListedObject, shape: KeyShape) -> None:
        """Count one object."""
        if self.objects == 0:
            self.signature = signature_of(listed.key)
        elif self.signature is not None and self.signature != signature_of(listed.key):
            self.signature = None
        size = listed.size_bytes
        self.objects += 1
        self.bytes += size
        self.small += size < SMALL_BYTES
        self.archived += is_archived(listed.storage_class)
        if size == 0:
            self.empty += 1
            self.empty_keys = [*self.empty_keys, listed.key][:_MOST_EMPTY_NAMED]
        modified = listed.last_modified
        self.newest = modified if self.newest is None else max(self.newest, modified)
        self.samples.add(listed)
        self.crossings.add(shape)
        for column, value in shape.partitions:
            _keep(self.partitions, column, value)
        for label, moment in shape.moments:
            _keep_moments(self.moments, label, {moment})
            self.dated[label] += 1

    def absorb(self, other: "Group") -> None:
        """Take over another group's counts."""
        if self.signature != other.signature:
            self.signature = None
        self.objects += other.objects
        self.bytes += other.bytes
        self.small += other.small
        self.empty += other.empty
        self.empty_keys = [*self.empty_keys, *other.empty_keys][:_MOST_EMPTY_NAMED]
        self.archived += other.archived
        dates = [date for date in (self.newest, other.newest) if date]
        self.newest = max(dates) if dates else None
        self.samples.absorb(other.samples)
        self.crossings.absorb(other.crossings)
        self.dated.update(other.dated)
        for column, values in other.partitions.items():
            for value in values:
                _keep(self.partitions, column, value)
        for label, moments in other.moments.items():
            _keep_moments(self.moments, label, moments)

    @property
    def series(self) -> Iterator[tuple[str, Series]]:
        """The regular series of dates, with what carries them: a column, `folders` or `names`."""
        told: list[Series] = []
        for label, moments in self.moments.items():
            # A number in a few names looks like a year; a date stands in all of them. Of a
            # partition some values may be missing or odd.
            share = 1 if label in CARRIERS else _DATED_SHARE
            if self.dated[label] < share * self.objects:
                continue
            if not self._is_date(label, moments):
                continue
            found = find_series(moments)
            if found and found not in told:
                told.append(found)
                yield label, found

    def _is_date(self, label: str, moments: set[str]) -> bool:
        """Whether what may be numbers are dates: none lies ahead, or they fill their unit."""
        if label == SHORT_DATES:
            months = self.dated["names"] == self.objects
            return not months and bool(self.newest) and max(moments) <= f"{self.newest:%Y-%m-%d}"
        if label == FOLDERS_AND_NUMBERS:
            numbers = {moment[-2:] for moment in moments}
            first, last = _ENDS[len(max(moments))]
            return min(numbers) == first and max(numbers) >= last
        return True

    @property
    def first(self) -> ListedObject:
        """The first object in key order."""
        return self.samples.spread(_MOST_SAMPLES)[0]

    @property
    def root(self) -> str:
        """The folders before the first one that varies, with a slash behind each."""
        literal: list[str] = []
        for folder in self.key[0]:
            if "*" in folder:
                break
            literal.append(folder)
        return "".join(f"{folder}/" for folder in literal)

    @property
    def varying_folders(self) -> bool:
        """Whether folders are part of what varies."""
        return any("*" in folder for folder in self.key[0])


def _keep(kept: dict[str, set[str]], label: str, value: str) -> None:
    values = kept.setdefault(label, set())
    if len(values) < MOST_VALUES:
        values.add(value)


def _keep_moments(kept: dict[str, set[str]], label: str, moments: set[str]) -> None:
    """Keep moments; of too many of them, the hours become days, and days months."""
    values = kept.setdefault(label, set())
    values |= moments
    if len(values) > MOST_MOMENTS:
        chars = max(map(len, values)) - _PART_CHARS
        kept[label] = {value[:chars] for value in values}


def without(shape: KeyShape, part: int) -> KeyShape:
    """Return the shape with `*` in place of a folder, or of the stem for part -1."""
    if part < 0:
        return replace(shape, stem="*")
    folders = tuple("*" if at == part else folder for at, folder in enumerate(shape.folders))
    return replace(shape, folders=folders)
