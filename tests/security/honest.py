"""Honest analytic queries over a table `data`, and that table.

Every one must pass the guard, and give the same rows as DuckDB run directly. `ordered` says whether
the order of the rows is part of the answer, `comparable` whether the answer is the same wherever
the table lies (a plan is not).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from security.analyses import ANALYSES

ROWS = 500
COUNTRIES = ("DE", "FR", "España", "日本", None)
STATES = ("CREATE", "please delete", "DROP", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Honest:
    """One query that an analyst would write."""

    id: str
    sql: str
    ordered: bool = False
    comparable: bool = True


def honest_table() -> pa.Table:
    """Return the table, always the same: mixed types, nulls, and names that need quotes."""
    start = datetime(2025, 11, 3, 8, 30)  # noqa: DTZ001 - a column without a zone
    rows = range(ROWS)
    columns: dict[str, Any] = {
        "id": pa.array(rows, pa.int64()),
        "name": pa.array([f"Ünit {i % 37} ☕" for i in rows], pa.string()),
        "country": pa.array([COUNTRIES[i * 7 % 5] for i in rows], pa.string()),
        "qty": pa.array([None if i % 11 == 0 else i * 31 % 97 for i in rows], pa.int32()),
        "Unit Price": pa.array(
            [None if i % 13 == 0 else Decimal(i * 137 % 10_007) / 100 for i in rows],
            pa.decimal128(10, 2),
        ),
        "score": pa.array([None if i % 17 == 0 else i * 0.125 - 20 for i in rows], pa.float64()),
        "day": pa.array([date(2026, 1, 1) + timedelta(days=i % 90) for i in rows], pa.date32()),
        "ts": pa.array([start + timedelta(minutes=i * 53) for i in rows], pa.timestamp("us")),
        "seen": pa.array(
            [datetime(2026, 2, 1, tzinfo=UTC) + timedelta(seconds=i * 977) for i in rows],
            pa.timestamp("us", tz="UTC"),
        ),
        "flag": pa.array([None if i % 19 == 0 else i % 3 == 0 for i in rows], pa.bool_()),
        "tags": pa.array(
            [None if i % 23 == 0 else [f"t{i % 4}", f"t{i % 6}"][: i % 3] for i in rows],
            pa.list_(pa.string()),
        ),
        "address": pa.array(
            [{"city": f"Stadt {i % 9}", "zip": f"{i % 50:05}"} for i in rows],
            pa.struct([("city", pa.string()), ("zip", pa.string())]),
        ),
        "update": pa.array([STATES[i % 4] for i in rows], pa.string()),
        "order": pa.array([i % 25 for i in rows], pa.int16()),
        "größe in m²": pa.array([i / 4 for i in rows], pa.float64()),
        "payload": pa.array([f'{{"k": {i % 8}, "s": "x;--{i % 3}"}}' for i in rows], pa.string()),
    }
    return pa.table(columns)


HONEST = (
    Honest(id="star", sql="SELECT * FROM data"),
    Honest(id="star-limit", sql="SELECT * FROM data ORDER BY id LIMIT 10 OFFSET 5", ordered=True),
    Honest(id="semicolon", sql="SELECT count(*) FROM data;"),
    Honest(id="semicolons-comment", sql="SELECT count(*) AS n FROM data ;; -- done; really\n"),
    Honest(id="comments", sql="/* one ; */ SELECT /* two */ id -- three\nFROM data WHERE id < 3"),
    Honest(
        id="from-first", sql="FROM data SELECT id, qty WHERE qty > 90 ORDER BY id", ordered=True
    ),
    Honest(id="from-only", sql="FROM data"),
    Honest(id="table", sql="TABLE data"),
    Honest(id="values", sql="VALUES (1, 'a'), (2, 'b')"),
    Honest(id="parentheses", sql="(SELECT id FROM data WHERE id < 5)"),
    Honest(id="upper-case", sql="SELECT COUNT(*) FROM DATA WHERE \"UPDATE\" = 'ok'"),
    Honest(id="column-update", sql="SELECT update, count(*) FROM data GROUP BY update"),
    Honest(id="column-order", sql='SELECT "order", max(id) FROM data GROUP BY "order"'),
    Honest(id="literal-delete", sql="SELECT id FROM data WHERE update = 'please delete'"),
    Honest(id="literal-create", sql="SELECT count(*) FROM data WHERE update = 'CREATE'"),
    Honest(id="literal-injection", sql="SELECT count(*) FROM data WHERE name <> '; DROP TABLE x;'"),
    Honest(id="literal-comment", sql="SELECT '--' AS a, '/*' AS b, id FROM data WHERE id < 3"),
    Honest(id="literal-uri", sql="SELECT count(*) FROM data WHERE name <> 's3://other/key.csv'"),
    Honest(id="literal-path", sql="SELECT count(*) FROM data WHERE name <> '/etc/passwd'"),
    Honest(id="dollar-quotes", sql="SELECT $$it's; fine$$ AS t, id FROM data WHERE id = 1"),
    Honest(id="escape-string", sql="SELECT e'a\\tb' AS t FROM data WHERE id = 1"),
    Honest(id="replace-function", sql="SELECT replace(update, 'DROP', 'drop') AS u FROM data"),
    Honest(id="spaced-name", sql='SELECT sum("Unit Price") AS total FROM data'),
    Honest(id="unicode-name", sql='SELECT avg("größe in m²") AS "Ø Größe" FROM data'),
    Honest(id="unicode-literal", sql="SELECT count(*) FROM data WHERE country = '日本'"),
    Honest(id="alias-colon", sql="SELECT n: count(*), s: sum(qty) FROM d: data"),
    Honest(id="decimals", sql='SELECT id FROM data WHERE "Unit Price" BETWEEN 10.50 AND 20.75'),
    Honest(
        id="group-having",
        sql="SELECT country, count(*) n, avg(score) a FROM data GROUP BY country HAVING n > 50",
    ),
    Honest(id="group-all", sql="SELECT country, flag, sum(qty) FROM data GROUP BY ALL"),
    Honest(
        id="order-all",
        sql="SELECT country, count(*) FROM data GROUP BY 1 ORDER BY ALL NULLS LAST",
        ordered=True,
    ),
    Honest(
        id="grouping-sets",
        sql="SELECT country, flag, count(*), grouping(country) FROM data "
        "GROUP BY GROUPING SETS ((country, flag), (country), ())",
    ),
    Honest(id="rollup", sql="SELECT country, flag, sum(qty) FROM data GROUP BY ROLLUP (1, 2)"),
    Honest(id="cube", sql="SELECT country, update, sum(qty) FROM data GROUP BY CUBE (1, 2)"),
    Honest(
        id="filter-aggregate",
        sql="SELECT count(*) FILTER (WHERE flag) AS t, count(*) FILTER (NOT flag) AS f FROM data",
    ),
    Honest(
        id="ordered-aggregate",
        sql="SELECT country, string_agg(DISTINCT update, ',' ORDER BY update) FROM data GROUP BY 1",
    ),
    Honest(
        id="within-group",
        sql="SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY score) FROM data",
    ),
    Honest(id="quantiles", sql="SELECT quantile_cont(score, [0.05, 0.5, 0.95]) FROM data"),
    Honest(
        id="statistics",
        sql="SELECT round(stddev_samp(score), 6), round(var_pop(score), 6), median(qty), "
        "round(corr(score, qty), 6), round(skewness(score), 6), mode(update) FROM data "
        "WHERE id < 497",
    ),
    Honest(id="arg-max", sql="SELECT country, arg_max(id, score) FROM data GROUP BY country"),
    Honest(id="any-value", sql="SELECT count(DISTINCT country), min(day), max(ts) FROM data"),
    Honest(
        id="window-rank",
        sql="SELECT id, country, row_number() OVER (PARTITION BY country ORDER BY id) AS rn "
        "FROM data",
    ),
    Honest(
        id="window-named",
        sql="SELECT id, sum(qty) OVER w AS running, lag(qty) OVER w AS before FROM data "
        "WINDOW w AS (ORDER BY id ROWS BETWEEN 3 PRECEDING AND CURRENT ROW)",
    ),
    Honest(
        id="window-range",
        sql="SELECT id, count(*) OVER (ORDER BY ts RANGE BETWEEN INTERVAL 2 HOURS PRECEDING AND "
        "CURRENT ROW) FROM data",
    ),
    Honest(
        id="window-nulls",
        sql="SELECT id, last_value(qty IGNORE NULLS) OVER (ORDER BY id) FROM data",
    ),
    Honest(
        id="qualify",
        sql="SELECT id, country FROM data "
        "QUALIFY row_number() OVER (PARTITION BY country ORDER BY id DESC) <= 2",
    ),
    Honest(
        id="ntile",
        sql="SELECT bucket, count(*) FROM (SELECT ntile(4) OVER (ORDER BY id) bucket "
        "FROM data) GROUP BY bucket",
    ),
    Honest(
        id="cte", sql="WITH big AS (SELECT * FROM data WHERE qty > 50) SELECT count(*) FROM big"
    ),
    Honest(
        id="cte-chain",
        sql="WITH a AS (FROM data WHERE flag), b AS (SELECT country, sum(qty) q FROM a GROUP BY 1) "
        "SELECT a.id, b.q FROM a JOIN b USING (country) WHERE b.q > 100",
    ),
    Honest(
        id="cte-shadows", sql="WITH data AS (FROM data WHERE id < 10) SELECT count(*) FROM data"
    ),
    Honest(
        id="cte-materialized",
        sql="WITH m AS MATERIALIZED (SELECT country, avg(score) s FROM data GROUP BY 1) FROM m",
    ),
    Honest(
        id="cte-recursive",
        sql="WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 100 FROM n WHERE i < 400) "
        "SELECT i, (SELECT count(*) FROM data WHERE id >= i) AS rest FROM n",
    ),
    Honest(
        id="cte-key",
        sql="WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 2 UNION "
        "SELECT a, b + 1 FROM recurring.t WHERE b < 5) FROM t",
    ),
    Honest(
        id="cte-nested",
        sql="SELECT * FROM (WITH inside AS (SELECT max(id) AS top FROM data) FROM inside)",
    ),
    Honest(
        id="self-join",
        sql="SELECT a.id, b.id FROM data a JOIN data b ON a.id = b.id + 1 WHERE a.id < 20",
    ),
    Honest(
        id="left-join",
        sql="SELECT c.code, count(d.id) FROM (VALUES ('DE'), ('XX')) c(code) "
        "LEFT JOIN data d ON d.country = c.code GROUP BY 1",
    ),
    Honest(
        id="asof-join",
        sql="SELECT d.id, p.price FROM data d ASOF JOIN (VALUES (TIMESTAMP '2025-11-01', 1.5), "
        "(TIMESTAMP '2025-11-10', 2.5)) p(since, price) ON d.ts >= p.since",
    ),
    Honest(
        id="semi-anti",
        sql="SELECT count(*) FROM data d ANTI JOIN (SELECT id FROM data WHERE flag) f USING (id)",
    ),
    Honest(id="cross-join", sql="SELECT count(*) FROM data, (VALUES (1), (2)) v(x)"),
    Honest(
        id="lateral",
        sql="SELECT d.id, l.tag FROM data d, LATERAL (SELECT unnest(d.tags) AS tag) l",
    ),
    Honest(
        id="positional-join",
        sql="SELECT a.id, b.update FROM data a POSITIONAL JOIN data b WHERE a.id < 5",
    ),
    Honest(id="union", sql="SELECT id FROM data WHERE id < 3 UNION ALL SELECT 999"),
    Honest(id="union-by-name", sql="SELECT 1 AS a UNION BY NAME SELECT 2 AS b, 3 AS a"),
    Honest(id="except", sql="SELECT country FROM data EXCEPT SELECT 'DE'"),
    Honest(id="intersect", sql="SELECT update FROM data INTERSECT SELECT 'ok'"),
    Honest(id="scalar-subquery", sql="SELECT id FROM data WHERE qty = (SELECT max(qty) FROM data)"),
    Honest(id="in-subquery", sql="SELECT id FROM data WHERE qty IN (SELECT id FROM data)"),
    Honest(
        id="exists",
        sql="SELECT d.id FROM data d WHERE EXISTS (FROM data e WHERE e.id = d.qty AND e.flag)",
    ),
    Honest(
        id="any-all",
        sql="SELECT id FROM data WHERE qty >= ALL (SELECT qty FROM data WHERE qty > 0)",
    ),
    Honest(id="exclude", sql="SELECT * EXCLUDE (payload, tags) FROM data WHERE id < 5"),
    Honest(id="star-replace", sql="SELECT * REPLACE (qty * 2 AS qty) FROM data WHERE id < 5"),
    Honest(id="star-rename", sql="SELECT * RENAME (qty AS quantity) FROM data WHERE id < 5"),
    Honest(id="columns", sql="SELECT min(COLUMNS('^(id|qty|score)$')) FROM data"),
    Honest(
        id="columns-lambda", sql="SELECT COLUMNS(lambda c: c LIKE '%r%') FROM data WHERE id < 5"
    ),
    Honest(id="star-like", sql="SELECT * LIKE 's%' FROM data WHERE id < 5"),
    Honest(
        id="case",
        sql="SELECT CASE WHEN qty > 50 THEN 'hi' ELSE 'lo' END k, count(*) FROM data GROUP BY 1",
    ),
    Honest(
        id="casts",
        sql="SELECT qty::VARCHAR, TRY_CAST(name AS INT), CAST(day AS TIMESTAMP) FROM data",
    ),
    Honest(
        id="dates",
        sql="SELECT date_trunc('month', day) m, count(*) FROM data GROUP BY 1 ORDER BY 1",
        ordered=True,
    ),
    Honest(
        id="date-parts",
        sql="SELECT extract(dow FROM day), year(ts), dayname(day), count(*) FROM data GROUP BY ALL",
    ),
    Honest(
        id="intervals",
        sql="SELECT count(*) FROM data WHERE day > DATE '2026-01-15' + INTERVAL 3 DAYS",
    ),
    Honest(
        id="time-bucket",
        sql="SELECT time_bucket(INTERVAL '6 hours', ts) b, count(*) FROM data GROUP BY 1",
    ),
    Honest(
        id="date-diff",
        sql="SELECT date_diff('hour', ts, TIMESTAMP '2026-01-01') FROM data WHERE id < 9",
    ),
    Honest(id="time-zone", sql="SELECT seen AT TIME ZONE 'Europe/Berlin' FROM data WHERE id < 9"),
    Honest(id="strftime", sql="SELECT strftime(ts, '%Y-%m') m, count(*) FROM data GROUP BY m"),
    Honest(
        id="like",
        sql="SELECT count(*) FROM data WHERE name LIKE 'Ünit 1%' OR name ILIKE '%UNIT 3_%'",
    ),
    Honest(
        id="regexp",
        sql=r"SELECT regexp_extract(name, '(\d+)', 1)::INT n, count(*) FROM data GROUP BY 1",
    ),
    Honest(
        id="similar",
        sql="SELECT count(*) FROM data WHERE update SIMILAR TO '[A-Z]+' AND update GLOB 'D*'",
    ),
    Honest(
        id="strings",
        sql="SELECT upper(name), substring(name FROM 2 FOR 3), trim(BOTH 'Ü' FROM name), "
        "position('i' IN name), length(name), 'a' || update FROM data",
    ),
    Honest(id="method-calls", sql="SELECT name.upper().replace(' ', '_') FROM data WHERE id < 5"),
    Honest(id="struct-fields", sql="SELECT address.city, count(*) FROM data GROUP BY address.city"),
    Honest(id="struct-make", sql="SELECT {'c': country, 'n': count(*)} FROM data GROUP BY country"),
    Honest(id="map-make", sql="SELECT MAP {'a': qty, 'b': id} FROM data WHERE id < 4"),
    Honest(
        id="unnest",
        sql="SELECT tag, count(*) FROM (SELECT unnest(tags) AS tag FROM data) GROUP BY tag",
    ),
    Honest(
        id="unnest-from",
        sql="SELECT t.tag, d.id FROM data d, unnest(d.tags) t(tag) WHERE d.id < 30",
    ),
    Honest(
        id="list-functions",
        sql="SELECT len(tags), list_contains(tags, 't1'), tags[1], tags[1:1], list_sort(tags) "
        "FROM data",
    ),
    Honest(id="list-lambda", sql="SELECT list_transform(tags, lambda t: upper(t)) FROM data"),
    Honest(id="list-comprehension", sql="SELECT [t || '!' FOR t IN tags IF t <> 't1'] FROM data"),
    Honest(
        id="list-reduce",
        sql="SELECT list_reduce([1, 2, 3], lambda a, b: a + b), list_sum([qty, 1]) FROM data "
        "WHERE id < 5",
    ),
    Honest(id="json", sql="SELECT payload->>'$.k' k, count(*) FROM data GROUP BY 1"),
    Honest(
        id="json-each", sql="SELECT j.key, count(*) FROM data, json_each(data.payload) j GROUP BY 1"
    ),
    Honest(
        id="range", sql="SELECT r.i, (SELECT count(*) FROM data WHERE qty = r.i) FROM range(5) r(i)"
    ),
    Honest(
        id="generate-series",
        sql="SELECT d FROM generate_series(DATE '2026-01-01', DATE '2026-01-05', INTERVAL 1 DAY) "
        "g(d)",
    ),
    Honest(id="distinct", sql="SELECT DISTINCT country, flag FROM data"),
    Honest(
        id="distinct-on",
        sql="SELECT DISTINCT ON (country) country, id FROM data ORDER BY country, id",
        ordered=True,
    ),
    Honest(
        id="limit-expression",
        sql="SELECT id FROM data ORDER BY id LIMIT (SELECT count(*) // 100 FROM data)",
        ordered=True,
    ),
    Honest(id="limit-percent", sql="SELECT id FROM data ORDER BY id LIMIT 10%", ordered=True),
    Honest(
        id="collate",
        sql="SELECT DISTINCT update FROM data ORDER BY update COLLATE NOCASE",
        ordered=True,
    ),
    Honest(
        id="null-logic",
        sql="SELECT count(*) FROM data WHERE qty IS NULL OR flag IS NOT TRUE AND country IS "
        "DISTINCT FROM 'DE'",
    ),
    Honest(
        id="coalesce",
        sql="SELECT coalesce(country, '?'), nullif(qty, 0), ifnull(score, 0) FROM data",
    ),
    Honest(
        id="arithmetic",
        sql="SELECT id % 7, id // 3, id ** 2, -qty, qty / 3.0, @score, id & 5, id << 2 FROM data",
    ),
    Honest(id="histogram", sql="SELECT histogram(country) FROM data"),
    Honest(id="approximate", sql="SELECT approx_count_distinct(country) > 0 FROM data"),
    Honest(id="pivot", sql="PIVOT data ON update USING sum(qty) GROUP BY country"),
    Honest(
        id="pivot-in", sql="PIVOT data ON country IN ('DE', 'FR') USING count(*) GROUP BY update"
    ),
    Honest(
        id="pivot-many",
        sql="PIVOT (SELECT country, update, flag, qty FROM data) ON update, flag USING sum(qty) "
        "s, max(qty) m GROUP BY country",
    ),
    Honest(
        id="pivot-expression",
        sql="PIVOT data ON month(day) USING avg(score) GROUP BY country ORDER BY ALL LIMIT 3",
        ordered=True,
    ),
    Honest(
        id="pivot-cte",
        sql="WITH d AS (SELECT country, update, qty FROM data) PIVOT d ON update USING sum(qty)",
    ),
    Honest(
        id="pivot-subquery",
        sql="SELECT count(*) FROM (PIVOT data ON update USING sum(qty) GROUP BY country)",
    ),
    Honest(
        id="pivot-standard",
        sql="SELECT * FROM (SELECT country, update, qty FROM data) PIVOT (sum(qty) FOR update IN "
        "('ok', 'DROP'))",
    ),
    Honest(
        id="pivot-join",
        sql="PIVOT (data JOIN (VALUES ('DE', 1), ('FR', 2)) c(country, region) USING (country)) "
        "ON region USING count(*) GROUP BY flag",
    ),
    Honest(
        id="unpivot",
        sql='UNPIVOT (SELECT id, qty, "order"::INT AS o FROM data) ON qty, o INTO NAME what '
        "VALUE number",
    ),
    Honest(
        id="unpivot-standard",
        sql='SELECT what, count(*) FROM (SELECT id, score, "größe in m²" g FROM data) UNPIVOT (x '
        "FOR what IN (score, g)) GROUP BY what",
    ),
    Honest(id="describe", sql="DESCRIBE data", ordered=True),
    Honest(
        id="describe-select",
        sql="DESCRIBE SELECT country, sum(qty) FROM data GROUP BY 1",
        ordered=True,
    ),
    Honest(
        id="describe-subquery",
        sql="SELECT column_name FROM (DESCRIBE data) WHERE column_type = 'VARCHAR'",
    ),
    Honest(id="summarize", sql="SUMMARIZE SELECT id, country, qty FROM data", comparable=False),
    Honest(id="summarize-table", sql="SUMMARIZE data", comparable=False),
    Honest(id="show-tables", sql="SHOW TABLES", comparable=False),
    Honest(
        id="explain", sql="EXPLAIN SELECT country, count(*) FROM data GROUP BY 1", comparable=False
    ),
    Honest(id="explain-json", sql="EXPLAIN (FORMAT json) FROM data", comparable=False),
    Honest(id="explain-pivot", sql="EXPLAIN PIVOT data ON update USING sum(qty)", comparable=False),
    Honest(id="sample", sql="SELECT count(*) > 0 FROM data TABLESAMPLE 50 PERCENT (bernoulli, 42)"),
    Honest(id="using-sample", sql="SELECT count(*) FROM (FROM data USING SAMPLE 20 ROWS)"),
    Honest(id="qualified", sql="SELECT data.id, data.address.zip FROM data WHERE data.id < 5"),
    Honest(id="whole-row", sql="SELECT count(d) FROM data d"),
    Honest(
        id="many-literals",
        sql='SELECT count(*) FROM data WHERE "größe in m²" IN ('
        + ", ".join(f"{i}.25" for i in range(300))
        + ")",
    ),
    Honest(
        id="long-or",
        sql="SELECT count(*) FROM data WHERE " + " OR ".join(f"id = {i * 5}" for i in range(200)),
    ),
    Honest(
        id="wide-list",
        sql="SELECT "
        + ", ".join(f"data.id + {i} AS c{i}" for i in range(150))
        + " FROM data WHERE id < 3",
    ),
    *(
        Honest(id=f"analysis-{number}", sql=sql, ordered=ordered)
        for number, (sql, ordered) in enumerate(ANALYSES)
    ),
)
