"""Ranges kept in memory and on disk: only of the same version, bounded, private, shared."""

import os
from pathlib import Path

import pytest

from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.memory import MemoryStore
from s3_data_lake_mcp.storage.rangecache import CachedRanges, DiskRanges, MemoryRanges

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


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_a_range_is_fetched_once(store: MemoryStore, tmp_path: Path, kind: str) -> None:
    """The second read of a range costs nothing, another range does."""
    cache = MemoryRanges(10_000) if kind == "memory" else DiskRanges(tmp_path / "c", 10_000)
    cached = CachedRanges(store, cache)
    assert read(cached, store, 10, 500) == (BODY[10:500], 1)
    assert read(cached, store, 10, 500) == (BODY[10:500], 0)
    assert read(cached, store, 10, 501) == (BODY[10:501], 1)


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_another_version_is_fetched(store: MemoryStore, tmp_path: Path, kind: str) -> None:
    """Bytes of a version are never handed out for another one."""
    cache = MemoryRanges(10_000) if kind == "memory" else DiskRanges(tmp_path / "c", 10_000)
    cached = CachedRanges(store, cache)
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


def test_disk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder holds no more than it may, and those used last stay."""
    monkeypatch.setattr("s3_data_lake_mcp.storage.rangecache._TRIM_EVERY_BYTES", 1)
    cache = DiskRanges(tmp_path / "c", 1_000)
    for number in range(30):
        name = f"{number:064}"
        cache.put(name, bytes(100))
        os.utime(cache._path(name), (number, number))
    sizes = [path.stat().st_size for path in (tmp_path / "c").glob("*/*")]
    assert sum(sizes) <= 1_100
    assert cache.get(f"{29:064}") == bytes(100)
    assert cache.get(f"{0:064}") is None


def test_workers_share_a_folder(store: MemoryStore, tmp_path: Path) -> None:
    """What one has fetched, another one has."""
    one = CachedRanges(store, DiskRanges(tmp_path / "c", 10_000))
    other = CachedRanges(store, MemoryRanges(10_000), DiskRanges(tmp_path / "c", 10_000))
    read(one, store, 0, 100)
    assert read(other, store, 0, 100) == (BODY[:100], 0)


def test_a_torn_file_is_not_used(store: MemoryStore, tmp_path: Path) -> None:
    """A file of another length than the range is as good as none."""
    cached = CachedRanges(store, DiskRanges(tmp_path / "c", 10_000))
    read(cached, store, 0, 100)
    (path,) = (tmp_path / "c").glob("*/*")
    path.write_bytes(b"torn")
    assert read(cached, store, 0, 100) == (BODY[:100], 1)


def test_a_folder_that_others_can_enter_is_not_used(store: MemoryStore, tmp_path: Path) -> None:
    """Data is neither left where others read it nor taken from where others write it."""
    folder = tmp_path / "c"
    folder.mkdir()
    folder.chmod(0o755)
    cached = CachedRanges(store, DiskRanges(folder, 10_000))
    assert read(cached, store, 0, 100)[1] == 1
    assert read(cached, store, 0, 100)[1] == 1
    assert list(folder.iterdir()) == []


def test_a_disk_that_fails_only_costs_requests(store: MemoryStore, tmp_path: Path) -> None:
    """A folder that vanishes or fills up is no error."""
    cached = CachedRanges(store, DiskRanges(tmp_path / "c", 10_000))
    (tmp_path / "c").rmdir()
    (tmp_path / "c").write_text("in the way")
    assert read(cached, store, 0, 100) == (BODY[:100], 1)
    assert read(cached, store, 0, 100) == (BODY[:100], 1)


def test_all_else_is_the_stores_own(store: MemoryStore) -> None:
    """Only ranges are cached: listings, heads and identities are asked for."""
    cached = CachedRanges(store, MemoryRanges(100)).as_store()
    meter = ScanMeter()
    assert cached.head(A, meter).info.etag == store.head(A, ScanMeter()).info.etag
    assert meter.requests == 1
