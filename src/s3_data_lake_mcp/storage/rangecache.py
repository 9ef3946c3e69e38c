"""Ranges of immutable bytes, kept in memory and, where a folder is configured, on disk.

A range is kept under its object's version, so nothing here is ever out of date. Folders are shared
by all workers: files appear whole under their name, and the ones not used for longest go first.
"""

import contextlib
import hashlib
import logging
import os
import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import cast

from s3_data_lake_mcp.storage import ObjectInfo, ObjectStore, ScanMeter

_LOGGER = logging.getLogger(__name__)
_TRIM_EVERY_BYTES = 64 << 20
_KEPT_SHARE = 0.8
_TOUCH_SECONDS = 60
_SUFFIX = ".range"


class MemoryRanges:
    """The ranges used last, up to a number of bytes; safe for many threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def get(self, name: str) -> bytes | None:
        """Return a range; None if it is not here."""
        with self._lock:
            data = self._kept.get(name)
            if data is not None:
                self._kept.move_to_end(name)
            return data

    def put(self, name: str, data: bytes) -> None:
        """Keep a range, and forget what that leaves no room for."""
        if len(data) > self._max_bytes:
            return
        with self._lock:
            self._size += len(data) - len(self._kept.pop(name, b""))
            self._kept[name] = data
            while self._size > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest)


class DiskRanges:
    """Ranges as files in a folder of their own, up to a number of bytes for all who share it.

    Without a folder that is this user's alone, nothing is kept.

    Args:
        folder: Where; created if it is not there.
        max_bytes: Most bytes of all files.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._untrimmed = _TRIM_EVERY_BYTES
        self._usable = _is_private(folder)

    def get(self, name: str) -> bytes | None:
        """Return a range; None if it is not here."""
        if not self._usable:
            return None
        path = self._path(name)
        try:
            with path.open("rb", buffering=0) as file:
                if time.time() - os.fstat(file.fileno()).st_mtime > _TOUCH_SECONDS:
                    os.utime(path)
                return file.read()
        except OSError:
            return None

    def put(self, name: str, data: bytes) -> None:
        """Keep a range; a full or vanished disk only means that nothing is kept."""
        if not self._usable:
            return
        path = self._path(name)
        part = path.with_name(f"{secrets.token_hex(8)}.part")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            part.write_bytes(data)
            part.replace(path)
        except OSError as exc:
            _LOGGER.warning("cannot write the cache folder: %s", exc.strerror)
            self._usable = False
            with contextlib.suppress(OSError):
                part.unlink()
            return
        with self._lock:
            self._untrimmed += len(data)
            if self._untrimmed < _TRIM_EVERY_BYTES:
                return
            self._untrimmed = 0
        self._trim()

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / f"{name}{_SUFFIX}"

    def _trim(self) -> None:
        """Remove the files that were not used for longest, if all are too many bytes."""
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("??/*"):
            with contextlib.suppress(OSError):
                found = path.stat()
                files.append((found.st_mtime, found.st_size, path))
        size = sum(size for _, size, _ in files)
        if size <= self._max_bytes:
            return
        for _, freed, path in sorted(files):
            if size <= self._max_bytes * _KEPT_SHARE:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            size -= freed


def _is_private(folder: Path) -> bool:
    """Make a folder if need be, and tell whether it is this user's alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as exc:
        _LOGGER.warning("cannot use the cache folder: %s", exc.strerror)
        return False
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        _LOGGER.warning("the cache folder is not used: it must be yours alone (mode 700)")
        return False
    return True


class CachedRanges:
    """A store whose ranges are looked up in caches first; all else it does itself.

    Args:
        store: Where the objects are.
        caches: Where ranges are kept, the quickest first.
    """

    def __init__(self, store: ObjectStore, *caches: MemoryRanges | DiskRanges) -> None:
        self._store = store
        self._caches = caches

    def as_store(self) -> ObjectStore:
        """Return itself, as what it stands for."""
        return cast("ObjectStore", self)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return the bytes `[start, stop)` of the version that `info` identifies."""
        if not info.etag:
            return self._store.get_range(info, start, stop, meter)
        version = f"{info.ref.bucket}\0{info.ref.key}\0{info.etag}\0{info.size_bytes}"
        name = hashlib.sha256(f"{version}\0{start}\0{stop}".encode("utf-8", "replace")).hexdigest()
        for at, cache in enumerate(self._caches):
            data = cache.get(name)
            if data is not None and len(data) == stop - start:
                for quicker in self._caches[:at]:
                    quicker.put(name, data)
                return data
        data = self._store.get_range(info, start, stop, meter)
        for cache in self._caches:
            cache.put(name, data)
        return data
