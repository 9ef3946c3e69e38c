r"""More statements that must not be run: newer syntax, newer functions, and rarer hiding places.

One statement a line; `\n`, `\r` and `\uXXXX` stand for what they say.
"""

import re

WRITES = r"""
MERGE INTO data USING data d USING (id) WHEN NOT MATCHED THEN INSERT
INSERT INTO data BY NAME SELECT 1 AS id
INSERT INTO data DEFAULT VALUES RETURNING *
COPY data TO '/tmp/x' (FORMAT parquet, PARTITION_BY (id))
COPY (FROM data) TO 's3://lake/x' WITH (FORMAT csv)
COPY data FROM 's3://lake/x'
ATTACH IF NOT EXISTS 's3://lake/a.db' AS x (READ_ONLY)
ATTACH OR REPLACE 'x.db'
ATTACH 'ducklake:x.ducklake' AS d
DETACH DATABASE IF EXISTS x
CREATE TABLE IF NOT EXISTS t AS FROM data
CREATE OR REPLACE TEMP MACRO m(a) AS TABLE FROM read_text(a)
DROP MACRO m
DROP TRIGGER x ON data
DROP FUNCTION m
SET VARIABLE x = (SELECT content FROM read_text('/etc/passwd'))
SET SCHEMA 'x'
SET search_path TO 'temp'
SET enable_external_file_cache = false
SET disabled_filesystems = ''
SET extension_directory = '/tmp'
SET custom_extension_repository = 'http://x'
SET file_search_path = '/etc'
SET allowed_directories = ['/']
SET allowed_paths = ['/etc/passwd']
SET temp_directory = '/tmp'
SET log_query_path = '/tmp/x'
SET http_proxy = 'x'
RESET VARIABLE x
PRAGMA threads=1
PRAGMA temp_directory='/tmp'
PRAGMA database_size
PRAGMA storage_info('data')
PRAGMA force_checkpoint
PRAGMA user_agent
PRAGMA disable_checkpoint_on_shutdown
PRAGMA log_query_path = '/tmp/x'
CALL sqlite_attach('/tmp/a.db')
CALL truncate_duckdb_logs()
CALL query('SELECT 1')
CALL start_ui()
CALL load_aws_credentials()
PREPARE x AS FROM read_text('/etc/passwd')
EXPLAIN (FORMAT json) COPY data TO '/tmp/x'
EXPLAIN (FORMAT graphviz, ANALYZE) FROM data
EXPLAIN ANALYZE (FORMAT json) FROM data
EXPLAIN CALL duckdb_settings()
EXPLAIN PRAGMA database_list
EXPLAIN SET VARIABLE x = 1
EXPLAIN UPDATE data SET id = 1
PIVOT data ON name IN (SELECT file FROM glob('/etc/*')) USING count(*)
BEGIN; SELECT 1; COMMIT
INSERT INTO data SELECT * FROM data ON CONFLICT (id) DO UPDATE SET name = 'x' RETURNING id
MERGE INTO data USING data d ON true WHEN MATCHED THEN ERROR 'x'
MERGE INTO data t USING data s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE
WITH RECURSIVE s AS (SELECT 1 x) DELETE FROM data USING s
SELECT * FROM data WHERE EXISTS (WITH u AS (UPDATE data SET id = 1 RETURNING 1) FROM u)
CREATE VIEW x AS SUMMARIZE data
COPY FROM DATABASE memory TO memory (SCHEMA)
COMMENT ON VIEW data IS NULL
ALTER SEQUENCE s OWNED BY data
SET s3_endpoint = 'evil.example'
SET storage_compatibility_version = 'latest'
CALL register_external_resource('a')
CALL add_grammar_extension('x')
CALL repeat(1, 1000000000000)
"""

NO_SQL = r"""
FROM data |> SELECT id
SELECT * FROM data TABLESAMPLE (SELECT count(*) FROM glob('/etc/*'))
SELECT * FROM read_parquet(VARIADIC ['s3://a/b'])
SELECT * FROM read_parquet(e's3://bucket/a\x00.parquet')
SELECT * FROM e'\x2fetc\x2fpasswd'
SELECT * FROM $$/etc/passwd$$
SELECT * FROM U&"\002Fetc\002Fpasswd"
SELECT * FROM r\u200bead_text('/etc/passwd')
SELECT (lambda x: x)(1)
SELECT a FROM data COLLATE "/etc/passwd"
SELECT DATE (SELECT 1 FROM glob('/*'))
WITH x AS (CALL duckdb_settings()) FROM x
WITH x AS (PRAGMA database_list) FROM x
WITH x AS (EXPLAIN ANALYZE SELECT 1) FROM x
WITH x AS (SET threads = 1) SELECT 1
WITH x AS (ATTACH '/tmp/a.db') SELECT 1
WITH x AS (EXECUTE p) FROM x
WITH x AS (INSTALL httpfs) SELECT 1
WITH x AS (MERGE INTO data USING data d ON true WHEN MATCHED THEN DELETE RETURNING *) FROM x
WITH x AS (CREATE TABLE t AS SELECT 1) SELECT 1
FROM (CALL duckdb_settings())
FROM (PRAGMA database_list)
FROM (EXPLAIN ANALYZE FROM data)
FROM (UPDATE data SET id = 1 RETURNING *)
FROM (MERGE INTO data USING data d ON true WHEN MATCHED THEN DELETE RETURNING *)
UPSERT INTO data VALUES (1)
REPLACE INTO data VALUES (1)
COPY DATABASE memory TO x
CREATE TRIGGER x AFTER INSERT ON data FOR EACH ROW SELECT 1
SET LOCAL threads = 1
SET ROLE x
EXECUTE IMMEDIATE 'SELECT 1'
PREPARE x(int) AS SELECT $1
EXPLAIN ATTACH ':memory:'
SUMMARIZE duckdb_settings()
PIVOT data ON name USING count(*) GROUP BY (SELECT 1 FROM glob('/*'))
SELECT 1\u037e DROP VIEW data
SELECT 1\uff1bDROP VIEW data
SELECT 1 -- \r DROP VIEW data
SELECT /* /* nested */ * FROM data /* */ */ , read_text('/etc/passwd')
SELECT $$a$$ , * FROM $$/etc/passwd$$
"""

FORBIDDEN = r"""
SELECT COLUMNS(c -> c LIKE 'a%') FROM '/etc/passwd'
SELECT * FROM data AT (TIMESTAMP => (SELECT max(content) FROM read_text('/etc/passwd')))
SELECT * FROM (VALUES ((FROM glob('/*') LIMIT 1)))
SELECT * FROM data WHERE id IN (TABLE duckdb_tables)
SELECT * FROM data JOIN LATERAL read_csv('/etc/passwd') ON true
SELECT * FROM data POSITIONAL JOIN read_text('/etc/passwd')
SELECT * FROM data ASOF JOIN duckdb_tables t ON data.id >= t.table_oid
SELECT ARRAY(SELECT content FROM read_text('/etc/passwd'))
SELECT MAP {'a': (SELECT content FROM read_text('/etc/passwd'))}
SELECT try((SELECT content FROM read_text('/etc/passwd')))
SELECT TRY(getenv('HOME'))
SELECT id FROM data GROUP BY GROUPING SETS (((SELECT 1 FROM glob('/*'))))
SELECT * FROM data ORDER BY ALL LIMIT (SELECT 1 FROM read_blob('/etc/passwd'))
SELECT sum(id ORDER BY (SELECT 1 FROM glob('/*'))) FROM data
SELECT percentile_cont((SELECT 0.5 FROM glob('/*'))) WITHIN GROUP (ORDER BY id) FROM data
SELECT sum(id) OVER (ORDER BY id ROWS (SELECT 1 FROM glob('/*')) PRECEDING) FROM data
SELECT id AS "s3://x/y" FROM "/etc/passwd"
SELECT * FROM data NATURAL JOIN information_schema.tables
SELECT * FROM data d, d.read_text('/etc/passwd')
SELECT * FROM read_csv('s3://bucket/a.csv', types = {'a': (SELECT 'INT')})
SELECT * FROM read_csv('s3://bucket/a.csv', files_to_sniff = 2)
SELECT * FROM read_csv('s3://bucket/a.csv', buffer_size = 99999999999)
SELECT * FROM read_csv('s3://bucket/a.csv', parallel = false)
SELECT * FROM read_csv('s3://bucket/a.csv', rejects_scan = 'data')
SELECT * FROM read_csv('s3://bucket/a.csv', hive_partitioning = getvariable('x'))
SELECT * FROM read_json('s3://bucket/a.json', maximum_object_size = (SELECT 1))
SELECT * FROM read_json('s3://bucket/a.json', columns = (SELECT {'a': 'INT'}))
SELECT * FROM read_parquet('s3://bucket/a.parquet', schema = MAP {1: {name: 'a', type: 'INT'}})
SELECT * FROM read_parquet('s3://bucket/a.parquet', debug_use_openssl = true)
SELECT * FROM read_parquet('s3://bucket/a.parquet', explicit_cardinality = 1)
SELECT * FROM read_parquet('s3://bucket/a.parquet' || '')
SELECT * FROM read_parquet(['s3://bucket/a.parquet', NULL])
SELECT * FROM read_parquet(NULL)
SELECT * FROM read_parquet({'a': 's3://bucket/a.parquet'})
SELECT * FROM read_parquet('s3://bucket/a.parquet'::VARCHAR)
SELECT * FROM read_parquet($$/etc/passwd$$)
SELECT * FROM read_parquet($tag$/etc/passwd$tag$)
SELECT * FROM read_parquet(U&'\002Fetc\002Fpasswd')
SELECT * FROM read_parquet(x'2f657463')
SELECT * FROM 's3://bucket/../../etc/passwd' JOIN '/etc/passwd' USING (a)
SELECT * FROM 'S3://bucket/a' , 'file://localhost/etc/passwd'
SELECT * FROM "s3:\\bucket\a.csv"
SELECT * FROM 's3\u200b://bucket/a.csv'
SELECT * FROM '\uff533://bucket/a.csv'
SELECT * FROM "\uff52ead_text"('/etc/passwd')
SELECT * FROM read_text\u00a0('/etc/passwd')
SELECT\u00a0*\u00a0FROM\u00a0read_text('/etc/passwd')
SELECT * FROM/*\n*/read_text/**/('/etc/passwd')
SELECT * FROM read_text -- x\n('/etc/passwd')
FROM read_text('/etc/passwd') AS t(a, b) SELECT a
FROM (FROM (FROM (FROM read_text('/etc/passwd'))))
FROM data, (FROM glob('/etc/*')) g
FROM unnest([1, (FROM glob('/etc/*') LIMIT 1)])
FROM range(1, (SELECT count(*) FROM duckdb_settings()))
FROM query('FROM data')
FROM query_table('data', true)
FROM query_table(['data', 'sqlite_master'], false)
SELECT query_table('data')
FROM sqlite_scan('a', 'b')
FROM sqlite_attach('/tmp/a.db')
FROM postgres_attach('host=x')
FROM mysql_query('a', 'b')
FROM duckdb_keywords()
FROM duckdb_types()
FROM duckdb_databases()
FROM duckdb_optimizers()
FROM duckdb_secret_types()
FROM duckdb_log_contexts()
FROM duckdb_connection_count()
FROM duckdb_approx_database_count()
FROM duckdb_which_secret('a', 'b')
FROM pragma_show('data')
FROM pragma_metadata_info()
FROM pragma_database_size()
FROM pragma_platform()
FROM pragma_collations()
FROM icu_calendar_names()
FROM pg_timezone_names()
FROM sql_auto_complete('SEL')
FROM check_peg_parser('SELECT 1')
FROM parse_duckdb_log_message('x', 'y')
FROM duckdb_logs_parsed('x')
FROM parquet_file_metadata('s3://bucket/a.parquet')
FROM parquet_bloom_probe('s3://bucket/a.parquet', 'a', 1)
FROM parquet_full_metadata('s3://bucket/a.parquet')
FROM write_parquet('/tmp/a.parquet')
FROM read_avro('/tmp/a.avro')
FROM read_lines('/etc/passwd')
FROM read_orc('/tmp/a.orc')
FROM load_aws_credentials()
FROM http_get('http://169.254.169.254/')
FROM shellfs('ls')
FROM read_text('ls |')
FROM 'ls |'
SELECT http_get('http://169.254.169.254/')
SELECT getenv('AWS_SECRET_ACCESS_KEY')
SELECT current_setting('home_directory')
SELECT current_connection_id()
SELECT current_transaction_id()
SELECT current_query_id()
SELECT has_schema_privilege('main', 'USAGE')
SELECT pg_get_constraintdef(1)
SELECT pg_conf_load_time()
SELECT pg_postmaster_start_time()
SELECT obj_description(1, 'pg_class')
SELECT add_parquet_key('k', 'v')
SELECT parse_duckdb_log_message('x', 'y')
SELECT lambda x: getenv('HOME')
SELECT apply(['HOME'], lambda x: x.getenv())
SELECT list_reduce(['a'], lambda a, b: getvariable(a))
SELECT getvariable('x') AS "now()"
SELECT data.getenv('HOME') FROM data
SELECT 'HOME'.getenv()
SELECT COLUMNS(getenv('HOME')) FROM data
SELECT * EXCLUDE (id) REPLACE (getenv('HOME') AS name) FROM data
SELECT COLUMNS(* EXCLUDE (id)).getenv() FROM data
SELECT UNPACK(COLUMNS(*)) FROM read_csv('/etc/passwd')
SELECT struct_pack(a := getenv('HOME'))
SELECT f(a := (FROM read_text('/etc/passwd')))
SELECT CAST((SELECT content FROM read_text('/etc/passwd')) AS STRUCT(a INT))
SELECT INTERVAL (getvariable('x')) DAY
SELECT EXTRACT(epoch FROM (SELECT last_modified FROM read_blob('/etc/passwd')))
WITH x AS (DESCRIBE duckdb_tables) FROM x
WITH x AS (SUMMARIZE '/etc/passwd') FROM x
FROM (SHOW TABLES FROM information_schema)
FROM (DESCRIBE '/etc/passwd')
EXPLAIN FROM read_text('/etc/passwd')
EXPLAIN DESCRIBE '/etc/passwd'
SHOW SETTINGS
SHOW '/etc/passwd'
SHOW TABLES FROM memory
SHOW FUNCTIONS
DESCRIBE TABLE '/etc/passwd'
SUMMARIZE FROM read_csv('/etc/passwd')
DESCRIBE FROM duckdb_settings()
SELECT * FROM data QUALIFY (SELECT count(*) FROM glob('/*')) > 1
FROM data PIVOT (max((FROM glob('/*') LIMIT 1)) FOR name IN ('a'))
FROM data UNPIVOT (v FOR n IN (id)) u, duckdb_views
PIVOT '/etc/passwd.csv' ON a USING count(*)
SELECT 1 --\r\nFROM read_text('/etc/passwd')
SELECT /* /* nested */ */ * FROM read_text('/etc/passwd')
SELECT E'\'' , content FROM read_text('/etc/passwd') --'
SELECT "a" "b" FROM read_text('/etc/passwd')
FROM read_single_csv_file('s3://bucket/a.csv')
FROM read_single_parquet_file('/tmp/x')
FROM read_single_json_file('/etc/passwd')
FROM parquet_page_index('s3://bucket/a.parquet')
FROM duckdb_live_query_metrics()
FROM duckdb_eviction_queues()
FROM duckdb_available_metrics()
FROM duckdb_dialects()
FROM duckdb_grammar_extensions()
FROM duckdb_external_resources()
FROM register_external_resource_type('x')
FROM destroy_external_resource('x')
FROM remove_grammar_extension('x')
FROM duckdb_table_sample('data')
FROM duckdb_triggers()
FROM duckdb_extension_repositories()
FROM arrow_scan_dumb(1, 2, 3)
FROM python_arrow_scan(1)
FROM test_vector_types(NULL::INT)
FROM histogram('data', 'id')
FROM repeat('x', 10)
SELECT index_key('a')
SELECT get_block_size('memory')
SELECT map_to_pg_oid('x')
SELECT inet_server_addr()
SELECT json_copy_strftime_if_date(DATE '2025-01-01', 'x')
SELECT pg_typeof(getvariable('x'))
SELECT 'threads'.current_setting()
SELECT [current_setting(s) FOR s IN ['threads', 'memory_limit']]
SELECT [x FOR x IN ['a'] IF getvariable(x) IS NULL]
SELECT COLUMNS(*)::VARCHAR || current_setting('threads') FROM data
SELECT name FROM data LIMIT current_setting('threads')::INT
SELECT DISTINCT ON (current_setting('threads')) name FROM data
SELECT * FROM json_each(current_setting('threads'))
PIVOT data ON name USING max(current_setting('threads'))
UNPIVOT (SELECT current_setting('threads') t) ON t
SUMMARIZE SELECT current_setting('threads') t
WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 2 UNION SELECT oid, 1 FROM pg_class) FROM t
SELECT name FROM data UNION BY NAME FROM duckdb_settings()
SELECT * FROM data WHERE name = ANY (FROM pg_database SELECT datname)
FROM 's3express://bucket/a.csv'
FROM 'abfss://c@a.dfs.core.windows.net/x.csv'
FROM '\\host\share\x.csv'
FROM '/dev/fd/0'
FROM '.env'
FROM '**/*.csv'
FROM read_csv(CASE WHEN true THEN '/etc/hostname' END)
FROM read_csv('s3://bucket/a.csv', compression = current_setting('x'))
"""


def statements(text: str) -> list[str]:
    """Return the statements of a text, a line each."""
    return [_unescaped(line) for line in text.splitlines()[1:]]


def _unescaped(line: str) -> str:
    plain = line.replace(r"\n", "\n").replace(r"\r", "\r")
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), plain)
