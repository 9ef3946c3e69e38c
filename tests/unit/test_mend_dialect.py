"""What other engines would take comes back as the query that DuckDB takes."""

import pytest

from s3_data_lake_mcp.engines.guard import check_sql
from s3_data_lake_mcp.errors import SqlError, UnknownColumnError
from support.mending import Mender, honest_mender


@pytest.fixture(scope="module")
def mender() -> Mender:
    """Return what fails and mends over the honest table."""
    return honest_mender()


@pytest.mark.parametrize(
    ("sql", "repaired"),
    [
        (
            "SELECT list_transform(tags, x -> upper(x)), payload->'k' FROM data",
            "SELECT list_transform(tags, lambda x: upper(x)), payload->'k' FROM data",
        ),
        (
            "SELECT list_reduce([id], (a, b)->a + b), payload -> '$.k' FROM data",
            "SELECT list_reduce([id], lambda a, b:a + b), payload -> '$.k' FROM data",
        ),
        (
            "SELECT COLUMNS(c -> c LIKE 'q%') FROM data",
            "SELECT COLUMNS(lambda c: c LIKE 'q%') FROM data",
        ),
        ("SELECT ISNULL(qty, 0) FROM data", "SELECT coalesce(qty, 0) FROM data"),
        ("SELECT isnull(qty) FROM data", "SELECT (qty IS NULL) FROM data"),
        (
            "SELECT 1 - safe_divide(nvl(qty,0), id + 1) FROM data",
            "SELECT 1 - ((coalesce(qty, 0)) / nullif(id + 1, 0)) FROM data",
        ),
        (
            "SELECT DATE_TRUNC(day, MONTH) FROM data",
            "SELECT date_trunc('month', day) FROM data",
        ),
        (
            "SELECT DATE_TRUNC(day, WEEK(MONDAY)) FROM data",
            "SELECT date_trunc('week', day) FROM data",
        ),
        (
            "SELECT datediff(day, DATE '2026-01-01') FROM data",
            "SELECT date_diff('day', DATE '2026-01-01', day) FROM data",
        ),
        (
            "SELECT DATE_DIFF(day, DATE '2026-01-01', YEAR) FROM data",
            "SELECT date_diff('year', DATE '2026-01-01', day) FROM data",
        ),
        (
            "SELECT DATEADD(month, -1, day), date_sub(day, INTERVAL 7 DAY) FROM data",
            "SELECT (day + INTERVAL (-1) month), (day - INTERVAL 7 DAY) FROM data",
        ),
        (
            "SELECT date_add('day', 7, day) FROM data",
            "SELECT (day + INTERVAL (7) day) FROM data",
        ),
        (
            "SELECT to_char(day, 'YYYY-MM HH24:MI') FROM data",
            "SELECT strftime(day, '%Y-%m %H:%M') FROM data",
        ),
        (
            "SELECT date_format(day, 'yyyy/MM HH:mm') FROM data",
            "SELECT strftime(day, '%Y/%m %H:%M') FROM data",
        ),
        (
            "SELECT date_format(day, '%Y-%m-%d %H:%i') FROM data",
            "SELECT strftime(day, '%Y-%m-%d %H:%M') FROM data",
        ),
        (
            "SELECT FORMAT_DATE('%Y %M', day) FROM data",
            "SELECT strftime(day, '%Y %M') FROM data",
        ),
        (
            "SELECT regexp_contains(name, r'^n') FROM data",
            "SELECT regexp_matches(name, '^n') FROM data",
        ),
        (
            "SELECT collect_set(name) FROM data",
            "SELECT list(DISTINCT name) FILTER (WHERE name IS NOT NULL) FROM data",
        ),
        (
            "SELECT decode(name, 'a', 1, 0) FROM data",
            "SELECT CASE name WHEN 'a' THEN 1 ELSE 0 END FROM data",
        ),
        (
            "SELECT CAST(qty AS FLOAT64), qty::FLOAT64 FROM data",
            "SELECT CAST(qty AS DOUBLE), qty::DOUBLE FROM data",
        ),
        (
            "SELECT CAST(qty AS NUMBER(9, 2)) FROM data",
            "SELECT CAST(qty AS DECIMAL(9, 2)) FROM data",
        ),
        ("SELECT COLUMNS('^cuntry') FROM data", "SELECT COLUMNS('^country') FROM data"),
    ],
)
def test_what_is_written_as_elsewhere_is_respelled(mender: Mender, sql: str, repaired: str) -> None:
    """Arrows of older versions and functions of other engines become DuckDB's own."""
    error = mender.fail(sql)
    assert error.repair == {"sql": repaired}
    mender.connection.execute(repaired).fetchall()


@pytest.mark.parametrize(
    ("sql", "repaired"),
    [
        ("SELECT TOP 5 id FROM data", "SELECT id FROM data LIMIT 5"),
        ("SELECT DISTINCT TOP 5 id FROM data;", "SELECT DISTINCT id FROM data LIMIT 5"),
        ("SELECT id FROM data LIMIT 5, 10", "SELECT id FROM data LIMIT 10 OFFSET 5"),
        ("SELECT TOP (5) [id], [a b] FROM [data]", 'SELECT "id", "a b" FROM "data" LIMIT 5'),
        ("```sql\nFROM data\n```", "FROM data"),
        ("SELECT safe_cast(a AS INT) FROM data", "SELECT TRY_CAST(a AS INT) FROM data"),
        (
            "SELECT a FROM data WHERE d.a NOT RLIKE '^x' AND b REGEXP 'y'",
            "SELECT a FROM data WHERE NOT regexp_matches(d.a, '^x') AND regexp_matches(b, 'y')",
        ),
        (
            "SELECT group_concat(DISTINCT a ORDER BY b SEPARATOR '; ') FROM data",
            "SELECT string_agg(DISTINCT a, '; ' ORDER BY b) FROM data",
        ),
        (
            "SELECT listagg(DISTINCT a, ', ') WITHIN GROUP (ORDER BY a) FROM data",
            "SELECT string_agg(DISTINCT a, ', ' ORDER BY a) FROM data",
        ),
        (
            "SELECT array_agg(a IGNORE NULLS) FROM data",
            "SELECT list(a) FILTER (WHERE a IS NOT NULL) FROM data",
        ),
    ],
)
def test_what_parses_elsewhere_is_respelled(sql: str, repaired: str) -> None:
    """TOP, LIMIT with a comma and the like do not parse; the error says how they are written."""
    with pytest.raises(SqlError) as caught:
        check_sql(sql)
    assert caught.value.repair == {"sql": repaired}


@pytest.mark.parametrize(
    "sql", ["SELECT date_trunc(day, WEEK) FROM data", "SELECT COLUMNS('zzzz') FROM data"]
)
def test_what_may_mean_several_things_is_not_respelled(mender: Mender, sql: str) -> None:
    """Weeks begin on Sunday in some dialects, and no name is like the pattern."""
    error = mender.fail(sql)
    assert isinstance(error, UnknownColumnError)
    assert "It has: " in error.hint
    assert error.repair is None
