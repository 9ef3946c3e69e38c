"""Reading an object from its copy on disk, or so that there is one afterwards."""

import threading
from collections.abc import Generator

from s3_data_lake_mcp.storage import ObjectInfo, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.copies import Copies, Draft
from s3_data_lake_mcp.storage.reader import PART_BYTES, ObjectReader


class CopiedReader(ObjectReader):
    """Reads an object from its copy; where there is none, what it reads becomes one.

    It is closed with the iteration over `blocks`, or by `close`.
    """

    def __init__(
        self,
        store: ObjectStore,
        info: ObjectInfo,
        meter: ScanMeter,
        copies: Copies,
        *,
        head: bytes = b"",
    ) -> None:
        super().__init__(store, info, meter, head=head)
        self.copy = copies.find(info)
        self._copies = copies
        self._draft: Draft | None = None
        self._begun = self.copy is not None
        self._lock = threading.Lock()

    def read_range(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`, cut at the object's end."""
        stop = min(stop, self.size_bytes)
        if self.copy:
            data = self.copy.read(start, stop)
            if len(data) == stop - start:
                return data
        data = super().read_range(start, stop)
        self._put(start, data)
        return data

    def blocks(
        self, start: int = 0, stop: int | None = None, *, expected_bytes: int = 0
    ) -> Generator[bytes]:
        """Yield `[start, stop)` in order; see `ObjectReader.blocks`."""
        try:
            if self.copy:
                yield from self._copied(start, self.size_bytes if stop is None else stop)
                return
            at = start
            for block in super().blocks(start, stop, expected_bytes=expected_bytes):
                if at == start > 0:
                    # Nobody asks for what is before: a header, and it is here already.
                    self._put(0, super().read_range(0, start))
                self._put(at, block)
                at += len(block)
                yield block
        finally:
            self.close()

    def _put(self, start: int, data: bytes) -> None:
        """Put bytes into a draft, which begins with the first of them."""
        with self._lock:
            if not self._begun:
                self._begun = True
                self._draft = self._copies.begin(self.info)
        if self._draft:
            self._draft.put(start, data)

    def _copied(self, start: int, stop: int) -> Generator[bytes]:
        for at in range(start, min(stop, self.size_bytes), PART_BYTES):
            yield self.read_range(at, min(at + PART_BYTES, stop))

    def close(self) -> None:
        """Let go of the copy, and of what did not become one."""
        with self._lock:
            self._begun = True
        for one in (self.copy, self._draft):
            if one:
                one.close()
