"""One version of an object as the engine's file system reads it: pinned, few requests, bounded."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from s3_data_lake_mcp.storage import ObjectInfo, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.readahead import (
    BLOCK_BYTES,
    LONG_BLOCK_BYTES,
    Prefetched,
    ReadAhead,
)
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.storage.scope import modified_of

WHOLE_BYTES = 8 << 20
"""An object up to this size is fetched whole: its parts would cost more round trips than bytes."""

TAIL_BYTES = 64 << 10
"""First read of a columnar object of a listing: holds the footer of most small files whole."""

WHOLE_COLUMNAR_BYTES = 1 << 20
"""A columnar object of a listing is fetched whole up to this size, above it by its tail."""

type Access = Literal["columns", "scan", "stream"]
"""How an object is read: `columns` by exact ranges, footer first; `scan` from start to end, through
the engine's cache; `stream` likewise without a cache."""


class PinnedObject:
    """One version of an object, read by ranges; what is here already is not fetched again.

    Args:
        store: Where it is.
        info: The version.
        meter: Counts and bounds the reads.
        access: How it is going to be read.
        head: Its first bytes, already here.
        tail: Its last bytes, already here.
        skip: Bytes at its beginning that readers don't see.
        check: Told the first bytes when they are read, of a columnar object the last; may raise.
    """

    def __init__(  # noqa: PLR0913 - each says one thing about the object
        self,
        store: ObjectStore,
        info: ObjectInfo,
        meter: ScanMeter,
        *,
        access: Access,
        head: bytes = b"",
        tail: bytes = b"",
        skip: int = 0,
        check: Callable[[bytes], None] | None = None,
    ) -> None:
        self.info = info
        self._store = store
        self._meter = meter
        self._tail = tail
        self._reader = ObjectReader(store, info, meter, head=head, tail=tail)
        self._columnar = access == "columns"
        self.block_bytes = LONG_BLOCK_BYTES if access == "stream" else BLOCK_BYTES
        self._known = bool(head or tail)
        self._skip = skip
        self._check = check
        self._lock = threading.Lock()
        self._whole: bytes | None = None
        self._ahead: ReadAhead | None = None
        self._fetched: Prefetched | None = None
        self._handles = 0

    @property
    def size_bytes(self) -> int:
        """The size that readers see."""
        return self.info.size_bytes - self._skip

    @property
    def modified(self) -> datetime:
        """A time derived from the ETag."""
        return modified_of(f"{self.info.etag}{self._skip}")

    def open(self) -> Callable[[int, int], bytes]:
        """Return the function that reads."""
        with self._lock:
            self._handles += 1
        return self.read

    def release(self) -> None:
        """Let go of what was fetched when the last reader has gone: a table has many objects."""
        with self._lock:
            self._handles -= 1
            done = self._handles == 0
        if done:
            self._forget()

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`, cut at the end."""
        start, stop = start + self._skip, min(stop + self._skip, self.info.size_bytes)
        if start >= stop:
            return b""
        data = self._fetch(start, stop)
        if self._check is not None and start == self._skip and not self._columnar:
            self._check(self._reader.read_range(0, start) if start else data)
        return data

    def _fetch(self, start: int, stop: int) -> bytes:
        if self._fits_whole():
            return self._load()[start:stop]
        if self._columnar:
            self._open_tail(start)
            fetched = self._fetched.read(start, stop) if self._fetched else None
            return self._reader.read_range(start, stop) if fetched is None else fetched
        return self._read_ahead().read(start, stop)

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Begin to fetch ranges of a columnar object, all side by side, for reads to come."""
        if not self._fits_whole() and ranges:
            stop = self.info.size_bytes - len(self._tail)
            self._fetched = Prefetched(self._reader.read_range, ranges, stop)

    def _fits_whole(self) -> bool:
        limit = WHOLE_COLUMNAR_BYTES if self._columnar and not self._known else WHOLE_BYTES
        return self.info.size_bytes <= limit

    def _load(self) -> bytes:
        with self._lock:
            if self._whole is None:
                rest = self._reader.read_range(0, self.info.size_bytes - len(self._tail))
                self._whole = rest + self._tail
                self._check_tail(self._whole)
            return self._whole

    def _open_tail(self, start: int) -> None:
        """Fetch the end of an object of which nothing is here, once, when its footer is read."""
        size = self.info.size_bytes
        if self._known or start < size - TAIL_BYTES:
            return
        with self._lock:
            if not self._known:
                tail = self._reader.read_range(size - TAIL_BYTES, size)
                self._reader = ObjectReader(self._store, self.info, self._meter, tail=tail)
                self._known = True
                self._check_tail(tail)

    def _check_tail(self, tail: bytes) -> None:
        if self._check is not None and self._columnar:
            self._check(tail)

    def _read_ahead(self) -> ReadAhead:
        with self._lock:
            if self._ahead is None:
                fetch, size = self._reader.read_range, self.info.size_bytes
                self._ahead = ReadAhead(fetch, size, self.block_bytes)
            return self._ahead

    def close(self) -> None:
        """Let go of what was fetched."""
        with self._lock:
            fetched, self._fetched = self._fetched, None
        if fetched is not None:
            fetched.close()
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._whole = None
            ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close()
