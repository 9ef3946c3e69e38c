"""One version of an object, read by ranges: what came is kept, long reads go side by side."""

import threading
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ObjectStore, ScanMeter

HEAD_BYTES = 64 << 10
"""First request of a text read: at 25 ms and 90 MB/s its transfer costs 3 % of its latency."""

TAIL_BYTES = 128 << 10
"""First request of a Parquet read: holds the footer of most files whole."""

PART_BYTES = 4 << 20
"""A range longer than this is fetched as parallel parts."""

AHEAD = 16
"""Most parts of `blocks` in flight or waiting to be taken: 64 MiB."""

_SMALLEST_PART_BYTES = 1 << 20
_GROWTH = 4
_POOL_THREADS = 24
_pool: list[ThreadPoolExecutor] = []
_pool_lock = threading.Lock()


def _threads() -> ThreadPoolExecutor:
    """Return the process-wide pool for parts of reads, made on first use (after any fork).

    It is not that of `readahead`, whose threads wait for parts.
    """
    with _pool_lock:
        if not _pool:
            _pool.append(ThreadPoolExecutor(_POOL_THREADS, thread_name_prefix="s3-range"))
        return _pool[0]


class ObjectReader:
    """Reads byte ranges of one pinned version; safe for many threads.

    `head` and `tail` are its first and last bytes, as far as they are here already.
    """

    def __init__(
        self,
        store: ObjectStore,
        info: ObjectInfo,
        meter: ScanMeter,
        *,
        head: bytes = b"",
        tail: bytes = b"",
    ) -> None:
        self._store = store
        self.info = info
        self.meter = meter
        self._spans = [(0, head), (info.size_bytes - len(tail), tail)]

    @classmethod
    def open_head(
        cls, store: ObjectStore, ref: ObjectRef, meter: ScanMeter, *, length: int = HEAD_BYTES
    ) -> "ObjectReader":
        """Open an object by its first bytes: identity and data in one request."""
        info, head = store.get_head(ref, length, meter)
        return cls(store, info, meter, head=head)

    @classmethod
    def open_tail(
        cls, store: ObjectStore, ref: ObjectRef, meter: ScanMeter, *, length: int = TAIL_BYTES
    ) -> "ObjectReader":
        """Open an object by its last bytes: identity and footer in one request."""
        info, tail = store.get_tail(ref, length, meter)
        return cls(store, info, meter, tail=tail)

    def holding(self, *parts: bytes) -> "ObjectReader":
        """Return a reader of a text of this version that is here already, all of it."""
        text = b"".join(parts)
        info = replace(self.info, size_bytes=len(text))
        return ObjectReader(self._store, info, self.meter, head=text)

    @property
    def ref(self) -> ObjectRef:
        """The object's name."""
        return self.info.ref

    @property
    def size_bytes(self) -> int:
        """The object's size."""
        return self.info.size_bytes

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Fetch ranges side by side and keep them: later reads within them cost no request."""
        wanted = [(at, self._clip(stop)) for at, stop in ranges]
        absent = [(at, stop) for at, stop in wanted if len(self._kept(at, stop)) < stop - at]
        fetched = self.read_ranges(absent)
        self._spans += [(at, data) for (at, _), data in zip(absent, fetched, strict=True)]

    def read_range(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`, cut at the object's end; long ranges in parallel."""
        return self.read_ranges([(start, stop)])[0]

    def read_ranges(
        self, ranges: Sequence[tuple[int, int]], *, part_bytes: int = PART_BYTES
    ) -> list[bytes]:
        """Return the bytes of several ranges, all fetched side by side.

        One request fetches at most `part_bytes`; fewer, larger requests are slower but cost less.
        """
        alone = len(ranges) == 1
        jobs: list[tuple[bytes, list[bytes | Future[bytes]]]] = []
        try:
            for begin, end in ranges:
                start, stop = max(0, begin), self._clip(end)
                kept = self._kept(start, stop)
                parts = self._parts(start + len(kept), stop, part_bytes, alone=alone)
                jobs.append((kept, parts))
            return [_joined(kept, parts) for kept, parts in jobs]
        except BaseException:
            _cancel(p for _, parts in jobs for p in parts if isinstance(p, Future))
            raise

    def blocks(
        self, start: int = 0, stop: int | None = None, *, expected_bytes: int = 0
    ) -> Generator[bytes]:
        """Yield `[start, stop)` in order.

        First what is here already; next, side by side, the rest of the `expected_bytes` from
        `start` on, which the caller knows that it takes. Behind that, blocks grow from `HEAD_BYTES`
        to `PART_BYTES`, one at a time, so that a reader who needs little pays little; from then on
        about as much is fetched ahead as was taken, up to `AHEAD` parts. What was not begun is
        dropped when the iteration is closed.
        """
        end = self.size_bytes if stop is None else self._clip(stop)
        at, size = max(0, start), HEAD_BYTES
        if kept := self._kept(at, end):
            yield kept
            at, size = at + len(kept), HEAD_BYTES * _GROWTH
            size = PART_BYTES if len(kept) >= PART_BYTES else size
        if (until := min(end, start + expected_bytes)) > at:
            part = max(_SMALLEST_PART_BYTES, min(PART_BYTES, (until - at) // AHEAD))
            yield from self._ahead(at, until, part, AHEAD)
            at, size = until, HEAD_BYTES * _GROWTH
        while at < end and size < PART_BYTES:
            block = self.read_range(at, min(end, at + size))
            yield block
            at, size = at + len(block), size * _GROWTH
        yield from self._ahead(at, end, PART_BYTES, 2)

    def _clip(self, stop: int) -> int:
        return max(0, min(stop, self.size_bytes))

    def _kept(self, start: int, stop: int) -> bytes:
        """Return the longest beginning of `[start, stop)` that is here already."""
        longest = b""
        for at, data in self._spans:
            if at <= start < stop and min(at + len(data), stop) - start > len(longest):
                longest = data[start - at : stop - at]
        return longest

    def _parts(
        self, start: int, stop: int, size: int, *, alone: bool
    ) -> list[bytes | Future[bytes]]:
        if start >= stop:
            return []
        if alone and stop - start <= size:
            return [self._store.get_range(self.info, start, stop, self.meter)]
        return [self._submit(at, min(at + size, stop)) for at in range(start, stop, size)]

    def _submit(self, start: int, stop: int) -> Future[bytes]:
        return _threads().submit(self._store.get_range, self.info, start, stop, self.meter)

    def _ahead(self, start: int, stop: int, part_bytes: int, window: int) -> Generator[bytes]:
        if stop - start <= part_bytes:
            if start < stop:
                yield self._store.get_range(self.info, start, stop, self.meter)
            return
        waiting: deque[Future[bytes]] = deque()
        at = start
        try:
            while at < stop or waiting:
                while at < stop and len(waiting) < window:
                    until = min(at + part_bytes, stop)
                    waiting.append(self._submit(at, until))
                    at = until
                yield waiting.popleft().result()
                window = min(AHEAD, window + 1)
        finally:
            _cancel(waiting)


def _joined(kept: bytes, parts: Sequence[bytes | Future[bytes]]) -> bytes:
    if not parts:
        return kept
    data = [part if isinstance(part, bytes) else part.result() for part in parts]
    return data[0] if len(data) == 1 and not kept else b"".join([kept, *data])


def _cancel(futures: Iterable[Future[bytes]]) -> None:
    for future in futures:
        future.cancel()
