"""Reading ahead of whoever scans an object: the network works while the reader computes."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import takewhile

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

GAP_BYTES = 128 << 10
"""Ranges nearer than this are one request, to the engine too (`parquet_prefetch_column_gap`)."""

_THREADS = 48
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

    If it is `eager`, all of the object is going to be read: the window is wide from the
    beginning.
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

    def begin(self) -> None:
        """Fetch the first buffer before somebody reads it; again is harmless."""
        with self._lock:
            self._ask(0)
            self._look_ahead(0, 0)

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


class _Piece:
    """A range that is asked for in one request, once it is its turn."""

    __slots__ = ("begin", "data", "end", "is_forgotten", "untaken")

    def __init__(self, begin: int, end: int) -> None:
        self.begin = begin
        self.end = end
        self.untaken = end - begin
        self.data: Future[bytes] | None = None
        self.is_forgotten = False


class Prefetched:
    """Ranges that are on their way, in the pieces in which an engine asks for them.

    All are asked for at once, if so much may be held. If not, as many as may be: a piece that was
    taken is forgotten then, and makes room for the next ones.

    `ranges` are what is going to be read, up to `stop`; no request is for more than
    `piece_bytes`.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        ranges: Sequence[tuple[int, int]],
        stop: int,
        *,
        piece_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._pieces = [
            _Piece(at, min(at + piece_bytes, end))
            for begin, end in merged(ranges, stop)
            for at in range(begin, end, piece_bytes)
        ]
        self._forgets = sum(piece.untaken for piece in self._pieces) > HELD_BYTES
        self._next = 0
        self._held = 0
        with self._lock:
            self._ask_ahead()

    def read(self, start: int, stop: int) -> bytes | None:
        """Return the bytes `[start, stop)`, waiting for them; None if they are not on their way."""
        with self._lock:
            first = bisect_right(self._pieces, start, key=lambda piece: piece.begin) - 1
            mine = list(takewhile(lambda piece: piece.begin < stop, self._pieces[max(0, first) :]))
            ends = [start, *(piece.end for piece in mine)]
            follow = all(end >= piece.begin for end, piece in zip(ends, mine, strict=False))
            if not follow or ends[-1] < stop or any(piece.is_forgotten for piece in mine):
                return None
            parts = [(piece.begin, self._take(piece, start, stop)) for piece in mine]
            self._ask_ahead()
        found = [data.result()[max(0, start - begin) : stop - begin] for begin, data in parts]
        return found[0] if len(found) == 1 else b"".join(found)

    def _take(self, piece: _Piece, start: int, stop: int) -> Future[bytes]:
        data = self._ask(piece)
        piece.untaken -= min(stop, piece.end) - max(start, piece.begin)
        if self._forgets and piece.untaken <= 0:
            piece.data, piece.is_forgotten = None, True
            self._held -= piece.end - piece.begin
        return data

    def _ask(self, piece: _Piece) -> Future[bytes]:
        if piece.data is None:
            piece.data = download_threads().submit(self._fetch, piece.begin, piece.end)
            self._held += piece.end - piece.begin
        return piece.data

    def _ask_ahead(self) -> None:
        while self._next < len(self._pieces) and self._held < HELD_BYTES:
            piece = self._pieces[self._next]
            self._next += 1
            if not piece.is_forgotten:
                self._ask(piece)

    def close(self) -> None:
        """Forget all; what was not yet asked for never is."""
        with self._lock:
            pieces, self._pieces = self._pieces, []
        for piece in pieces:
            if piece.data is not None:
                piece.data.cancel()


def merged(ranges: Sequence[tuple[int, int]], stop: int) -> Iterator[tuple[int, int]]:
    """Yield ranges on the grid of the engine's cache, those near to each other as one."""
    begin = end = -1
    for start, until in sorted(ranges):
        low = start // _GRID_BYTES * _GRID_BYTES
        high = min(stop, -(-until // _GRID_BYTES) * _GRID_BYTES)
        if begin >= 0 and low <= end + GAP_BYTES:
            end = max(end, high)
            continue
        if begin < end:
            yield begin, end
        begin, end = low, high
    if begin < end:
        yield begin, end
