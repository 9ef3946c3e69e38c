"""What a key names, and what it costs to find out."""

import re
import threading
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.storage import ListPage, ScanMeter
from s3_data_lake_mcp.storage.keys import glob_regex
from s3_data_lake_mcp.storage.lookup import locate
from support.memory import MemoryStore


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
        ("d/", "prefix", ["d/[ab].csv", "d/[z-a].csv", "d/a.csv", "d/b.csv", "d/b.json", "d/c/"]),
    ],
)
def test_a_key_names_an_object_a_prefix_or_what_a_glob_fits(
    key: str, kind: str, keys: list[str]
) -> None:
    """An object of exactly that name wins, even one whose name is no valid glob."""
    assert keys_at(filled(MemoryStore()), key) == (kind, keys)


def test_an_object_whose_name_is_a_prefixs_wins() -> None:
    """A slash at its end makes data no folder; an empty object marks one."""
    store = filled(MemoryStore())
    assert keys_at(store, "d/c/") == ("object", [])
    store.put("lake", "d/", b"")
    assert keys_at(store, "d/")[0] == "prefix"


def test_the_object_of_a_globs_name_is_looked_up_beside_the_listing() -> None:
    """Both requests are on their way at once: a round trip less for each glob."""
    assert keys_at(filled(Meeting()), "d/*.json") == ("glob", ["d/b.json"])


def test_a_glob_that_is_none_is_refused() -> None:
    """Its name is no object's either."""
    with pytest.raises(InvalidArgumentError, match="not a glob"):
        keys_at(filled(MemoryStore()), "d/[y-b].csv")


@pytest.mark.parametrize("glob", ["a[", "a[]", "a[!]", "a[^]", "a[!"])
def test_a_bracket_that_nothing_closes_is_itself(glob: str) -> None:
    """As in a shell, where a bracket right behind the first one is in the class."""
    pattern = glob_regex(f"{glob}*")
    assert pattern.fullmatch(f"{glob}.csv")
    assert not pattern.fullmatch("ab.csv")


def test_many_stars_are_matched_as_quickly_as_few() -> None:
    """Whoever tries all places for all of them holds up every other call for years."""
    start = time.process_time()
    for glob in ("*a" * 4 + "b", "**a" * 4 + "b", "**/" * 6 + "*a*b"):
        assert not glob_regex(glob).fullmatch("a" * 300 + "/a" * 50)
    assert time.process_time() - start < 1


def fits(glob: list[str], key: str) -> bool:
    """Whether the parts of a glob fit a key, by trying all places for each star."""
    if not glob:
        return not key
    part, rest = glob[0], glob[1:]
    ends = range(len(key) + 1)
    if part == "**":
        return any(fits(rest, key[end:]) for end in ends)
    if part == "/**/":
        deeper = (fits(rest, key[end:]) for end in ends if key[:end].endswith("/"))
        return key.startswith("/") and any(deeper)
    if part == "*":
        return any(fits(rest, key[end:]) for end in ends if "/" not in key[:end])
    letters = {"?": "abc", "[ab]": "ab", "[!a]": "bc"}.get(part, part)
    return key[:1] in set(letters) and fits(rest, key[1:])


@given(
    st.lists(
        st.sampled_from(["a", "b", "/", "a*", "*b", "a**", "**b", "?", "[ab]", "[!a]", "/**/"]),
        max_size=8,
    ),
    st.text("abc/", max_size=10),
)
@example(["**b", "a*", "*b"], "ab/bab")
@example(["a*", "a", "/**/", "*b"], "aaa/b/ab")
def test_a_glob_fits_what_some_choice_for_its_stars_fits(glob: list[str], key: str) -> None:
    """Though not all choices are tried."""
    parts = [one for part in glob for one in re.split(r"(?<=a)(?=\*)|(?<=\*)(?=b)", part)]
    assert bool(glob_regex("".join(glob)).fullmatch(key)) == fits(parts, key)
