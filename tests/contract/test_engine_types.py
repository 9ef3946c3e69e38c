"""What a query shows of Parquet is what `read_parquet_from_s3` shows, digit for digit."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.loaders import LoadRequest, LoadResult
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.engine import Desk
from support.parquet_files import parquet_bytes


def shown(table: pa.Table) -> list[list[Any]]:
    """Return rows as they are sent."""
    return wire.json_rows(table, wire.Clipper())


def loaded(desk: Desk, key: str) -> LoadResult:
    """Return the first rows of an object as `read_parquet_from_s3` reads them."""
    ref = ObjectRef(bucket=desk.bucket, key=key)
    source = ObjectReader.open_tail(desk.store, ref, ScanMeter(), length=1 << 19)
    return ParquetLoader().load(source, LoadRequest(max_rows=1_000))


@pytest.fixture
def desk() -> Desk:
    """Return an engine over an empty store."""
    return Desk()


@pytest.mark.parametrize(
    ("where", "read"),
    [("n >= 350 AND n < 352", 1), ("n >= 350 AND n < 450", 2), ("n % 10 = 0", 10), ("n < 0", 0)],
)
def test_row_groups_that_were_read_are_counted(desk: Desk, where: str, read: int) -> None:
    """A predicate reads only the row groups that statistics leave, and says how many."""
    desk.put("n.parquet", parquet_bytes(pa.table({"n": range(1_000)}), row_group_size=100))
    for _ in range(2):
        result = desk.run("n.parquet", where=where, format="parquet")
        assert result.details["parquet"]["row_groups_read"] == read  # type: ignore[index] # plain JSON


def test_row_groups_of_many_objects_are_counted(desk: Desk) -> None:
    """Of a dataset, the row groups of all objects count that partitions and statistics leave."""
    for day in (1, 2, 3):
        body = parquet_bytes(pa.table({"n": range(100)}), row_group_size=50)
        desk.put(f"t/day={day}/part.parquet", body)
    for where, read in (("", 6), ("day > 1", 4), ("day > 1 AND n < 10", 2)):
        result = desk.run("t/", where=where, format="parquet")
        assert result.details["parquet"]["row_groups_read"] == read  # type: ignore[index] # plain JSON


@pytest.mark.parametrize("where", ["n = 3;", "n = 3; -- three", "n = 3 /* three */ ;;"])
def test_a_predicate_runs_as_it_was_checked(desk: Desk, where: str) -> None:
    """What the guard cut off behind a predicate does not reach the engine."""
    desk.put("n.parquet", parquet_bytes(pa.table({"n": range(10)})))
    assert desk.rows("n.parquet", where=where) == [{"n": 3}]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("5::UHUGEINT", 5),
        (f"{2**128 - 1}::UHUGEINT", str(2**128 - 1)),
        ("3::BIGNUM", 3),
        ("(-3)::BIGNUM", -3),
        (f"'{-(7**80)}'::BIGNUM", str(-(7**80))),
        (f"'{2**53}'::BIGNUM", str(2**53)),
        ("[5::UHUGEINT, NULL]", [5, None]),
        ("{'a': 5::UHUGEINT, 'b': 3::BIGNUM}", {"a": 5, "b": 3}),
        ("(-170141183460469231731687303715884105727 - 1)::HUGEINT", str(-(2**127))),
        ("'10:20:30+02:30'::TIMETZ", "10:20:30+02:30"),
        ("'10:20:30-15:59:59'::TIMETZ", "10:20:30-15:59:59"),
    ],
)
def test_wide_integers_are_numbers_with_all_their_digits(
    desk: Desk, sql: str, value: object
) -> None:
    """Integers of any width are numbers where a double holds them, else all of their digits."""
    desk.put("one.csv", "n\n1\n")
    assert shown(desk.run("one.csv", f"SELECT {sql} AS v FROM data").table) == [[value]]


def test_an_integer_longer_than_a_cell_is_clipped(desk: Desk) -> None:
    """Numbers of very many digits are counted among the clipped cells."""
    desk.put("one.csv", "n\n1\n")
    clipper = wire.Clipper(100)
    table = desk.run("one.csv", "SELECT repeat('7', 150)::BIGNUM AS v FROM data").table
    assert wire.json_rows(table, clipper) == [["7" * 100 + "…(+50 chars)"]]
    assert clipper.clipped == 1


@pytest.mark.parametrize("key", ["one.parquet", "many/"])
def test_equal_names_are_numbered_as_by_the_read_tool(desk: Desk, key: str) -> None:
    """A query and the loader give the same columns the same names, and say so alike."""
    columns = [pa.array([n]) for n in range(4)]
    body = parquet_bytes(pa.Table.from_arrays(columns, names=["a", "a", "a_1", "a"]))
    for name in ("one.parquet", "many/1.parquet", "many/2.parquet"):
        desk.put(name, body)
    read = loaded(desk, "one.parquet")
    result = desk.run(key, "SELECT * FROM data LIMIT 1")
    assert result.table.to_pylist() == read.table.to_pylist()
    assert list(result.notices) == list(read.notices) != []
    assert desk.value(key, "SELECT any_value(a_2) FROM data WHERE a_1 = 2") == 1


def test_partitions_of_odd_values_are_one_table(desk: Desk) -> None:
    """Values that the engine may take for a pattern stand beside plain ones, and keep apart."""
    values = ["it's(", "a*b", "[x]", "plain", "a&b#"]
    for number, value in enumerate(values):
        desk.put(f"p/v={value}/x.parquet", parquet_bytes(pa.table({"n": [number]})))
    rows = desk.rows("p/", "SELECT v FROM data ORDER BY n")
    assert [row["v"] for row in rows] == values
    assert desk.value("p/", "SELECT n FROM data WHERE v = 'a*b'") == 1


def test_a_reader_calls_objects_by_their_uris(desk: Desk) -> None:
    """However odd a key among them is, `filename` tells of each, and finds it."""
    for key in ("f/v=it's/a.csv", "f/v=x/b & c [1].csv", "f/v=a?b/c.csv"):
        desk.put(key, "n\n1\n")
    source = "read_csv('s3://lake/f/**', filename = true)"
    rows = desk.rows("", f"SELECT filename FROM {source} WHERE v <> 'a?b' ORDER BY v")
    assert [row["filename"][10:] for row in rows] == ["f/v=it's/a.csv", "f/v=x/b & c [1].csv"]
    assert desk.value("", f"SELECT v FROM {source} WHERE filename LIKE '%/v=x/%'") == "x"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (["2024", "None"], ["2024", "None"]),
        (["NA", "2026-01-31"], ["NA", "2026-01-31"]),
        (["1", "NULL", "null"], [1, None, None]),
    ],
)
def test_partitions_may_be_null_as_the_engine_has_it(
    desk: Desk, values: list[str], shown: list[object]
) -> None:
    """What is null in delimited text beside is a text, of which all rows can be read."""
    for number, value in enumerate(values):
        desk.put(f"p/v={value}/x.csv", f"n\n{number}\n")
    assert [row["v"] for row in desk.rows("p/", "SELECT v FROM data ORDER BY n")] == shown
    assert desk.value("p/", "SELECT count(*) FROM data WHERE v IS NULL") == shown.count(None)


def test_objects_that_hold_nothing_but_their_partition_are_one_table(desk: Desk) -> None:
    """As those are that hold other columns as well."""
    for number in range(3):
        desk.put(f"p/v={number}/x.parquet", parquet_bytes(pa.table({"v": [number]})))
    assert desk.rows("p/", "SELECT v FROM data ORDER BY v") == [{"v": n} for n in range(3)]


STORED: dict[str, Any] = {
    "seconds": pa.array([5], pa.timestamp("ms")),
    "zone": pa.array([1_500], pa.timestamp("us", "Europe/Berlin")),
    "nanoseconds": pa.array([1_501], pa.timestamp("ns", "America/New_York")),
    "time32": pa.array([1_500], pa.time32("ms")),
    "time64": pa.array([1_501], pa.time64("ns")),
    "half": pa.array([1.5], pa.float16()),
    "fixed": pa.array([b"abcd"], pa.binary(4)),
    "uuid": pa.array([bytes(range(16))], pa.uuid()),
    "dictionary": pa.array(["x"]).dictionary_encode(),
    "large": pa.array(["x"], pa.large_string()),
    "duration": pa.array([90_061], pa.duration("s")),
    "long": pa.array([90_061_000_000_001], pa.duration("ns")),
    "nested": pa.array([[{"at": 5}]], pa.list_(pa.struct([("at", pa.timestamp("ms"))]))),
}


@pytest.mark.parametrize("name", STORED)
def test_columns_have_the_types_of_the_read_tool(desk: Desk, name: str) -> None:
    """What a query hands on as it is has the type and the text that a reading gives it."""
    values = STORED[name]
    empty = pa.nulls(1, values.type)
    both: Any = pa.chunked_array([values, empty])
    table = pa.table({"n": [1, 2], name: both})
    desk.put("t.parquet", parquet_bytes(table))
    read = loaded(desk, "t.parquet").table
    for sql in ("", "SELECT * FROM data", f'SELECT n, "{name}" FROM data WHERE n > 0 ORDER BY n'):
        result = desk.run("t.parquet", sql).table
        assert list(map(str, result.schema.types)) == list(map(str, read.schema.types))
        assert shown(result) == shown(read)
    planned = desk.run("t.parquet", "SELECT * FROM data", dry_run=True).table
    assert list(map(str, planned.schema.types)) == list(map(str, read.schema.types))


def test_what_is_computed_has_the_type_that_it_was_computed_in(desk: Desk) -> None:
    """A name that is given anew, by an alias or a subquery, is no stored column."""
    desk.put("t.parquet", parquet_bytes(pa.table({"d": pa.array([5], pa.duration("s"))})))
    for sql in (
        "SELECT d + 1 AS d FROM data",
        "SELECT d FROM (SELECT 1 AS d FROM data)",
        "WITH data AS (SELECT 1 AS d) SELECT d FROM data",
        "SELECT * REPLACE (d + 1 AS d) FROM data",
    ):
        assert str(desk.run("t.parquet", sql).table.schema.types[0]) in {"int32", "int64"}
    notices = desk.run("t.parquet", "SELECT max(d) FROM data").notices
    assert notices == ["Durations are integers of their unit in SQL expressions: d (s)."]


@pytest.fixture
def wide(desk: Desk) -> Desk:
    """Return an engine over decimals that only 256 bits hold, in several row groups."""
    digits = [Decimal(f"{12345 * 10**40 + number}.50") for number in range(10)]
    columns: dict[str, Any] = {"n": range(10), "d": pa.array(digits, pa.decimal256(60, 2))}
    desk.put("d.parquet", parquet_bytes(pa.table(columns), row_group_size=4))
    return desk


@pytest.mark.parametrize(
    ("sql", "offset"),
    [("", 0), ("", 3), ("SELECT * FROM data", 7), ("SELECT n, d FROM data LIMIT 9", 6)],
)
def test_wide_decimals_keep_their_digits(wide: Desk, sql: str, offset: int) -> None:
    """Rows that come as they are stored have all the digits of their decimals."""
    rows = shown(wide.run("d.parquet", sql, offset=offset, max_rows=2).table)[:2]
    assert rows == shown(loaded(wide, "d.parquet").table)[offset : offset + 2]
    assert rows[0][1] == f"{12345 * 10**40 + offset}.50"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT n, d FROM data ORDER BY n DESC",
        "SELECT n, d FROM data WHERE n = 9",
        "SELECT n, d FROM data LIMIT 5 OFFSET 9",
        "SELECT unnest([9]) AS n, d FROM data OFFSET 9",
        "SELECT DISTINCT n, d FROM data WHERE n = 9",
    ],
)
def test_wide_decimals_that_are_computed_with_are_doubles(wide: Desk, sql: str) -> None:
    """Rows that come in another way are the engine's doubles, and a notice says so."""
    result = wide.run("d.parquet", sql, max_rows=1)
    assert result.table.to_pylist()[0] == {"n": 9, "d": pytest.approx(12345e40)}
    assert any("doubles in SQL: d." in notice for notice in result.notices)


def test_a_dry_run_names_wide_decimals(wide: Desk) -> None:
    """The plan has the types that the answer is going to have."""
    table = wide.run("d.parquet", "SELECT d FROM data", dry_run=True).table
    assert (str(table.schema.types[0]), table.num_rows) == ("decimal256(60, 2)", 0)


@pytest.mark.parametrize(
    "where", ["isnan(v)", "v = 'NaN'", "isnan(s.x)", "v IN ('nan', 7)", "coalesce(isnan(v), true)"]
)
@pytest.mark.parametrize("objects", [1, 2])
def test_what_is_not_a_number_is_found(desk: Desk, where: str, objects: int) -> None:
    """Statistics leave it out, so that the engine takes it that there is none."""
    values = [1.5, float("nan"), 2.5]
    table = pa.table({"id": [1, 2, 3], "v": values, "s": [{"x": value} for value in values]})
    for number in range(objects):
        desk.put(f"nan/{number}.parquet", parquet_bytes(table))
    key = "nan/" if objects > 1 else "nan/0.parquet"
    sql = f"SELECT id FROM data WHERE {where}"
    assert desk.rows(key, sql) == [{"id": 2}] * objects
    assert desk.rows(key, where=where, columns=("id",)) == [{"id": 2}] * objects
    plan = desk.run(key, sql, dry_run=True).plan
    assert plan is not None
    assert plan["row_groups"] == objects


@pytest.mark.parametrize(
    ("operator", "value", "found"), [("=", " NaN", [2]), ("in", "1.5,nan", [1, 2])]
)
def test_what_is_not_a_number_is_found_by_the_simple_form(
    desk: Desk, operator: str, value: str, found: list[int]
) -> None:
    """Likewise."""
    table = pa.table({"id": [1, 2, 3], "v": [1.5, float("nan"), 2.5]})
    desk.put("nan.parquet", parquet_bytes(table))
    assert [row["id"] for row in desk.filtered("nan.parquet", "v", operator, value)] == found


@pytest.mark.parametrize(("kind", "mean"), [("DOUBLE", 2.25), ("INT", 2.5)])
def test_try_cast_of_text_gives_null_where_it_does_not_fit(
    desk: Desk, kind: str, mean: float
) -> None:
    """The engine casts what it has read; a reader that casts refuses what does not fit."""
    desk.put("t.csv", 'id,code,note\n1,abc,""\n2,2.5,\n3,2,x\n')
    found = desk.rows("t.csv", f"SELECT avg(TRY_CAST(code AS {kind})) AS n FROM data")
    assert found == [{"n": mean}]
