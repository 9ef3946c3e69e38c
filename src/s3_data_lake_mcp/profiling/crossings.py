"""Dates crossed with the other partitions: what one region lacks, although another has it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.profiling.names import KeyShape, date_part

_MOST_CROSSINGS = 50_000
"""Of a group of as many combinations of a date and other partitions, none are told."""

_MOST_TOGETHER = 200_000
"""Combinations that all groups of a listing keep together."""

_LEAST_DATES = 4
_ALL_CHARS = len("2026-01-31T23:45")
_HOUR_CHARS = len("2026-01-31T23")
_MOST_LACKING = 0.5
_NAMED = 3

type Others = tuple[tuple[str, str], ...]
"""Columns and values of the partitions beside a date."""


@dataclass(slots=True)
class Budget:
    """How many more combinations the groups of a listing may keep."""

    left: int = _MOST_TOGETHER


class Crossings:
    """Which dates there are, of each combination of the other partitions.

    All groups of a listing share the `budget`; the one that spends the last of it gives up.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.dates: dict[str, dict[Others, set[str]]] = {}
        self._budget = budget or Budget()
        self._count = 0
        self._chars = _ALL_CHARS
        self.given_up = False

    def add(self, shape: KeyShape) -> None:
        """Take the dates of a key."""
        for label, date in shape.moments:
            if others := _others(shape.partitions, label):
                self._keep(label, others, date)

    def absorb(self, other: "Crossings") -> None:
        """Take over what another group has, which is left without."""
        if other.given_up:
            self._give_up()
        self._refill(other)

    def _refill(self, other: "Crossings") -> None:
        taken = other.dates
        other.release()
        for label, crossed in taken.items():
            for others, dates in crossed.items():
                for date in dates:
                    self._keep(label, others, date)

    def release(self) -> None:
        """Forget all, and leave the room to others."""
        self._budget.left += self._count
        self._count = 0
        self.dates = {}

    def gaps(self, label: str, *, chars: int = _ALL_CHARS) -> Iterator[str]:
        """Say which dates some combinations lack between their first and last, others have.

        Only so many characters of the dates count: hours that are no series are days.
        """
        crossed = {
            others: {date if len(date) <= chars else date[:chars] for date in dates}
            for others, dates in self.dates.get(label, {}).items()
        }
        if len(crossed) < 2:  # noqa: PLR2004 - one and the others
            return
        everywhere = sorted(set().union(*crossed.values()))
        found = []
        for others, dates in crossed.items():
            if len(dates) < _LEAST_DATES:
                continue
            begin = bisect_left(everywhere, min(dates))
            end = bisect_right(everywhere, max(dates))
            # Each of its own dates is one of these.
            if 0 < end - begin - len(dates) <= _MOST_LACKING * len(dates):
                found.append((others, begin, end))
        found.sort()
        for others, begin, end in found[:_NAMED]:
            lacking = [d for d in everywhere[begin:end] if d not in crossed[others]]
            where = ", ".join(f"{column}={value}" for column, value in others)
            yield f"{where} lacks {first_of(lacking, _NAMED)}"
        if (more := len(found) - _NAMED) > 0:
            yield f"{more:,} more lack some"

    def _keep(self, label: str, others: Others, date: str) -> None:
        if self.given_up:
            return
        if len(date) > self._chars:
            date = date[: self._chars]
        dates = self.dates.setdefault(label, {}).setdefault(others, set())
        if date not in dates:
            dates.add(date)
            self._count += 1
            self._budget.left -= 1
            if self._count >= _MOST_CROSSINGS or self._budget.left < 0:
                self._spare()

    def _spare(self) -> None:
        """Keep hours instead of minutes; where there are still too many, nothing."""
        if self._chars == _HOUR_CHARS:
            self._give_up()
            return
        self._chars = _HOUR_CHARS
        self._refill(self)

    def _give_up(self) -> None:
        """Forget all, for good: of a part of the dates, gaps would be told that there are not."""
        self.given_up = True
        self.release()


@lru_cache(maxsize=4096)
def _others(partitions: Others, label: str) -> Others:
    """Return the partitions that are not part of a date."""
    parts = label.split("/")
    return tuple(
        (column, value)
        for column, value in partitions
        if column != label and date_part(column) not in parts
    )
