"""Comparisons of partitions that may fail, such as those with a cast, leave out objects too."""

from collections.abc import Sequence

import pyarrow as pa
import pytest

from s3_data_lake_mcp.storage import ObjectInfo, ScanMeter
from support.engine import Desk
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

YEARS, MONTHS = ("2023", "2024"), ("04", "05", "11")


class Noting(MemoryStore):
    """A store that notes the keys that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Note a key, and return a range."""
        self.keys.add(info.ref.key)
        return super().get_range(info, start, stop, meter)


def filled(form: str, months: Sequence[str] = MONTHS) -> tuple[Desk, Noting]:
    """Return an engine over a partitioned table, one row for each object and ten more."""
    store = Noting()
    desk = Desk(store=store)
    for year in YEARS:
        for month in months:
            rows = [{"id": at, "k": f"{year}-{month}"} for at in range(11)]
            if form == "parquet":
                body = parquet_bytes(pa.Table.from_pylist(rows))
            else:
                body = "".join(["id,k\n", *(f"{r['id']},{r['k']}\n" for r in rows)]).encode()
            desk.put(f"t/year={year}/month={month}/a.{form}", body)
    return desk, store


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("month = 5", ["2023-05", "2024-05"]),
        ("year = 2024 AND month = 5", ["2024-05"]),
        ("d.month = 5 AND id > 3 AND year < 2024", ["2023-05"]),
        ("month::INT IN (5, 11) AND year = 2023", ["2023-05", "2023-11"]),
        ("make_date(year, month::INT, 1) < '2023-05-09'", ["2023-04", "2023-05"]),
        ("year * 100 + month::INT = 202405", ["2024-05"]),
        ("month = 2", []),
    ],
)
def test_objects_that_do_not_fit_are_not_read(form: str, condition: str, found: list[str]) -> None:
    """Beside the ends, only objects are read whose partitions fit."""
    desk, store = filled(form, [f"{month:02}" for month in range(4, 13)])
    sql = f"SELECT DISTINCT k FROM data d WHERE {condition} ORDER BY k"
    assert [row["k"] for row in desk.rows("t/", sql)] == found
    if not found:
        return
    inner = {f"t/year={one[:4]}/month={one[5:]}/a.{form}" for one in found}
    ends = {f"t/year=2023/month=04/a.{form}", f"t/year=2024/month=12/a.{form}"}
    assert inner <= store.keys <= inner | ends


def test_of_short_texts_only_those_that_fit_are_fetched_meanwhile() -> None:
    """Of the others no more than the heads, which tell the columns."""
    desk = Desk()
    body = "id,v\n" + "1,2\n" * 100_000
    for month in range(1, 5):
        desk.put(f"t/month={month}/a.csv", body)
    assert desk.value("t/", "SELECT count(*) FROM data WHERE month = 2") == 100_000
    assert len(body) <= desk.meter.bytes_read < len(body) * 3 // 2


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT count(*) FROM data WHERE month = 5 OR id = 0", 26),
        (
            "SELECT count(*) FROM (SELECT year AS month FROM data) WHERE month = 2023",
            33,
        ),
        ("SELECT count(*) FROM data WHERE month = 5 AND (SELECT count(*) FROM data) = 66", 22),
        ("SELECT count(*) FROM range(3) r LEFT JOIN data ON r.range = id WHERE month IS NULL", 0),
        ("SELECT count(*) FROM data a JOIN data b USING (id, k) WHERE a.month = 5", 22),
        (
            "WITH data AS (SELECT id AS month FROM data) SELECT count(*) FROM data WHERE month = 5",
            6,
        ),
        ("WITH t AS (FROM data WHERE month = 5) SELECT count(*) FROM t WHERE year = 2023", 11),
        (
            "SELECT count(*) FROM (FROM data WHERE month = 5 UNION ALL FROM data WHERE month = 4)",
            44,
        ),
        (
            "SELECT year::INT % 100 AS month FROM data WHERE month = 11 AND id = 0 AND year = 2024",
            24,
        ),
        ("SELECT count(*) FROM data AS d(month, id, k, year) WHERE month = 5", 6),
        ("SELECT count(*) FILTER (month = 5) FROM data WHERE month::INT > 4", 22),
    ],
)
def test_what_may_be_about_something_else_reads_all(sql: str, found: int) -> None:
    """Names that mean something else, and tables that are read twice, lose no rows."""
    desk, _ = filled("parquet")
    assert desk.value("t/", sql) == found


def test_odd_values_of_partitions_keep_their_rows() -> None:
    """Values are compared as the engine reads them from the folders, and null is one."""
    odd = ["a b", "x'y", "é", "50%25", "__HIVE_DEFAULT_PARTITION__", "7"]
    desk, _ = filled("parquet", odd)
    shown = desk.rows("t/", "SELECT DISTINCT month AS m FROM data WHERE id = 0 ORDER BY ALL")
    sql = "SELECT DISTINCT month AS m FROM data WHERE CASE WHEN id = 0 THEN true END ORDER BY ALL"
    assert desk.rows("t/", sql) == shown
    sql = "SELECT DISTINCT month m FROM data WHERE month IS NULL OR month || '' > '' ORDER BY ALL"
    assert desk.rows("t/", sql) == shown
    for one in shown:
        same = "IS NOT DISTINCT FROM"
        sql = f"SELECT count(*) FROM data WHERE month {same} $${one['m']}$$ AND year + 0 = 2024"
        assert one["m"] is None or desk.value("t/", sql) == 11


def test_what_is_said_of_values_is_about_all_rows() -> None:
    """A value that other partitions have is not said to be in none."""
    desk, _ = filled("csv")
    sql = "SELECT * FROM data WHERE k = '2024-04x' AND {} = 5"
    cast, tried = (desk.run("t/", sql.format(m)) for m in ("month", "try_cast(month AS INT)"))
    assert cast.notices == tried.notices != []
