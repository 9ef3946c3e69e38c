"""What a key names, and what it costs to find out."""

import threading

import pytest

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.storage import ListPage, ScanMeter
from s3_data_lake_mcp.storage.listing import locate
from s3_data_lake_mcp.storage.memory import MemoryStore


class Meeting(MemoryStore):
    """A store that answers a listing only when another one has been asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._both = threading.Barrier(2, timeout=10)

    def list_page(self, *args: object, **options: object) -> ListPage:
        """Wait for the other one, and answer."""
        self._both.wait()
        return super().list_page(*args, **options)  # type: ignore[arg-type] # as they came


def filled(store: MemoryStore) -> MemoryStore:
    """Return a store with a few keys, two of which look like globs."""
    for key in ("d/a.csv", "d/b.csv", "d/b.json", "d/[ab].csv", "d/[z-a].csv", "d/c/"):
        store.put("lake", key, b"x")
    return store


def keys_at(store: MemoryStore, key: str) -> tuple[str, list[str]]:
    """Return the kind of what a key names, and its objects."""
    place = locate(store, "lake", key, ScanMeter())
    return place.kind, [listed.key for listed in place.objects]


@pytest.mark.parametrize(
    ("key", "kind", "keys"),
    [
        ("d/*.json", "glob", ["d/b.json"]),
        ("d/?.csv", "glob", ["d/a.csv", "d/b.csv"]),
        ("d/*", "glob", ["d/[ab].csv", "d/[z-a].csv", "d/a.csv", "d/b.csv", "d/b.json"]),
        ("d/[ab].csv", "object", []),
        ("d/[z-a].csv", "object", []),
        ("d/[bc].*", "glob", ["d/b.csv", "d/b.json"]),
        ("e/*", "glob", []),
        ("d/a.csv", "object", []),
        ("d/", "prefix", ["d/[ab].csv", "d/[z-a].csv", "d/a.csv", "d/b.csv", "d/b.json"]),
    ],
)
def test_a_key_names_an_object_a_prefix_or_what_a_glob_fits(
    key: str, kind: str, keys: list[str]
) -> None:
    """An object of exactly that name wins, even one whose name is no valid glob."""
    assert keys_at(filled(MemoryStore()), key) == (kind, keys)


def test_the_object_of_a_globs_name_is_looked_up_beside_the_listing() -> None:
    """Both requests are on their way at once: a round trip less for each glob."""
    assert keys_at(filled(Meeting()), "d/*.json") == ("glob", ["d/b.json"])


def test_a_glob_that_is_none_is_refused() -> None:
    """Its name is no object's either."""
    with pytest.raises(InvalidArgumentError, match="not a glob"):
        keys_at(filled(MemoryStore()), "d/[y-b].csv")
