"""A store over another one: what both the engine's cache and the check of listed versions are."""

from typing import cast

from s3_data_lake_mcp.storage import ObjectStore


class LayeredStore:
    """A store that does some things itself, in a subclass; all else the one below does."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def as_store(self) -> ObjectStore:
        """Return itself, as what it stands for."""
        return cast("ObjectStore", self)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)
