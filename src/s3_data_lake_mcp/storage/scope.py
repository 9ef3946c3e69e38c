"""What one query may read, and how the bytes of each object come: fails closed."""

import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

from s3_data_lake_mcp.errors import DeadlineExceededError, NotAllowedError, ObjectChangedError
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.setahead import MOST_BYTES, SetAhead

_EPOCH_SECONDS = 1_000_000_000
_EPOCHS = 600_000_000


class SurpriseError(Exception):
    """An object is not what its reader took it for: look at it, and read again."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} differs from its like")
        self.path = path


class Readable(Protocol):
    """Bytes under a path."""

    @property
    def size_bytes(self) -> int:
        """Their number; for a stream, which is read to its end, any number that is large enough."""
        ...

    @property
    def modified(self) -> datetime:
        """A time that is another one for other bytes."""
        ...

    @property
    def block_bytes(self) -> int:
        """Who reads on and on is given no more than up to the next multiple of this."""
        ...

    def open(self) -> Callable[[int, int], bytes]:
        """Return a function that returns the bytes `[start, stop)`, safe for many threads."""
        ...

    def expect_all(self) -> None:
        """Be told that all of it is going to be read."""
        ...

    def begin(self) -> None:
        """Fetch its beginning before it is read, if that can be done."""
        ...

    def release(self) -> None:
        """Undo one `open`."""
        ...

    def close(self) -> None:
        """Let go of what was fetched."""
        ...


def modified_of(etag: str) -> datetime:
    """Return a time long ago that the ETag alone decides.

    The engine's cache compares times of whole seconds, so a real one would hide that an object was
    overwritten within the same second.
    """
    seconds = zlib.crc32(etag.encode()) % _EPOCHS
    return datetime.fromtimestamp(_EPOCH_SECONDS + seconds, UTC)


class Scope:
    """The paths that one query may read, and the first error that reading them met.

    Engines wrap what a file system raises in errors of their own; `failure` keeps the original.

    `refuted` tells whether objects are known to be others than they were taken for.
    """

    def __init__(self, meter: ScanMeter, refuted: Callable[[], bool] = lambda: False) -> None:
        self.meter = meter
        self._refuted = refuted
        self.failure: Exception | None = None
        self._lock = threading.Lock()
        self._objects: dict[str, Readable] = {}
        self._sets: dict[str, tuple[str, ...]] = {}
        self._ahead: list[SetAhead] = []
        self._turns: dict[str, tuple[SetAhead, int]] = {}
        self._eager = False

    def add(self, path: str, readable: Readable) -> None:
        """Let a path be read."""
        self._objects[path] = readable

    def add_set(self, pattern: str, paths: Sequence[str]) -> None:
        """Let a pattern stand for paths, which are added on their own."""
        self._sets[pattern] = tuple(paths)

    def read_ahead(self, paths: Mapping[str, int]) -> None:
        """Have paths begun that are read in this order, each with the bytes it holds once begun."""
        ahead = SetAhead([(self._objects[path], held) for path, held in paths.items()])
        ahead.eager = self._eager
        self._ahead.append(ahead)
        self._turns.update({path: (ahead, at) for at, path in enumerate(paths)})

    def reach(self, path: str) -> None:
        """Be told that a path is read, and not from the engine's cache.

        Where the budget is nearly used up, all of it is left to what is read for certain.
        """
        turn = self._turns.get(path)
        if turn is not None and self.meter.remaining_bytes > 2 * MOST_BYTES:
            ahead, at = turn
            ahead.reach(at)

    def find(self, path: str) -> Readable:
        """Return what is under a path.

        Raises:
            NotAllowedError: If the query may not read it.
        """
        found = self._objects.get(path)
        if found is None:
            raise self.fail(_refusal(path))
        return found

    def expand(self, pattern: str) -> list[str]:
        """Return the paths that a pattern, or a path, stands for.

        Raises:
            NotAllowedError: If the query may not read it.
        """
        if pattern in self._objects:
            return [pattern]
        paths = self._sets.get(pattern)
        if paths is None:
            raise self.fail(_refusal(pattern))
        return list(paths)

    def holds(self, path: str) -> bool:
        """Whether a path may be read."""
        return path in self._objects

    def fail[E: Exception](self, error: E) -> E:
        """Remember an error, if it is the first, and return it."""
        with self._lock:
            if self.failure is None:
                self.failure = error
        return error

    def stop(self) -> None:
        """Make every further read fail, if the call must stop."""
        try:
            self.meter.check()
        except DeadlineExceededError as exc:
            self.fail(exc)
        if self._refuted():
            self.fail(ObjectChangedError("An object has changed since it was seen"))

    def check(self) -> None:
        """Raise the first failure again, if there was one."""
        if self.failure is not None:
            raise self.failure

    def expect_all(self) -> None:
        """Tell all objects that all of them is going to be read."""
        self._eager = True
        for ahead in self._ahead:
            ahead.eager = True
        for readable in self._objects.values():
            readable.expect_all()

    def begin(self, holds: Callable[[str, int, int], bool]) -> None:
        """Fetch the beginning of what is read first, for all of everything is going to be read.

        Args:
            holds: Whether a path's bytes from one place to another are here already.
        """
        self.expect_all()
        self._restart()
        for path, readable in islice(self._objects.items(), 1):
            if not holds(path, 0, readable.size_bytes):
                readable.begin()

    def _restart(self) -> None:
        for ahead in self._ahead:
            ahead.restart()

    def close(self) -> None:
        """Let go of all that was fetched."""
        self._restart()
        for readable in self._objects.values():
            readable.close()


def _refusal(path: str) -> NotAllowedError:
    message = f"{path} may not be read by this query"
    return NotAllowedError(
        message, hint="Name the object in the arguments, or as an s3:// URI in the SQL."
    )
