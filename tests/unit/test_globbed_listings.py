"""Long listings of a glob: what fits, and little of what lies in folders that hold none of it."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.catalog.filters import KeyFilter
from s3_data_lake_mcp.catalog.objects import Search, find_objects
from s3_data_lake_mcp.errors import AccessDeniedError
from s3_data_lake_mcp.profiling.stock import take_stock
from s3_data_lake_mcp.storage import ListPage, ScanMeter, glob_folders, listing_pieces
from s3_data_lake_mcp.storage.fanout import walk_wide
from s3_data_lake_mcp.storage.keys import glob_prefix, glob_regex
from s3_data_lake_mcp.storage.lookup import locate
from support.far import LAKE, FarStore, TidalStore, filled

_REGIONS = ("af", "ap", "ca", "eu", "jp", "us")
_DAYS = 40
_LAKE = [
    f"2026/{day:03d}/region={region}/{part:03d}.{'csv' if part % 2 else 'json'}"
    for day in range(_DAYS)
    for region in _REGIONS
    for part in range(200)
]


def _search(pattern: str, **given: Any) -> Search:
    plain: dict[str, Any] = {
        "delimiter": "",
        "max_keys": 10_000,
        "room_bytes": 1 << 24,
        "prefix": "",
    }
    return Search(bucket=LAKE, wanted=KeyFilter(pattern=pattern), **(plain | given))


@pytest.mark.parametrize(
    ("pattern", "fit", "requests", "keys"),
    [
        ("2026/*/region=eu/*.csv", _DAYS * 100, 1 + _DAYS + 3, 1_000 + _DAYS * 200),
        ("2026/*/region=eu/00*.csv", _DAYS * 5, 1 + _DAYS + 3, 1_000 + _DAYS * 10),
        ("2026/*/region=zz/*.csv", 0, 1 + _DAYS + 3, 1_000),
        ("2026/*/region=eu/**/000.json", _DAYS, 1 + _DAYS + 3, 1_000 + _DAYS * 200),
        ("2026/03[45]/region=[ej]?/*.csv", 400, 12, 4 * 1_000),
        ("2026/*.csv", 0, 3, 1_000),
        ("2026/*/*.csv", 0, 1 + _DAYS + 3, 1_000),
    ],
)
def test_folders_that_hold_none_are_passed_over(
    pattern: str, fit: int, requests: int, keys: int
) -> None:
    """Of 48,000 keys few are fetched, in fewer requests than their 48 pages would take."""
    store = filled(FarStore(), _LAKE)
    meter = ScanMeter()
    found = find_objects(store, meter, _search(pattern))
    matching = glob_regex(pattern).fullmatch
    assert [one.key for one in found.objects] == [key for key in _LAKE if matching(key)]
    assert len(found.objects) == fit
    assert meter.requests <= requests
    assert store.keys_sent <= keys + 1_000
    assert found.keys_scanned <= store.keys_sent


def test_they_are_looked_into_side_by_side() -> None:
    """One look tells the folders, and what they hold comes in a few round trips."""
    store = filled(TidalStore(), _LAKE)
    found = find_objects(store, ScanMeter(), _search("2026/*/region=eu/00*.csv"))
    assert len(found.objects) == _DAYS * 5
    assert store.rounds <= 8


def test_queries_and_summaries_pass_over_them_too() -> None:
    """What a glob names is found the same way by all tools."""
    glob = "2026/*/region=eu/00*.csv"
    store = filled(FarStore(), _LAKE)
    assert sum(1 for _ in locate(store, LAKE, glob, ScanMeter()).objects) == _DAYS * 5
    assert store.keys_sent < 4_000
    store.keys_sent = 0
    stock = take_stock(store, LAKE, glob, ScanMeter(), lambda *_: None)
    assert stock.inventory.objects == _DAYS * 5
    assert store.keys_sent < 4_000


@pytest.mark.parametrize("pattern", ["*/000.csv", "*/7.csv"])
def test_small_folders_are_listed_as_they_were(pattern: str) -> None:
    """Thousands of folders with few keys each are not looked into one by one."""
    keys = [f"{folder:05d}/{part:03d}.csv" for folder in range(2_000) for part in range(3)]
    store = filled(FarStore(), keys)
    meter = ScanMeter()
    found = find_objects(store, meter, _search(pattern))
    assert len(found.objects) == (2_000 if pattern == "*/000.csv" else 0)
    assert meter.requests <= 6 + 2


def test_where_folders_become_small_they_are_listed_again() -> None:
    """One huge folder ahead of many small ones does not make a request of each of those."""
    keys = [f"0/{part:05d}.json" for part in range(3_000)]
    keys += [f"{folder:05d}/x.json" for folder in range(1, 5_000)]
    store = filled(FarStore(), keys)
    meter = ScanMeter()
    assert not find_objects(store, meter, _search("*/x.csv")).objects
    assert meter.requests < 80


_part = st.text(st.sampled_from("ab./0-é"), min_size=1, max_size=4)
_glob = st.lists(
    st.sampled_from(["*", "a", "b", "a*", "?", "[ab]", "[!a]", "", "**", "a**", "[a", "[a/b]"]),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(max_examples=150, deadline=None)
@given(
    keys=st.lists(st.lists(_part, min_size=1, max_size=4).map("/".join), max_size=150),
    copies=st.integers(1, 12),
    page_keys=st.integers(1, 40),
    glob=_glob,
    hesitant=st.booleans(),
    price=st.sampled_from([0, 2]),
)
def test_of_any_tree_all_comes_that_fits(
    *, keys: list[str], copies: int, page_keys: int, glob: str, hesitant: bool, price: int
) -> None:
    """Whatever is passed over, every key that fits comes once and in order."""
    many = {f"{key}{i}" if i else key for key in keys for i in range(copies)}
    store = filled(FarStore(page_keys=page_keys), sorted(many))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glob_folders, "_PRICE_KEYS", price)
        patch.setattr(listing_pieces, "_MOST_ENTERED", 2)
        walk = walk_wide(store, LAKE, glob_prefix(glob), ScanMeter(), glob=glob, hesitant=hesitant)
        found = [one.key for one in walk]
    fits = glob_regex(glob).fullmatch
    assert found == sorted(set(found))
    assert [key for key in found if fits(key)] == sorted(filter(fits, many))


class _OneRefusedStore(FarStore):
    """Refuses what a policy refuses that allows a prefix, or whole folders, alone."""

    allowed = "2026/"

    def list_page(self, bucket: str, prefix: str, meter: ScanMeter, **given: Any) -> ListPage:
        if prefix != self.allowed:
            meter.count_request()
            message = f"s3://{bucket}/{prefix} may not be listed"
            raise AccessDeniedError(message)
        return super().list_page(bucket, prefix, meter, **given)


def test_a_policy_that_allows_one_prefix_alone_is_enough() -> None:
    """Where a narrower prefix is refused, what it holds is listed by the one that is allowed."""
    store = filled(_OneRefusedStore(), _LAKE)
    found = find_objects(store, ScanMeter(), _search("2026/*/region=eu/*.csv"))
    assert len(found.objects) == _DAYS * 100


class _SlowStore(FarStore):
    """Moves the deadline near once a few pages are sent, far more than 16 before the last one."""

    def list_page(self, bucket: str, prefix: str, meter: ScanMeter, **given: Any) -> ListPage:
        if meter.requests >= 10:
            meter.deadline = min(meter.deadline, time.monotonic() + 2)
        return super().list_page(bucket, prefix, meter, **given)


def test_a_search_without_a_match_goes_on_where_time_ran_out() -> None:
    """Folders that hold none are behind the cursor, so that a search comes to its end."""
    store = filled(_SlowStore(), _LAKE)
    found = find_objects(store, ScanMeter(timeout_seconds=60), _search("2026/*/region=zz/*.csv"))
    assert (found.out_of_time, found.objects) == (True, [])
    assert "2026/001" < found.last < "2026/039"
    stock = take_stock(store, LAKE, "2026/*/region=zz/*.csv", ScanMeter(), lambda *_: None)
    assert not stock.inventory.complete
