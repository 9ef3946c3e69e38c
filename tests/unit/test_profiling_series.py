"""Series of hours, months and quarters, wherever they stand, and what is no series of them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from s3_data_lake_mcp.profiling.groups import MOST_MOMENTS
from s3_data_lake_mcp.profiling.series import find_series
from support.groups import WRITTEN, grouped, warnings_on
from support.summaries import Summaries

_MONTHS = [date(2024 + at // 12, at % 12 + 1, 1) for at in range(24)]
_DAYS = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=at) for at in range(8)]


@pytest.mark.parametrize(
    "layout", ["t/r_{:%Y%m}.csv", "t/{:%Y%m}/r.csv", "t/month={:%Y%m}/r.csv", "t/r_{:%Y_%m}.csv"]
)
def test_the_one_month_that_is_missing(layout: str) -> None:
    """A month is one without a mark between its parts too."""
    (told,) = warnings_on(layout.format(at) for at in _MONTHS if at != date(2024, 7, 1))
    assert told.partition(": ")[2].startswith("2024-07 (23 entries from 2024-01 to 2025-12")


@pytest.mark.parametrize(
    "layout",
    [
        "t/fin-{}-Q{}.csv",
        "t/fin_{}q{}.csv",
        "t/{}/Q{}.csv",
        "t/{}/Q{}/x.csv",
        "t/{}Q{}/x.csv",
        "t/year={}/quarter={}/x.csv",
        "t/year={}/qtr=1/quarter=Q{}/x.csv",
    ],
)
def test_the_one_quarter_that_is_missing(layout: str) -> None:
    """Quarters follow each other, whatever carries them."""
    quarters = [(y, q) for y in (2023, 2024, 2025) for q in (1, 2, 3, 4) if (y, q) != (2024, 2)]
    grouper = grouped(layout.format(*each) for each in quarters)
    (dataset,) = grouper.datasets()
    assert "2024Q2 (11 entries from 2023Q1 to 2025Q4, usually every 1 quarter)" in str(dataset)
    (late,) = grouper.freshness(datetime(2027, 1, 2, tzinfo=UTC))
    (fresh,) = grouper.freshness(datetime(2026, 3, 1, tzinfo=UTC))
    assert "nothing for more than 3 intervals" in late
    assert "nothing" not in fresh


@pytest.mark.parametrize("layout", ["t/fin_Q{1}_{0}.csv", "t/q{1}-{0}.csv"])
def test_a_quarter_may_stand_before_its_year(layout: str) -> None:
    """As people say it."""
    quarters = [(y, q) for y in (2023, 2024, 2025) for q in (1, 2, 3, 4) if (y, q) != (2024, 2)]
    (told,) = warnings_on(layout.format(*each) for each in quarters)
    assert told.partition(": ")[2].startswith("2024Q2 (11 entries from 2023Q1 to 2025Q4")


@pytest.mark.parametrize(
    "layout",
    ["t/r_{}-W{:02}.csv", "t/r{}w{:02}.csv", "t/{}/W{:02}/x.csv", "t/week={}-W{:02}/x.csv"],
)
def test_the_one_week_that_is_missing(layout: str) -> None:
    """Weeks are those of ISO, also across the years."""
    mondays = [date(2020, 10, 5) + timedelta(weeks=at) for at in range(30) if at != 13]
    grouper = grouped(layout.format(*day.isocalendar()[:2]) for day in mondays)
    (dataset,) = grouper.datasets()
    assert "2021-W01 (29 entries from 2020-W41 to 2021-W17, usually every 1 week)" in str(dataset)
    assert "nothing for" in grouper.freshness(datetime(2021, 6, 1, tzinfo=UTC))[0]
    assert "nothing for" not in grouper.freshness(datetime(2021, 5, 5, tzinfo=UTC))[0]


@pytest.mark.parametrize("day", [timedelta(0), timedelta(14), timedelta(-1), "Friday"])
@pytest.mark.parametrize("count", [6, 24])
def test_a_day_of_each_month_is_a_series_of_months(day: timedelta | str, count: int) -> None:
    """Months are of unlike lengths, and reports of their first, last or last working day."""
    months = [at for at in _MONTHS[7 : 7 + count] if at != date(2024, 10, 1)]
    days = [at + day if isinstance(day, timedelta) else _last_friday(at) for at in months]
    (told,) = warnings_on(f"t/r_{at:%Y%m%d}.csv" for at in days)
    gap = "2024-09" if day == timedelta(-1) else "2024-10"
    assert told.startswith(f"Missing in the names: {gap} ({len(months)} entries")
    assert told.endswith("usually every 1 month)")


def _last_friday(month: date) -> date:
    last = month.replace(day=28)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def test_months_may_be_the_names_in_folders_of_years() -> None:
    """`2024/07.csv` is a month, as `2024/07/01.csv` is a day."""
    (told,) = warnings_on(f"t/{at:%Y/%m}.csv" for at in _MONTHS if at != date(2024, 7, 1))
    assert told.startswith("Missing in the folders and names: 2024-07 (23 entries")


@pytest.mark.parametrize(
    "layout",
    [
        "t/log-{:%Y-%m-%dT%H}.csv",
        "t/log-{:%Y%m%d-%H}00.csv",
        "t/log_{:%Y%m%d%H}.csv",
        "t/{:%Y/%m/%d/%H}.csv",
        "t/dt={:%Y-%m-%d-%H}/x.csv",
    ],
)
def test_the_one_hour_that_is_missing_in_names(layout: str) -> None:
    """Names with hours miss hours, not days."""
    hours = [_DAYS[0] + timedelta(hours=at) for at in range(24 * 8) if at != 31]
    (told,) = warnings_on(map(layout.format, hours))
    assert told.partition(": ")[2].startswith("2026-03-02T07 (191 entries")


@pytest.mark.parametrize("parts", [1, 5, 15])
@pytest.mark.parametrize("layout", ["t/o_{:%Y-%m-%d}_{:02d}.csv", "t/{:%Y/%m/%d}/{:02d}.csv"])
def test_numbers_of_parts_behind_a_day_are_no_hours(layout: str, parts: int) -> None:
    """What each day lacks is no gap; the day that is missing is one."""
    days = [day for day in _DAYS if day != _DAYS[4]]
    (told,) = warnings_on(layout.format(day, part) for day in days for part in range(parts))
    assert told.partition(": ")[2].startswith("2026-03-05 (7 entries")


def test_a_daily_run_at_no_fixed_hour_is_a_series_of_days() -> None:
    """Minutes and hours of a daily run say nothing, among regions neither."""
    keys = [
        f"t/region={name}/s_{day + timedelta(hours=at * shift % 5, minutes=at):%Y%m%dT%H%M%SZ}.csv"
        for shift, name in ((1, "eu"), (3, "us"))
        for at, day in enumerate(_DAYS)
    ]
    assert warnings_on(keys) == []
    gap = f"t/region=eu/s_{_DAYS[3]:%Y%m%d}"
    (told,) = warnings_on(key for key in keys if not key.startswith(gap))
    assert told == "Missing in the names of some: region=eu lacks 2026-03-04"


def test_of_very_many_hours_the_days_are_told() -> None:
    """A series that is too long to be kept runs to its end all the same."""
    first = datetime(2020, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=at) for at in range(MOST_MOMENTS + 5_000)]
    gap = date(2023, 12, 6)
    grouper = grouped(f"t/log_{at:%Y%m%d%H}.csv" for at in hours if at.date() != gap)
    (dataset,) = grouper.datasets()
    assert f"{gap} (" in str(dataset["warnings"])
    assert f"to {hours[-1]:%Y-%m-%d}, usually every 1 day" in grouper.freshness(WRITTEN)[0]


def test_intervals_of_several_days_are_told() -> None:
    """The interval is the usual distance, in the plural where it is more than one."""
    keys = [f"t/r_{WRITTEN - timedelta(days=2 * at):%Y-%m-%d}.csv" for at in range(6)]
    assert "usually every 2 days" in grouped(keys).freshness(WRITTEN)[0]


def test_a_summary_tells_how_often_data_comes() -> None:
    """A notice names the data set, its newest object and the interval."""
    summaries = Summaries()
    for day in _DAYS:
        summaries.put(f"t/r_{day:%Y-%m-%d}.csv", last_modified=day)
    said = f"t: newest object of {_DAYS[-1].isoformat()}, names run from 2026-03-01 to 2026-03-08"
    assert any(notice.startswith(said) for notice in summaries.of("t/")["notices"])


def test_hours_beside_days_count_as_days() -> None:
    """A series is as exact as the least exact of its moments."""
    hours = [f"2026-01-0{day}T{hour:02d}" for day in (1, 2, 3) for hour in range(24)]
    series = find_series([*hours, "2026-01-04"])
    assert series is not None
    assert (series.unit, series.entries) == ("day", 4)


@pytest.mark.parametrize("layout", ["t/id={}/x.csv", "t/dt=2026-01-{:02}/h={}/x.csv"])
def test_numbers_of_which_some_look_like_dates_are_none(layout: str) -> None:
    """Of thousands of ids, 1900 to 2099 are no years, nor are the first of them hours."""
    keys = [layout.format(*([at % 28 + 1, at][-layout.count("{") :])) for at in range(3_000)]
    told = grouped(keys).freshness(WRITTEN)[0]
    assert "1900" not in told
    assert "hour" not in told
    assert not [one for one in warnings_on(keys) if "1900" in one]


def test_a_partition_may_lack_some_of_its_dates() -> None:
    """It is a series where most of its values are dates."""
    days = [f"2026-01-{at:02}" for at in range(1, 20)]
    keys = [f"t/dt={day}/x.csv" for day in [*days, "__HIVE_DEFAULT_PARTITION__", "unknown"]]
    assert "dt runs from 2026-01-01 to 2026-01-19" in grouped(keys).freshness(WRITTEN)[0]
