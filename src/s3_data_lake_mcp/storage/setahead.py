"""Reading ahead over the objects of a set: one at a time, each would cost a round trip."""

import threading
from collections.abc import Sequence
from typing import Protocol

MOST_OBJECTS = 32
"""Most objects that are on their way before somebody reads them."""

MOST_BYTES = 64 << 20
"""Most bytes that are on their way then."""


class Beginnable(Protocol):
    """What can be fetched before it is read."""

    def begin(self) -> None:
        """Fetch it, or its beginning."""
        ...


class SetAhead:
    """Begins the next objects of a set, which are read more or less in order, while one is read.

    As many are on their way as half of those that were come to; all that may be, if it is `eager`:
    all objects are going to be read. None is begun twice, unless somebody begins anew.

    `members` are the objects in order, each with the bytes that it holds once it is begun.
    """

    def __init__(self, members: Sequence[tuple[Beginnable, int]]) -> None:
        self.eager = False
        self._members = members
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """Be told that all is read anew, from the first object on."""
        with self._lock:
            self._reached = self._next = self._bytes = 0

    def reach(self, at: int) -> None:
        """Begin what comes behind an object that is read now."""
        with self._lock:
            while self._reached <= at:
                if self._reached < self._next:
                    self._bytes -= self._members[self._reached][1]
                self._reached += 1
            self._next = max(self._next, self._reached)
            window = MOST_OBJECTS if self.eager else min(MOST_OBJECTS, self._reached // 2)
            end = min(len(self._members), self._reached + window)
            while self._next < end and self._bytes < MOST_BYTES:
                member, size = self._members[self._next]
                self._next += 1
                self._bytes += size
                member.begin()
