"""Dates crossed with the other partitions: what one region lacks, although another has it."""

from collections.abc import Iterator
from functools import lru_cache

from s3_data_lake_mcp.profiling.names import KeyShape, date_part

MOST_CROSSINGS = 50_000
"""Beyond as many combinations of a date and other partitions, none are told."""

_LEAST_DATES = 4
_MOST_LACKING = 0.5
_NAMED = 3

type Others = tuple[tuple[str, str], ...]
"""Columns and values of the partitions beside a date."""


class Crossings:
    """Which dates there are, of each combination of the other partitions."""

    def __init__(self) -> None:
        self.dates: dict[str, dict[Others, set[str]]] = {}
        self._count = 0

    def add(self, shape: KeyShape) -> None:
        """Take the dates of a key."""
        if not shape.partitions:
            return
        for label, date in shape.moments:
            if others := _others(shape.partitions, label):
                self._keep(label, others, date)

    def absorb(self, other: "Crossings") -> None:
        """Take over what another group has."""
        for label, crossed in other.dates.items():
            for others, dates in crossed.items():
                for date in dates:
                    self._keep(label, others, date)

    def gaps(self, label: str) -> Iterator[str]:
        """Say which dates some combinations lack between their first and last, others have."""
        crossed = self.dates.get(label, {})
        if self._count >= MOST_CROSSINGS or len(crossed) < 2:  # noqa: PLR2004 - one and the others
            return
        everywhere = sorted(set().union(*crossed.values()))
        found = []
        for others, dates in sorted(crossed.items()):
            first, last = min(dates), max(dates)
            lacking = [d for d in everywhere if first < d < last and d not in dates]
            regular = len(dates) >= _LEAST_DATES and len(lacking) <= _MOST_LACKING * len(dates)
            if lacking and regular:
                found.append((others, lacking))
        for others, lacking in found[:_NAMED]:
            where = ", ".join(f"{column}={value}" for column, value in others)
            more = len(lacking) - _NAMED
            named = ", ".join(lacking[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
            yield f"{where} lacks {named}"
        if (more := len(found) - _NAMED) > 0:
            yield f"{more:,} more lack some"

    def _keep(self, label: str, others: Others, date: str) -> None:
        if self._count >= MOST_CROSSINGS:
            return
        dates = self.dates.setdefault(label, {}).setdefault(others, set())
        if date not in dates:
            dates.add(date)
            self._count += 1


@lru_cache(maxsize=4096)
def _others(partitions: Others, label: str) -> Others:
    """Return the partitions that are not part of a date."""
    parts = label.split("/")
    return tuple(
        (column, value)
        for column, value in partitions
        if column != label and date_part(column) not in parts
    )
