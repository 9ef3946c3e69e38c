"""The pages of an answer: each row once, whoever is asked; and the same again for nothing."""

import random
import threading
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.engines.answers import Answers, is_lasting
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.guard_parser import the_parser
from s3_data_lake_mcp.engines.guard_words import FUNCTIONS, VARYING
from s3_data_lake_mcp.engines.row_order import RowOrder, row_order
from s3_data_lake_mcp.errors import LakeError, ObjectChangedError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.scope import Scope
from support.engine import Desk
from support.parquet_files import parquet_bytes

PAGE = 100
ROWS = 30_000
KEYS = 3_000
GATHERED = {
    "groups": "SELECT key, count(*) AS n FROM data GROUP BY key",
    "groups that tie": "SELECT key, count(*) AS n FROM data GROUP BY key ORDER BY n DESC",
    "by an expression": "SELECT key, count(*) AS n FROM data GROUP BY ALL ORDER BY count(*)",
    "by a place": "SELECT key, count(*) AS n FROM data GROUP BY key ORDER BY 2 DESC NULLS LAST",
    "by all": "SELECT key, count(*) AS n FROM data GROUP BY key ORDER BY ALL",
    "distinct": "SELECT DISTINCT key FROM data",
    "within": "SELECT * FROM (SELECT key, max(value) AS most FROM data GROUP BY key)",
    "common table": "WITH t AS (SELECT DISTINCT key FROM data) SELECT key FROM t WHERE key >= 0",
    "union": "SELECT key FROM data UNION SELECT key FROM data",
    "window": "SELECT DISTINCT key, sum(1) OVER (PARTITION BY key) AS n FROM data",
    "qualify": "SELECT id FROM data QUALIFY rank() OVER (PARTITION BY value ORDER BY key) < 20",
    "ties": "SELECT DISTINCT key, key % 7 AS part FROM data ORDER BY part",
    "nested": "SELECT key, list(DISTINCT key) AS keys FROM data GROUP BY key",
    "join": "SELECT id, name FROM data JOIN 's3://lake/names.csv' USING (key) WHERE value < 6",
    "semi-join": (
        "SELECT id FROM data WHERE value < 6 AND key IN (SELECT key FROM 's3://lake/names.csv')"
    ),
    "pivot": "PIVOT data ON value % 3 USING count(*) GROUP BY key",
    "recursive": (
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION SELECT n + 1 FROM t WHERE n < 900) FROM t"
    ),
}


LISTS = {
    "numbers": f"SELECT id FROM data WHERE key IN ({', '.join(map(str, range(0, KEYS, 31)))})",
    "texts": f"SELECT id FROM data WHERE s IN ({', '.join(f"'k{n}'" for n in range(0, 50, 8))})",
}


def _body(rows: int = ROWS) -> str:
    made = random.Random(7)  # noqa: S311 - the same rows each time
    lines = (f"{n},{made.randrange(KEYS)},{made.randrange(50)}\n" for n in range(rows))
    return "id,key,value\n" + "".join(lines)


def _desks(count: int, body: str) -> list[Desk]:
    first = Desk()
    first.put("rows.csv", body)
    first.put("names.csv", "key,name\n" + "".join(f"{n},n{n}\n" for n in range(0, KEYS, 2)))
    return [first, *(Desk(store=first.store) for _ in range(count - 1))]


def _remembered(desk: Desk) -> list[Query]:
    return list(desk.engine._answers._answers)


def _walk(
    desks: Sequence[Desk], sql: str, key: str = "rows.csv", *, where: str = ""
) -> list[tuple[object, ...]]:
    """Return all rows, page by page, each page from the next of some engines."""
    found: list[tuple[object, ...]] = []
    while True:
        desk = desks[len(found) // PAGE % len(desks)]
        rows = desk.rows(key, sql, where=where, offset=len(found), max_rows=PAGE)
        found += [tuple(map(str, row.values())) for row in rows[:PAGE]]
        if len(rows) <= PAGE:
            return found


@pytest.mark.parametrize("sql", GATHERED.values(), ids=GATHERED.keys())
def test_pages_hold_each_row_once(sql: str) -> None:
    """Pages that different processes answer fit together, in the order that was asked for."""
    body = _body()
    (whole,) = _desks(1, body)
    everything = [tuple(map(str, r.values())) for r in whole.rows("rows.csv", sql, max_rows=9_999)]
    found = _walk(_desks(2, body), sql)
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(everything)
    if "ORDER BY" in sql and "ALL" not in sql:
        column = -1
        assert [row[column] for row in found] == [row[column] for row in everything]


@pytest.mark.parametrize("name", ["groups", "distinct", "pivot"])
def test_pages_fit_behind_an_answer_in_one_page(name: str) -> None:
    """Rows that were shown all at once came in no order: no page is cut out of them."""
    desks = _desks(2, _body(400))
    everything = desks[0].rows("rows.csv", GATHERED[name], max_rows=9_999)
    found = _walk(desks, GATHERED[name])
    assert len(found) == len(everything) > PAGE
    assert len(found) == len(set(found))


@pytest.mark.parametrize("part", ["IN", "NOT IN"])
def test_pages_of_a_predicate_hold_each_row_once(part: str) -> None:
    """A predicate with a query in it is a join, whose rows threads give in any order."""
    first = Desk()
    body = parquet_bytes(pa.table({"id": range(ROWS)}), row_group_size=2_000)
    first.put("rows.parquet", body)
    where = f"id % 9 {part} (SELECT id % 9 FROM data WHERE id > {ROWS - 5})"
    found = _walk([first, Desk(store=first.store)], "", "rows.parquet", where=where)
    (rows,) = first.rows("rows.parquet", f"SELECT count(*) AS n FROM data WHERE {where}")
    assert len(set(found)) == len(found) == rows["n"]


@pytest.mark.parametrize("sql", LISTS.values(), ids=LISTS.keys())
def test_rows_of_a_list_come_as_they_are_stored(sql: str) -> None:
    """A list behind IN is no join, whose rows threads would give in any order."""
    made = random.Random(7)  # noqa: S311 - the same rows each time
    keys, values = ([made.randrange(most) for _ in range(ROWS)] for most in (KEYS, 50))
    columns = {"id": range(ROWS), "key": keys, "value": values, "s": [f"k{n}" for n in values]}
    first = Desk()
    first.put("rows.parquet", parquet_bytes(pa.table(columns), row_group_size=2_000))
    found = _walk([first], sql, "rows.parquet")
    places = [int(str(place)) for (place,) in found]
    assert len(places) > PAGE
    assert places == sorted(set(places))


def test_rows_joined_by_position_come_in_order() -> None:
    """Such a join keeps the order of both sides, which is what it is for."""
    desks = _desks(2, _body(400))
    sql = "SELECT name, id FROM data POSITIONAL JOIN 's3://lake/names.csv'"
    found = _walk(desks, sql)
    assert found[:400] == [(f"n{2 * n}", str(n)) for n in range(400)]
    assert found[400:] == [(f"n{2 * n}", "None") for n in range(400, KEYS // 2)]


@pytest.mark.parametrize(
    ("sql", "is_open"),
    [
        ("WITH t AS (SELECT id FROM data) SELECT id FROM t", False),
        ("FROM (data a JOIN data b USING (id)) POSITIONAL JOIN data c", True),
        ("WITH t AS MATERIALIZED (SELECT id FROM data) SELECT id FROM t", True),
        ("WITH t AS (SELECT id FROM data) FROM t UNION ALL FROM T", True),
        ("SELECT * FROM (WITH t AS (FROM data) FROM t UNION ALL FROM t)", True),
    ],
)
def test_what_threads_fill_side_by_side_has_no_order(sql: str, is_open: bool) -> None:  # noqa: FBT001
    """A stored common table, or a join: it shows in long ones only, and not each time."""
    assert row_order(the_parser().tree(sql)["statements"][0]["node"]).is_open == is_open


@pytest.mark.parametrize("chosen", ["COLUMNS('value')", "COLUMNS(* EXCLUDE (id, key))"])
def test_pages_are_sorted_by_chosen_columns(chosen: str) -> None:
    """ORDER BY of some columns, named by a pattern, is not ORDER BY ALL."""
    (desk,) = _desks(1, _body(1_000))
    rows = desk.rows("rows.csv", f"SELECT DISTINCT * FROM data ORDER BY {chosen}", max_rows=PAGE)
    values = [row["value"] for row in rows]
    assert values == sorted(values)


def test_the_same_again_reads_nothing() -> None:
    """A question that was answered is answered by one look at the object's version."""
    (desk,) = _desks(1, _body())
    sql = GATHERED["groups that tie"]
    first = desk.run("rows.csv", sql, max_rows=PAGE)
    assert desk.meter.bytes_read > 0
    again = desk.run("rows.csv", sql, max_rows=PAGE)
    assert desk.meter.requests == 1
    assert again.table.equals(first.table)
    assert again.total_rows == first.total_rows == KEYS


def test_another_version_is_read_anew() -> None:
    """An answer belongs to the version that it was made of."""
    (desk,) = _desks(1, "key,value\n1,2\n")
    sql = "SELECT sum(value) AS s FROM data"
    assert desk.value("rows.csv", sql) == 2
    desk.put("rows.csv", "key,value\n1,3\n")
    assert desk.value("rows.csv", sql) == 3
    desk.put("rows.csv", "key,value\n1,2\n")
    assert desk.value("rows.csv", sql) == 2


def test_objects_that_the_sql_names_count() -> None:
    """A joined object that changed changes the answer."""
    (desk,) = _desks(1, "key,value\n1,2\n")
    desk.put("other.csv", "key,name\n1,a\n")
    sql = "SELECT name FROM data JOIN 's3://lake/other.csv' USING (key)"
    assert desk.value("rows.csv", sql) == "a"
    desk.put("other.csv", "key,name\n1,b\n")
    assert desk.value("rows.csv", sql) == "b"


def test_what_varies_is_asked_anew() -> None:
    """Random numbers, the time and samples are not remembered."""
    (desk,) = _desks(1, _body(1_000))
    sql = "SELECT sum(random()) AS s FROM data"
    assert desk.value("rows.csv", sql) != desk.value("rows.csv", sql)
    sql = "SELECT count(*) AS n FROM data WHERE now() > '2020-01-01'"
    assert desk.value("rows.csv", sql) == 1_000
    assert not _remembered(desk)


@pytest.mark.parametrize(
    ("sql", "lasts"),
    [
        ('SELECT "user".age, sample, now FROM data', True),
        ("SELECT user FROM data WHERE age > 5 AND today = 'random'", True),
        ("SELECT count(*) AS random FROM data", True),
        ("SELECT current_date - day FROM data", False),
        ("SELECT age(day) FROM data", False),
        ("SELECT count(*) FROM data WHERE at > NOW()", False),
        ("SELECT * FROM (SELECT * FROM data USING SAMPLE 10)", False),
        ("SELECT * FROM data TABLESAMPLE 5%", False),
        ("SELECT * FROM data ORDER BY main.random()", False),
        ("PIVOT data ON sample USING count(*)", False),
    ],
)
def test_words_that_vary_may_be_names(sql: str, lasts: bool) -> None:  # noqa: FBT001 - a case
    """Columns that are called like the clock's functions vary no more than others."""
    assert is_lasting(Query(bucket="b", key="k", max_rows=1, sql=sql)) == lasts


def test_all_functions_that_vary_are_known() -> None:
    """Each function that the guard lets through and DuckDB calls unsteady is a varying word."""
    rows = (
        duckdb.connect()
        .execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability = 'VOLATILE' "
            "OR (stability = 'CONSISTENT_WITHIN_QUERY' AND len(parameters) = 0)"
        )
        .fetchall()
    )
    unsteady = {name for (name,) in rows} & FUNCTIONS
    assert {"now", "random", "uuid", "setseed"} <= unsteady
    assert unsteady - VARYING == {"error"}


def test_a_page_with_all_rows_is_as_the_engine_gives_it() -> None:
    """Rows that no other page continues are not sorted."""
    (desk,) = _desks(1, "key,value\n" + "".join(f"{9 - n},1\n" for n in range(9)))
    sql = "SELECT key, row_number() OVER () AS at FROM data"
    assert [row["key"] for row in desk.rows("rows.csv", sql)] == list(range(9, 0, -1))


@pytest.mark.parametrize(
    "sql",
    ["SELECT key FROM data ORDER BY value", "SELECT key FROM (SELECT * FROM data ORDER BY value)"],
)
def test_an_order_that_cannot_be_fixed_is_named(sql: str) -> None:
    """Pages of rows that tie by a value which is not shown come with a notice."""
    desks = _desks(2, _body())
    first = desks[0].run("rows.csv", sql, max_rows=PAGE)
    assert not first.notices
    second = desks[1].run("rows.csv", sql, max_rows=PAGE, offset=PAGE)
    assert any("order of these rows is not fixed" in notice for notice in second.notices)
    same = desks[0].run("rows.csv", sql, max_rows=PAGE, offset=PAGE)
    assert not same.notices


@pytest.mark.parametrize(
    ("sql", "is_drawn"),
    [
        ("SELECT key FROM data WHERE random() >= 0", True),
        ("SELECT key, count(*) FROM data WHERE main.RANDOM() >= 0 GROUP BY ALL", True),
        ("SELECT key FROM (SELECT *, uuid() AS u FROM data) WHERE u IS NOT NULL", True),
        ("SELECT key FROM data USING SAMPLE 200 ROWS", True),
        ("SELECT key FROM data TABLESAMPLE 99% (bernoulli)", True),
        ("SELECT key FROM data USING SAMPLE reservoir(200 ROWS) REPEATABLE (5)", False),
        ("SELECT key, random() FROM data", False),
        ("SELECT key AS sample FROM data WHERE value > 0", False),
        ("PIVOT data ON value USING max(random()) GROUP BY id", False),
    ],
)
def test_rows_that_are_drawn_for_each_page_are_named(sql: str, is_drawn: bool) -> None:  # noqa: FBT001 - a case
    """Pages of a sample without a seed, or of a random choice, do not fit together."""
    (desk,) = _desks(1, _body(1_000))
    assert not desk.run("rows.csv", sql, max_rows=PAGE).notices
    said = desk.run("rows.csv", sql, max_rows=PAGE, offset=PAGE).notices
    assert any("Chance draws" in notice for notice in said) == is_drawn


def test_rows_that_a_predicate_draws_are_named() -> None:
    """The predicate of a Parquet read may be one of chance, too."""
    desk = Desk()
    desk.put("rows.parquet", parquet_bytes(pa.table({"id": range(300)})))
    page: dict[str, Any] = {"where": "random() >= 0", "format": "parquet", "max_rows": PAGE}
    assert not desk.run("rows.parquet", **page).notices
    (notice,) = desk.run("rows.parquet", **page, offset=PAGE).notices
    assert "Chance draws" in notice


def test_behind_the_last_row_the_number_of_rows_is_known() -> None:
    """A page behind the end says how many rows there are."""
    (desk,) = _desks(1, _body())
    answer = desk.run("rows.csv", GATHERED["distinct"], max_rows=PAGE, offset=KEYS + 5)
    assert answer.table.num_rows == 0
    assert answer.total_rows == KEYS


def test_answers_are_bounded() -> None:
    """Without a cache nothing is remembered, and a small one forgets the oldest."""
    settings = Settings(_env_file=None, cache_bytes=ByteSize(0))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    desk = Desk(settings=settings)
    desk.put("rows.csv", _body(1_000))
    sql = "SELECT count(*) AS n FROM data"
    assert [desk.value("rows.csv", sql) for _ in range(2)] == [1_000, 1_000]
    assert not _remembered(desk)
    small = Answers(10_000)
    desk.engine._answers = small
    for number in range(9):
        desk.value("rows.csv", f"SELECT count(*) + {number} AS n FROM data")
    assert len(_remembered(desk)) == 2


def test_an_order_that_is_interrupted_is_not_an_open_one() -> None:
    """A call that must stop while rows are sorted ends: its rows are no answer as they came."""
    numbers = np.random.default_rng(5).permutation(400_000)
    table = pa.table({"a": pa.array(numbers)})
    done = threading.Event()
    with duckdb.connect() as connection:

        def interrupt() -> None:
            while not done.wait(0.001):
                connection.interrupt()

        watch = threading.Thread(target=interrupt)
        watch.start()
        try:
            with pytest.raises(duckdb.InterruptException):
                RowOrder(gathers=True).settled(
                    Session(connection, Scope(ScanMeter()), 1), table, [False]
                )
        finally:
            done.set()
            watch.join()


def test_nothing_is_answered_that_was_interrupted_without_an_error() -> None:
    """What goes on without a statement that failed would be remembered as the answer."""
    desk = Desk()
    desk.put("rows.csv", "n\n1\n")

    def work(session: Session) -> int:
        session.scope.fail(ObjectChangedError("It has changed"))
        return 1

    with (
        desk.engine.open_table("lake", "rows.csv", ScanMeter()) as table,
        pytest.raises(ObjectChangedError),
    ):
        table._call.run(work, lambda _session, _error: LakeError("no"))
