"""Ranges of immutable bytes, kept in memory under their object's version: never out of date."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

from s3_data_lake_mcp.storage import ObjectInfo, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.layered import LayeredStore


class MemoryRanges:
    """The ranges used last, up to a number of bytes; safe for many threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0

    def get(self, name: Hashable) -> bytes | None:
        """Return a range; None if it is not here."""
        with self._lock:
            data = self._kept.get(name)
            if data is not None:
                self._kept.move_to_end(name)
            return data

    def put(self, name: Hashable, data: bytes) -> None:
        """Keep a range, and forget what that leaves no room for."""
        if len(data) > self._max_bytes:
            return
        with self._lock:
            self._size += len(data) - len(self._kept.pop(name, b""))
            self._kept[name] = data
            while self._size > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest)


class CachedRanges(LayeredStore):
    """A store whose ranges are looked up in a cache first; all else it does itself."""

    def __init__(self, store: ObjectStore, cache: MemoryRanges) -> None:
        super().__init__(store)
        self._cache = cache

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return the bytes `[start, stop)` of the version that `info` identifies."""
        if not info.etag:
            return self._store.get_range(info, start, stop, meter)
        name = (info.ref.bucket, info.ref.key, info.etag, info.size_bytes, start, stop)
        data = self._cache.get(name)
        if data is None or len(data) != stop - start:
            data = self._store.get_range(info, start, stop, meter)
            self._cache.put(name, data)
        return data
