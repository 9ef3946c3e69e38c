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
        ("SELECT day_of_week(day) FROM data", "SELECT isodow(day) FROM data"),
        ("SELECT element_at(tags, 1) FROM data", "SELECT list_extract(tags, 1) FROM data"),
        ("SELECT stdev(qty), varp(id) FROM data", "SELECT stddev(qty), var_pop(id) FROM data"),
        ("SELECT name + ', ' + id FROM data", "SELECT name || ', ' || id FROM data"),
        ("SELECT 'x' + name, id + 1 FROM data", "SELECT 'x' || name, id + 1 FROM data"),
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
            "SELECT decode(name, 'a', 1, 'b', 2) FROM data",
            "SELECT CASE name WHEN 'a' THEN 1 WHEN 'b' THEN 2 END FROM data",
        ),
        (
            "SELECT INITCAP(name) FROM data",
            (
                "SELECT array_to_string([upper(w[1]) || w[2:] for w in "
                "string_split(lower(name), ' ')], ' ') FROM data"
            ),
        ),
        (
            "SELECT CONVERT_TZ(ts, 'UTC', 'Europe/Berlin') FROM data",
            "SELECT timezone('Europe/Berlin', timezone('UTC', ts)) FROM data",
        ),
        (
            "SELECT DATEDIFF(day, day, ts) FROM data",
            "SELECT date_diff('day', day, ts) FROM data",
        ),
        (
            "SELECT FORMAT(ts, 'yyyy-MM-dd'), DIV0(qty, id - 1) FROM data",
            (
                "SELECT strftime(ts, '%Y-%m-%d'), "
                "CASE id - 1 WHEN 0 THEN 0 ELSE (qty) / (id - 1) END FROM data"
            ),
        ),
        (
            "SELECT TRY_CONVERT(INT, name), DATE_SUB(day, 1) FROM data",
            "SELECT TRY_CAST(name AS INT), CAST(day - to_days(1) AS DATE) FROM data",
        ),
        (
            "SELECT TO_NUMBER('1,234', '9,999') FROM data",
            "SELECT CAST(replace('1,234', ',', '') AS DOUBLE) FROM data",
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
        ("SELECT TRUNC(day, 'MM') FROM data", "SELECT date_trunc('month', day) FROM data"),
        (
            "SELECT TO_TIMESTAMP('2026-01-31', 'YYYY-MM-DD') FROM data",
            "SELECT strptime('2026-01-31', '%Y-%m-%d') FROM data",
        ),
        (
            "SELECT PERCENTILE_CONT(qty, 0.5) OVER (PARTITION BY name) FROM data",
            "SELECT quantile_cont(qty, 0.5) OVER (PARTITION BY name) FROM data",
        ),
        (
            "SELECT id, EXPLODE(tags) FROM data WHERE SIZE(tags) > 1",
            "SELECT id, unnest(tags) FROM data WHERE len(tags) > 1",
        ),
        (
            "SELECT TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), day, DAY) FROM data",
            "SELECT date_sub('day', day, now()) FROM data",
        ),
        (
            "SELECT get_json_object(payload, '$.k') FROM data",
            "SELECT json_extract_string(payload, '$.k') FROM data",
        ),
        (
            "SELECT id FROM data WHERE CONTAINS_SUBSTR(name, 'X')",
            "SELECT id FROM data WHERE contains(lower(name), lower('X'))",
        ),
        (
            "SELECT country, name, sum(qty) FROM data GROUP BY country ORDER BY 1",
            "SELECT country, name, sum(qty) FROM data GROUP BY name, country ORDER BY 1",
        ),
        (
            "SELECT country, sum(qty) FROM data WHERE id > 1 ORDER BY 2",
            "SELECT country, sum(qty) FROM data WHERE id > 1 GROUP BY ALL ORDER BY 2",
        ),
        (
            "SELECT id, row_number() OVER (ORDER BY id) AS n FROM data WHERE n < 3",
            "SELECT id, row_number() OVER (ORDER BY id) AS n FROM data QUALIFY n < 3",
        ),
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
        ("SELECT TOP 5 PERCENT id FROM data", "SELECT id FROM data LIMIT 5%"),
        ("SELECT s.a FROM S3Object[*] s", "SELECT s.a FROM data s"),
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
        (
            "SELECT listagg(a, ', ') WITHIN GROUP (ORDER BY b DESC) FROM data",
            "SELECT string_agg(a, ', ' ORDER BY b DESC) FROM data",
        ),
        (
            "SELECT a, b, sum(c) FROM data GROUP BY a, b WITH ROLLUP",
            "SELECT a, b, sum(c) FROM data GROUP BY ROLLUP (a, b)",
        ),
        ("SELECT a FROM data WITH (NOLOCK) LIMIT 2", "SELECT a FROM data LIMIT 2"),
        ("SELECT a FROM data MINUS SELECT 1", "SELECT a FROM data EXCEPT SELECT 1"),
        ("FROM data WHERE a = 'x' && b > 3", "FROM data WHERE a = 'x' AND b > 3"),
        ("FROM data WHERE a > #2026-01-31#", "FROM data WHERE a > '2026-01-31'"),
        ("SHOW COLUMNS FROM data", "DESCRIBE data"),
        ("SELECT * FROM table LIMIT 5", "SELECT * FROM data LIMIT 5"),
        (
            "FROM data WHERE a < TIMESTAMP('2026-01-31') AND b",
            "FROM data WHERE a < TIMESTAMP '2026-01-31' AND b",
        ),
        ("SELECT split(a, ',')[OFFSET(0)] FROM data", "SELECT split(a, ',')[0 + 1] FROM data"),
        (
            "SELECT lag(a) IGNORE NULLS OVER (ORDER BY b) FROM data",
            "SELECT lag(a IGNORE NULLS) OVER (ORDER BY b) FROM data",
        ),
        (
            "SELECT a, t FROM data LATERAL VIEW EXPLODE(b) x AS t",
            "SELECT a, t FROM data, UNNEST(b) AS x(t)",
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
