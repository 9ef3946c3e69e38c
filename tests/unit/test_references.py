"""Columns of an answer that are columns of `data`: they keep the types that the file gives them."""

import datetime as dt

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines.guard_parser import the_parser
from s3_data_lake_mcp.engines.references import references
from support.engine import Desk
from support.parquet_files import parquet_bytes

_NAMES = ["id", "span", "day"]


@pytest.mark.parametrize(
    ("sql", "width", "expected"),
    [
        ("SELECT * FROM data", 3, {0: 0, 1: 1, 2: 2}),
        ("SELECT * FROM data", 5, {0: 0, 1: 1, 2: 2}),
        ("FROM data", 3, {0: 0, 1: 1, 2: 2}),
        ("SELECT d.span, d.DAY AS x FROM data d", 2, {0: 1, 1: 2}),
        ("SELECT data.span FROM data", 1, {0: 1}),
        ("SELECT * EXCLUDE (id) FROM data", 2, {0: 1, 1: 2}),
        ("SELECT d.* EXCLUDE (id, span), 1 FROM data d", 2, {0: 2}),
        ("SELECT 1, * FROM data", 5, {1: 0, 2: 1, 3: 2}),
        ("SELECT span, count(*) FROM data GROUP BY span", 2, {0: 1}),
        ("SELECT s FROM (SELECT span AS s FROM data) q WHERE true", 1, {0: 1}),
        ("SELECT * FROM (SELECT day, id + 1 AS i FROM data)", 2, {0: 2}),
        ("SELECT * FROM (SELECT * FROM data)", 4, {0: 0, 1: 1, 2: 2}),
        ("WITH t AS (SELECT id, span FROM data) SELECT span FROM t", 1, {0: 1}),
        ("WITH t AS (FROM data), u AS (FROM t) FROM u", 3, {0: 0, 1: 1, 2: 2}),
        ("SELECT d.span, c.x FROM data d JOIN 's3://b/c' c USING (id)", 2, {0: 1}),
        ("SELECT c.x, d.* FROM 's3://b/c' c LEFT JOIN data d USING (id)", 4, {1: 0, 2: 1, 3: 2}),
        ("SELECT id, row_number() OVER (ORDER BY day) FROM data QUALIFY true", 2, {0: 0}),
    ],
)
def test_columns_that_are_no_more_than_references(
    sql: str, width: int, expected: dict[int, int]
) -> None:
    """Names, stars, subqueries, common table expressions and joins are seen through."""
    node = the_parser().tree(sql)["statements"][0]["node"]
    assert references(node, _NAMES, width) == expected


@pytest.mark.parametrize(
    ("sql", "width"),
    [
        ("SELECT id + 1 FROM data", 1),
        ("SELECT span FROM data d JOIN 's3://b/c' c ON true", 1),
        ("SELECT * FROM data d JOIN 's3://b/c' c ON true", 5),
        ("SELECT * REPLACE (1 AS id) FROM data", 3),
        ("SELECT COLUMNS('i.*') FROM data", 1),
        ("SELECT id.span FROM data id", 1),
        ("SELECT a FROM data AS d(a, b, c)", 1),
        ("SELECT id FROM data AS d(span, id, day)", 1),
        ("SELECT q.id FROM (SELECT 1 AS id) q, data", 1),
        ("WITH data AS (SELECT 1 AS id) SELECT id FROM data", 1),
        ("WITH t(id) AS (SELECT span FROM data) SELECT id FROM t", 1),
        ("SELECT id FROM (SELECT id, id FROM data)", 1),
        ("SELECT id FROM data UNION ALL SELECT 1", 1),
        ("FROM 's3://b/c'", 3),
        ("SELECT * FROM data", 2),
        ("SELECT 1", 1),
        ("VALUES (1)", 1),
    ],
)
def test_what_is_computed_or_another_tables_is_no_reference(sql: str, width: int) -> None:
    """A column that may hold anything else than the stored values is left as it is."""
    node = the_parser().tree(sql)["statements"][0]["node"]
    assert references(node, _NAMES, width) == {}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT d.span FROM data d ORDER BY id DESC",
        "SELECT * EXCLUDE (id) FROM data ORDER BY id DESC",
        "WITH t AS (SELECT * FROM data WHERE id > 0) SELECT span FROM t ORDER BY id DESC",
        "SELECT d.span FROM data d JOIN 's3://lake/c.csv' c USING (id) ORDER BY id DESC",
        "SELECT span FROM data QUALIFY row_number() OVER (ORDER BY id DESC) < 9 ORDER BY id DESC",
    ],
)
def test_durations_are_durations_wherever_they_are_handed_on(sql: str) -> None:
    """The answer has the type that the file names, not the integers that the engine reads."""
    desk = Desk()
    spans = pa.array([dt.timedelta(seconds=1), dt.timedelta(days=2)], pa.duration("ms"))
    desk.put("a.parquet", parquet_bytes(pa.table({"id": [1, 2], "span": spans})))
    desk.put("c.csv", "id,x\n1,a\n2,b\n")
    found = desk.run("a.parquet", sql).table.column("span")
    assert found.type == pa.duration("ms")
    assert found.to_pylist() == [dt.timedelta(days=2), dt.timedelta(seconds=1)]
