"""Listings in parallel: the same keys as the serial pager, sooner, for few more requests."""

import hashlib
import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.errors import AccessDeniedError, DeadlineExceededError
from s3_data_lake_mcp.storage import ListPage, ScanMeter, fanout
from s3_data_lake_mcp.storage.fanout import WIDTH, walk_wide
from s3_data_lake_mcp.storage.s3 import S3Store
from support.far import LAKE, FarStore, TidalStore, filled, layout
from support.listing import walk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_DEEP = [
    f"events/year={y}/month={m:02d}/day={d:02d}/{i:04d}.json"
    for y in (2024, 2025)
    for m in range(1, 13)
    for d in range(1, 29)
    for i in range(15)
]
_LAYOUTS = {
    "ten even folders": layout(10, 1_000),
    "flat": [f"part-{i:05d}" for i in range(10_000)],
    "a key a folder": layout(5_000, 1),
    "dates": _DEEP,
    "one huge folder among small ones": [*layout(300, 3), *layout(1, 6_000, "f0100x/")],
    "below one chain": layout(12, 700, "a/b/c/d/e/f/g/"),
    "files beside folders": [
        *layout(12, 800),
        *(f"f{a:04d}.{kind}" for a in range(12) for kind in ("csv", "meta")),
    ],
    "odd names": [
        f"{a}{b}{i}"
        for a in ("x/", "x.", "x0", "x", "x/y/", "x//", "é/", "\U0001f600/", "x/y.", "/", "x-/")
        for b in ("", "/", "a/")
        for i in range(160)
    ],
}


@pytest.mark.parametrize("name", _LAYOUTS)
def test_the_same_keys_in_the_same_order(name: str) -> None:
    """Every key comes once, in key order, whatever the folders look like."""
    store = filled(FarStore(), _LAYOUTS[name])
    found = [listed.key for listed in walk_wide(store, LAKE, "", ScanMeter())]
    assert found == sorted(set(_LAYOUTS[name]))


_part = st.text(st.sampled_from("ab./0-é"), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.lists(_part, min_size=1, max_size=4).map("/".join), max_size=150),
    copies=st.integers(1, 12),
    page_keys=st.integers(1, 40),
    prefix=st.sampled_from(["", "a", "a/", "b./"]),
)
def test_any_tree_is_listed_like_by_the_serial_pager(
    keys: list[str], copies: int, page_keys: int, prefix: str
) -> None:
    """For any keys, page size and prefix the answer is that of `walk`."""
    many = [f"{key}{i}" if i else key for key in keys for i in range(copies)]
    store = filled(FarStore(page_keys=page_keys), many)
    meter = ScanMeter()
    assert list(walk_wide(store, LAKE, prefix, meter)) == list(walk(store, LAKE, prefix, meter))


@pytest.mark.parametrize("start_after", ["f0003/part-00500.csv", "f0003/", "f0003/z", "zz", "a"])
def test_it_goes_on_behind_a_key(start_after: str) -> None:
    """`start_after` leaves out that key and all before it."""
    store = filled(FarStore(), layout(10, 700))
    found = [
        listed.key for listed in walk_wide(store, LAKE, "", ScanMeter(), start_after=start_after)
    ]
    assert found == [key for key in layout(10, 700) if key > start_after]


@pytest.mark.parametrize(
    ("name", "share"), [("ten even folders", 0.4), ("dates", 0.6), ("below one chain", 0.6)]
)
def test_folders_are_listed_side_by_side(name: str, share: float) -> None:
    """Keys in folders take few round trips, one behind the other, for many pages."""
    store = filled(TidalStore(), _LAYOUTS[name])
    serial = sum(1 for _ in walk(store, LAKE, "", ScanMeter()))
    behind = store.rounds
    wide = sum(1 for _ in walk_wide(store, LAKE, "", ScanMeter()))
    assert wide == serial
    assert store.rounds - behind < share * behind
    assert store.most_at_once <= WIDTH


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("flat", 0),
        ("a key a folder", 0),
        ("ten even folders", 4),
        ("dates", 60),
        ("one huge folder among small ones", 30),
        ("below one chain", 20),
    ],
)
def test_it_costs_few_requests_more(name: str, extra: int) -> None:
    """Looking for folders is paid with few requests, and with none where there is no gain."""
    store = filled(FarStore(), _LAYOUTS[name])
    serial, wide = ScanMeter(), ScanMeter()
    assert sum(1 for _ in walk(store, LAKE, "", serial)) == len(set(_LAYOUTS[name]))
    assert sum(1 for _ in walk_wide(store, LAKE, "", wide)) == len(set(_LAYOUTS[name]))
    assert wide.requests <= serial.requests + extra


@pytest.mark.parametrize(("folders", "files"), [(40, 250), (100, 110), (25, 400)])
def test_few_keys_are_fetched_twice(folders: int, files: int) -> None:
    """Pieces of small folders don't fetch what the next piece fetches too."""
    keys = layout(folders, files)
    store = filled(FarStore(), keys)
    assert sum(1 for _ in walk_wide(store, LAKE, "", ScanMeter())) == len(keys)
    assert store.keys_sent < 1.2 * len(keys)


def test_one_page_is_one_request() -> None:
    """A listing that fits a page costs what it costs serially."""
    store = filled(FarStore(), layout(9, 100))
    meter = ScanMeter()
    assert sum(1 for _ in walk_wide(store, LAKE, "", meter)) == 900
    assert meter.requests == 1


def test_an_abandoned_listing_stops() -> None:
    """Whoever takes only the first keys does not pay for all of them, however slow he is."""
    store = filled(FarStore(latency_seconds=0.005), layout(120, 1_500))
    meter = ScanMeter()
    keys = walk_wide(store, LAKE, "", meter)
    assert len(list(itertools.islice(keys, 1_500))) == 1_500
    keys.close()  # type: ignore[attr-defined] # it is a generator
    time.sleep(0.05)
    assert meter.requests <= 3 + 45 + 2 * WIDTH < 120 * 1.5


def test_what_waits_for_a_slow_consumer_is_bounded() -> None:
    """Ahead of a consumer that does not take them, at most some 60,000 keys are fetched."""
    store = filled(FarStore(latency_seconds=0.001), layout(120, 1_000))
    meter = ScanMeter()
    keys = walk_wide(store, LAKE, "", meter)
    taken = list(itertools.islice(keys, 1_001))
    time.sleep(0.2)
    assert len(taken) == 1_001
    assert meter.requests <= 3 + 45 + 2 * WIDTH
    assert sum(1 for _ in keys) == 120_000 - 1_001


def test_the_deadline_ends_it() -> None:
    """A listing that outlives its call is ended by the meter's error."""
    store = filled(FarStore(latency_seconds=0.05), layout(1, 12_000))
    with pytest.raises(DeadlineExceededError):
        list(walk_wide(store, LAKE, "", ScanMeter(timeout_seconds=0.2)))


def test_s3_cuts_listings_where_memory_does(
    lake_store: S3Store, s3: "S3Client", bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the S3 API, with pages small enough to be cut, every key comes once and in order."""
    monkeypatch.setattr(fanout, "_PAGE_KEYS", 10)
    monkeypatch.setattr(fanout, "_AIM_KEYS", 7)
    keys = [
        *(f"y={y}/m={m}/{i:02d}.csv" for y in (1, 2) for m in (1, 2, 3) for i in range(12)),
        *(f"odd{mark}/x{i}" for mark in (" ", "+", "é", "", ".", "/") for i in range(6)),
        *(f"flat-{i:03d}" for i in range(25)),
    ]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    meter = ScanMeter()
    found = [listed.key for listed in walk_wide(lake_store, bucket, "", meter)]
    assert found == sorted(keys)
    assert meter.requests <= 60


def test_a_hesitant_consumer_pays_for_what_it_takes() -> None:
    """Nothing is asked for before the first page is taken, and little before the second."""
    store = filled(FarStore(), layout(20, 1_000))
    meter = ScanMeter()
    keys = walk_wide(store, LAKE, "", meter, hesitant=True)
    assert len(list(itertools.islice(keys, 1_000))) == 1_000
    time.sleep(0.05)
    assert meter.requests == 1
    assert len(list(itertools.islice(keys, 1_000))) == 1_000
    time.sleep(0.05)
    assert meter.requests <= 8
    assert sum(1 for _ in keys) == 18_000


class _NamedPrefixesStore(FarStore):
    """Refuses what a policy with `"StringEquals": {"s3:prefix": ""}` refuses."""

    def list_page(self, bucket: str, prefix: str, meter: ScanMeter, **given: Any) -> ListPage:
        if prefix:
            meter.count_request()
            message = f"s3://{bucket}/{prefix} may not be listed"
            raise AccessDeniedError(message)
        return super().list_page(bucket, prefix, meter, **given)


@pytest.mark.parametrize("name", ["ten even folders", "dates", "below one chain"])
def test_a_policy_that_allows_one_prefix_alone_is_enough(name: str) -> None:
    """What a serial listing may see is listed, though narrower prefixes are refused."""
    store = filled(_NamedPrefixesStore(), _LAYOUTS[name])
    found = [listed.key for listed in walk_wide(store, LAKE, "", ScanMeter())]
    assert found == sorted(set(_LAYOUTS[name]))


def test_a_prefix_that_is_refused_is_an_error() -> None:
    """Nothing may be listed: nothing is answered."""
    store = filled(_NamedPrefixesStore(), layout(2, 2))
    with pytest.raises(AccessDeniedError):
        list(walk_wide(store, LAKE, "f", ScanMeter()))


def _flat(name: str) -> list[str]:
    if name == "numbers":
        return [f"in/part-{i:05d}.csv" for i in range(30_000)]
    if name == "small folders":
        return [f"in/id={i:05d}/{part}" for i in range(10_000) for part in "abc"]
    return [f"in/{hashlib.sha256(b'%d' % i).hexdigest()}" for i in range(30_000)]


@pytest.mark.parametrize("name", ["numbers", "small folders", "digests"])
def test_many_keys_without_folders_are_listed_side_by_side(name: str) -> None:
    """Where 30 pages would come one behind the other, it is guessed where keys go on."""
    keys = _flat(name)
    store = filled(TidalStore(), keys)
    meter = ScanMeter()
    assert [one.key for one in walk_wide(store, LAKE, "in/", meter)] == sorted(keys)
    assert store.rounds <= 22
    assert meter.requests <= 50
    assert store.keys_sent < 1.2 * len(keys)


@settings(max_examples=60, deadline=None)
@given(
    keys=st.lists(st.text(st.sampled_from("0129afA-~é/"), min_size=1, max_size=5), max_size=150),
    page_keys=st.integers(1, 20),
    prefix=st.sampled_from(["", "0", "a/"]),
)
def test_wherever_keys_are_guessed_each_comes_once(
    keys: list[str], page_keys: int, prefix: str
) -> None:
    """A guess is no more than a cut."""
    store = filled(FarStore(page_keys=page_keys), sorted(set(keys)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fanout, "_SERIAL", 1)
        patch.setattr(fanout, "_SERIAL_GUESSED", 1)
        found = [one.key for one in walk_wide(store, LAKE, prefix, ScanMeter())]
    assert found == sorted(key for key in set(keys) if key.startswith(prefix))
