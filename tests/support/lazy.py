"""Objects of any size that need no memory: their bytes are made when a range of them is read."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from support.memory import MemoryStore, spend


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A text of `count` records of one length between a head and a tail."""

    record: Callable[[int], bytes]
    count: int
    head: bytes = b""
    tail: bytes = b""

    @property
    def record_bytes(self) -> int:
        """Length of a record."""
        return len(self.record(0))

    @property
    def size_bytes(self) -> int:
        """Length of the whole."""
        return len(self.head) + self.count * self.record_bytes + len(self.tail)

    def range(self, start: int, stop: int) -> bytes:
        """Return the bytes `[start, stop)`."""
        size, lead = self.record_bytes, len(self.head)
        first = min(max(0, (start - lead) // size), self.count)
        last = min(max(0, -(-(stop - lead) // size)), self.count)
        body = b"".join(map(self.record, range(first, last)))
        at = lead + first * size
        if start < lead:
            body, at = self.head + body, 0
        if stop > lead + self.count * size:
            body += self.tail
        return body[start - at : stop - at]


class LazyStore(MemoryStore):
    """Holds one object, and notes which ranges of it were read."""

    def __init__(self, key: str, pattern: Pattern) -> None:
        super().__init__()
        self.ref = ObjectRef(bucket="lake", key=key)
        self.ranges: list[tuple[int, int]] = []
        self._pattern = pattern
        self._info = ObjectInfo(
            ref=self.ref,
            size_bytes=pattern.size_bytes,
            etag=hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
        )

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the first bytes."""
        del ref
        return self._info, self.get_range(self._info, 0, length, meter)

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Make the bytes of a range."""
        del info
        meter.count_request()
        self.ranges.append((start, stop))
        body = self._pattern.range(start, min(stop, self._info.size_bytes))
        spend(meter, len(body))
        return body
