"""The versions that a listing told: what was overwritten since is refused, not mixed with it."""

from collections.abc import Iterable

from s3_data_lake_mcp.errors import ObjectChangedError
from s3_data_lake_mcp.storage import ListedObject, ObjectInfo, ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.layered import LayeredStore


def check_as_listed(listed: Iterable[ListedObject], infos: Iterable[ObjectInfo]) -> None:
    """Raise if an object is not the version that was listed; what was not listed is let pass.

    Raises:
        ObjectChangedError: If one was overwritten since.
    """
    etags = {one.key: one.etag for one in listed if one.etag}
    for info in infos:
        if etags.get(info.ref.key, info.etag) != info.etag:
            message = f"{info.ref} changed while it was being read"
            raise ObjectChangedError(message, hint="Call again.")


class AsListed(LayeredStore):
    """A store that opens objects only in the versions that were listed; all else it does itself.

    Args:
        store: Where the objects are.
        listed: Objects of one bucket.
    """

    def __init__(self, store: ObjectStore, listed: Iterable[ListedObject]) -> None:
        super().__init__(store)
        self._listed = {one.key: one for one in listed}

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the first bytes."""
        return self._checked(self._store.get_head(ref, length, meter))

    def get_tail(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the last bytes."""
        return self._checked(self._store.get_tail(ref, length, meter))

    def _checked(self, opened: tuple[ObjectInfo, bytes]) -> tuple[ObjectInfo, bytes]:
        listed = self._listed.get(opened[0].ref.key)
        check_as_listed([listed] if listed else [], [opened[0]])
        return opened
