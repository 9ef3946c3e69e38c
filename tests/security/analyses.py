r"""More honest queries over the table of `honest.py`, of rarer forms; indented lines go on."""

import re

_QUERIES = r"""
SELECT id, country, sum(qty) OVER (PARTITION BY country ORDER BY id ROWS UNBOUNDED PRECEDING
    EXCLUDE CURRENT ROW) FROM data
SELECT id, first_value(qty) OVER w, nth_value(qty, 3) OVER w, cume_dist() OVER w FROM data
    WINDOW w AS (PARTITION BY update ORDER BY id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
SELECT id, lead(qty, 2, -1) OVER (ORDER BY id DESC), percent_rank() OVER (ORDER BY id) FROM data
SELECT id, count(DISTINCT update) OVER (ORDER BY id ROWS BETWEEN 9 PRECEDING AND CURRENT ROW)
    FROM data
SELECT id, max(qty) FILTER (WHERE flag) OVER (PARTITION BY country) m FROM data QUALIFY m > 90
SELECT country, quantile_disc(qty, 0.5) OVER (PARTITION BY country) FROM data
SELECT id, list(qty ORDER BY id DESC) OVER (ORDER BY id ROWS 2 PRECEDING) FROM data
SELECT id, row_number() OVER (ORDER BY qty NULLS FIRST, id) r FROM data QUALIFY r BETWEEN 10 AND
    20
PIVOT data ON year(day) || '-' || month(day) USING count(*) GROUP BY update
PIVOT (FROM data SELECT country, flag, qty) ON flag USING sum(qty) AS s, count(*) AS n GROUP BY
    country
PIVOT data ON flag IN (true, false) USING avg(score) GROUP BY "order"
WITH p AS (PIVOT data ON update USING max(id)) SELECT max(ok) FROM p
SELECT * FROM (PIVOT data ON update USING count(*) GROUP BY country) JOIN (SELECT country,
    count(*) n FROM data GROUP BY 1) USING (country)
UNPIVOT (SELECT id, qty, id * 2 AS twice FROM data) ON COLUMNS(* EXCLUDE (id)) INTO NAME k VALUE
    v
FROM (FROM data UNPIVOT INCLUDE NULLS (v FOR k IN (qty, id))) SELECT k, count(*), count(v) GROUP
    BY k
SELECT * EXCLUDE (id, payload) REPLACE (upper(update) AS update) FROM data WHERE id < 9
SELECT * EXCLUDE (tags) RENAME (qty AS q, score AS s) FROM data WHERE id < 9
SELECT COLUMNS('(q)ty|(s)core') AS 'x_\1\2' FROM data WHERE id < 9
SELECT max(COLUMNS(* EXCLUDE (tags, address, payload))) FROM data
SELECT coalesce(*COLUMNS('qty|order')) FROM data WHERE id < 20
SELECT struct_pack(*COLUMNS('id|qty')) FROM data WHERE id < 5
SELECT greatest(*COLUMNS('^(id|order)$')) FROM data WHERE id < 5
WITH RECURSIVE t AS (SELECT id, 0 AS depth FROM data WHERE id = 0 UNION ALL SELECT d.id, depth +
    1 FROM t JOIN data d ON d.id = t.id + 7 WHERE depth < 5) FROM t
WITH a AS NOT MATERIALIZED (FROM data), b AS (FROM a WHERE qty > 10) SELECT (SELECT count(*)
    FROM a) - (SELECT count(*) FROM b)
SELECT d.id, e.id FROM data d ASOF LEFT JOIN data e ON d.country = e.country AND d.id > e.id
    WHERE d.id < 30
SELECT count(*) FROM data a JOIN data b ON a.id BETWEEN b.id AND b.id + 2
SELECT a.country, b.update, count(*) FROM data a FULL JOIN data b ON a.id = b.id * 2 GROUP BY
    ALL
SELECT count(*) FROM data NATURAL JOIN (SELECT id, qty FROM data WHERE flag)
SELECT x.id, y.n FROM data x LEFT JOIN LATERAL (SELECT count(*) n FROM data z WHERE z.qty =
    x.qty) y ON true WHERE x.id < 40
SELECT count(*) FROM data SEMI JOIN (SELECT id * 3 AS id FROM data) USING (id)
SELECT country, sum(qty) FROM data GROUP BY country UNION ALL SELECT 'all', sum(qty) FROM data
(SELECT id FROM data WHERE flag) EXCEPT ALL (SELECT id FROM data WHERE qty > 50)
SELECT DISTINCT ON (country, flag) country, flag, id FROM data ORDER BY country, flag, id DESC
SELECT country, max_by(name, qty), min_by(name, id, 3) FROM data GROUP BY country
SELECT country, approx_quantile(qty, 0.5) IS NOT NULL, mad(qty), entropy(update) > 0 FROM data
    GROUP BY 1
SELECT update, bool_and(flag), bit_xor(id), product(1 + (id % 3)) FILTER (id < 20) FROM data
    GROUP BY 1
SELECT regr_slope(score, id) BETWEEN 0.12 AND 0.13, round(covar_pop(score, id), 3) FROM data
    WHERE score IS NOT NULL AND id < 400
SELECT histogram(qty // 10), map_keys(histogram(update)) FROM data WHERE qty IS NOT NULL
SELECT listagg(update, '|' ORDER BY id) FROM data WHERE id < 6
SELECT list_sort(list(DISTINCT country)), len(list(id)) FROM data
SELECT date_trunc('week', ts) w, date_part('isoyear', ts) y, count(*) FROM data GROUP BY ALL
    ORDER BY 1
SELECT ts + INTERVAL 1 MONTH - INTERVAL '3 days', age(ts, TIMESTAMP '2025-01-01'), last_day(day)
    FROM data WHERE id < 9
SELECT strptime('2026-02-03', '%Y-%m-%d') + to_days(id::INT) FROM data WHERE id < 4
SELECT epoch(ts), epoch_ms(ts), to_timestamp(id), make_date(2026, 1, 1 + id::INT % 28) FROM data
    WHERE id < 9
SELECT datediff('day', DATE '2026-01-01', day), monthname(day), quarter(day), weekofyear(day)
    FROM data WHERE id < 9
SELECT generate_subscripts([id, qty], 1) FROM data WHERE id < 4
SELECT regexp_replace(name, '[0-9]+', '#', 'g'), regexp_extract_all(payload, '[a-z]'),
    split_part(name, ' ', 2) FROM data WHERE id < 9
SELECT format('{:>5}|{}', id, update), printf('%05d', id), lpad(update, 8, '.'), update[1:2],
    update[-2:] FROM data WHERE id < 9
SELECT levenshtein(update, 'drop'), jaccard(update, 'ok!'), strip_accents(name), md5(name) FROM
    data WHERE id < 9
SELECT payload::JSON->'k', json_extract_string(payload, '$.s'), json_keys(payload),
    json_type(payload) FROM data WHERE id < 9
SELECT from_json(payload, '{"k": "INTEGER", "s": "VARCHAR"}').k AS k, count(*) FROM data GROUP
    BY ALL
SELECT json_object('id', id, 'tags', [update]), to_json({'a': id}), json_group_array(id) FROM
    data WHERE id < 3 GROUP BY id, update
SELECT list_filter(range(id), lambda x: x % 2 = 0), list_zip([1, 2], ['a', 'b']), [1, 2] || [id]
    FROM data WHERE id < 5
SELECT list_transform([id, qty], lambda x, i: x * i), list_has_any([id], [3]), array_slice([1,
    2, 3], 2, NULL) FROM data WHERE id < 5
SELECT {'a': id, 'b': {'c': update}}.b.c, struct_extract({'x': qty}, 'x'), row(id, qty) FROM
    data WHERE id < 5
SELECT map([update], [id])[update], map_from_entries([(update, id)]), cardinality(MAP {'a': id})
    FROM data WHERE id < 5
SELECT unnest([{'a': id, 'b': qty}], recursive := true) FROM data WHERE id < 5
SELECT CASE update WHEN 'ok' THEN 1 WHEN 'DROP' THEN 2 ELSE 0 END c, count(*) FROM data GROUP BY
    c
SELECT id FROM data WHERE (country, update) IN (SELECT country, update FROM data WHERE id < 3)
SELECT id FROM data WHERE qty > ANY (SELECT qty FROM data WHERE id < 30) AND id < 50
SELECT id FROM data WHERE name SIMILAR TO '.*1[0-9].*' OR NOT contains(name, '☕')
SELECT id::HUGEINT * 100000000000000000000, qty::DECIMAL(20, 3) / 3, id::DOUBLE / 7, 7 // 2, -7
    % 3 FROM data WHERE id < 4
SELECT try_cast('x' AS INT), CAST(id AS VARCHAR) || '!', hex(id), bin(id::INT) FROM data WHERE
    id < 4
SELECT TRY(CAST(update AS INT)), TRY_CAST(update AS DATE), typeof(qty) FROM data WHERE id < 4
SELECT id, qty FROM data ORDER BY qty DESC NULLS LAST, id LIMIT 7 OFFSET 3
SELECT * FROM (FROM data ORDER BY id LIMIT 5) ORDER BY ALL DESC
SELECT "order" AS "select", count(*) AS "group by" FROM data GROUP BY "select" HAVING "group by"
    > 3
SELECT d."größe in m²" AS "Größe; DROP", d."update" FROM data AS d WHERE d."order" = 3
SELECT a.i, b.i FROM range(3) a(i), LATERAL (SELECT a.i * 2) b(i)
SELECT (SELECT count(*) FROM data i WHERE i.country IS NOT DISTINCT FROM o.country AND i.id <
    o.id) FROM data o WHERE o.id < 30
SELECT count(*) FROM data WHERE flag IS NOT FALSE AND qty IS DISTINCT FROM 5 AND NOT (score < 0)
SELECT EXISTS (FROM data WHERE id = -1), NOT EXISTS (FROM data), (FROM data SELECT max(id))
SELECT sum(qty) FILTER (WHERE country = 'DE') AS de, sum(qty) FILTER (country = 'FR') AS fr FROM
    data
SELECT grouping_id(country, flag) g, country, flag, count(*) FROM data GROUP BY CUBE (country,
    flag)
VALUES (1, 'ok'), (2, (SELECT max(update) FROM data))
DESCRIBE SELECT * EXCLUDE (tags, address) FROM data
SELECT column_name, column_type FROM (DESCRIBE SELECT id + 1.5 AS a, [qty] AS b FROM data)
SELECT column_name, "max", null_percentage FROM (SUMMARIZE SELECT id, update FROM data)
SELECT * LIKE 'co%', * SIMILAR TO 'up.*' FROM data WHERE id < 9
SELECT COLUMNS(['id', 'update']), COLUMNS(lambda c: c LIKE '%der') FROM data WHERE id < 9
SELECT min(COLUMNS('id|qty')), n: count(*) FROM data
SELECT country, list(name ORDER BY id DESC)[:3], max(qty, 3) FROM data GROUP BY country
SELECT [x * 2 FOR x IN [id, id + 1] IF x > 1], list_reduce([id], lambda a, b: a + b, 10) FROM data
    WHERE id < 9
SELECT id, fill(qty) OVER (ORDER BY id) FROM data WHERE id < 30
SELECT id, lag(qty, 1, 0 ORDER BY name, id) OVER (PARTITION BY country ORDER BY id) FROM data
SELECT sum(qty) OVER w FROM data WINDOW w AS (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW
    EXCLUDE TIES)
WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT a, b + 1 FROM t WHERE b < 3)
    FROM t
SELECT country, time_bucket(INTERVAL '7 days', day) w, count(*) FROM data GROUP BY ALL
SELECT id FROM data USING SAMPLE 100%
SELECT count(*) FROM data ORDER BY ALL LIMIT 100%
SELECT regexp_extract(payload, '"k": (\d+).*(\d)', ['k', 's']).k FROM data WHERE id < 9
SELECT approx_top_k(update, 2) IS NOT NULL, array_distance([1, 2]::FLOAT[2], [2, 2]::FLOAT[2])
    FROM data
SELECT variant_typeof(id::VARIANT), union_tag(union_value(k := id)) FROM data WHERE id < 3
SELECT update COLLATE NOCASE = 'DROP', name COLLATE de < 'ü', seen AT TIME ZONE 'Asia/Tokyo' FROM
    data WHERE id < 9
SELECT id, s.* FROM (SELECT id, {'a': qty, 'b': update} s FROM data WHERE id < 9)
SELECT d FROM (SELECT id, update FROM data WHERE id < 3) d
SELECT update FROM data UNION BY NAME SELECT 1 AS one ORDER BY ALL
SELECT 1_000 + 0x1F, 5!, @(-3), ~5, 2 ** 3, xor(5, 3), $$it's$$ FROM data WHERE id < 2
"""
_ORDERED = re.compile(r"ORDER BY [^()]*$")

ANALYSES = tuple(
    (sql, bool(_ORDERED.search(sql))) for sql in re.split(r"\n(?=\S)", _QUERIES.strip())
)
"""Queries, and whether the order of their rows is part of the answer."""
