"""Listings in parallel: the same keys as the serial pager, sooner, for few more requests."""

import itertools
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.errors import DeadlineExceededError
from s3_data_lake_mcp.storage import ListPage, ScanMeter, fanout
from s3_data_lake_mcp.storage.fanout import WIDTH, walk_wide
from s3_data_lake_mcp.storage.memory import MemoryStore
from s3_data_lake_mcp.storage.s3 import S3Store
from support.listing import walk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BUCKET = "lake"
_QUIET_SECONDS = 0.15
"""So long after the last request or answer nobody is about to send another one."""


class _FarStore(MemoryStore):
    """Answers listings after a round trip, in pages of a size of its own."""

    def __init__(self, *, latency_seconds: float = 0.0, page_keys: int = 1_000) -> None:
        super().__init__()
        self._latency_seconds = latency_seconds
        self._page_keys = page_keys
        self._lock = threading.Lock()
        self._flying = 0
        self.most_at_once = 0

    def list_page(  # noqa: PLR0913 - the store's own signature
        self,
        bucket: str,
        prefix: str,
        meter: ScanMeter,
        *,
        delimiter: str = "",
        start_after: str = "",
        token: str = "",
        max_keys: int = 1000,
    ) -> ListPage:
        with self._lock:
            self._flying += 1
            self.most_at_once = max(self.most_at_once, self._flying)
        time.sleep(self._latency_seconds)
        with self._lock:
            self._flying -= 1
        return super().list_page(
            bucket,
            prefix,
            meter,
            delimiter=delimiter,
            start_after=start_after,
            token=token,
            max_keys=min(max_keys, self._page_keys),
        )


class _TidalStore(_FarStore):
    """Holds requests until no more come, and answers all of them together: one round trip.

    So `rounds` counts the round trips that lie one behind the other, whatever the clock says.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tide = threading.Condition()
        self._computing = 0
        self._last = time.monotonic()
        self.rounds = 0

    def list_page(self, bucket: str, prefix: str, meter: ScanMeter, **given: Any) -> ListPage:
        with self._tide:
            self._last = time.monotonic()
            mine = self.rounds
            while self.rounds == mine:
                self._tide.wait(_QUIET_SECONDS / 5)
                quiet = time.monotonic() - self._last >= _QUIET_SECONDS
                if self.rounds == mine and quiet and not self._computing:
                    self.rounds += 1
                    self._last = time.monotonic()
                    self._tide.notify_all()
            self._computing += 1
        try:
            return super().list_page(bucket, prefix, meter, **given)
        finally:
            with self._tide:
                self._computing -= 1
                self._last = time.monotonic()


def _filled[S: MemoryStore](store: S, keys: Sequence[str]) -> S:
    store.create_bucket(_BUCKET)
    for key in sorted(keys):
        store.put(_BUCKET, key, b"")
    return store


def _layout(folders: int, files: int, prefix: str = "") -> list[str]:
    return [f"{prefix}f{a:04d}/part-{b:05d}.csv" for a in range(folders) for b in range(files)]


_DEEP = [
    f"events/year={y}/month={m:02d}/day={d:02d}/{i:04d}.json"
    for y in (2024, 2025)
    for m in range(1, 13)
    for d in range(1, 29)
    for i in range(15)
]
_LAYOUTS = {
    "ten even folders": _layout(10, 1_000),
    "flat": [f"part-{i:05d}" for i in range(10_000)],
    "a key a folder": _layout(5_000, 1),
    "dates": _DEEP,
    "one huge folder among small ones": [*_layout(300, 3), *_layout(1, 6_000, "f0100x/")],
    "below one chain": _layout(12, 700, "a/b/c/d/e/f/g/"),
    "files beside folders": [
        *_layout(12, 800),
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
    store = _filled(_FarStore(), _LAYOUTS[name])
    found = [listed.key for listed in walk_wide(store, _BUCKET, "", ScanMeter())]
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
    store = _filled(_FarStore(page_keys=page_keys), many)
    meter = ScanMeter()
    assert list(walk_wide(store, _BUCKET, prefix, meter)) == list(
        walk(store, _BUCKET, prefix, meter)
    )


@pytest.mark.parametrize("start_after", ["f0003/part-00500.csv", "f0003/", "f0003/z", "zz", "a"])
def test_it_goes_on_behind_a_key(start_after: str) -> None:
    """`start_after` leaves out that key and all before it."""
    store = _filled(_FarStore(), _layout(10, 700))
    found = [
        listed.key for listed in walk_wide(store, _BUCKET, "", ScanMeter(), start_after=start_after)
    ]
    assert found == [key for key in _layout(10, 700) if key > start_after]


@pytest.mark.parametrize(
    ("name", "share"), [("ten even folders", 0.4), ("dates", 0.6), ("below one chain", 0.6)]
)
def test_folders_are_listed_side_by_side(name: str, share: float) -> None:
    """Keys in folders take few round trips, one behind the other, for many pages."""
    store = _filled(_TidalStore(), _LAYOUTS[name])
    serial = sum(1 for _ in walk(store, _BUCKET, "", ScanMeter()))
    behind = store.rounds
    wide = sum(1 for _ in walk_wide(store, _BUCKET, "", ScanMeter()))
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
    store = _filled(_FarStore(), _LAYOUTS[name])
    serial, wide = ScanMeter(), ScanMeter()
    assert sum(1 for _ in walk(store, _BUCKET, "", serial)) == len(set(_LAYOUTS[name]))
    assert sum(1 for _ in walk_wide(store, _BUCKET, "", wide)) == len(set(_LAYOUTS[name]))
    assert wide.requests <= serial.requests + extra


def test_one_page_is_one_request() -> None:
    """A listing that fits a page costs what it costs serially."""
    store = _filled(_FarStore(), _layout(9, 100))
    meter = ScanMeter()
    assert sum(1 for _ in walk_wide(store, _BUCKET, "", meter)) == 900
    assert meter.requests == 1


def test_an_abandoned_listing_stops() -> None:
    """Whoever takes only the first keys does not pay for all of them."""
    store = _filled(_FarStore(latency_seconds=0.005), _layout(60, 1_500))
    meter = ScanMeter()
    keys = walk_wide(store, _BUCKET, "", meter)
    assert len(list(itertools.islice(keys, 1_500))) == 1_500
    keys.close()  # type: ignore[attr-defined] # it is a generator
    time.sleep(0.05)
    assert meter.requests < 45


def test_what_waits_for_a_slow_consumer_is_bounded() -> None:
    """Ahead of a consumer that does not take them, at most some 60,000 keys are fetched."""
    store = _filled(_FarStore(latency_seconds=0.001), _layout(120, 1_000))
    meter = ScanMeter()
    keys = walk_wide(store, _BUCKET, "", meter)
    taken = list(itertools.islice(keys, 1_001))
    time.sleep(0.2)
    assert len(taken) == 1_001
    assert meter.requests <= 3 + 45 + 2 * WIDTH
    assert sum(1 for _ in keys) == 120_000 - 1_001


def test_the_deadline_ends_it() -> None:
    """A listing that outlives its call is ended by the meter's error."""
    store = _filled(_FarStore(latency_seconds=0.05), _layout(1, 12_000))
    with pytest.raises(DeadlineExceededError):
        list(walk_wide(store, _BUCKET, "", ScanMeter(timeout_seconds=0.2)))


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
