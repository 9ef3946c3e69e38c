"""Short reads that follow each other, served from longer ones."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from s3_data_lake_mcp.storage.readahead import BLOCK_BYTES, GAP_BYTES, download_threads

_RUN_READS = 4
"""As many reads, each near the last, are a run: more will follow."""

_RUN_SPANS = 4
_MOST_RUNS = 4


class _Span(NamedTuple):
    """A range on its way or here."""

    begin: int
    end: int
    data: Future[bytes]


class _Run:
    """Short reads, each near to the end of those before."""

    __slots__ = ("end", "length", "size", "spans")

    def __init__(self, end: int) -> None:
        self.end = end
        self.length = 1
        self.size = GAP_BYTES
        self.spans: deque[_Span] = deque(maxlen=_RUN_SPANS)


class NearReads:
    """Serves short reads that follow each other with small gaps from longer ones.

    Row groups may be of a few hundred rows: each read of one would be a request. Once some have
    followed each other, what lies between is fetched with them, twice as much each time, and the
    next of it ahead: about as much as they have passed, and `BLOCK_BYTES` at most. That may be many
    times what they ask for, so who calls bounds it (`ScanMeter.may_guess`).
    """

    def __init__(self, fetch: Callable[[int, int], bytes], stop: int) -> None:
        self._fetch = fetch
        self._stop = stop
        self._lock = threading.Lock()
        self._runs: deque[_Run] = deque(maxlen=_MOST_RUNS)

    def read(self, start: int, stop: int) -> bytes | None:
        """Return the bytes `[start, stop)`; None if they are to be fetched on their own."""
        with self._lock:
            span = self._span(start, stop)
        return span.data.result()[start - span.begin : stop - span.begin] if span else None

    def _span(self, start: int, stop: int) -> _Span | None:
        if stop - start > GAP_BYTES:
            return None
        run = next((one for one in self._runs if abs(start - one.end) <= GAP_BYTES), None)
        if run is None:
            self._runs.append(_Run(stop))
            return None
        run.end = max(run.end, stop)
        run.length += 1
        if run.length < _RUN_READS:
            return None
        within = [one for one in run.spans if one.begin <= start < one.end]
        if not within and (not run.spans or start >= run.spans[-1].end):
            within = [self._ask(run, start)]
        if within and within[-1] is run.spans[-1] and run.spans[-1].end < self._stop:
            self._ask(run, run.spans[-1].end)
        return next((one for one in within if stop <= one.end), None)

    def _ask(self, run: _Run, begin: int) -> _Span:
        run.size = min(BLOCK_BYTES, run.size * 2)
        end = min(self._stop, begin + run.size)
        span = _Span(begin, end, download_threads().submit(self._fetch, begin, end))
        run.spans.append(span)
        return span

    def close(self) -> None:
        """Forget all; what was not yet asked for never is."""
        with self._lock:
            spans = [span for run in self._runs for span in run.spans]
            self._runs.clear()
        for span in spans:
            span.data.cancel()
