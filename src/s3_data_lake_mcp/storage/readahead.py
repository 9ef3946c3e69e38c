"""Reading ahead of whoever scans an object: the network works while the reader computes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

BLOCK_BYTES = 2 << 20
"""Size of a request: the block in which the SQL engine asks for what it caches."""

LONG_BLOCK_BYTES = 4 << 20
"""Size of a request of a long scan that nothing caches: fewer requests cost less of the CPU."""

HELD_BYTES = 96 << 20
"""Most bytes held for one object: more readers than one share them."""

BUFFER_BYTES = 32 << 20
"""What the engine takes of text at a time: it parses no row before it has as much."""

_GRID_BYTES = 4096
"""The engine rounds its reads of remote files out to this."""

_GAP_BYTES = 128 << 10
"""Ranges nearer than this are one request, to the engine too (`parquet_prefetch_column_gap`)."""

_THREADS = 24
_pool: list[ThreadPoolExecutor] = []


def download_threads() -> ThreadPoolExecutor:
    """Return the process-wide pool of download threads, made on first use (after any fork)."""
    if not _pool:
        _pool.append(ThreadPoolExecutor(_THREADS, thread_name_prefix="s3-ahead"))
    return _pool[0]


class _Block:
    """A block on its way or here, and how many of its bytes nobody has taken yet."""

    __slots__ = ("data", "untaken")

    def __init__(self, data: Future[bytes], size: int) -> None:
        self.data = data
        self.untaken = size


class ReadAhead:
    """Serves ranges of one object from blocks, and fetches the next ones while access moves on.

    The first `BUFFER_BYTES` come side by side. Behind them the window doubles while reads follow
    each other, up to half of what was read, and closes when one jumps. One instance serves all
    readers of an object: an engine may read it through several handles and threads. A block is
    forgotten when all its bytes were taken, but for the last ones: the engine may take its last
    buffer twice, if it is done with it before the one ahead of it.

    Args:
        fetch: Returns the bytes `[start, stop)`.
        size: The object's size in bytes.
        block_bytes: Size of a request.
        eager: Whether all of it is going to be read: then the window is wide from the beginning.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        size: int,
        block_bytes: int = BLOCK_BYTES,
        *,
        eager: bool = False,
    ) -> None:
        self._fetch = fetch
        self._size = size
        self._lock = threading.Lock()
        self._blocks: OrderedDict[int, _Block] = OrderedDict()
        self._furthest = -1
        self._ahead = -1
        self._window = 0
        self._eager = eager
        self._most_held = HELD_BYTES // block_bytes
        self.block_bytes = block_bytes

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`, which must lie within the object."""
        if start >= stop:
            return b""
        size = self.block_bytes
        first, last = start // size, (stop - 1) // size
        with self._lock:
            parts = [self._take(at, start, stop) for at in range(first, last + 1)]
            self._look_ahead(first, last)
        pieces: list[bytes | memoryview] = []
        for at, data in zip(range(first, last + 1), parts, strict=True):
            block = data.result()
            begin, end = max(0, start - at * size), stop - at * size
            whole = begin == 0 and end >= len(block)
            pieces.append(block if whole else memoryview(block)[begin:end])
        if len(pieces) == 1:
            return bytes(pieces[0])
        return b"".join(pieces)

    def _take(self, at: int, start: int, stop: int) -> Future[bytes]:
        block = self._ask(at)
        begin = at * self.block_bytes
        block.untaken -= min(stop, begin + self.block_bytes) - max(start, begin)
        if block.untaken <= 0 and begin + self.block_bytes <= self._size - BUFFER_BYTES:
            self._blocks.pop(at, None)
        return block.data

    def _ask(self, at: int) -> _Block:
        block = self._blocks.get(at)
        if block is None:
            begin = at * self.block_bytes
            end = min(self._size, begin + self.block_bytes)
            block = _Block(download_threads().submit(self._fetch, begin, end), end - begin)
            self._blocks[at] = block
        return block

    def _look_ahead(self, first: int, last: int) -> None:
        if last + 2 * self._most_held < self._furthest:
            # Somebody begins anew.
            self._furthest, self._ahead, self._window = last, last, 0
        if last > self._furthest:
            jumped = first > max(0, self._furthest) + self._most_held
            self._window = 0 if jumped else self._wider(last)
            self._furthest = last
        end = min((self._size - 1) // self.block_bytes, self._furthest + self._window)
        self._ahead = max(self._ahead, self._furthest)
        # Blocks that were asked for ahead are still to come, so there is room only for so many.
        while self._ahead < end and len(self._blocks) < self._most_held:
            self._ahead += 1
            self._ask(self._ahead)
        while len(self._blocks) > self._most_held:
            # Somebody may be waiting for it, so it is dropped, not cancelled.
            self._blocks.popitem(last=False)

    def _wider(self, last: int) -> int:
        first = BUFFER_BYTES // self.block_bytes - 1
        if self._eager:
            return self._most_held
        if last < first:
            return first - last
        return min(self._most_held, max(4, self._window * 2), max(4, last // 2))

    def close(self) -> None:
        """Forget all blocks; those not yet asked for never are."""
        with self._lock:
            blocks = list(self._blocks.values())
            self._blocks.clear()
            self._window = 0
        for block in blocks:
            block.data.cancel()


class Prefetched:
    """Ranges that are on their way, all at once, in the pieces in which an engine asks for them.

    Args:
        fetch: Returns the bytes `[start, stop)`.
        ranges: What is going to be read.
        stop: Where what is to be fetched ends.
        piece_bytes: Most bytes of a request.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        ranges: Sequence[tuple[int, int]],
        stop: int,
        *,
        piece_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._pieces: list[tuple[int, int, Future[bytes]]] = []
        for begin, end in merged(ranges, stop):
            for at in range(begin, end, piece_bytes):
                until = min(at + piece_bytes, end)
                self._pieces.append((at, until, download_threads().submit(fetch, at, until)))

    def read(self, start: int, stop: int) -> bytes | None:
        """Return the bytes `[start, stop)`, waiting for them; None if they are not on their way."""
        parts: list[bytes] = []
        at = start
        for begin, end, data in self._pieces:
            if begin <= at < end:
                parts.append(data.result()[at - begin : stop - begin])
                at = min(end, stop)
                if at >= stop:
                    return parts[0] if len(parts) == 1 else b"".join(parts)
        return None

    def close(self) -> None:
        """Forget all; what was not yet asked for never is."""
        pieces, self._pieces = self._pieces, []
        for _, _, data in pieces:
            data.cancel()


def merged(ranges: Sequence[tuple[int, int]], stop: int) -> Iterator[tuple[int, int]]:
    """Yield ranges on the grid of the engine's cache, those near to each other as one."""
    begin = end = -1
    for start, until in sorted(ranges):
        low = start // _GRID_BYTES * _GRID_BYTES
        high = min(stop, -(-until // _GRID_BYTES) * _GRID_BYTES)
        if begin >= 0 and low <= end + _GAP_BYTES:
            end = max(end, high)
            continue
        if begin < end:
            yield begin, end
        begin, end = low, high
    if begin < end:
        yield begin, end
