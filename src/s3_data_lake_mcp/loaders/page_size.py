"""How much of what a page asks for has room on it: nothing more need be fetched or decoded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from s3_data_lake_mcp.budget import compact_size
from s3_data_lake_mcp.fence import cell

_COLUMNS_SHARE = 3
_MARGIN = 1.2
_LONGEST_NAME = 2_000
_NAMES_SHARE = 32
"""Bytes of a result for each character that a name or type may have: some take twelve bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSize:
    """The limits of a page: bytes of its result, and characters of a cell."""

    max_bytes: int
    max_cell_chars: int

    @property
    def name_chars(self) -> int:
        """Most characters of a column's name or type."""
        return min(_LONGEST_NAME, self.max_bytes // _NAMES_SHARE)

    def columns_that_fit(self, specs: Sequence[Mapping[str, Any]]) -> int:
        """Return how many leading columns a page may have, at least one where there is one."""
        room = self.max_bytes // _COLUMNS_SHARE
        for count, spec in enumerate(specs):
            room -= max(compact_size(spec), len(cell(spec["name"]).encode())) + 1
            if room < 0:
                return max(1, count)
        return len(specs)


class Filling[T]:
    """Tells when values are more than a page has room for; one alone never is.

    Args:
        max_bytes: The room, or more.
        weigh: Returns the bytes that a value takes on the page, or less.
    """

    def __init__(self, max_bytes: int, weigh: Callable[[T], int]) -> None:
        self._max_bytes = max_bytes
        self._weigh = weigh
        self._unweighed: list[T] = []
        self._count = 0
        self._stored_bytes = 0
        self._size_bytes = 0

    def is_full(self, value: T, stored_bytes: int, count: int = 1) -> bool:
        """Add a value, which takes so many bytes where it is stored; return whether that is enough.

        It may stand for a `count` of them. Nothing is weighed as long as all that is stored would
        fit.
        """
        self._unweighed.append(value)
        self._count += count
        self._stored_bytes += stored_bytes
        return self._count > 1 and self._stored_bytes > self._max_bytes and self.share() > 1

    def share(self) -> float:
        """Return what share of the page is filled."""
        self._size_bytes += sum(map(self._weigh, self._unweighed))
        self._unweighed.clear()
        return self._size_bytes / self._max_bytes

    def lacking(self, unknown: int) -> int:
        """Return about how many more stored bytes it takes; `unknown` if nothing is there yet."""
        share = self.share()
        return int(self._stored_bytes * (1 / share - 1) * _MARGIN) if share else unknown
