"""The guard: what it answers, what it says, and that it knows every function of DuckDB."""

import re
import threading
import time

import duckdb
import pytest

from s3_data_lake_mcp.engines.guard import GuardedSql, check_predicate, check_sql
from s3_data_lake_mcp.engines.guard_tree import Tree
from s3_data_lake_mcp.engines.guard_words import (
    FUNCTIONS,
    GENERATORS,
    NEVER,
    OPERATORS,
    READERS,
)
from s3_data_lake_mcp.errors import (
    LakeError,
    LimitExceededError,
    NotAllowedError,
    NotReadOnlyError,
    SqlError,
)

REFUSED_PREFIXES = ("__internal_", "collate_", "icu_collate_", "has_", "pg_", "duckdb_", "pragma_")
REFUSED = """
    __between __cast add_grammar_extension arrow_scan arrow_scan_dumb checkpoint col_description
    combine_aggr create_external_resource current_connection_id current_query current_query_id
    current_setting current_transaction_id currval deregister_external_resource
    destroy_external_resource disable_logging disable_profiling enable_logging enable_profiling
    force_checkpoint format_pg_type format_type get_block_size getvariable glob histogram_values
    icu_calendar_names in_search_path index_key inet_client_addr inet_client_port inet_server_addr
    inet_server_port json_copy_strftime_if_date json_copy_strftime_if_timestamp
    json_deserialize_sql json_execute_serialized_sql json_serialize_plan json_serialize_sql
    map_to_pg_oid map_type_id_to_pg_oid nextval obj_description pandas_scan parquet_bloom_probe
    parquet_file_metadata parquet_full_metadata parquet_kv_metadata parquet_metadata
    parquet_page_index parquet_schema parse_duckdb_log_message python_arrow_scan
    python_map_function query query_table read_blob read_duckdb read_single_csv_file
    read_single_json_file read_single_parquet_file read_text register_external_resource
    register_external_resource_type remove_grammar_extension repeat_row seq_scan setval
    shobj_description sleep_ms sniff_csv stats summary test_all_types test_vector_types
    to_aggregate_state truncate_duckdb_logs txid_current variant_bytes_to_variant
    variant_to_parquet_variant vector_type which_secret write_log
"""


def functions() -> list[tuple[str, str]]:
    """Return every function of this DuckDB, with its kind."""
    found = duckdb.connect().execute(
        "SELECT DISTINCT function_type, lower(function_name) FROM duckdb_functions() "
        "WHERE function_type <> 'pragma'"
    )
    return [(str(kind), str(name)) for kind, name in found.fetchall()]


def guarded(sql: str) -> GuardedSql:
    """Check a statement that must pass."""
    return check_sql(sql)


def refused(sql: str) -> LakeError:
    """Check a statement that must not pass."""
    with pytest.raises(LakeError) as caught:
        check_sql(sql)
    return caught.value


def test_every_function_of_duckdb_has_been_judged() -> None:
    """Each is allowed or refused by name: an upgrade that brings new ones fails here."""
    allowed = FUNCTIONS | OPERATORS | GENERATORS | READERS.keys()
    unknown = {
        name
        for _, name in functions()
        if name not in allowed | set(REFUSED.split()) and not name.startswith(REFUSED_PREFIXES)
    }
    assert unknown == set()


def test_nothing_is_both_allowed_and_refused() -> None:
    """The two lists do not overlap, and what is never allowed as a scalar is on no list."""
    assert (FUNCTIONS | GENERATORS | READERS.keys()) & set(REFUSED.split()) == set()
    assert not FUNCTIONS & NEVER


def test_every_allowed_function_exists() -> None:
    """The allow-list holds no name that DuckDB does not have."""
    names = {name for _, name in functions()}
    assert FUNCTIONS - names == {"unnest"} - names
    assert READERS.keys() - names == set()


@pytest.mark.parametrize("kind", ["scalar", "aggregate", "macro", "window", "table"])
def test_what_is_refused_is_refused_in_sql(kind: str) -> None:
    """Every function that is on no allow-list meets `not_allowed` where it is called."""
    listed = FUNCTIONS | OPERATORS
    if kind == "table":
        listed = GENERATORS | READERS.keys()
    names = {name for of_kind, name in functions() if of_kind == kind and name not in listed}
    call = 'SELECT * FROM "{}"()' if kind == "table" else 'SELECT "{}"()'
    codes = {name: refused(call.format(name)).code for name in names}
    assert {name for name, code in codes.items() if code != "not_allowed"} == set()


def test_options_of_readers_exist() -> None:
    """Every option that a reader may have is one of DuckDB's."""
    found = duckdb.connect().execute(
        "SELECT function_name, list(DISTINCT p) FROM (SELECT function_name, unnest(parameters) p "
        "FROM duckdb_functions() WHERE function_type = 'table') GROUP BY ALL"
    )
    known = {name: set(options) for name, options in found.fetchall()}
    assert {name for name, options in READERS.items() if options - known[name]} == set()


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", "select"),
        ("FROM data", "select"),
        ("TABLE data", "select"),
        ("VALUES (1)", "select"),
        ("(SELECT 1) UNION (SELECT 2)", "select"),
        ("WITH a AS (SELECT 1) FROM a", "select"),
        ("DESCRIBE data", "select"),
        ("DESC data", "select"),
        ("SUMMARIZE data", "select"),
        ("SHOW data", "select"),
        ("SHOW TABLES", "select"),
        ("SHOW ALL TABLES", "select"),
        ("SHOW DATABASES", "select"),
        ("UNPIVOT data ON a, b", "select"),
        ("PIVOT data ON a IN ('x') USING sum(b)", "select"),
        ("FROM data PIVOT (sum(b) FOR a IN ('x'))", "select"),
        ("PIVOT data ON a USING sum(b)", "pivot"),
        ("PIVOT_WIDER data ON a", "pivot"),
        ("WITH p AS (FROM data) PIVOT p ON a, b USING sum(c) GROUP BY d", "pivot"),
        ("SELECT * FROM (PIVOT data ON a) JOIN (PIVOT data ON b) USING (c)", "pivot"),
        ("PIVOT (PIVOT data ON a USING sum(b) GROUP BY c) ON c", "pivot"),
        ("PIVOT data ON a USING sum(b) GROUP BY c UNION ALL SELECT 1, 2", "pivot"),
        ("PIVOT data ON a /* , */ , b -- ON c\n USING sum(c)", "pivot"),
        ("EXPLAIN SELECT 1", "explain"),
        ("EXPLAIN (SELECT 1)", "explain"),
        ("/* why */ EXPLAIN FROM data", "explain"),
        ("EXPLAIN (FORMAT json) SELECT 1", "explain"),
        ("EXPLAIN PIVOT data ON a", "explain"),
        ("EXPLAIN DESCRIBE data", "explain"),
    ],
)
def test_queries_of_every_form_pass(sql: str, kind: str) -> None:
    """All that only reads passes, and the answer says how it may be run."""
    assert guarded(sql).kind == kind


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ;; -- done\n;/* really */", "SELECT 1"),
        ("SELECT ';--' ;", "SELECT ';--'"),
        ("-- first\nSELECT 1", "-- first\nSELECT 1"),
        ("SELECT 'ü☕' AS ö;  ", "SELECT 'ü☕' AS ö"),
        ("SELECT $$a;$$;", "SELECT $$a;$$"),
        ("EXPLAIN /* x */ SELECT 1; -- y", "EXPLAIN SELECT 1"),
        ("explain (format graphviz) select 1;", "EXPLAIN (FORMAT graphviz) select 1"),
    ],
)
def test_only_the_statement_is_left(sql: str, left: str) -> None:
    """Semicolons and comments behind the statement go, so that it can be wrapped."""
    assert guarded(sql).sql == left


@pytest.mark.parametrize(
    ("sql", "uris", "uses_data"),
    [
        ("SELECT 1", (), False),
        ("SELECT * FROM DATA", (), True),
        ('SELECT * FROM "data" d', (), True),
        ("WITH data AS (SELECT 1) FROM data", (), False),
        ("WITH data AS (FROM data) FROM data", (), True),
        ("FROM 's3://b/k.csv'", ("s3://b/k.csv",), False),
        (
            "FROM \"S3A://b/k\" JOIN 's3n://c/*.csv' USING (a)",
            ("S3A://b/k", "s3n://c/*.csv"),
            False,
        ),
        ("FROM data d JOIN 's3://b/k' k USING (a)", ("s3://b/k",), True),
        ("FROM 's3://b/k' a, 's3://b/k' b", ("s3://b/k",), False),
        ("FROM read_csv('s3://b/k', header = true)", ("s3://b/k",), False),
        ("FROM read_parquet(['s3://b/1', 's3://b/2'])", ("s3://b/1", "s3://b/2"), False),
        ("DESCRIBE 's3://b/k'", ("s3://b/k",), False),
        ("SUMMARIZE 's3://b/k'", ("s3://b/k",), False),
        ("EXPLAIN FROM 's3://b/k'", ("s3://b/k",), False),
        ("PIVOT 's3://b/k' ON a", ("s3://b/k",), False),
        ("SELECT 's3://b/k' AS u FROM data WHERE x = 's3://c/d'", (), True),
        ("SELECT (SELECT max(a) FROM 's3://b/k') FROM data", ("s3://b/k",), True),
        ("WITH \"s3://b/k\" AS (SELECT 1) FROM 's3://b/k'", (), False),
    ],
)
def test_what_is_read_is_known(sql: str, uris: tuple[str, ...], *, uses_data: bool) -> None:
    """URIs come as written, in order and once; text that is no table is only text."""
    answer = guarded(sql)
    assert (answer.uris, answer.uses_data) == (uris, uses_data)


@pytest.mark.parametrize(
    "options",
    [
        "delim = ';'",
        "delim := ';', header => true",
        "columns = {'a': 'INT', 'b': 'VARCHAR'}",
        "types = ['INT', 'TEXT'], names = ['a', 'b']",
        "union_by_name = true, hive_partitioning = false, filename = true",
        "nullstr = ['NA', ''], skip = 3, sample_size = -1",
        "dateformat = '%d.%m.%Y', decimal_separator = ',', quote = '', escape = ''",
    ],
)
def test_readers_take_literal_options(options: str) -> None:
    """Options that say how to read pass in each of DuckDB's three spellings."""
    assert guarded(f"FROM read_csv('s3://b/k', {options})").uris == ("s3://b/k",)


def test_an_unknown_option_gets_the_nearest() -> None:
    """A misspelt option is named, with the one that was meant."""
    error = refused("FROM read_csv('s3://b/k', delimeter = ';')")
    assert (error.code, error.hint) == ("not_allowed", "Is it delimiter?")


def test_a_reader_takes_one_source() -> None:
    """Several URIs are one list, not several arguments."""
    error = refused("FROM read_csv('s3://b/1', 's3://b/2')")
    assert error.code == "sql_error"
    assert "['s3://bucket/a', 's3://bucket/b']" in error.hint


@pytest.mark.parametrize(
    "node",
    [
        {"type": "SELECT_NODE", "from_table": {"type": "DELIM_GET"}},
        {"type": "SELECT_NODE", "from_table": {"type": "A_NEW_TABLE_REFERENCE"}},
        {"type": "SELECT_NODE", "from_table": {"type": "EMPTY"}, "qualify": {"class": "NEW"}},
        {"type": "SELECT_NODE", "modifiers": [{"type": "A_NEW_MODIFIER"}]},
        {"type": "SELECT_NODE", "from_table": {"type": "SHOW_REF", "show_type": "A_NEW_SHOW"}},
    ],
)
def test_nodes_that_are_not_known_are_refused(node: dict[str, object]) -> None:
    """A node that a later DuckDB may bring is refused until it has been looked at."""
    with pytest.raises(NotAllowedError):
        Tree(lambda _: False).walk(node)


def test_a_new_query_node_is_not_read_only() -> None:
    """A query node that is not known may write."""
    with pytest.raises(NotReadOnlyError, match="A NEW inside"):
        Tree(lambda _: False).walk({"type": "SELECT_NODE", "x": [{"type": "A_NEW_QUERY_NODE"}]})


def test_a_syntax_error_has_its_place() -> None:
    """Line, column and the word are named, counted in characters."""
    error = refused("SELECT 'üü'\n, FROM data WHERE WHERE")
    assert isinstance(error, SqlError)
    assert 'near "WHERE" (line 2, column 19)' in str(error)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DELETE FROM data", "DELETE is"),
        ("WITH d AS (DELETE FROM data RETURNING *) FROM d", "DELETE inside"),
        ("WITH d AS (COPY data TO 'x') FROM d", "COPY inside"),
        ("WITH a AS (SELECT 1) INSERT INTO data FROM a", "INSERT is"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN ANALYZE"),
        ("EXPLAIN DROP TABLE data", "DROP"),
        ("PRAGMA version", "PRAGMA"),
    ],
)
def test_what_is_not_read_only_is_named(sql: str, what: str) -> None:
    """The message names what was found, the hint what to write."""
    error = refused(sql)
    assert isinstance(error, NotReadOnlyError)
    assert what in str(error)
    assert error.hint


def test_a_write_is_called_that_whatever_else_is_wrong() -> None:
    """`not_read_only` comes before `not_allowed` and the limits."""
    many = ", ".join(f"t{i} AS (SELECT 1)" for i in range(30))
    write = "WITH d AS (DELETE FROM data RETURNING *)"
    assert refused(f"{write}, {many} SELECT * FROM read_text('x')").code == "not_read_only"


@pytest.mark.parametrize(
    ("sql", "repaired"),
    [
        ("SELECT * FROM orders", "SELECT * FROM data"),
        ("TABLE dat;", "TABLE data"),
        ("DESCRIBE dat", "DESCRIBE data"),
        ("SELECT s.x FROM s3object s", "SELECT s.x FROM data s"),
        ("SELECT t.x FROM t WHERE t.y", "SELECT t.x FROM data AS t WHERE t.y"),
        ('SELECT ü FROM "Ü ü" JOIN "Ü ü" b USING (ü)', "SELECT ü FROM data JOIN data b USING (ü)"),
        ("EXPLAIN FROM orders", "EXPLAIN FROM data"),
        ("PIVOT orders ON a", "PIVOT data ON a"),
    ],
)
def test_an_unknown_table_is_mended(sql: str, repaired: str) -> None:
    """Where one name stands for the one table there is, the repaired query comes along."""
    error = refused(sql)
    assert isinstance(error, SqlError)
    assert "called data" in error.hint
    assert error.repair == {"sql": repaired}


@pytest.mark.parametrize("sql", ["FROM data JOIN orders USING (a)", "FROM a, b"])
def test_a_doubtful_table_is_not_mended(sql: str) -> None:
    """Beside `data`, or with another, an unknown name may mean anything."""
    assert refused(sql).repair is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT upper(a), a.lower(), main.upper(a) FROM data",
        "SELECT unnest([1]), range(3), generate_series(1, 3)",
        "SELECT sum(a) OVER (), first_value(a) OVER (), count(*), count()",
        "SELECT a LIKE 'x', a ^@ 'x', a IS DISTINCT FROM 1, a -> '$.b', a ->> '$.b'",
        "SELECT replace(a, 'DROP', 'x'), update, \"delete\", 'please delete' FROM data",
        "SELECT nosuchfunction(a) FROM data",
    ],
)
def test_calculations_pass(sql: str) -> None:
    """Functions of the columns pass; one that does not exist is left for the binder to name."""
    assert guarded(sql).kind == "select"


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("a > 1", "a > 1"),
        (" a > 1 ; -- why", " a > 1"),
        ("a IN (1, 2) AND NOT (b LIKE '%]%' OR c[1] = 2)", None),
        ("x BETWEEN 1 AND 2 AND d > DATE '2026-01-31'", None),
        ("EXISTS (SELECT 1)", None),
        ("id = (SELECT max(id) FROM data)", None),
        ("list_contains(tags, 'a') -- ]", "list_contains(tags, 'a')"),
    ],
)
def test_predicates_pass(where: str, left: str | None) -> None:
    """One expression passes, without what follows it."""
    assert check_predicate(where) == (left or where)


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("", "sql_error"),
        ("-- a", "sql_error"),
        ("a >", "sql_error"),
        ("a, b", "sql_error"),
        ("a AS b", "sql_error"),
        ("a := 1", "sql_error"),
        ("x FOR x IN y", "sql_error"),
        ("a > 1 ORDER BY a", "sql_error"),
        ("a > 1 LIMIT 3", "sql_error"),
        ("a) OR (b", "sql_error"),
        ("a] || [b", "sql_error"),
        ("a], [b", "sql_error"),
        ("a][1", "sql_error"),
        ("1] FROM data WHERE [1", "sql_error"),
        ("1]) UNION (SELECT [1", "sql_error"),
        ("1=1) UNION SELECT (1", "sql_error"),
        ("1; DROP TABLE data", "sql_error"),
        ("]; DELETE FROM data; SELECT [1", "sql_error"),
        ("*", "sql_error"),
        ("a = ?", "sql_error"),
        ("a IN (FROM orders)", "sql_error"),
        ("a IN (FROM 's3://b/k')", "not_allowed"),
        ("a IN (SELECT content FROM read_text('/etc/passwd'))", "not_allowed"),
        ("getvariable('x') = 1", "not_allowed"),
        ("EXISTS (WITH d AS (DELETE FROM data RETURNING *) FROM d)", "not_read_only"),
        ("a = '" + "x" * 10_000 + "'", "limit_exceeded"),
        ("\ud800", "invalid_argument"),
    ],
)
def test_other_than_predicates_are_refused(where: str, code: str) -> None:
    """What breaks out of its place, or is more than one expression, is refused."""
    with pytest.raises(LakeError) as caught:
        check_predicate(where)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("id = ", 'at or near "=" (line 1, column 4)'),
        ("a = 1\nAND (b", 'at or near "b" (line 2, column 6)'),
        ("a = $$b", 'at or near "$$b" (line 1, column 5)'),
        ("name = 'x", "unterminated string literal (line 1, column 8)"),
        ("a = 1]", "it closes a bracket that it does not open"),
    ],
)
def test_a_predicate_that_does_not_parse_is_told_of_as_it_was_written(
    where: str, what: str
) -> None:
    """The place is in the predicate, and the word there is one of its own."""
    with pytest.raises(SqlError, match=re.escape(what)) as caught:
        check_predicate(where)
    assert "]" not in str(caught.value)


@pytest.mark.parametrize(
    "where",
    ["WHERE a > 1", "a > 1 LIMIT 5", "SELECT *, b FROM data\nWHERE a > 1", "where a > 1 limit 10"],
)
def test_a_predicate_with_where_is_mended(where: str) -> None:
    """What stands around a predicate in a query is taken off, if it asks nothing else."""
    with pytest.raises(SqlError) as caught:
        check_predicate(where)
    assert caught.value.repair == {"where": "a > 1"}


@pytest.mark.parametrize("sql", ["FROM '/etc/passwd'", "FROM main.data", "SELECT sleep_ms(9)"])
def test_policy_has_its_own_error(sql: str) -> None:
    """What the server does not allow is `not_allowed`, with what can be done in its place."""
    error = refused(sql)
    assert isinstance(error, NotAllowedError)
    assert error.hint


def test_honest_steps_are_no_bomb() -> None:
    """Twenty steps that each name the one before, joins of a few, and a hundred brackets pass."""
    steps = ", ".join(f"t{i} AS (FROM t{i - 1} WHERE x > {i})" for i in range(1, 20))
    assert guarded(f"WITH t0 AS (FROM data), {steps} SELECT * FROM t19 JOIN t5 USING (x)")
    assert guarded("SELECT " + "(" * 100 + "x" + ")" * 100 + " FROM data")


def test_what_multiplies_out_is_refused_at_once() -> None:
    """A bomb of common table expressions or stars costs the guard no more than its text."""
    bomb = ", ".join(f"t{i} AS (FROM t{i - 1} UNION ALL FROM t{i - 1})" for i in range(1, 20))
    stars = "SELECT *, * FROM (" * 60 + "FROM data" + ")" * 60
    began = time.thread_time()
    for sql in (f"WITH t0 AS (SELECT 1), {bomb} FROM t19", stars):
        assert isinstance(refused(sql), LimitExceededError)
    assert time.thread_time() - began < 0.5


def test_the_guard_is_quick() -> None:
    """An ordinary query costs it under 5 ms once it is warm (0.7 ms on the machine it was made)."""
    sql = (
        "WITH a AS (SELECT x, sum(y) s FROM data GROUP BY x) SELECT a.x, d.y, row_number() OVER "
        "(PARTITION BY a.x ORDER BY d.y) rn FROM a JOIN data d USING (x) WHERE d.z LIKE 'a%' "
        "QUALIFY rn = 1 ORDER BY a.s DESC LIMIT 10"
    )
    check_sql(sql)
    seconds = []
    for _ in range(20):
        began = time.thread_time()
        check_sql(sql)
        seconds.append(time.thread_time() - began)
    assert min(seconds) < 0.005


def test_the_guard_serves_many_threads() -> None:
    """Calls side by side get their own answers, also while some make the parser fail."""
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(20):
            answer = guarded(f"FROM 's3://b/{number}-{turn}'")
            if answer.uris != (f"s3://b/{number}-{turn}",):
                wrong.append(answer)
            if refused("UPDATE EXTENSIONS").code != "not_read_only":
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
