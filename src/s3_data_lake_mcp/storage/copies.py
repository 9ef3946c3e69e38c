"""Copies of whole objects on disk, made while they are scanned, for the next scan.

A copy is one file under the name of its object's version, so nothing here is ever out of date, and
it appears there only when every byte of it is written, with a time of modification that its name
tells: who writes to it later gives it another one. The folder is shared by all workers; copies that
were not used for longest, by their time of access, go first.
"""

import contextlib
import hashlib
import io
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from s3_data_lake_mcp.storage import ObjectInfo

_LOGGER = logging.getLogger(__name__)
_KEPT_SHARE = 0.8
_TOUCH_SECONDS = 60
_ABANDONED_SECONDS = 120
_STAT_BLOCK_BYTES = 512
_COPY = ".object"
_DRAFT = ".part"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Copies:
    """Copies as files in a folder of their own, up to a number of bytes for all who share it.

    Without a folder that is this user's alone, nothing is kept.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._most_kept = int(max_bytes * _KEPT_SHARE)
        self._usable = _is_private(folder)

    def find(self, info: ObjectInfo) -> "Copy | None":
        """Open the copy of a version; None if there is none."""
        if not self._usable or not info.etag:
            return None
        try:
            return Copy(self._goal(info), info.size_bytes)
        except OSError:
            return None

    def begin(self, info: ObjectInfo) -> "Draft | None":
        """Return what becomes the copy of a version when all its bytes were put there.

        None if it is too long for the folder, or another worker is about to make it.
        """
        if not self._usable or not info.etag or info.size_bytes > self._most_kept:
            return None
        goal = self._goal(info)
        try:
            goal.parent.mkdir(mode=0o700, exist_ok=True)
            if any(_is_recent(draft) for draft in goal.parent.glob(f"{goal.stem}.*{_DRAFT}")):
                return None
            return Draft(goal, info.size_bytes, self._trim)
        except OSError as exc:
            _LOGGER.warning("S3_DATA_LAKE_CACHE_DIR cannot be written to: %s", exc.strerror)
            self._usable = False
            return None

    def _goal(self, info: ObjectInfo) -> Path:
        version = f"{info.ref.bucket}\0{info.ref.key}\0{info.etag}\0{info.size_bytes}\0{_boot()}"
        name = hashlib.sha256(version.encode("utf-8", "replace")).hexdigest()
        return self._folder / name[:2] / f"{name}{_COPY}"

    def _trim(self) -> None:
        """Remove the copies that were not used for longest, if all files are too many bytes.

        What others are making stays, and counts as far as it is written.
        """
        files: list[tuple[float, int, Path]] = []
        size = 0
        for path in self._folder.glob("??/*"):
            with contextlib.suppress(OSError):
                found = path.stat()
                written = found.st_blocks * _STAT_BLOCK_BYTES
                size += written
                if path.suffix != _DRAFT or not _is_recent(path):
                    files.append((found.st_atime, written, path))
        for _, freed, path in sorted(files):
            if size <= self._most_kept:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            size -= freed


def _is_recent(draft: Path) -> bool:
    """Whether somebody still writes a draft; one whose maker was killed is left behind."""
    try:
        return time.time() - draft.stat().st_mtime < _ABANDONED_SECONDS
    except OSError:
        return False


def _is_private(folder: Path) -> bool:
    """Make a folder if need be, and tell whether it is this user's alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as exc:
        _LOGGER.warning("S3_DATA_LAKE_CACHE_DIR cannot be used: %s", exc.strerror)
        return False
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        _LOGGER.warning("S3_DATA_LAKE_CACHE_DIR is not used: it must be yours alone (mode 700)")
        return False
    return True


@cache
def _boot() -> str:
    """Return what names the machine's run; empty if the system has no such name.

    After a loss of power a file may have its name and length without its bytes. Copies of another
    run are therefore never used; without a name each is brought to the disk before it is named.
    """
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _sign(fd: int, path: Path) -> None:
    """Set the times of a complete copy: used now, and modified when its name tells."""
    os.utime(fd, ns=(time.time_ns(), _signature(path)))


def _signature(path: Path) -> int:
    """Return a time between 2001 and 2018, of whole seconds, which all file systems keep."""
    return (1_000_000_000 + 2 * int(path.name[:7], 16)) * 1_000_000_000


def _without_waiting(path: str, flags: int) -> int:
    """Open what may be no file, such as a pipe that nobody writes to."""
    return os.open(path, flags | os.O_NONBLOCK)


class Copy:
    """A complete copy, open for reading; safe for many threads.

    Raises:
        OSError: If it is not there, of another length, or was written to.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._file = io.FileIO(path, opener=_without_waiting)
        self._signature = _signature(path)
        found = os.fstat(self._file.fileno())
        if found.st_size != size or found.st_mtime_ns != self._signature:
            self._file.close()
            raise FileNotFoundError(path)
        if time.time() - found.st_atime > _TOUCH_SECONDS:
            _sign(self._file.fileno(), path)

    def read(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`; fewer, if somebody has cut or changed the file."""
        data = os.pread(self._file.fileno(), stop - start, start)
        changed = os.fstat(self._file.fileno()).st_mtime_ns != self._signature
        return b"" if changed else data

    def close(self) -> None:
        """Close it; again is harmless."""
        self._file.close()


class Draft:
    """A copy in the making; safe for many threads. It becomes one with its last byte.

    `make_room` is called when it is likely to be completed, and when it was.

    Raises:
        OSError: If it cannot be made.
    """

    def __init__(self, goal: Path, size: int, make_room: Callable[[], None]) -> None:
        self._goal = goal
        self._size = size
        self._make_room = make_room
        self._lock = threading.Lock()
        self._spans: dict[int, int] = {}
        self._written = 0
        # A name of its own: nobody else writes to it, whatever becomes of it.
        self._path = goal.with_suffix(f".{secrets.token_hex(8)}{_DRAFT}")
        self._file = self._path.open("xb", buffering=0)
        try:
            os.fchmod(self._file.fileno(), 0o600)
            os.ftruncate(self._file.fileno(), size)
        except OSError:
            self._drop()
            raise

    def put(self, start: int, data: bytes) -> None:
        """Write the bytes from `start` on; a full or vanished disk only means no copy."""
        with self._lock:
            if self._file.closed or self._spans.get(start, start) >= start + len(data):
                return
            try:
                written = os.pwrite(self._file.fileno(), data, start)
                self._spans[start] = start + written
                before, self._written = self._written, self._written + written
                if self._reached() == self._size:
                    self._finish()
                elif before <= self._size // 2 < self._written:
                    self._make_room()
            except OSError as exc:
                _LOGGER.warning("S3_DATA_LAKE_CACHE_DIR cannot be written to: %s", exc.strerror)
                self._drop()

    def _reached(self) -> int:
        at = 0
        while at in self._spans:
            at = self._spans[at]
        return at

    def _finish(self) -> None:
        if not _boot():
            os.fsync(self._file.fileno())
        _sign(self._file.fileno(), self._goal)
        self._path.replace(self._goal)
        self._file.close()
        self._make_room()

    def _drop(self) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def close(self) -> None:
        """Drop it, unless it is complete; again is harmless."""
        with self._lock:
            if not self._file.closed:
                self._drop()
