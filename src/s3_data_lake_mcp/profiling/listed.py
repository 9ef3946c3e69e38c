"""The versions that a listing told: what was overwritten since is refused, not mixed with it."""

from collections.abc import Iterable

from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ObjectStore, ScanMeter, check_versions
from s3_data_lake_mcp.storage.layered import LayeredStore


class AsListed(LayeredStore):
    """A store that opens objects only in the versions that were listed; all else it does itself."""

    def __init__(self, store: ObjectStore, listed: Iterable[ObjectInfo]) -> None:
        super().__init__(store)
        self._listed = {one.ref: one for one in listed}

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the first bytes."""
        return self._checked(self._store.get_head(ref, length, meter))

    def get_tail(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the last bytes."""
        return self._checked(self._store.get_tail(ref, length, meter))

    def _checked(self, opened: tuple[ObjectInfo, bytes]) -> tuple[ObjectInfo, bytes]:
        info = opened[0]
        check_versions([self._listed.get(info.ref, info), info])
        return opened
