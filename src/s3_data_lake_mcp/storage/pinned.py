"""One version of an object as the engine's file system reads it: pinned, few requests, bounded."""

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal

from s3_data_lake_mcp.storage import ObjectInfo, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.copied import CopiedReader
from s3_data_lake_mcp.storage.copies import Copies
from s3_data_lake_mcp.storage.readahead import (
    BLOCK_BYTES,
    LONG_BLOCK_BYTES,
    Prefetched,
    ReadAhead,
    merged,
)
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.storage.scope import modified_of
from s3_data_lake_mcp.storage.shortreads import NearReads

WHOLE_BYTES = 8 << 20
"""An object up to this size is fetched whole: its parts would cost more round trips than bytes.

But not if it is known that less than half of it is going to be read, in a few parts."""

_ENGINE_WHOLE_BYTES = 2 << 20
"""A columnar object up to this size is read whole by the engine, whatever it needs of it."""

_PIECE_BYTES = 1 << 20
_MOST_PIECES = 4
"""What is fetched whole comes in a few pieces side by side: a MiB takes half a round trip."""

_REQUEST_BYTES = 512 << 10
"""What a request more than those pieces must save: a part of an object comes at that price."""

TAIL_BYTES = 64 << 10
"""First read of a columnar object of a listing: holds the footer of most small files whole."""

WHOLE_COLUMNAR_BYTES = 1 << 20
"""The tail of a columnar object of a listing is all of it, up to this size."""

type Access = Literal["columns", "scan", "stream"]
"""How an object is read: `columns` by exact ranges, footer first; `scan` from start to end, through
the engine's cache; `stream` likewise without a cache."""


def comes_apart(ranges: Iterable[tuple[int, int]], size: int) -> bool:
    """Whether ranges of a small columnar object are better fetched than all of it."""
    parts = list(merged(list(ranges), size))
    saved = size - sum(stop - start for start, stop in parts)
    return 2 * saved > size and saved > _REQUEST_BYTES * (len(parts) - _MOST_PIECES)


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
        look: Told the place and the bytes of what is read before it is handed on; may raise.
        copies: Where a copy of what is read as a `stream` may be, or be made.
        keep: Whether what is fetched whole stays here until `close`, for a query that scans twice.
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
        look: Callable[[int, bytes], None] | None = None,
        copies: Copies | None = None,
        keep: bool = False,
    ) -> None:
        self.info = info
        self._store = store
        self._meter = meter
        self._head = head
        self._tail = tail
        self._columnar = access == "columns"
        self.block_bytes = LONG_BLOCK_BYTES if access == "stream" else BLOCK_BYTES
        self._opens_tail = self._columnar and not tail
        self._skip = skip
        self._check = check
        self._look = look
        self._copies = copies if access == "stream" else None
        self._copied: CopiedReader | None = None
        self._lock = threading.Lock()
        self._ahead: ReadAhead | None = None
        self._fetched: Prefetched | None = None
        self._near: NearReads | None = None
        self._handles = 0
        self._awaited = keep and info.size_bytes <= WHOLE_BYTES
        self._is_begun = False
        self._eager = False
        self.is_sparse = False
        """Whether so little of it is going to be read that it is not fetched whole."""

        self._reads = 0

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

    def expect_all(self) -> None:
        """Be told that all of it is going to be read."""
        self._eager = True

    def begin(self) -> None:
        """Fetch the beginning of a text before it is read: all of it, or a buffer of the engine.

        It is kept until it is read, not until `close`.
        """
        if self._columnar or len(self._head) >= self.info.size_bytes:
            return
        if self.info.size_bytes <= WHOLE_BYTES:
            self._is_begun = True
            self._prefetch_whole()
        elif self._copies is None:
            self._is_begun = True
            with self._lock:
                self._ahead = self._ahead or self._made_ahead()
                self._ahead.begin()

    def release(self) -> None:
        """Let go of what was fetched when the last reader has gone: a table has many objects.

        What was asked for ahead is kept: the engine opens an object more often than it reads it.
        """
        with self._lock:
            self._handles -= 1
            done = self._handles == 0 and not self._awaited and not self._is_begun
        if done:
            self.close()

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`, cut at the end."""
        start, stop = start + self._skip, min(stop + self._skip, self.info.size_bytes)
        if start >= stop:
            return b""
        self._is_begun = False
        data = self._fetch(start, stop)
        if self._check is not None and start == self._skip and not self._columnar:
            self._check(self._reader().read_range(0, start) if start else data)
        if self._look is not None:
            self._look(start - self._skip, data)
        return data

    def _fetch(self, start: int, stop: int) -> bytes:
        if self._opens_tail:
            self._open_tail(start)
        tail = self._tail
        begin = self.info.size_bytes - len(tail)
        if start >= begin:
            return tail[start - begin : stop - begin]
        if self.info.size_bytes > WHOLE_BYTES and not self._columnar:
            return self._scan(start, stop)
        if self.info.size_bytes <= WHOLE_BYTES and not self._comes_in_parts():
            self._prefetch_whole()
        middle = min(stop, begin)
        fetched = self._fetched
        data = fetched.read(start, middle) if fetched else self._read_near(start, middle)
        if data is None:
            data = self._reader().read_range(start, middle)
        return data + tail[: stop - middle] if stop > middle else data

    def prefetch(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Begin to fetch ranges of a columnar object, all side by side, for reads to come."""
        self._awaited = self._awaited or bool(ranges)
        if self.info.size_bytes > WHOLE_BYTES:
            self._prefetch(ranges, BLOCK_BYTES)
        elif self.info.size_bytes > _ENGINE_WHOLE_BYTES and comes_apart(
            ranges, self.info.size_bytes
        ):
            self._prefetch(ranges, _PIECE_BYTES)
        elif ranges:
            self._prefetch_whole()

    def _comes_in_parts(self) -> bool:
        """Whether it is sparse, and not read in more parts than would save a byte."""
        self._reads += 1
        most = _MOST_PIECES + self.info.size_bytes // _REQUEST_BYTES
        return self.is_sparse and self._reads <= most

    def _prefetch_whole(self) -> None:
        size = self.info.size_bytes
        self._prefetch([(0, size)], max(_PIECE_BYTES, -(-size // _MOST_PIECES)))

    def _prefetch(self, ranges: Sequence[tuple[int, int]], piece_bytes: int) -> None:
        with self._lock:
            if self._fetched is None and ranges:
                stop = self.info.size_bytes - len(self._tail)
                fetch = self._reader().read_range
                self._fetched = Prefetched(fetch, ranges, stop, piece_bytes=piece_bytes)

    def _read_near(self, start: int, stop: int) -> bytes | None:
        """Return bytes that come with others, if so many may be read that are asked for by none."""
        if not self._meter.may_guess:
            return None
        with self._lock:
            end = self.info.size_bytes - len(self._tail)
            near = self._near = self._near or NearReads(self._reader().read_range, end)
        return near.read(start, stop)

    def _open_tail(self, start: int) -> None:
        """Fetch the end of an object of which nothing is here, when its footer is read."""
        size = self.info.size_bytes
        length = size if size <= WHOLE_COLUMNAR_BYTES else TAIL_BYTES
        with self._lock:
            if not self._tail and start >= size - length:
                self._tail = self._reader().read_range(size - length, size)
                if self._check is not None:
                    self._check(self._tail)

    def _reader(self) -> ObjectReader:
        store, info = self._store, self.info
        return ObjectReader(store, info, self._meter, head=self._head, tail=self._tail)

    def _scan(self, start: int, stop: int) -> bytes:
        """Return bytes of the object's copy, or read ahead."""
        with self._lock:
            if self._copies and self._copied is None:
                self._copied = CopiedReader(
                    self._store, self.info, self._meter, self._copies, head=self._head
                )
            if self._copied and self._copied.copy:
                read = self._copied.read_range
            else:
                self._ahead = self._ahead or self._made_ahead()
                read = self._ahead.read
        return read(start, stop)

    def _made_ahead(self) -> ReadAhead:
        fetch = (self._copied or self._reader()).read_range
        return ReadAhead(fetch, self.info.size_bytes, self.block_bytes, eager=self._eager)

    def close(self) -> None:
        """Let go of what was fetched."""
        with self._lock:
            fetched, self._fetched = self._fetched, None
            ahead, self._ahead = self._ahead, None
            copied, self._copied = self._copied, None
            near, self._near = self._near, None
            if self._opens_tail:
                self._tail = b""
        for one in (fetched, ahead, copied, near):
            if one is not None:
                one.close()
