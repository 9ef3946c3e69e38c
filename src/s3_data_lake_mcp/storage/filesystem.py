"""The read-only file system that the SQL engine sees: one query's objects and nothing else."""

import io
import threading
from datetime import UTC, datetime
from typing import NoReturn

from fsspec import AbstractFileSystem

from s3_data_lake_mcp.errors import LakeError, NotAllowedError
from s3_data_lake_mcp.storage.keys import SCHEMES
from s3_data_lake_mcp.storage.scope import Readable, Scope, SurpriseError

STREAM_SCHEME = "lake"
"""Paths of what the engine reads in order, and caches nothing of."""


class _File(io.RawIOBase):
    """A handle for many threads, in the two ways that the engine reads.

    It seeks and reads, in two calls, from all its threads at once: so what a thread sought is its
    own, until it reads. Or it reads on and on, from whichever thread is free, each call perhaps as
    another thread to Python: so without a seek the handle's position counts. A seek that is
    followed by such a read of another thread was not meant for its own thread's next one.
    """

    def __init__(self, path: str, readable: Readable, scope: Scope) -> None:
        super().__init__()
        self._path = path
        self._read = readable.open()
        self._readable = readable
        self._size = readable.size_bytes
        self._block_bytes = readable.block_bytes
        self._scope = scope
        self._local = threading.local()
        self._position = 0
        self._turn = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        position, turn = getattr(self._local, "sought", (0, -1))
        return position if turn == self._turn else self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._size}[whence]
        self._local.sought = (origin + offset, self._turn)
        self._position = origin + offset
        return origin + offset

    def read(self, size: int = -1) -> bytes:
        position, turn = vars(self._local).pop("sought", (0, -1))
        start = position if turn == self._turn else self._position
        stop = self._size if size < 0 else min(self._size, start + size)
        if turn != self._turn:
            self._turn += 1
            # It asks again for what is missing; to join blocks for it would be a copy more.
            stop = min(stop, (start // self._block_bytes + 1) * self._block_bytes)
        try:
            self._scope.check()
            self._scope.reach(self._path)
            data = self._read(start, stop) if start < stop else b""
        except (LakeError, SurpriseError) as exc:
            raise self._scope.fail(exc) from exc
        self._position = start + len(data)
        return data

    def close(self) -> None:
        if not self.closed:
            self._readable.release()
        super().close()


class LakeFileSystem(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """Reads what the current scope holds; refuses everything else, and every change.

    An engine keeps one instance and runs one query at a time: it sets `scope` before and clears it
    after each. Without a scope nothing can be read.
    """

    protocol = (*SCHEMES, STREAM_SCHEME)
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.scope: Scope | None = None

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path

    def unstrip_protocol(self, name: str) -> str:
        """Return the path: those of a scope are whole URIs."""
        return name

    def _current(self) -> Scope:
        if self.scope is None:
            message = "No query is running that may read objects"
            raise NotAllowedError(message, hint="Name objects in the arguments of a query.")
        return self.scope

    def open(self, path: str, mode: str = "rb", **_options: object) -> io.RawIOBase:
        """Open a path of the scope for reading.

        Raises:
            NotAllowedError: If it is another path, or is to be written.
        """
        scope = self._current()
        if mode != "rb":
            self._refuse(path)
        return _File(path, scope.find(path), scope)

    def glob(self, path: str, **_options: object) -> list[str]:
        """Return the paths that a pattern of the scope stands for; keys are never matched anew."""
        return self._current().expand(path)

    def info(self, path: str, **_options: object) -> dict[str, object]:
        """Return the size of what is under a path."""
        size = self._current().find(path).size_bytes
        return {"name": path, "size": size, "type": "file"}

    def exists(self, path: str, **_options: object) -> bool:
        """Whether a path may be read."""
        return self._current().holds(path)

    isfile = exists

    def isdir(self, _path: str) -> bool:
        """Return False: there are only objects."""
        return False

    def modified(self, path: str) -> datetime:
        """Return a time that changes with the ETag, so that no cache outlives a version."""
        return self._current().find(path).modified

    def created(self, _path: str) -> datetime:
        """Return a time without meaning."""
        return datetime.fromtimestamp(0, UTC)

    def _refuse(self, *paths: object, **_options: object) -> NoReturn:
        message = f"{paths[0] if paths else 'The lake'} cannot be written: it is read-only"
        error = NotAllowedError(message, hint="Only read objects.")
        raise self.scope.fail(error) if self.scope else error

    ls = find = walk = du = cat_file = get_file = _refuse
    mkdir = makedirs = mkdirs = rmdir = rm = rm_file = _rm = delete = touch = _refuse
    mv = move = rename = copy = cp = cp_file = put = put_file = upload = _refuse
    pipe = pipe_file = write_text = write_bytes = get = download = _refuse
    start_transaction = sign = _refuse
