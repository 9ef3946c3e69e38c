"""The reader of one object: what costs a request, what is kept, what is fetched side by side."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from s3_data_lake_mcp.errors import LakeError, LimitExceededError, ObjectChangedError
from s3_data_lake_mcp.storage import ObjectInfo, ScanMeter, reader
from s3_data_lake_mcp.storage.reader import AHEAD, HEAD_BYTES, PART_BYTES, ObjectReader
from support.lazy import LazyStore, Pattern
from support.memory import MemoryStore

BIG = Pattern(record=lambda i: b"%015d\n" % i * 256, count=256 << 10)  # 1 GiB


class SlowStore(LazyStore):
    """A store whose ranges take a while, and which counts how many are read at once."""

    def __init__(self, pattern: Pattern) -> None:
        super().__init__("x", pattern)
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Make the bytes of a range, after a while."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.01)
        try:
            return super().get_range(info, start, stop, meter)
        finally:
            with self._lock:
                self._now -= 1


class GatedStore(LazyStore):
    """A store that keeps all ranges but the first one waiting until its gate is opened."""

    def __init__(self, pattern: Pattern) -> None:
        super().__init__("x", pattern)
        self.gate = threading.Event()

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Make the bytes of a range, once they may go through."""
        data = super().get_range(info, start, stop, meter)
        if start > HEAD_BYTES:
            self.gate.wait()
        return data


def opened(body: bytes, *, length: int = 0) -> ObjectReader:
    """Store a body and open it by its first bytes."""
    store = MemoryStore()
    return ObjectReader.open_head(store, store.put("b", "k", body), ScanMeter(), length=length)


def lazy(*, length: int = HEAD_BYTES) -> tuple[LazyStore, ObjectReader]:
    """Open a big object by its first bytes."""
    store = LazyStore("x", BIG)
    return store, ObjectReader.open_head(store, store.ref, ScanMeter(), length=length)


def test_head_and_tail_are_kept() -> None:
    """What an object was opened by costs no further request."""
    store = MemoryStore()
    ref = store.put("b", "k", b"0123456789")
    meter = ScanMeter()
    head = ObjectReader.open_head(store, ref, meter, length=4)
    tail = ObjectReader.open_tail(store, ref, meter, length=4)
    assert (head.read_range(0, 4), head.read_range(1, 3)) == (b"0123", b"12")
    assert (tail.read_range(6, 99), tail.read_range(7, 9)) == (b"6789", b"78")
    assert meter.requests == 2
    assert head.read_range(2, 6) == b"2345"
    assert (meter.requests, meter.bytes_read) == (3, 10)


def test_prefetched_ranges_are_kept() -> None:
    """Ranges fetched side by side serve later reads, and are not fetched again."""
    source = opened(bytes(range(200)))
    source.prefetch([(0, 10), (50, 70)])
    source.prefetch([(0, 10), (55, 60)])
    requests = source.meter.requests
    assert source.read_range(52, 58) == bytes(range(52, 58))
    assert source.read_range(0, 10) == bytes(range(10))
    assert source.meter.requests == requests
    assert next(source.blocks(50)) == bytes(range(50, 70))


def test_ranges_are_cut_at_the_end() -> None:
    """Nothing is behind the object's end, nor costs a request."""
    source = opened(b"abc")
    assert source.read_ranges([(2, 9), (3, 9), (9, 12), (1, 1)]) == [b"c", b"", b"", b""]
    assert source.meter.requests == 2


def test_an_empty_object() -> None:
    """An empty object has no blocks."""
    source = opened(b"", length=10)
    assert list(source.blocks()) == []
    assert source.read_range(0, 10) == b""


def test_blocks_grow() -> None:
    """Blocks begin small, so that a reader who needs little pays little."""
    store, source = lazy()
    blocks = source.blocks()
    sizes = [len(next(blocks)) for _ in range(5)]
    blocks.close()
    assert sizes == [HEAD_BYTES, HEAD_BYTES * 4, HEAD_BYTES * 16, PART_BYTES, PART_BYTES]
    assert store.ranges[:3] == [(0, 1 << 16), (1 << 16, 5 << 16), (5 << 16, 21 << 16)]


def test_nothing_is_read_before_it_is_asked_for() -> None:
    """The first blocks cost their own bytes."""
    store, source = lazy(length=0)
    next(source.blocks())
    assert store.ranges[1:] == [(0, HEAD_BYTES)]


def test_expected_bytes_come_at_once() -> None:
    """What is known to be needed is one request if it is short, else some side by side."""
    store, source = lazy()
    short = source.blocks(expected_bytes=HEAD_BYTES + 1000)
    assert [len(next(short)), len(next(short))] == [HEAD_BYTES, 1000]
    short.close()
    assert len(store.ranges) == 2
    long = source.blocks(HEAD_BYTES, expected_bytes=100 << 20)
    taken = 0
    while taken < 100 << 20:
        taken += len(next(long))
    long.close()
    assert taken == 100 << 20
    assert sum(stop - start for start, stop in store.ranges[2:]) == 100 << 20


def test_long_reads_keep_many_connections_busy_and_no_more() -> None:
    """Expected parts are read side by side, up to the limit."""
    store = SlowStore(BIG)
    source = ObjectReader.open_head(store, store.ref, ScanMeter())
    blocks = source.blocks(expected_bytes=160 << 20)
    for _ in range(20):
        next(blocks)
    blocks.close()
    assert AHEAD // 2 <= store.most <= AHEAD


def test_closing_drops_what_was_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for a thread when the iteration is closed is never read."""
    with ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(reader, "_pool", [pool])
        store = GatedStore(BIG)
        source = ObjectReader.open_head(store, store.ref, ScanMeter())
        blocks = source.blocks(expected_bytes=900 << 20)
        next(blocks)
        next(blocks)
        blocks.close()
        store.gate.set()
    assert len(store.ranges) <= 4


def test_unexpected_reads_run_ahead_by_no_more_than_was_taken() -> None:
    """A reader who stops early has had little fetched in vain."""
    store, source = lazy()
    blocks = source.blocks()
    taken = sum(len(next(blocks)) for _ in range(6))
    blocks.close()
    time.sleep(0.2)
    assert sum(stop - start for start, stop in store.ranges) <= taken * 2 + PART_BYTES


def test_a_long_range_is_read_in_parts() -> None:
    """Long ranges come in parts, joined in order."""
    store, source = lazy()
    data = source.read_range(1 << 20, 22 << 20)
    assert data == BIG.range(1 << 20, 22 << 20)
    assert len(store.ranges) == 1 + 6


@pytest.mark.parametrize("start", [0, 30])
def test_a_change_in_the_middle_is_an_error(start: int) -> None:
    """Bytes of another version are never handed out."""
    store = MemoryStore()
    source = ObjectReader.open_head(store, store.put("b", "k", b"a" * 99), ScanMeter(), length=9)
    store.put("b", "k", b"b" * 99)
    with pytest.raises(ObjectChangedError):
        list(source.blocks(start))
    with pytest.raises(ObjectChangedError):
        source.read_ranges([(start, 50), (60, 70)])


def test_the_budget_ends_a_read() -> None:
    """The scan budget holds for what is fetched ahead, too."""
    store = LazyStore("x", BIG)
    meter = ScanMeter(max_bytes=50 << 20)
    source = ObjectReader.open_head(store, store.ref, meter)
    with pytest.raises(LimitExceededError):
        list(source.blocks())
    time.sleep(0.1)
    assert meter.bytes_read <= 50 << 20


def test_a_cancelled_call_ends_its_read() -> None:
    """A cancelled call gets an error, not bytes."""
    _, source = lazy()
    blocks = source.blocks()
    next(blocks)
    source.meter.cancel()
    with pytest.raises(LakeError, match=r"cancel|longer"):
        next(blocks)
