"""Stores that are far away: each listing takes a round trip."""

import threading
import time
from collections.abc import Sequence
from typing import Any

from s3_data_lake_mcp.storage import ListPage, ScanMeter
from support.memory import MemoryStore

LAKE = "lake"
"""The bucket that is filled."""

_QUIET_SECONDS = 0.15
"""So long after the last request or answer nobody is about to send another one."""


class FarStore(MemoryStore):
    """Answers listings after a round trip, in pages of a size of its own."""

    def __init__(self, *, latency_seconds: float = 0.0, page_keys: int = 1_000) -> None:
        super().__init__()
        self._latency_seconds = latency_seconds
        self._page_keys = page_keys
        self._lock = threading.Lock()
        self._flying = 0
        self.most_at_once = 0
        self.keys_sent = 0

    def list_page(
        self, bucket: str, prefix: str, meter: ScanMeter, *, max_keys: int = 1000, **given: Any
    ) -> ListPage:
        """Return a page after the latency."""
        with self._lock:
            self._flying += 1
            self.most_at_once = max(self.most_at_once, self._flying)
        time.sleep(self._latency_seconds)
        with self._lock:
            self._flying -= 1
        few = min(max_keys, self._page_keys)
        page = super().list_page(bucket, prefix, meter, max_keys=few, **given)
        with self._lock:
            self.keys_sent += len(page.objects)
        return page


class TidalStore(FarStore):
    """Holds requests until no more come, and answers all of them together: one round trip.

    So `rounds` counts the round trips that lie one behind the other, whatever the clock says.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tide = threading.Condition()
        self._computing = 0
        self._last = time.monotonic()
        self.rounds = 0

    def list_page(self, bucket: str, prefix: str, meter: ScanMeter, **given: Any) -> ListPage:
        """Return a page when nobody sends a further request."""
        with self._tide:
            self._last = time.monotonic()
            mine = self.rounds
            while self.rounds == mine:
                self._tide.wait(_QUIET_SECONDS / 5)
                quiet = time.monotonic() - self._last >= _QUIET_SECONDS
                if self.rounds == mine and quiet and not self._computing:
                    self.rounds += 1
                    self._last = time.monotonic()
                    self._tide.notify_all()
            self._computing += 1
        try:
            return super().list_page(bucket, prefix, meter, **given)
        finally:
            with self._tide:
                self._computing -= 1
                self._last = time.monotonic()


def filled[S: MemoryStore](store: S, keys: Sequence[str]) -> S:
    """Put empty objects with these keys into a store."""
    store.create_bucket(LAKE)
    for key in sorted(keys):
        store.put(LAKE, key, b"")
    return store


def layout(folders: int, files: int, prefix: str = "") -> list[str]:
    """Return the keys of so many files in each of so many folders."""
    return [f"{prefix}f{a:04d}/part-{b:05d}.csv" for a in range(folders) for b in range(files)]
