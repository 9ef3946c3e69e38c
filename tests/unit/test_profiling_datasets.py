"""Keys grouped into data sets: what belongs together, what is missing, and what is odd."""

import fnmatch
import itertools
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.engines.places import partition_of
from s3_data_lake_mcp.profiling.crossings import Budget, Crossings
from s3_data_lake_mcp.profiling.datasets import MOST_GROUPS, DatasetGrouper
from s3_data_lake_mcp.profiling.groups import MOST_VALUES, SpacedKeys
from s3_data_lake_mcp.profiling.names import KeyShape, is_hidden, shape_of
from s3_data_lake_mcp.profiling.series import find_series
from s3_data_lake_mcp.storage import ListedObject
from s3_data_lake_mcp.storage.keys import glob_regex, is_glob

_MEGABYTE = 1 << 20
_NEW = datetime(2026, 1, 1, tzinfo=UTC)


def _listed(key: str, size: int = 5 * _MEGABYTE, **more: Any) -> ListedObject:
    return ListedObject(
        **{"key": key, "size_bytes": size, "etag": "e", "last_modified": _NEW, **more}
    )


def _grouped(keys: Iterable[str | ListedObject], within: str = "") -> DatasetGrouper:
    grouper = DatasetGrouper("lake", within=within)
    for key in sorted(keys, key=lambda k: k if isinstance(k, str) else k.key):
        grouper.add(_listed(key) if isinstance(key, str) else key)
    return grouper


def _datasets(keys: Iterable[str | ListedObject], within: str = "") -> list[dict[str, Any]]:
    return [dict(one) for one in _grouped(keys, within).datasets()]


def _days(count: int) -> list[date]:
    return [date(2025, 1, 1) + timedelta(days=number) for number in range(count)]


_FAMILIES = {
    "hive": [f"t/dt={day}/part-0.parquet" for day in _days(9)],
    "dated names": [f"t/orders_{day}.csv" for day in _days(9)],
    "compact dates": [f"t/orders-{day:%Y%m%d}.csv" for day in _days(9)],
    "dated folders": [f"t/{day:%Y/%m/%d}/data.json" for day in _days(9)],
    "parts": [f"t/part-{i:05d}-c000.snappy.parquet" for i in range(9)],
    "identifiers": [f"t/{i:08x}-0000-4000-8000-00000000000{i}.csv" for i in range(9)],
    "numbered folders": [f"t/device-{i:03d}/data.csv" for i in range(9)],
    "two levels": [f"t/year=2025/month={m}/x{i}.csv" for m in (1, 2, 3) for i in (1, 2, 3)],
}


@pytest.mark.parametrize("name", _FAMILIES)
def test_a_family_of_keys_is_one_dataset(name: str) -> None:
    """Partitions, dates, numbers and identifiers vary within one data set."""
    (dataset,) = _datasets(_FAMILIES[name])
    assert dataset["objects"] == 9
    assert dataset["bytes"] == 9 * 5 * _MEGABYTE
    assert dataset["example_key"] == min(_FAMILIES[name])


def test_each_folder_is_a_table_of_its_own() -> None:
    """Tables side by side stay apart, and are named after what tells them apart."""
    found = _datasets(["lake/orders/part-0.csv", "lake/orders/part-1.csv", "lake/users/part-0.csv"])
    assert {d["name"]: d["objects"] for d in found} == {"orders": 2, "users": 1}


def test_names_are_distinct() -> None:
    """Two data sets of one name are told apart by their paths."""
    found = _datasets([f"{a}/sales/part-{i}.csv" for a in ("eu", "us") for i in (1, 2)])
    assert len({d["name"] for d in found}) == 2


@pytest.mark.parametrize("name", _FAMILIES)
def test_the_uri_selects_the_dataset(name: str) -> None:
    """Its prefix or glob matches all of its keys, and none of another data set."""
    others = ["u/x.csv", "t2/orders_2025-01-01.csv", "t/z-readme.md"]
    keys = _FAMILIES[name]
    found = _datasets([*keys, *others])
    dataset = next(d for d in found if d["objects"] == 9)
    key = dataset["uri"].removeprefix("s3://lake/")
    matches = glob_regex(key).fullmatch if is_glob(key) else (lambda k: k.startswith(key))
    assert [k for k in (*keys, *others) if matches(k)] == keys
    assert not any("No glob" in text for text in dataset["warnings"])


@pytest.mark.parametrize(
    ("within", "uri"),
    [
        ("t/", "s3://lake/t/"),
        ("t/dt=2025-01-01/", "s3://lake/t/dt=2025-01-01/"),
        ("t/dt=2025-01-0", "s3://lake/t/dt=2025-01-0**.csv"),
    ],
)
def test_the_uri_stays_within_the_prefix(within: str, uri: str) -> None:
    """What lies beside the prefix that was listed is not part of the data set."""
    keys = [f"t/dt={day}/p{i}.csv" for day in _days(9) for i in (0, 1)]
    (dataset,) = _datasets([key for key in keys if key.startswith(within)], within)
    assert dataset["uri"] == uri


def test_the_one_object_of_another_width_is_in_the_glob() -> None:
    """Names are compared one by one: the glob of a data set misses none that samples miss."""
    own = [*(f"t/a_{number:04}.csv" for number in range(200)), "t/a_00995.csv"]
    found = _datasets([*own, *(f"t/a_{number}_x_{number}.csv" for number in range(9))])
    (glob,) = (str(one["uri"]) for one in found if one["objects"] == len(own))
    assert all(glob_regex(glob.removeprefix("s3://lake/")).fullmatch(key) for key in own)


@pytest.mark.parametrize(("folders", "datasets"), [(7, 7), (8, 1)])
def test_few_numbered_folders_are_tables_of_their_own(folders: int, datasets: int) -> None:
    """Eight that differ only in their number are one data set."""
    assert len(_datasets([f"t/v{number}/data.csv" for number in range(folders)])) == datasets


def test_values_of_a_partition_that_are_not_all_kept_are_a_lower_bound() -> None:
    """Ten thousand of them are kept, and it is said that there are so many at least."""
    (one,) = _datasets(f"t/user=u{number}/x.csv" for number in range(MOST_VALUES + 1))
    assert one["partitions"]["user"]["values"] == MOST_VALUES
    assert any("at least 10,000 values" in said for said in one["warnings"])


def test_tables_in_the_same_partitions_are_called_by_their_files() -> None:
    """A folder names the table that has it alone."""
    days = range(1, 4)
    both = [f"t/day={day}/{name}.csv" for day in days for name in ("orders", "users")]
    assert {one["name"] for one in _datasets(both)} == {"orders", "users"}
    assert [one["name"] for one in _datasets(f"t/day={day}/orders.csv" for day in days)] == ["t"]


def test_a_folder_of_metadata_alone_is_no_table() -> None:
    """Iceberg's is told by what it holds."""
    found = _datasets(["t/metadata/a.csv", "t/data/b.csv"])
    assert "Iceberg" not in str(found)


def test_numbered_folders_beside_others_have_a_glob() -> None:
    """What is merged keeps the name of its files."""
    keys = [f"t/device-{number}/r_{10**number}.csv" for number in range(9)]
    found = _datasets([*keys, "t/notes/about.txt"])
    assert [one["uri"] for one in found if one["objects"] == 9] == ["s3://lake/t/device-*/r_*.csv"]


def test_partitions() -> None:
    """Columns with the number of their values and the ends, numbers as numbers."""
    keys = [f"t/year=2025/month={m}/city=K%C3%B6ln/x.csv" for m in range(1, 13)]
    (dataset,) = _datasets(keys)
    assert dataset["partitions"] == {
        "year": {"values": 1, "min": 2025, "max": 2025},
        "month": {"values": 12, "min": 1, "max": 12},
        "city": {"values": 1, "min": "Köln", "max": "Köln"},
    }


def test_partitions_padded_with_zeros_are_as_in_keys() -> None:
    """They are text in SQL, too; the ends are still those of numbers."""
    keys = [f"t/month={m:02}/part={p:02}/x.csv" for m in range(1, 13) for p in (7, 100)]
    (dataset,) = _datasets(keys)
    assert dataset["partitions"] == {
        "month": {"values": 12, "min": "01", "max": "12"},
        "part": {"values": 2, "min": "07", "max": "100"},
    }


@pytest.mark.parametrize("column", ["dt", "_day", "年", "2nd"])
def test_what_sql_calls_a_partition_is_one(column: str) -> None:
    """Summaries and queries take the same folders for partitions, whatever the column's name."""
    keys = [f"t/{column}=2025-01-0{day}/x.csv" for day in range(1, 8)]
    (dataset,) = _datasets(keys)
    assert list(dataset["partitions"]) == [*partition_of(keys[0])] == [column]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (["-1", "10", "9", "2.5"], -1, 10),
        (["0.5", "10.25"], 0.5, 10.25),
        (["9999999999999999", "10000000000000000"], "9999999999999999", "10000000000000000"),
        (["1e5", "20"], "1e5", "20"),
    ],
)
def test_numbers_of_partitions_are_compared_as_numbers(
    values: list[str], low: object, high: object
) -> None:
    """Whatever their width and fractions."""
    (dataset,) = _datasets(f"t/v={value}/x.csv" for value in values)
    assert dataset["partitions"]["v"] == {"values": len(values), "min": low, "max": high}


def test_a_null_partition_is_no_value_to_compare() -> None:
    """Hive's mark for null is named, and is neither smallest nor largest."""
    (dataset,) = _datasets(["t/a=__HIVE_DEFAULT_PARTITION__/x.csv", "t/a=3/x.csv"])
    assert dataset["partitions"]["a"] == {"values": 2, "min": 3, "max": 3}
    assert any("is null in some objects" in text for text in dataset["warnings"])


@pytest.mark.parametrize("name", ["hive", "dated names", "compact dates", "dated folders"])
def test_a_missing_day_is_named(name: str) -> None:
    """A gap in a regular series of dates is a warning, wherever the dates stand."""
    keys = [key for key in _FAMILIES[name] if "01-05" not in key and "0105" not in key]
    keys = [key for key in keys if "01/05" not in key]
    (dataset,) = _datasets(keys)
    assert len(keys) == 8
    assert any("2025-01-05" in text for text in dataset["warnings"])


def test_numbers_that_look_like_years_are_no_series() -> None:
    """Names with running numbers miss no years."""
    (dataset,) = _datasets([f"t/x{i}.csv" for i in range(1_800, 2_200) if i != 1_955])
    assert dataset["warnings"] == []


def test_sizes_formats_and_archives_are_warned_of() -> None:
    """Small and empty files, formats that mix, and what must be restored first."""
    keys = [
        *(_listed(f"t/part-{i:02d}.csv", size=100) for i in range(20)),
        _listed("t/part-20.csv", size=0),
        _listed("t/part-21.csv", storage_class="GLACIER"),
        _listed("t/part-22.json"),
    ]
    dataset = next(d for d in _datasets(keys) if d["format"] == "csv")
    said = " | ".join(dataset["warnings"])
    assert "1 object is empty (0 bytes): t/part-20.csv" in said
    assert "Small files: 21 of 22 objects" in said
    assert "1 of 22 objects are archived" in said
    assert "Mixed formats: 1 object of format json" in said


def test_table_formats_are_recognised() -> None:
    """The files of a Delta table are not all current, and the summary says so."""
    grouper = _grouped(["t/_delta_log/0.json", "t/part-0.parquet", "t/part-1.parquet"])
    (dataset,) = grouper.datasets()
    assert "a Delta Lake table" in str(dataset["warnings"])
    assert grouper.hidden == 1


@pytest.mark.parametrize("root", ["", "lake/orders/"])
def test_iceberg_is_recognised_by_its_metadata(root: str) -> None:
    """Files of older snapshots lie among the data."""
    keys = [f"{root}metadata/v1.metadata.json", f"{root}metadata/snap-1.avro"]
    keys += [f"{root}data/dt=2026-01-0{day}/0000{day}-x.parquet" for day in (1, 2)]
    found = {one["format"]: one for one in _datasets(keys)}
    assert "an Iceberg table" in str(found["parquet"]["warnings"])


def test_compression_that_differs_is_named() -> None:
    """Objects of one format are two data sets where some are compressed, and each says so."""
    keys = [*(f"t/part-{i}.csv" for i in range(3)), *(f"t/part-{i}.csv.gz" for i in range(3, 5))]
    told = {one["objects"]: str(one["warnings"]) for one in _datasets(keys)}
    assert "2 objects of format csv (gzip)" in told[3]
    assert "3 objects of format csv (not compressed)" in told[2]


def test_tables_that_spark_wrote_are_named_by_their_folders() -> None:
    """What follows the part's number says nothing."""
    tables = ("customers", "items", "orders")
    keys = [f"sales/{t}/part-{i:05d}-aaaa.c000.snappy.parquet" for t in tables for i in range(3)]
    assert sorted(one["name"] for one in _datasets(keys)) == list(tables)


_LAYOUTS = {
    "hive": "t/dt={0}/x.csv",
    "hive parts": "t/year={0.year}/month={0.month}/day={0.day}/x.csv",
    "padded parts": "t/yyyy={0:%Y}/mm={0:%m}/dd={0:%d}/x.csv",
    "folders": "t/{0:%Y/%m/%d}/x.csv",
    "month folders": "t/{0:%Y-%m}/{0:%d}/x.csv",
    "days in month folders": "t/{0:%Y/%m/%d}.json",
    "names": "t/events-{0:%Y%m%d}.csv.gz",
    "stamps": "t/log.{0:%Y%m%d}T000000Z.csv",
    "encoded": "t/at={0}T00%3A00%3A00/x.csv",
}


@pytest.mark.parametrize("layout", _LAYOUTS)
def test_the_one_day_of_a_year_that_is_missing(layout: str) -> None:
    """Whatever carries the dates, the data set is one and the gap has its name."""
    days = [day for day in _days(365) if day != date(2025, 7, 20)]
    (dataset,) = _datasets(_LAYOUTS[layout].format(day) for day in days)
    assert dataset["objects"] == 364
    (said,) = [text for text in dataset["warnings"] if text.startswith("Missing in")]
    assert ": 2025-07-20 (364 entries from 2025-01-01 to 2025-12-31, usually every 1 day)" in said


@pytest.mark.parametrize(
    "layout",
    [
        "t/dt={0:%Y-%m-%d}/hour={0:%H}/x.csv",
        "t/year={0:%Y}/month={0:%m}/day={0:%d}/hour={0:%H}/x.csv",
        "t/{0:%Y/%m/%d/%H}/x.csv",
    ],
)
def test_the_one_hour_that_is_missing(layout: str) -> None:
    """Hours are a date's last part, whatever carries them."""
    first = datetime(2025, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=at) for at in range(72) if at != 31]
    (dataset,) = _datasets(layout.format(hour) for hour in hours)
    (said,) = [text for text in dataset["warnings"] if text.startswith("Missing in")]
    assert ": 2025-01-02T07 (71 entries" in said


@pytest.mark.parametrize("layout", ["t/region={1}/dt={0}/x.csv", "t/k={1}/{0:%Y/%m/%d}/x.csv"])
def test_a_day_that_is_missing_in_one_region_alone(layout: str) -> None:
    """The dates of all regions have no gap; one region's have."""
    keys = [layout.format(day, region) for day in _days(30) for region in ("eu", "us")]
    gap = layout.format(date(2025, 1, 7), "eu")
    (dataset,) = _datasets(key for key in keys if key != gap)
    (said,) = [text for text in dataset["warnings"] if text.startswith("Missing in")]
    assert said.endswith("=eu lacks 2025-01-07")
    assert "Missing" not in str(_datasets(keys)[0]["warnings"])


class _Weighed(str):
    """A date that counts how often one is compared."""

    __slots__ = ()
    compared = 0

    def __lt__(self, other: str) -> bool:
        _Weighed.compared += 1
        return super().__lt__(other)


def test_digits_tell_a_data_set_from_names_that_go_on() -> None:
    """Where a star would match others, each digit of equal names has its class."""
    found = _datasets(["a_0001.csv", "a_0002.csv", "a_1_x.csv"])
    (uri,) = [one["uri"] for one in found if one["objects"] > 1]
    assert uri == "s3://lake/a_[0-9][0-9][0-9][0-9].csv"


@pytest.mark.parametrize("column", ["d", "Date"])
def test_a_date_is_not_crossed_with_itself(column: str) -> None:
    """Whatever its column is called."""
    days = {"eu": range(1, 9), "us": (1, 2, 3, 5, 6, 7, 8)}
    keys = [f"{column}=2026-01-0{d}/at={place}/x.csv" for place in days for d in days[place]]
    (one,) = _datasets(keys)
    assert any("at=us lacks 2026-01-04" in said for said in one["warnings"])


def test_dates_of_many_devices_are_told_without_comparing_each_with_all() -> None:
    """A year's hours of many devices take as long as sorting them, not as all by all."""
    crossings = Crossings()
    for device in range(500):
        for at in range(10):
            date_of = _Weighed(f"{(device * 7 + at * 200) % 2_000:06}")
            partitions = (("device", str(device)), ("at", date_of))
            crossings.add(_crossed(partitions, date_of))
    assert list(crossings.gaps("at")) == []
    assert 0 < _Weighed.compared < 100_000


def test_few_dates_are_no_gap_and_the_first_that_lack_some_are_named() -> None:
    """Combinations are told in their order; those of three dates are no series."""
    crossings = Crossings()
    lacks = {"e": "4", "d": "3", "c": "56", "b": "2", "few": "234567", "all": ""}
    for region, gaps in lacks.items():
        for at in sorted(set("12345678") - set(gaps)):
            crossings.add(_crossed((("region", region), ("at", at)), at))
    assert list(crossings.gaps("at")) == [
        "region=b lacks 2",
        "region=c lacks 5, 6",
        "region=d lacks 3",
        "1 more lack some",
    ]


def test_a_group_of_too_many_dates_leaves_room_for_the_others() -> None:
    """What one group keeps is forgotten once it is too much, and never held against another."""
    budget = Budget(left=10)
    vast, small = Crossings(budget), Crossings(budget)
    for at in "123456":
        vast.add(_crossed((("region", "x"), ("at", at)), at))
    for region, dates in {"eu": "12345", "us": "1245"}.items():
        for at in dates:
            vast.add(_crossed((("region", region), ("at", at)), at))
    for region, dates in {"eu": "12345", "us": "1245"}.items():
        for at in dates:
            small.add(_crossed((("region", region), ("at", at)), at))
    assert (vast.dates, list(vast.gaps("at"))) == ({}, [])
    assert list(small.gaps("at")) == ["region=us lacks 3"]
    small.absorb(vast)
    assert (small.dates, budget.left) == ({}, 10)


def _crossed(partitions: tuple[tuple[str, str], ...], at: str) -> KeyShape:
    return KeyShape(folders=(), stem="", suffix="", partitions=partitions, moments=(("at", at),))


def test_freshness() -> None:
    """The newest object, the usual interval, and whether the series has stopped."""
    grouper = _grouped(_FAMILIES["hive"])
    (late,) = grouper.freshness(datetime(2025, 3, 1, tzinfo=UTC))
    assert "from 2025-01-01 to 2025-01-09, usually every 1 day" in late
    assert "nothing for more than 3 intervals" in late
    (fresh,) = grouper.freshness(datetime(2025, 1, 10, tzinfo=UTC))
    assert "nothing" not in fresh
    assert _grouped(["t/x.csv"]).freshness(_NEW) == [""]


def test_names_that_nothing_brings_together_take_time_with_their_number() -> None:
    """Not with its square: there may be a folder for each customer."""
    words = ["".join(word) for word in itertools.product("abcdefg", repeat=4)]
    start = time.process_time()
    found = _grouped(f"t/{word}/{word[::-1]}.csv" for word in words).datasets()
    assert time.process_time() - start < 5
    assert len(found) == len(words) > MOST_GROUPS


def test_groups_are_bounded() -> None:
    """However many names there are, memory holds a bounded number of groups, and no key is lost."""
    words = [
        f"{a}{b}{c}{d}"
        for a in "abcdefg"
        for b in "abcdefg"
        for c in "abcdefg"
        for d in "abcdefghij"
    ]
    grouper = _grouped(f"t/{word}/data.csv" for word in words)
    found = grouper.datasets()
    assert len(words) > MOST_GROUPS >= len(found)
    assert sum(int(str(d["objects"])) for d in found) == len(words)


@pytest.mark.parametrize(
    ("key", "hidden"),
    [
        ("t/_SUCCESS", True),
        ("t/_temporary/0/x.parquet", True),
        ("t/.x.csv.crc", True),
        ("t/_p=1/x.csv", False),
        ("t/x_1.csv", False),
        ("t/../x.csv", False),
    ],
)
def test_hidden_names(key: str, hidden: bool) -> None:  # noqa: FBT001 - what is expected
    """What engines skip is no data."""
    assert is_hidden(key) is hidden


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_key_has_a_shape_that_fits_it(key: str) -> None:
    """Whatever a key is called, its shape is a pattern of it."""
    shape = shape_of(key)
    template = "/".join((*shape.folders, shape.stem + shape.suffix))
    folders = key.count("/")
    assert template.count("/") == folders
    pattern = template.replace("[", "[[]").replace("?", "[?]")
    if "=" not in key:
        assert fnmatch.fnmatchcase(key, pattern)


@pytest.mark.parametrize(
    ("moments", "missing"),
    [
        (["2025-01-01", "2025-01-02", "2025-01-04", "2025-01-05"], ("2025-01-03",)),
        (["2025-01", "2025-02", "2025-04", "2025-05", "2025-06"], ("2025-03",)),
        ([f"2025-01-01T{h:02d}" for h in (0, 1, 2, 4, 5)], ("2025-01-01T03",)),
        (["2020", "2021", "2023", "2024"], ("2022",)),
    ],
)
def test_series_of_every_unit(moments: list[str], missing: tuple[str, ...]) -> None:
    """Days, months, hours and years have gaps."""
    series = find_series(moments)
    assert series is not None
    assert series.missing == missing


def test_week_ends_are_no_gaps() -> None:
    """Days that are missing on week-ends alone are working days."""
    days = [str(day) for day in _days(28) if day.weekday() < 5]
    series = find_series(days)
    assert series is not None
    assert series.missing_total == 0


@pytest.mark.parametrize("moments", [["2025-01-01"], ["2025-01-01", "2025-03-09", "2026-01-01"]])
def test_a_few_dates_are_no_series(moments: list[str]) -> None:
    """Without regularity nothing is missing."""
    assert find_series(moments) is None


@given(st.integers(1, 2_000), st.integers(1, 40))
def test_spaced_keys_hold_both_ends(count: int, wanted: int) -> None:
    """Of any number of keys the first and, if two are wanted, the last are kept."""
    kept = SpacedKeys()
    for number in range(count):
        kept.add(_listed(f"{number:05d}"))
    found = [one.key for one in kept.spread(wanted)]
    assert found == sorted(found)
    assert found[0] == "00000"
    assert len(found) <= max(1, wanted)
    assert wanted == 1 or found[-1] == f"{count - 1:05d}"
