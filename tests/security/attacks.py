r"""Statements that must not be run, or must be contained: the attack corpus, as data.

`code` is the error that the contract demands; "" marks what only computes, and so passes the guard:
the locked instance and the killable worker must hold it. One statement a line, `\n` for line ends.
"""

from dataclasses import dataclass

from security import corners
from security.bombs import CONTAINED, TOO_MUCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One statement, and the error code that it must meet ("": it is let through)."""

    id: str
    sql: str
    code: str


_WRITES = r"""
INSERT INTO data VALUES (1)
INSERT INTO data FROM data
INSERT OR REPLACE INTO data SELECT * FROM data
UPDATE data SET id = 1
DELETE FROM data
DELETE FROM data USING data d WHERE d.id = data.id
TRUNCATE data
TRUNCATE TABLE data
MERGE INTO data USING data d ON d.id = data.id WHEN MATCHED THEN DELETE
DROP TABLE data
DROP VIEW IF EXISTS data
DROP SCHEMA main CASCADE
DROP TYPE t
CREATE TABLE t AS SELECT 1
CREATE TABLE t (a INT)
CREATE TEMP TABLE t AS FROM data
CREATE OR REPLACE TABLE data AS SELECT 1
CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW data AS SELECT 1
CREATE OR REPLACE MACRO sum(x) AS 1
CREATE FUNCTION f(x) AS x
CREATE MACRO t() AS TABLE SELECT 1
CREATE SCHEMA s
CREATE SEQUENCE q
CREATE TYPE mood AS ENUM ('a')
CREATE INDEX i ON data (id)
CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')
CREATE PERSISTENT SECRET s (TYPE s3)
DROP SECRET s
ALTER TABLE data ADD COLUMN x INT
ALTER VIEW data RENAME TO other
COMMENT ON TABLE data IS 'x'
COPY data TO '/tmp/out.csv'
COPY (SELECT 1) TO '/tmp/out.parquet' (FORMAT parquet)
COPY data TO 's3://lake/out.csv'
COPY data FROM '/etc/passwd'
COPY (SELECT 1) TO '/dev/stdout'
COPY FROM DATABASE memory TO other
EXPORT DATABASE '/tmp/out'
IMPORT DATABASE '/tmp/out'
ATTACH '/tmp/a.db' AS a
ATTACH ':memory:' AS m
ATTACH 'https://example.com/a.db'
ATTACH 'host=127.0.0.1' AS p (TYPE postgres)
DETACH memory
USE memory
USE temp.main
INSTALL httpfs
INSTALL spatial FROM community
INSTALL '/tmp/evil.duckdb_extension'
FORCE INSTALL httpfs
LOAD httpfs
LOAD '/tmp/evil.duckdb_extension'
UPDATE EXTENSIONS
UPDATE EXTENSIONS (httpfs)
SET enable_external_access = true
SET memory_limit = '100GB'
SET GLOBAL threads = 64
SET SESSION search_path = 'x'
SET VARIABLE x = 1
SET lock_configuration = false
SET allow_unsigned_extensions = true
SET s3_secret_access_key = 'x'
SET python_enable_replacements = true
SET TimeZone = 'UTC'
RESET memory_limit
RESET lock_configuration
PRAGMA version
PRAGMA enable_external_access
PRAGMA memory_limit = '100GB'
PRAGMA enable_verification
PRAGMA database_list
PRAGMA table_info('data')
PRAGMA show_tables
PRAGMA enable_profiling = 'json'
PRAGMA profiling_output = '/tmp/out.json'
PRAGMA disable_optimizer
PRAGMA enable_logging
PRAGMA import_database('/tmp/out')
CALL enable_logging()
CALL enable_profiling()
CALL pragma_version()
CALL force_checkpoint()
CALL duckdb_settings()
CALL read_csv('/etc/passwd')
CHECKPOINT
FORCE CHECKPOINT
VACUUM
VACUUM ANALYZE data
ANALYZE
BEGIN
BEGIN TRANSACTION
START TRANSACTION
COMMIT
ROLLBACK
ABORT
PREPARE p AS SELECT 1
PREPARE p AS DELETE FROM data
EXECUTE p
EXECUTE p(1)
DEALLOCATE p
EXPLAIN ANALYZE SELECT 1
EXPLAIN ANALYSE SELECT 1
explain analyze FROM data
EXPLAIN ANALYZE DELETE FROM data
EXPLAIN /* x */ ANALYZE COPY data TO '/tmp/out.csv'
EXPLAIN (ANALYZE) SELECT 1
EXPLAIN (ANALYZE, FORMAT json) SELECT 1
EXPLAIN (FORMAT json, ANALYZE) COPY data TO '/tmp/out.csv'
EXPLAIN (ANALYZE false) COPY data TO '/tmp/out.csv'
EXPLAIN (ANALYSE) DELETE FROM data
EXPLAIN DELETE FROM data
EXPLAIN INSERT INTO data VALUES (1)
EXPLAIN COPY data TO '/tmp/out.csv'
EXPLAIN CREATE TABLE t AS SELECT 1
EXPLAIN CREATE TABLE t AS PIVOT data ON update USING sum(id)
EXPLAIN (FORMAT json) DROP TABLE data
EXPLAIN SET threads = 1
EXPLAIN PREPARE p AS SELECT 1
EXPLAIN EXECUTE p
EXPLAIN CHECKPOINT
EXPLAIN WITH d AS (DELETE FROM data RETURNING *) SELECT * FROM d
EXPLAIN SELECT 1; DELETE FROM data
WITH d AS (DELETE FROM data RETURNING *) SELECT * FROM d
WITH i AS (INSERT INTO data SELECT * FROM data RETURNING *) SELECT count(*) FROM i
WITH u AS (UPDATE data SET id = 1 RETURNING id) FROM u
WITH c AS (COPY data TO '/tmp/out.csv') SELECT 1
WITH c AS (COPY (SELECT 1) TO '/tmp/out.csv') SELECT * FROM c
WITH a AS (SELECT 1), c AS (COPY data TO 's3://lake/out.csv') FROM a
WITH d AS MATERIALIZED (DELETE FROM data RETURNING *) SELECT 1
SELECT * FROM (WITH d AS (DELETE FROM data RETURNING *) SELECT * FROM d)
SELECT (WITH d AS (DELETE FROM data RETURNING id) SELECT max(id) FROM d)
SELECT 1 LIMIT (WITH d AS (DELETE FROM data RETURNING 1 AS x) SELECT count(*) FROM d)
SELECT 1 WHERE EXISTS (WITH d AS (DELETE FROM data RETURNING *) FROM d)
SELECT list_transform([1], lambda x: (WITH d AS (DELETE FROM data RETURNING 1 AS y) FROM d))
SELECT 1 UNION ALL (WITH d AS (DELETE FROM data RETURNING 1 AS y) FROM d)
VALUES ((WITH d AS (DELETE FROM data RETURNING 1 AS y) SELECT max(y) FROM d))
DESCRIBE WITH d AS (DELETE FROM data RETURNING *) SELECT * FROM d
SUMMARIZE WITH d AS (DELETE FROM data RETURNING *) SELECT * FROM d
WITH d AS (DELETE FROM data RETURNING *) PIVOT d ON update USING sum(id)
PIVOT (WITH d AS (DELETE FROM data RETURNING *) FROM d) ON update USING sum(id)
UNPIVOT (WITH d AS (DELETE FROM data RETURNING *) FROM d) ON id
WITH d AS (DELETE FROM data RETURNING *) SELECT * FROM read_text('/etc/passwd')
WITH x AS (SELECT 1) INSERT INTO data FROM x
WITH x AS (SELECT 1) DELETE FROM data
WITH x AS (SELECT 1) UPDATE data SET id = 1
CREATE TABLE t AS PIVOT data ON update USING sum(id)
CREATE VIEW v AS FROM (PIVOT data ON update IN ('ok') USING sum(id))
COPY (PIVOT data ON update USING sum(id)) TO '/tmp/out.csv'
INSERT INTO data PIVOT data ON update USING sum(id)
PIVOT data ON update USING sum(id); DROP VIEW data
SELECT 1; SELECT 2
SELECT 1; DROP VIEW data
SELECT 1;DROP/**/TABLE data;--
SELECT ';'; DELETE FROM data
SELECT '--'; DELETE FROM data
SELECT $$;$$; DELETE FROM data
SELECT 1 /* ; */ ; /* */ DELETE FROM data
SELECT 1 --\n; DELETE FROM data
SELECT "a""; --" FROM data; DROP VIEW data
/* SELECT */ DELETE FROM data
-- SELECT 1\nDELETE FROM data
/**/DELETE/**/FROM/**/data
dElEtE fRoM data
 \t\n DELETE FROM data
SELECT 1; SET threads = 1; SELECT 2
SHOW TABLES; DROP VIEW data
"""

_NO_SQL = r"""
SELECT
SELECT * FROM
SELECT * FROM data WHERE
SELEC 1
FROM
)
(
'
"unterminated
/* unterminated
SELECT 1 INTO t
SELECT * INTO OUTFILE '/tmp/out.csv' FROM data
SELECT * INTO t FROM data
SELECT 1) t; COPY (SELECT 1) TO '/tmp/out.csv'
SELECT * FROM data) TO '/tmp/out.csv'
PIVOT data ON (name || (SELECT content FROM read_text('/etc/passwd'))) USING count(*)
SELECT 1) t; COPY (SELECT 1) TO '/tmp/out.csv'; SELECT * FROM (SELECT 1
WITH RECURSIVE d AS (DELETE FROM data RETURNING *) SELECT 1
EXPLAIN ATTACH '/tmp/a.db'
ALTER TABLE data SET SCHEMA s
SELECT 1 UNION DELETE FROM data
SELECT * FROM (DELETE FROM data RETURNING *)
SELECT * FROM (COPY data TO '/tmp/out.csv')
SELECT (DELETE FROM data RETURNING id)
DESCRIBE (DELETE FROM data)
EXPLAIN
EXPLAIN EXPLAIN SELECT 1
EXPLAIN (VERBOSE) SELECT 1
GRANT ALL ON data TO PUBLIC
DO $$ BEGIN END $$
.shell ls
.read /etc/passwd
\copy data to '/tmp/out.csv'
!ls
SELECT load_file('/etc/passwd') FROM
-- only a comment
/* only a comment */
;
;;;
SELECT ?
SELECT $1
SELECT $name
SELECT * FROM data WHERE id = ?
SELECT * FROM data LIMIT $1
SELECT * FROM orders
SELECT * FROM df
SELECT * FROM dat
SELECT * FROM __import__
FROM tables
WITH x AS (SELECT 1) SELECT * FROM y
WITH a AS (FROM b), b AS (SELECT 1) FROM a
SELECT * FROM (WITH x AS (SELECT 1) FROM x), x
"""

_FORBIDDEN = r"""
SELECT * FROM '/etc/passwd'
SELECT * FROM "/etc/passwd"
SELECT * FROM '/etc/passwd.csv'
SELECT * FROM '../../etc/passwd'
SELECT * FROM '~/.aws/credentials'
SELECT * FROM 'C:\Windows\win.ini'
SELECT * FROM 'data.csv'
SELECT * FROM 'data.parquet'
SELECT * FROM '/proc/self/environ'
SELECT * FROM '/dev/stdin'
SELECT * FROM 'file:///etc/passwd'
SELECT * FROM 'file:/etc/passwd'
SELECT * FROM 'http://169.254.169.254/latest/meta-data/'
SELECT * FROM 'https://example.com/a.csv'
SELECT * FROM 'gs://bucket/a.csv'
SELECT * FROM 'gcs://bucket/a.csv'
SELECT * FROM 'r2://bucket/a.csv'
SELECT * FROM 'az://bucket/a.csv'
SELECT * FROM 'hf://datasets/a/b.csv'
SELECT * FROM 'lake://bucket/a.csv'
SELECT * FROM 's3:/bucket/a.csv'
SELECT * FROM 's3:///a.csv'
SELECT * FROM 's3://'
SELECT * FROM ' s3://bucket/a.csv'
SELECT * FROM 'x?s3://bucket/a.csv'
SELECT * FROM 's3x://bucket/a.csv'
SELECT * FROM main.data
SELECT * FROM memory.main.data
SELECT * FROM temp.data
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM pg_catalog.pg_class
SELECT * FROM pg_class
SELECT * FROM pg_settings
SELECT * FROM sqlite_master
SELECT * FROM duckdb_tables
SELECT * FROM duckdb_views
SELECT * FROM duckdb_logs
SELECT * FROM system.main.duckdb_columns
SELECT * FROM pragma_database_list
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_extensions()
SELECT * FROM duckdb_memory()
SELECT * FROM duckdb_temporary_files()
SELECT * FROM duckdb_variables()
SELECT * FROM duckdb_prepared_statements()
SELECT * FROM duckdb_external_file_cache()
SELECT * FROM which_secret('s3://b/k', 's3')
SELECT * FROM pragma_version()
SELECT * FROM pragma_user_agent()
SELECT * FROM pragma_table_info('data')
SELECT * FROM pragma_storage_info('data')
SELECT * FROM pg_timezone_names()
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM READ_TEXT('/etc/passwd')
SELECT * FROM "read_text"('/etc/passwd')
SELECT * FROM main.read_text('/etc/passwd')
SELECT * FROM system.main.read_text('/etc/passwd')
SELECT * FROM read_text('s3://bucket/a.txt')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_blob('s3://bucket/a.bin')
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM read_csv(['s3://bucket/a.csv', '/etc/passwd'])
SELECT * FROM read_csv(['/etc/passwd', 's3://bucket/a.csv'])
SELECT * FROM read_csv([['/etc/passwd']])
SELECT * FROM read_csv([])
SELECT * FROM read_csv('s3://bucket/' || 'a.csv')
SELECT * FROM read_csv(getvariable('x'))
SELECT * FROM read_csv(data)
SELECT * FROM read_csv((SELECT '/etc/passwd'))
SELECT * FROM read_csv(path = '/etc/passwd')
SELECT * FROM read_csv(concat('/etc', '/passwd'))
SELECT * FROM read_csv(list_value('/etc/passwd'))
SELECT * FROM read_csv('s3://bucket/a.csv', store_rejects = true)
SELECT * FROM read_csv('s3://bucket/a.csv', rejects_table = 'data')
SELECT * FROM read_csv('s3://bucket/a.csv', delim = (SELECT content FROM read_text('/etc/passwd')))
SELECT * FROM read_csv('s3://bucket/a.csv', delim = getvariable('x'))
SELECT * FROM read_csv('http://169.254.169.254/')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_json_auto('/etc/passwd')
SELECT * FROM read_json_objects('/etc/passwd')
SELECT * FROM read_ndjson('/etc/passwd')
SELECT * FROM read_ndjson_objects('/etc/passwd')
SELECT * FROM read_parquet('/tmp/a.parquet')
SELECT * FROM parquet_scan('/tmp/a.parquet')
SELECT * FROM read_parquet('s3://bucket/a.parquet', encryption_config = {footer_key: 'k'})
SELECT * FROM parquet_metadata('/tmp/a.parquet')
SELECT * FROM parquet_metadata('s3://bucket/a.parquet')
SELECT * FROM parquet_schema('http://169.254.169.254/')
SELECT * FROM parquet_kv_metadata('/tmp/a.parquet')
SELECT * FROM read_duckdb('/tmp/a.db')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM glob('/etc/*')
SELECT * FROM glob('s3://bucket/*')
SELECT * FROM read_xlsx('/tmp/a.xlsx')
SELECT * FROM st_read('/tmp/a.shp')
SELECT * FROM sqlite_scan('/tmp/a.db', 't')
SELECT * FROM postgres_scan('host=127.0.0.1', 'public', 't')
SELECT * FROM iceberg_scan('/tmp/t')
SELECT * FROM delta_scan('/tmp/t')
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM pandas_scan(140000000000000)
SELECT * FROM python_map_function(1)
SELECT * FROM seq_scan('data')
SELECT * FROM query('SELECT 1')
SELECT * FROM query('COPY data TO ''/tmp/out.csv''')
SELECT * FROM query_table('data')
SELECT * FROM query_table(['sqlite_master'])
SELECT * FROM json_execute_serialized_sql('{}')
SELECT * FROM histogram_values('sqlite_master', name)
SELECT * FROM summary((FROM data))
SELECT * FROM enable_profiling()
SELECT * FROM enable_logging()
SELECT * FROM truncate_duckdb_logs()
SELECT * FROM checkpoint()
SELECT * FROM force_checkpoint()
SELECT * FROM create_external_resource('x')
SELECT * FROM add_grammar_extension('x')
SELECT * FROM test_all_types()
SELECT * FROM repeat_row(1, num_rows = 10)
SELECT * FROM duckdb_profiling_settings()
SELECT * FROM no_such_table_function(1)
SELECT getenv('HOME')
SELECT getvariable('x')
SELECT current_setting('s3_secret_access_key')
SELECT query('SELECT 1')
SELECT read_text('/etc/passwd')
SELECT read_csv('s3://bucket/a.csv')
SELECT '/etc/passwd'.read_text()
SELECT name.read_blob() FROM data
SELECT main.getvariable('x')
SELECT nextval('q')
SELECT currval('q')
SELECT setval('q', 1)
SELECT sleep_ms(100000)
SELECT pg_sleep(100)
SELECT write_log('x')
SELECT write_log('x', log_type := 'y')
SELECT json_serialize_plan('SELECT 1')
SELECT json_serialize_sql('SELECT 1')
SELECT json_deserialize_sql('{}')
SELECT json_execute_serialized_sql('{}')
SELECT in_search_path('memory', 'main')
SELECT txid_current()
SELECT current_query()
SELECT pg_get_viewdef(1)
SELECT has_table_privilege('data', 'select')
SELECT col_description(1, 1)
SELECT __internal_decompress_string(1)
SELECT __internal_compress_string_ubigint('a')
SELECT stats(id) FROM data
SELECT max(getvariable('x')) OVER () FROM data
SELECT list_transform([1], lambda x: getvariable('x'))
SELECT list_transform(['/etc/passwd'], lambda x: (SELECT content FROM read_text('/etc/passwd')))
SELECT * FROM data, read_text(data.name)
SELECT * FROM data, LATERAL (SELECT * FROM read_text('/etc/passwd'))
SELECT (SELECT content FROM read_text('/etc/passwd'))
SELECT * FROM data WHERE name IN (SELECT content FROM read_text('/etc/passwd'))
SELECT * FROM data ORDER BY (SELECT content FROM read_text('/etc/passwd'))
SELECT * FROM data LIMIT (SELECT count(*) FROM glob('/etc/*'))
SELECT * FROM data OFFSET (SELECT count(*) FROM glob('/etc/*'))
SELECT count(*) FROM data GROUP BY (SELECT 1 FROM sniff_csv('/etc/passwd'))
SELECT count(*) FROM data HAVING (SELECT count(*) FROM glob('/etc/*')) > 0
SELECT id FROM data QUALIFY row_number() OVER (ORDER BY (SELECT 1 FROM pg_class)) = 1
SELECT sum(id) FILTER (WHERE EXISTS (FROM glob('/etc/*'))) FROM data
SELECT sum(id) OVER (PARTITION BY (SELECT 1 FROM duckdb_settings()) ORDER BY id) FROM data
SELECT sum(id) OVER w FROM data WINDOW w AS (ORDER BY (SELECT 1 FROM duckdb_settings()))
SELECT DISTINCT ON ((SELECT 1 FROM glob('/*'))) id FROM data
SELECT CASE WHEN EXISTS (FROM glob('/*')) THEN 1 END
SELECT * REPLACE ((SELECT content FROM read_text('/etc/passwd')) AS name) FROM data
SELECT {'a': (SELECT content FROM read_text('/etc/passwd'))}
SELECT [x FOR x IN (SELECT list(file) FROM glob('/etc/*'))]
SELECT EXISTS (SELECT * FROM data WHERE EXISTS (FROM glob('/etc/*')))
SELECT id IN (FROM glob('/etc/*')) FROM data
SELECT * FROM data d JOIN data e ON d.id = (SELECT count(*) FROM glob('/etc/*'))
SELECT * FROM data SEMI JOIN duckdb_tables ON true
SELECT * FROM unnest((SELECT list(content) FROM read_text('/etc/passwd')))
SELECT * FROM range((SELECT count(*) FROM glob('/etc/*')))
SELECT * FROM json_each((SELECT content FROM read_text('/etc/passwd')))
FROM data SELECT (FROM read_text('/etc/passwd') SELECT content)
FROM read_text('/etc/passwd')
TABLE duckdb_tables
TABLE "/etc/passwd"
VALUES ((SELECT content FROM read_text('/etc/passwd')))
DESCRIBE '/etc/passwd'
DESCRIBE SELECT * FROM read_csv('/etc/passwd')
DESCRIBE duckdb_tables
SUMMARIZE '/etc/passwd.csv'
SUMMARIZE SELECT * FROM read_text('/etc/passwd')
SHOW memory_limit
SHOW duckdb_tables
SHOW VARIABLES
SHOW TABLES FROM information_schema
EXPLAIN SELECT * FROM '/etc/passwd'
EXPLAIN (FORMAT json) SELECT * FROM read_text('/etc/passwd')
EXPLAIN PIVOT (FROM read_text('/etc/passwd')) ON content USING count(*)
WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x
WITH x AS MATERIALIZED (FROM glob('/etc/*')) SELECT 1
WITH duckdb_tables AS (FROM duckdb_tables) FROM duckdb_tables
WITH RECURSIVE duckdb_views AS (SELECT view_name FROM duckdb_views) FROM duckdb_views
WITH RECURSIVE pg_class AS (SELECT relname r FROM pg_class UNION FROM pg_class) FROM pg_class
SELECT * FROM (WITH duckdb_views AS (SELECT 1) FROM duckdb_views), duckdb_views
WITH a AS (FROM duckdb_views), duckdb_views AS (SELECT 1) FROM a
WITH "duc\u212adb_views" AS (SELECT 1) FROM duckdb_views
WITH recurring AS (SELECT 1) FROM recurring.recurring
PIVOT (FROM read_text('/etc/passwd')) ON content USING count(*)
PIVOT (FROM read_text('/etc/passwd')) ON content IN ('a') USING count(*)
PIVOT duckdb_settings() ON name USING count(*)
PIVOT data ON update USING max((SELECT content FROM read_text('/etc/passwd')))
PIVOT data JOIN duckdb_tables t ON data.name = t.table_name ON update USING count(*)
PIVOT (PIVOT duckdb_settings() ON name USING count(*)) ON value USING count(*)
WITH p AS (PIVOT duckdb_views ON view_name USING count(*)) FROM p
SELECT * FROM data UNION ALL SELECT * FROM (PIVOT duckdb_views ON view_name USING count(*))
UNPIVOT (FROM read_text('/etc/passwd')) ON content
FROM data PIVOT (count(*) FOR update IN ('a')) p, duckdb_tables
SELECT 'safe' UNION ALL SELECT content FROM read_text('/etc/passwd')
SELECT id FROM data EXCEPT SELECT count(*) FROM glob('/etc/*')
"""


def _text(line: str) -> str:
    return line.replace(r"\n", "\n").replace(r"\t", "\t").replace(r"\u212a", "\u212a")


CORPUS = tuple(
    Attack(id=f"{code or 'contained'}-{number:03}", sql=sql, code=code)
    for code, statements in {
        "not_read_only": [
            *(_text(line) for line in _WRITES.splitlines()[1:]),
            *corners.statements(corners.WRITES),
        ],
        "sql_error": [
            *(_text(line) for line in _NO_SQL.splitlines()[1:]),
            "",
            " \n\t ",
            "SELECT 1\0",
            "SELECT '\0'",
            "\0DELETE FROM data",
            *corners.statements(corners.NO_SQL),
        ],
        "not_allowed": [
            *(_text(line) for line in _FORBIDDEN.splitlines()[1:]),
            *corners.statements(corners.FORBIDDEN),
        ],
        "limit_exceeded": TOO_MUCH,
        "invalid_argument": ["SELECT '\ud800'", "\udfff", "DELETE FROM data -- \udc00"],
        "": [_text(line) for line in CONTAINED.splitlines()[1:]],
    }.items()
    for number, sql in enumerate(statements)
)
