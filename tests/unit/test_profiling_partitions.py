"""Partitions in profiles: the same columns, types and figures whatever the basis."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from support.summaries import CSV, Summaries

_TABLE = pa.table({"id": [1, 2, 3]})


@pytest.fixture
def summaries() -> Summaries:
    """Return an empty store and its summaries."""
    return Summaries()


@pytest.mark.parametrize("basis", ["exact", "footer", "sample"])
def test_partitions_are_columns_of_every_basis(summaries: Summaries, basis: str) -> None:
    """Types are those of SQL, leading zeros stay, and what the names tell is exact."""
    for year, month in ((2024, "01"), (2024, "02"), (2025, "01")):
        summaries.put(f"t/year={year}/month={month}/dt={year}-{month}-01/x.parquet", _TABLE)
    found = summaries.columns("t/", basis)
    told = {n: (c["type"], c["nulls"], c["distinct"], c["min"], c["max"]) for n, c in found.items()}
    assert told["year"] == ("int64", 0, 2, 2024, 2025)
    assert told["month"] == ("string", 0, 2, "01", "02")
    assert told["dt"] == ("date32[day]", 0, 3, "2024-01-01", "2025-01-01")
    assert found["year"]["top"] == [{"value": 2024, "count": 6}, {"value": 2025, "count": 3}]
    assert list(summaries.columns("t/", basis, "dt")) == ["dt"]


@pytest.mark.parametrize("basis", ["exact", "footer", "sample"])
def test_the_null_partition_is_null(summaries: Summaries, basis: str) -> None:
    """`__HIVE_DEFAULT_PARTITION__` is how Hive writes null, not a value."""
    summaries.put("t/k=__HIVE_DEFAULT_PARTITION__/x.parquet", _TABLE)
    summaries.put("t/k=5/x.parquet", _TABLE)
    found = summaries.columns("t/", basis)["k"]
    assert (found["type"], found["nulls"], found["distinct"]) == ("int64", 3, 1)
    assert (found["min"], found["max"], found["null_fraction"]) == (5, 5, 0.5)


@pytest.mark.parametrize("basis", ["exact", "footer", "sample"])
def test_partitions_win_over_stored_columns(summaries: Summaries, basis: str) -> None:
    """A column that is in the files too has the values of the folders."""
    for day in (1, 2):
        stored = _TABLE.append_column("dt", pa.array([date(2020, 1, 1)] * 3))
        summaries.put(f"t/dt=2025-01-0{day}/x.parquet", stored)
    found = summaries.columns("t/", basis)["dt"]
    assert (found["min"], found["max"], found["distinct"]) == ("2025-01-01", "2025-01-02", 2)


@pytest.mark.parametrize("value", ["a%20b", "%2F", "a+b", "a=b", "a%", "a%ZZ", "é", "%C3%A9"])
def test_odd_partition_values(summaries: Summaries, value: str) -> None:
    """Values are decoded as Hive wrote them, the same by names, by SQL and in samples."""
    summaries.put(f"t/k={value}/x.csv", CSV)
    summaries.put("t/k=0/x.csv", CSV)
    exact, sample = (summaries.columns("t/", basis)["k"] for basis in ("exact", "sample"))
    assert [entry["value"] for entry in exact["top"]] == [e["value"] for e in sample["top"]]
    named: Any = summaries.of("t/")["datasets"][0]["partitions"]["k"]
    assert {named["min"], named["max"]} == {exact["min"], exact["max"]}
