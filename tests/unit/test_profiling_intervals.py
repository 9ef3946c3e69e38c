"""Series of minutes, and of numbers that are dates by what stands beside them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from s3_data_lake_mcp.profiling import crossings
from support.groups import grouped, warnings_on

_FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def _every(minutes: int, *, count: int, but: int = -1) -> list[datetime]:
    return [_FIRST + timedelta(minutes=minutes * at) for at in range(count) if at != but]


@pytest.mark.parametrize(
    "layout",
    [
        "t/log_{:%Y%m%dT%H%M%SZ}.csv",
        "t/log-{:%Y-%m-%d-%H-%M}.csv",
        "t/{:%Y%m%d%H%M}.csv",
        "t/{:%Y/%m/%d/%H/%M}/x.csv",
        "t/{:%Y/%m/%d/%H/%M}.csv",
        "t/{:%Y/%m/%d/%H%M}.csv",
        "t/{:%Y/%m/%d/%H-%M-%S}.csv",
        "t/dt={0:%Y-%m-%d}/hour={0:%H}/minute={0:%M}/x.csv",
        "t/year={0:%Y}/month={0:%m}/day={0:%d}/hour={0:%H}/min={0:%M}/x.csv",
    ],
)
def test_the_one_quarter_of_an_hour_that_is_missing(layout: str) -> None:
    """Data that comes every fifteen minutes is not told as hourly."""
    grouper = grouped(layout.format(at) for at in _every(15, count=96 * 4, but=333))
    (dataset,) = grouper.datasets()
    gap = "2026-03-04T11:15 (383 entries from 2026-03-01T00:00 to 2026-03-04T23:45"
    assert f"{gap}, usually every 15 minutes)" in str(dataset["warnings"])
    (late,) = grouper.freshness(datetime(2026, 3, 5, 1, tzinfo=UTC))
    (fresh,) = grouper.freshness(datetime(2026, 3, 5, 0, 40, tzinfo=UTC))
    assert "every 15 minutes (nothing for more than 3 intervals)" in late
    assert "every 15 minutes (" not in fresh


@pytest.mark.parametrize("jitter", [2, 7, 13])
def test_minutes_that_vary_are_hours(jitter: int) -> None:
    """An hourly run that begins when it can is a series of hours."""
    runs = [at + timedelta(minutes=n * jitter % 17) for n, at in enumerate(_every(60, count=90))]
    del runs[40]
    (told,) = warnings_on(f"t/r_{at:%Y%m%d-%H%M}.csv" for at in runs)
    assert told.startswith("Missing in the names: 2026-03-02T16 (89 entries")


@pytest.mark.parametrize("parts", [1, 9, 40])
@pytest.mark.parametrize("layout", ["t/o_{:%Y%m%d}_{:04d}.csv", "t/{:%Y/%m/%d/%H}/{:02d}.csv"])
def test_numbers_of_parts_are_no_minutes(layout: str, parts: int) -> None:
    """Only the day or hour that is missing is told."""
    times = _every(60, count=80, but=50) if "%H" in layout else _every(1440, count=8, but=5)
    (told,) = warnings_on(layout.format(at, part) for at in times for part in range(parts))
    gap = "2026-03-03T02 (79" if "%H" in layout else "2026-03-06 (7"
    assert told.partition(": ")[2].startswith(gap)


def test_parts_of_one_day_are_no_minutes() -> None:
    """Four digits behind a date, from 0 on, count parts."""
    keys = [f"t/o_20260301_{part:04d}.csv" for part in range(30) if part != 7]
    assert warnings_on(keys) == []
    (told,) = warnings_on(key.replace("1_00", "1_13") for key in keys)
    assert told.startswith("Missing in the names: 2026-03-01T13:07")


def test_what_moves_by_a_day_misses_nothing() -> None:
    """Reports of Mondays that come on Tuesdays from some week on have no gap, nor do odd days."""
    weeks = [_FIRST + timedelta(weeks=at, days=int(at > 8)) for at in range(20)]
    assert warnings_on(f"t/r_{at:%Y-%m-%d}.csv" for at in weeks) == []
    thrice = [_FIRST + timedelta(weeks=at, days=day) for at in range(9) for day in (0, 2, 4)]
    assert warnings_on(f"t/r_{at:%Y-%m-%d}.csv" for at in thrice) == []


def test_what_one_region_lacks_is_told_to_the_hour_where_minutes_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rather than not at all."""
    keys = [
        f"t/region={region}/r_{at:%Y%m%d%H%M}.csv"
        for region in ("eu", "us")
        for at in _every(15, count=400)
        if (region, f"{at:%d%H}") != ("eu", "0307")
    ]
    (exact,) = warnings_on(keys)
    assert "region=eu lacks 2026-03-03T07:00, 2026-03-03T07:15" in exact
    monkeypatch.setattr(crossings, "_MOST_CROSSINGS", 300)
    (coarse,) = warnings_on(keys)
    assert coarse.endswith("region=eu lacks 2026-03-03T07")


@pytest.mark.parametrize(
    ("layout", "gap"),
    [
        ("t/{0}/report-{1:02d}.csv", "2024-05 (35 entries from 2023-01 to 2025-12"),
        ("{0}/{1:02d}_report.csv", "2024-05 (35 entries from 2023-01 to 2025-12"),
    ],
)
def test_months_may_be_numbers_of_names_in_folders_of_years(layout: str, gap: str) -> None:
    """Where the numbers of all names run from the first month to the last."""
    months = [(y, m) for y in (2023, 2024, 2025) for m in range(1, 13) if (y, m) != (2024, 5)]
    (told,) = warnings_on(layout.format(*each) for each in months)
    assert told.startswith(f"Missing in the folders and numbers of names: {gap}")


def test_days_and_quarters_may_be_numbers_of_names_too() -> None:
    """In the folders of their months and years."""
    days = _every(1440, count=61, but=40)
    (told,) = warnings_on(f"t/{at:%Y/%m}/report_{at:%d}.csv" for at in days)
    assert "numbers of names: 2026-04-10 (60 entries" in told
    quarters = [(y, q) for y in (2023, 2024) for q in (1, 2, 3, 4) if (y, q) != (2023, 3)]
    (told,) = warnings_on(f"t/{y}/report_Q{q}.csv" for y, q in quarters)
    assert told.startswith("Missing in the folders and names: 2023Q3 (7 entries")


@pytest.mark.parametrize("layout", ["t/{}/events-{:02d}.csv", "t/{}/03/events-{:02d}.csv"])
@pytest.mark.parametrize("parts", [8, 11, 13, 25, 35])
def test_numbers_of_parts_in_folders_of_dates_are_no_dates(layout: str, parts: int) -> None:
    """They end before the last month or day, or behind it, or begin with none."""
    first = 0 if parts == 13 else 1
    keys = [layout.format(y, n) for y in (2023, 2024, 2025) for n in range(first, first + parts)]
    assert warnings_on(key for key in keys if "-07" not in key) == []


@pytest.mark.parametrize(
    "first", [datetime(2023, 11, 5, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)]
)
def test_dates_may_lack_their_century(first: datetime) -> None:
    """Six digits are a date where they are one in all names, and these are a series."""
    days = [first + timedelta(days=at) for at in range(40) if at != 13]
    (told,) = warnings_on(f"t/log_{day:%y%m%d}.csv" for day in days)
    gap = first + timedelta(days=13)
    assert told.startswith(f"Missing in the names (yymmdd): {gap:%Y-%m-%d} (39 entries")


@pytest.mark.parametrize(
    "numbers",
    [
        range(231_090, 231_160, 2),  # numbers that go on behind the end of a month
        range(270_101, 270_120, 3),  # ahead of all that was written
        [110_503, 240_911, 190_228, 30_817, 210_402],  # as random as phone numbers
        [201_101 + month for month in range(12) if month != 5],  # months with their century
    ],
)
def test_six_digits_may_be_numbers(numbers: Iterable[int]) -> None:
    """No gaps of days are told of them."""
    told = warnings_on(f"t/o_{number:06d}.csv" for number in numbers)
    assert "yymmdd" not in str(told)
    assert [one for one in told if "2011-06" not in one] == []


@pytest.mark.parametrize(
    "layout",
    [
        "t/run-{:%Y-%m-%d}/part-0.csv",
        "t/snapshot_{:%Y%m%d}-7f3a9c21/x.csv",
        "t/{:%Y-%m-%dT%H-%MZ}/manifest.json",
        "t/{:%Y%m%d%H}/x.csv",
    ],
)
def test_folders_whose_names_hold_a_day_are_one_data_set(layout: str) -> None:
    """However few they are, with what is missing between them."""
    (told,) = warnings_on(layout.format(at) for at in _every(1440, count=5, but=2))
    assert told.startswith("Missing in the folders: 2026-03-03 (4 entries from 2026-03-01")


def test_folders_with_a_number_or_another_name_are_data_sets_of_their_own() -> None:
    """As far as names tell."""
    keys = [
        f"t/{name}/x.csv" for name in ("model_2024", "v202401", "2.0", "a_20240101", "b_20240101")
    ]
    assert len(grouped(keys).datasets()) == len(keys)


def test_what_athena_puts_beside_its_results_is_no_data_set() -> None:
    """One result is one data set."""
    grouper = grouped(["r/1f.csv", "r/1f.csv.metadata"])
    assert ([one["name"] for one in grouper.datasets()], grouper.hidden) == (["1f"], 1)
