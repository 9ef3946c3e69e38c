"""Counts of what lies below a prefix, from its listing alone."""

import heapq
from typing import TYPE_CHECKING

from s3_data_lake_mcp.loaders.formats import format_of
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.storage import ListedObject
from s3_data_lake_mcp.storage.lookup import is_folder_marker

if TYPE_CHECKING:
    from datetime import datetime

_LARGEST = 10


class Inventory:
    """Counts objects as a listing streams past; its memory does not grow with their number.

    `complete` is set to False by whoever stops the listing early.
    """

    def __init__(self) -> None:
        self.complete = True
        self.objects = 0
        self.bytes = 0
        self._formats: dict[str, list[int]] = {}
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._largest: list[tuple[int, str]] = []

    def add(self, listed: ListedObject) -> None:
        """Count one object."""
        size, modified = listed.size_bytes, listed.last_modified
        self.objects += 1
        self.bytes += size
        name = "folder" if is_folder_marker(listed) else format_of(listed.key)
        count = self._formats.setdefault(name, [0, 0])
        count[0] += 1
        count[1] += size
        self._first = modified if self._first is None else min(self._first, modified)
        self._last = modified if self._last is None else max(self._last, modified)
        if len(self._largest) < _LARGEST:
            heapq.heappush(self._largest, (size, listed.key))
        elif size > self._largest[0][0]:
            heapq.heapreplace(self._largest, (size, listed.key))

    def as_json(self) -> Json:
        """Return the contract's `inventory`; formats by bytes, the largest objects first."""
        ranked = sorted(self._formats.items(), key=lambda item: (-item[1][1], item[0]))
        largest = sorted(self._largest, key=lambda item: (-item[0], item[1]))
        return {
            "objects": self.objects,
            "bytes": self.bytes,
            "formats": {name: {"objects": n, "bytes": size} for name, (n, size) in ranked},
            "first_modified": self._first.isoformat() if self._first else "",
            "last_modified": self._last.isoformat() if self._last else "",
            "largest": [{"key": key, "size_bytes": size} for size, key in largest],
            "complete": self.complete,
        }
