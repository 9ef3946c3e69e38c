"""Listing keys: every key is looked at once, filters are honest, cursors go on exactly behind."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.catalog.filters import KeyFilter
from s3_data_lake_mcp.catalog.objects import FoundObjects, Search, find_objects
from s3_data_lake_mcp.errors import InvalidArgumentError, NotFoundError
from s3_data_lake_mcp.storage import ScanMeter
from support.far import LAKE, FarStore, TidalStore, filled, layout
from support.memory import MemoryStore


def _wanted(**given: object) -> KeyFilter:
    plain: dict[str, object] = {
        "pattern": "",
        "format": "",
        "min_size_bytes": 0,
        "max_size_bytes": 0,
        "modified_after": "",
        "modified_before": "",
    }
    return KeyFilter.read(**(plain | given))  # type: ignore[arg-type] # a table of arguments


def _store(*keys: str) -> MemoryStore:
    store = MemoryStore()
    for size, key in enumerate(keys):
        store.put("b", key, b"x" * size)
    return store


def _search(**given: object) -> Search:
    plain: dict[str, object] = {
        "bucket": "b",
        "prefix": "",
        "delimiter": "",
        "wanted": KeyFilter(),
        "max_keys": 100,
        "room_bytes": 1 << 16,
    }
    return Search(**(plain | given))  # type: ignore[arg-type] # a table of arguments


def _pages(store: MemoryStore, **given: object) -> Iterator[FoundObjects]:
    after = ""
    while True:
        found = find_objects(store, ScanMeter(), _search(start_after=after, **given))
        yield found
        if not found.truncated_by:
            return
        after = found.last


def test_a_full_page_that_ends_the_listing_is_not_truncated() -> None:
    """As many keys as asked for, and no more, is the whole answer."""
    found = find_objects(_store("a", "b"), ScanMeter(), _search(max_keys=2))
    assert [o.key for o in found.objects] == ["a", "b"]
    assert (found.truncated_by, found.keys_scanned) == ("", 2)


def test_one_more_match_is_looked_for_before_saying_truncated() -> None:
    """Keys that the filter drops behind the last match do not make the page short."""
    store = _store("a.csv", "b.csv", "c.txt", "d.txt")
    wanted = _wanted(format="csv")
    found = find_objects(store, ScanMeter(), _search(max_keys=2, wanted=wanted))
    assert (found.truncated_by, found.keys_scanned) == ("", 4)
    found = find_objects(store, ScanMeter(), _search(max_keys=1, wanted=wanted))
    assert (found.truncated_by, found.keys_scanned, found.last) == ("max_keys", 1, "a.csv")


@given(
    st.lists(st.text("ab/é ", min_size=1, max_size=4), min_size=1, max_size=20, unique=True),
    st.integers(1, 5),
    st.sampled_from(["", "/"]),
)
def test_pages_join_to_the_whole(keys: list[str], size: int, delimiter: str) -> None:
    """Any page size gives each object and each common prefix once, and counts each key once."""
    store = _store(*keys)
    whole = next(_pages(store, delimiter=delimiter, max_keys=1000))
    parts = list(_pages(store, delimiter=delimiter, max_keys=size))
    assert [o for p in parts for o in p.objects] == whole.objects
    assert [f for p in parts for f in p.common_prefixes] == whole.common_prefixes
    assert sum(p.keys_scanned for p in parts) == whole.keys_scanned
    assert all(len(p) <= size for p in parts)


def test_a_page_stays_within_its_bytes_and_goes_on() -> None:
    """A small result limit cuts by bytes, keeps at least one key, and loses none."""
    keys = [f"{'k' * 300}{i:03d}" for i in range(40)]
    parts = list(_pages(_store(*keys), room_bytes=6_000))
    assert [o.key for p in parts for o in p.objects] == keys
    assert {p.truncated_by for p in parts[:-1]} == {"max_bytes"}
    parts = list(_pages(_store(*keys), room_bytes=1))
    assert [len(p) for p in parts] == [1] * 40


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv"]),
        ("**.csv", ["a.csv", "x/b.csv", "x/y/c.csv"]),
        ("x/*.csv", ["x/b.csv"]),
        ("x/**/*.csv", ["x/b.csv", "x/y/c.csv"]),
        ("?.csv", ["a.csv"]),
        ("x/[a-b].csv", ["x/b.csv"]),
        ("x/[!a-b].csv", []),
        ("x[/]b.csv", []),
        ("x/y/c.csv", ["x/y/c.csv"]),
        ("z*", []),
    ],
)
def test_pattern_is_a_glob_on_the_whole_key(pattern: str, expected: list[str]) -> None:
    """`*` and `?` stay between slashes, `**` crosses them, classes are a shell's."""
    store = _store("a.csv", "x/b.csv", "x/y/c.csv")
    found = find_objects(store, ScanMeter(), _search(wanted=_wanted(pattern=pattern)))
    assert [o.key for o in found.objects] == expected


def test_a_pattern_lists_the_key_that_it_is() -> None:
    """Brackets in a key's name make it no match of its own pattern, but the key was named."""
    store = _store("[x].csv", "x.csv", "y.csv")
    found = find_objects(store, ScanMeter(), _search(wanted=_wanted(pattern="[x].csv")))
    assert [o.key for o in found.objects] == ["[x].csv", "x.csv"]


def test_the_pattern_narrows_the_listing() -> None:
    """Only keys that begin like the pattern are looked at, unless the prefix says more."""
    store = _store("a/1.csv", "b/1.csv", "b/2.txt")
    wanted = _wanted(pattern="b/*.csv")
    found = find_objects(store, ScanMeter(), _search(wanted=wanted))
    assert (found.keys_scanned, [o.key for o in found.objects]) == (2, ["b/1.csv"])
    found = find_objects(store, ScanMeter(), _search(wanted=wanted, prefix="a/"))
    assert (found.keys_scanned, found.objects) == (0, [])
    assert found.notices


def test_sizes_are_inclusive() -> None:
    """Both bounds belong to the range; 0 as the upper one is none."""
    store = _store("s0", "s1", "s2", "s3")
    wanted = _wanted(min_size_bytes=1, max_size_bytes=2)
    found = find_objects(store, ScanMeter(), _search(wanted=wanted))
    assert [o.key for o in found.objects] == ["s1", "s2"]
    found = find_objects(store, ScanMeter(), _search(wanted=_wanted(min_size_bytes=2)))
    assert [o.key for o in found.objects] == ["s2", "s3"]


@pytest.mark.parametrize(
    ("after", "before", "found"),
    [
        ("2026-01-01", "", True),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z", True),
        ("2026-01-01T00:00:01", "", False),
        ("", "2026-01-01", False),
        ("", "2026-01-01T01:00:00+00:30", True),
        ("2026-01-01T01:00:00+01:00", "", True),
    ],
)
def test_dates_include_the_first_and_exclude_the_last(
    after: str, before: str, *, found: bool
) -> None:
    """`modified_after <= last_modified < modified_before`; a date is its midnight in UTC."""
    store = _store("k")  # of 2026-01-01T00:00:00Z
    wanted = _wanted(modified_after=after, modified_before=before)
    assert bool(find_objects(store, ScanMeter(), _search(wanted=wanted)).objects) is found


@pytest.mark.parametrize(
    "bad",
    [
        {"modified_after": "yesterday"},
        {"modified_before": "2026-02-30"},
        {"modified_after": "2026-02-01", "modified_before": "2026-01-01"},
        {"modified_after": "2026-01-01", "modified_before": "2026-01-01T00:00:00Z"},
        {"min_size_bytes": 3, "max_size_bytes": 2},
        {"format": "parquett"},
        {"pattern": "[z-a]"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(bad: dict[str, object]) -> None:
    """Bad filters are errors with a hint, not empty answers."""
    with pytest.raises(InvalidArgumentError) as caught:
        _wanted(**bad)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["csv", "CSV", ".csv", "tsv"])
def test_formats_go_by_their_names_and_suffixes(name: str) -> None:
    """`tsv` is delimited text too."""
    assert _wanted(format=name).format == "csv"


def test_a_missing_bucket_is_not_an_empty_one() -> None:
    """Nothing found and nothing there are two things."""
    with pytest.raises(NotFoundError):
        find_objects(MemoryStore(), ScanMeter(), _search())


def test_common_prefixes_are_said_to_be_unfiltered() -> None:
    """Folders are folded before their keys can be looked at."""
    store = _store("a/1.csv", "b.csv")
    wanted = _wanted(format="csv")
    found = find_objects(store, ScanMeter(), _search(wanted=wanted, delimiter="/"))
    assert (found.common_prefixes, [o.key for o in found.objects]) == (["a/"], ["b.csv"])
    assert "not filtered" in found.notices[0]


def test_a_search_that_runs_out_of_time_says_so_and_goes_on() -> None:
    """The cursor of a stopped search is behind the last key that was looked at."""
    store = _store("a.txt", "b.txt", "c.csv")
    meter = ScanMeter(timeout_seconds=60)
    meter.deadline = meter.deadline - 58
    found = find_objects(store, meter, _search(wanted=_wanted(format="csv")))
    assert (found.truncated, found.truncated_by, found.objects) == (True, "", [])
    assert "Time ran out" in found.notices[0]
    after = found.last
    found = find_objects(
        store, ScanMeter(), _search(wanted=_wanted(format="csv"), start_after=after)
    )
    assert [o.key for o in found.objects] == ["c.csv"]


def test_times_are_iso_with_offset() -> None:
    """`last_modified` parses back to an aware time."""
    found = find_objects(_store("k"), ScanMeter(), _search())
    assert datetime.fromisoformat(found.objects[0].last_modified).tzinfo is not None


@given(
    st.lists(st.text("ab/é.", min_size=1, max_size=5), max_size=60),
    st.integers(1, 5),
    st.integers(1, 9),
)
def test_pages_of_a_filter_join_to_the_whole(
    keys: list[str], max_keys: int, page_keys: int
) -> None:
    """However folders lie and pages are cut, each match comes once, in order, none skipped."""
    store = filled(FarStore(page_keys=page_keys), sorted({*keys, *(f"{k}/x" for k in keys)}))
    wanted = _wanted(pattern="**a**")
    parts, after = list[FoundObjects](), ""
    while not parts or parts[-1].truncated_by:
        search = _search(bucket=LAKE, wanted=wanted, max_keys=max_keys, start_after=after)
        parts.append(find_objects(store, ScanMeter(), search))
        after = parts[-1].last
    found = [o.key for p in parts for o in p.objects]
    assert found == sorted(k for k in {*keys, *(f"{k}/x" for k in keys)} if "a" in k)


@pytest.mark.parametrize(
    ("folders", "files", "rounds"), [(10, 1_000, 4), (40, 250, 4), (2, 5_000, 7)]
)
def test_a_filter_over_many_keys_lists_folders_side_by_side(
    folders: int, files: int, rounds: int
) -> None:
    """10,000 keys with one match at their end take fewer round trips than the serial pager's 11."""
    keys = [*layout(folders, files), "f9999/match.json"]
    store = filled(TidalStore(), keys)
    found = find_objects(store, ScanMeter(), _search(bucket=LAKE, wanted=_wanted(format="json")))
    assert [o.key for o in found.objects] == ["f9999/match.json"]
    assert found.keys_scanned == 10_001
    assert store.rounds <= rounds


def test_a_filter_costs_no_more_round_trips_than_the_serial_pager() -> None:
    """Where there are no folders, one page follows the other."""
    store = filled(TidalStore(), [f"part-{i:05d}.csv" for i in range(3_500)])
    meter = ScanMeter()
    found = find_objects(store, meter, _search(bucket=LAKE, wanted=_wanted(format="json")))
    assert (found.keys_scanned, found.objects) == (3_500, [])
    assert (store.rounds, meter.requests) == (4, 4)


def test_matches_on_the_first_page_cost_one_request() -> None:
    """Nothing is fetched ahead of what is enough."""
    store = filled(FarStore(), layout(10, 1_000))
    meter = ScanMeter()
    wanted = _wanted(format="csv")
    found = find_objects(store, meter, _search(bucket=LAKE, wanted=wanted, max_keys=50))
    time.sleep(0.05)
    assert (len(found.objects), found.truncated_by, meter.requests) == (50, "max_keys", 1)
