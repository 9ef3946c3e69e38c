"""Reading ahead of whoever scans an object: the network works while the reader computes."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

BLOCK_BYTES = 2 << 20
"""Size of a request: the block in which the SQL engine asks for remote files."""

WINDOW_BLOCKS = 20
"""Most blocks asked for ahead of the reader."""

HELD_BLOCKS = 24
"""Most blocks held, 48 MiB: more readers than one share them."""

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

    The window doubles while reads follow each other and closes when one jumps. One instance serves
    all readers of an object: an engine may read it through several handles and threads. A block is
    forgotten when all its bytes were taken.

    Args:
        fetch: Returns the bytes `[start, stop)`.
        size: The object's size in bytes.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch = fetch
        self._size = size
        self._lock = threading.Lock()
        self._blocks: OrderedDict[int, _Block] = OrderedDict()
        self._furthest = -1
        self._window = 0

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`, which must lie within the object."""
        if start >= stop:
            return b""
        first, last = start // BLOCK_BYTES, (stop - 1) // BLOCK_BYTES
        with self._lock:
            parts = [self._take(at, start, stop) for at in range(first, last + 1)]
            self._look_ahead(first, last)
        pieces: list[bytes | memoryview] = []
        for at, data in zip(range(first, last + 1), parts, strict=True):
            block = data.result()
            begin, end = max(0, start - at * BLOCK_BYTES), stop - at * BLOCK_BYTES
            whole = begin == 0 and end >= len(block)
            pieces.append(block if whole else memoryview(block)[begin:end])
        if len(pieces) == 1:
            return bytes(pieces[0])
        return b"".join(pieces)

    def _take(self, at: int, start: int, stop: int) -> Future[bytes]:
        block = self._ask(at)
        begin = at * BLOCK_BYTES
        block.untaken -= min(stop, begin + BLOCK_BYTES) - max(start, begin)
        if block.untaken <= 0:
            self._blocks.pop(at, None)
        return block.data

    def _ask(self, at: int) -> _Block:
        block = self._blocks.get(at)
        if block is None:
            begin = at * BLOCK_BYTES
            end = min(self._size, begin + BLOCK_BYTES)
            block = _Block(download_threads().submit(self._fetch, begin, end), end - begin)
            self._blocks[at] = block
        return block

    def _look_ahead(self, first: int, last: int) -> None:
        if last > self._furthest:
            jumped = self._furthest < 0 or first > self._furthest + WINDOW_BLOCKS
            self._window = 0 if jumped else min(WINDOW_BLOCKS, max(2, self._window * 2))
            self._furthest = last
            end = min((self._size - 1) // BLOCK_BYTES, last + self._window)
            for at in range(last + 1, end + 1):
                self._ask(at)
        while len(self._blocks) > HELD_BLOCKS:
            # Somebody may be waiting for it, so it is dropped, not cancelled.
            self._blocks.popitem(last=False)

    def close(self) -> None:
        """Forget all blocks; those not yet asked for never are."""
        with self._lock:
            blocks = list(self._blocks.values())
            self._blocks.clear()
            self._window = 0
        for block in blocks:
            block.data.cancel()
