"""What was learnt of objects, remembered by their versions from query to query."""

import threading
from collections import OrderedDict
from typing import Any

from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef

_MOST_REMEMBERED = 2_000
_KEPT_BYTES = 64 << 20

type Facts = dict[str, Any]


class Memory:
    """What a worker remembers of objects from query to query, the least used forgotten first."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._known: OrderedDict[tuple[str, str], tuple[ObjectInfo, Facts]] = OrderedDict()
        self._kept: OrderedDict[tuple[str, str], tuple[Facts, str]] = OrderedDict()
        self._kept_bytes = 0

    def recall(self, ref: ObjectRef) -> ObjectInfo | None:
        """Return the version that was seen last."""
        with self._lock:
            known = self._known.get((ref.bucket, ref.key))
            return known[0] if known else None

    def keep(self, info: ObjectInfo, name: str, data: bytes) -> None:
        """Keep the first or last bytes of a version as a fact, while there is room."""
        place = (info.ref.bucket, info.ref.key)
        with self._lock:
            facts = self.facts(info)
            self._drop(place)
            if len(data) > _KEPT_BYTES:
                return
            facts[name] = data
            self._kept[place] = (facts, name)
            self._kept_bytes += len(data)
            while self._kept_bytes > _KEPT_BYTES:
                self._drop(next(iter(self._kept)))

    def _drop(self, place: tuple[str, str]) -> None:
        facts, name = self._kept.pop(place, ({}, ""))
        self._kept_bytes -= len(facts.pop(name, b""))

    def facts(self, info: ObjectInfo) -> Facts:
        """Return what is known of a version, to be read and written."""
        place = (info.ref.bucket, info.ref.key)
        with self._lock:
            known = self._known.pop(place, None)
            if known is None or not same_version(known[0], info):
                known = (info, {})
                self._drop(place)
            # The same version may be told more of, as by a HEAD behind a listing.
            self._known[place] = known = (info, known[1])
            while len(self._known) > _MOST_REMEMBERED:
                forgotten, _ = self._known.popitem(last=False)
                self._drop(forgotten)
            return known[1]


def same_version(one: ObjectInfo, other: ObjectInfo) -> bool:
    """Whether two answers of the store tell of the same bytes."""
    return (one.etag, one.size_bytes) == (other.etag, other.size_bytes)
