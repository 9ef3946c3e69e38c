"""Ranges kept in memory: only of the same version, bounded."""

import pytest

from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.rangecache import CachedRanges, MemoryRanges
from support.memory import MemoryStore

A = ObjectRef(bucket="lake", key="a")
BODY = bytes(range(256)) * 100


@pytest.fixture
def store() -> MemoryStore:
    """Return a store with one object."""
    made = MemoryStore()
    made.put("lake", "a", BODY)
    return made


def read(cached: CachedRanges, store: MemoryStore, start: int, stop: int) -> tuple[bytes, int]:
    """Return a range and the requests that it cost."""
    meter = ScanMeter()
    info = store.head(A, ScanMeter()).info
    return cached.get_range(info, start, stop, meter), meter.requests


def test_a_range_is_fetched_once(store: MemoryStore) -> None:
    """The second read of a range costs nothing, another range does."""
    cached = CachedRanges(store, MemoryRanges(10_000))
    assert read(cached, store, 10, 500) == (BODY[10:500], 1)
    assert read(cached, store, 10, 500) == (BODY[10:500], 0)
    assert read(cached, store, 10, 501) == (BODY[10:501], 1)


def test_another_version_is_fetched(store: MemoryStore) -> None:
    """Bytes of a version are never handed out for another one."""
    cached = CachedRanges(store, MemoryRanges(10_000))
    read(cached, store, 0, 100)
    store.put("lake", "a", BODY[::-1])
    assert read(cached, store, 0, 100) == (BODY[::-1][:100], 1)


def test_memory_is_bounded() -> None:
    """What was not used for longest is forgotten first, and too long a range is not kept."""
    cache = MemoryRanges(100)
    for name in ("a", "b"):
        cache.put(name, bytes(50))
    cache.get("a")
    cache.put("c", bytes(50))
    cache.put("long", bytes(101))
    assert [cache.get(name) is not None for name in ("a", "b", "c", "long")] == [
        True,
        False,
        True,
        False,
    ]


def test_all_else_is_the_stores_own(store: MemoryStore) -> None:
    """Only ranges are cached: listings, heads and identities are asked for."""
    cached = CachedRanges(store, MemoryRanges(100)).as_store()
    meter = ScanMeter()
    assert cached.head(A, meter).info.etag == store.head(A, ScanMeter()).info.etag
    assert meter.requests == 1
