"""Failed queries come back as errors that let an agent write the next one."""

import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines.guard import check_sql
from s3_data_lake_mcp.engines.mend import mend, scrubbed
from s3_data_lake_mcp.errors import SqlError, UnknownColumnError
from security.locked import locked_connection
from support.mending import Mender, honest_mender


@pytest.fixture(scope="module")
def mender() -> Mender:
    """Return what fails and mends over the honest table."""
    return honest_mender()


@pytest.mark.parametrize(
    ("sql", "repaired"),
    [
        ("SELECT cuntry FROM data", "SELECT country FROM data"),
        ("SELECT CONTRY FROM data", "SELECT country FROM data"),
        ("SELECT unit_price FROM data", 'SELECT "Unit Price" FROM data'),
        ("SELECT unitPrice FROM data", 'SELECT "Unit Price" FROM data'),
        ('SELECT "größe in m2" FROM data', 'SELECT "größe in m²" FROM data'),
        ("SELECT d.cuntry FROM data d", "SELECT d.country FROM data d"),
        (
            "SELECT cuntry, count(*) FROM data WHERE cuntry <> 'x' GROUP BY cuntry",
            "SELECT country, count(*) FROM data WHERE country <> 'x' GROUP BY country",
        ),
        ("SELECT 'cuntry' FROM data WHERE cuntry = 'cuntry' -- cuntry", None),
        ("SELECT address.cty FROM data", "SELECT address.city FROM data"),
        ("SELECT adress.city FROM data", "SELECT address.city FROM data"),
        (
            "SELECT city FROM data GROUP BY city",
            "SELECT address.city FROM data GROUP BY address.city",
        ),
        ("SELECT address_city FROM data", "SELECT address.city FROM data"),
        ("SELECT * EXCLUDE (paylod) FROM data", "SELECT * EXCLUDE (payload) FROM data"),
        (
            "SELECT Unit Price, qty FROM data",
            'SELECT "Unit Price", qty FROM data',
        ),
        ("SELECT größe in m² FROM data", 'SELECT "größe in m²" FROM data'),
        ("SELECT ordr FROM data", 'SELECT "order" FROM data'),
        ('SELECT "coun\ntry" FROM data', "SELECT country FROM data"),
        ('SELECT address."ci\nty" FROM data', "SELECT address.city FROM data"),
        ("SELECT country", "SELECT country FROM data"),
        ("WITH t AS (SELECT id AS number FROM data) SELECT numbr FROM t", None),
        ("PIVOT data ON updte USING sum(qty)", "PIVOT data ON update USING sum(qty)"),
        ('SELECT id FROM data WHERE country = "Ghana"', None),
        (
            "SELECT id FROM data WHERE country = Ghana AND flag",
            "SELECT id FROM data WHERE country = 'Ghana' AND flag",
        ),
        (
            "SELECT id FROM data WHERE country IN (\"Dresses\", 'Chad')",
            "SELECT id FROM data WHERE country IN ('Dresses', 'Chad')",
        ),
        (
            "SELECT id FROM data WHERE country IN ('Chad', Contra)",
            "SELECT id FROM data WHERE country IN ('Chad', 'Contra')",
        ),
        (
            "SELECT country FROM data GROUP BY country HAVING max(id) > 1 AND cuntry <> ''",
            "SELECT country FROM data GROUP BY country HAVING max(id) > 1 AND country <> ''",
        ),
        ("UNPIVOT data ON scre", "UNPIVOT data ON score"),
        ("SELECT `unit prize` FROM data", 'SELECT "Unit Price" FROM data'),
        (
            "SELECT DATEDIFF(week, ts, now()) FROM data",
            "SELECT DATEDIFF('week', ts, now()) FROM data",
        ),
        ("SELECT date_trunc(month, ts) FROM data", "SELECT date_trunc('month', ts) FROM data"),
        (
            "FROM data QUALIFY row_number() OVER (ORDER BY scre) = 1",
            "FROM data QUALIFY row_number() OVER (ORDER BY score) = 1",
        ),
        (
            'FROM data QUALIFY row_number() OVER (ORDER BY "unit prise") = 1',
            'FROM data QUALIFY row_number() OVER (ORDER BY "Unit Price") = 1',
        ),
        (
            "SELECT country FROM data UNION SELECT name FROM data ORDER BY cuntry",
            "SELECT country FROM data UNION SELECT name FROM data ORDER BY country",
        ),
        (
            "SELECT id FROM data WHERE country = county",
            "SELECT id FROM data WHERE country = country",
        ),
        (
            'SELECT id FROM data WHERE country = "Dresses"',
            "SELECT id FROM data WHERE country = 'Dresses'",
        ),
        (
            "SELECT id FROM data WHERE country = Contra",
            "SELECT id FROM data WHERE country = 'Contra'",
        ),
        (
            "SELECT d.id FROM data d JOIN data e USING (cuntry)",
            "SELECT d.id FROM data d JOIN data e USING (country)",
        ),
    ],
)
def test_an_unknown_column_is_mended(mender: Mender, sql: str, repaired: str | None) -> None:
    """The nearest name takes its place, quoted as it must be, and the repaired query runs."""
    error = mender.fail(sql)
    assert isinstance(error, UnknownColumnError)
    assert error.repair
    assert repaired in {None, error.repair["sql"]}
    mender.connection.execute(str(error.repair["sql"])).fetchall()


@pytest.mark.parametrize(
    ("sql", "repaired"),
    [
        ("SELECT E-Mail FROM data", 'SELECT "E-Mail" FROM data'),
        (
            "SELECT max(Revenue (EUR)) FROM data WHERE revenue (eur) > 3",
            'SELECT max("Revenue (EUR)") FROM data WHERE "Revenue (EUR)" > 3',
        ),
    ],
)
def test_a_name_with_other_signs_gets_its_quotes(sql: str, repaired: str) -> None:
    """What parses as a difference or a call is the column of that name."""
    table = pa.table({"E-Mail": ["a"], "Revenue (EUR)": [1.5]})
    columns = [("E-Mail", "VARCHAR"), ("Revenue (EUR)", "DOUBLE")]
    error = Mender(locked_connection(table), columns).fail(sql)
    assert error.repair == {"sql": repaired}
    assert "stands in quotes" in error.hint


@pytest.mark.parametrize(
    ("sql", "repaired"),
    [
        ("SELECT order FROM data", 'SELECT "order" FROM data'),
        (
            "SELECT id, order FROM data WHERE order > 1 ORDER BY order",
            'SELECT id, "order" FROM data WHERE "order" > 1 ORDER BY "order"',
        ),
        ("SELECT id FROM data GROUP BY group", 'SELECT id FROM data GROUP BY "group"'),
        ("SELECT at + 1, end FROM data", 'SELECT "at" + 1, "end" FROM data'),
        ("SELECT 'é', desc FROM orders", "SELECT 'é', \"desc\" FROM data"),
        (
            "SELECT max(Unit Price) FROM data WHERE id > 1",
            'SELECT max("Unit Price") FROM data WHERE id > 1',
        ),
        ("SELECT when FROM data", 'SELECT "when" FROM data'),
        ("FROM data WHERE when > 1", 'FROM data WHERE "when" > 1'),
        (
            "SELECT max(Rate %) FROM data WHERE Rate % > 5",
            'SELECT max("Rate %") FROM data WHERE "Rate %" > 5',
        ),
        ("SELECT id FROM data ORDER BY Rate %", 'SELECT id FROM data ORDER BY "Rate %"'),
        ("FROM s3://lake/ä/b.csv", "FROM 's3://lake/ä/b.csv'"),
        ("FROM data JOIN S3://a/b c USING (d)", "FROM data JOIN 'S3://a/b' c USING (d)"),
    ],
)
def test_what_lacks_quotes_gets_them(sql: str, repaired: str) -> None:
    """Columns called like keywords, and URIs, do not parse without."""
    with pytest.raises(SqlError) as caught:
        check_sql(sql)
    assert "stands in quotes" in caught.value.hint
    assert caught.value.repair == {"sql": repaired}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM data ORDER BY",
        "SELECT count(*) FROM data GROUP",
        "SELECT * FROM data WHERE",
        "SELECT id FROM data WHERE ORDER BY id",
        "SELECT sum(id) OVER FROM data",
        "SELECT concat(name, id FROM data",
        "SELECT id,, name FROM data",
        "SELECT order FROM '/etc/passwd'",
        "SELECT TOP 5 FROM",
        "SELECT CASE WHEN WHEN id > 1 THEN 2 END FROM data",
        "SELECT 5 % FROM data",
        "SELECT 1 LIMIT 5, x",
        "SELECT TOP 5 * FROM '/etc/passwd'",
    ],
)
def test_what_is_wrong_otherwise_is_not_respelled(sql: str) -> None:
    """No keyword becomes a column where none can be; nothing is proposed that is refused."""
    with pytest.raises(SqlError) as caught:
        check_sql(sql)
    assert caught.value.repair is None


def test_an_unknown_column_comes_with_names_and_types(mender: Mender) -> None:
    """The hint names the nearest column and its type."""
    error = mender.fail("SELECT cuntry FROM data")
    assert str(error) == "data has no column cuntry"
    assert error.hint == "Nearest: country (VARCHAR)."


def test_literals_and_comments_are_left_alone(mender: Mender) -> None:
    """Only the name is replaced, not the same letters in a text."""
    error = mender.fail("SELECT 'cuntry' AS x FROM data WHERE cuntry = 'cuntry' -- cuntry\n")
    assert error.repair == {"sql": "SELECT 'cuntry' AS x FROM data WHERE country = 'cuntry'"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT filename FROM data",
        "SELECT d.FileName FROM data AS d",
        'SELECT "$path" FROM data',
        "SELECT input_file_name() FROM data",
    ],
)
def test_the_name_of_a_file_is_not_taken_for_a_name(mender: Mender, sql: str) -> None:
    """DuckDB has such a column for files, a view of them has not."""
    error = mender.fail(sql)
    assert "read_csv('s3://bucket/*.csv', filename = true)" in error.hint
    assert error.repair is None


def test_a_column_like_nothing_gets_all_names(mender: Mender) -> None:
    """Without a near name the columns are listed, and nothing is guessed."""
    error = mender.fail("SELECT zzzzzz FROM data")
    assert error.hint.startswith("It has: id (BIGINT), name (VARCHAR), country (VARCHAR)")
    assert error.repair is None


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        (
            "SELECT * FROM data JOIN (SELECT 1 AS key) k USING (id)",
            "The right side of the join has no column id",
            "The tables have: id (BIGINT), ",
        ),
        (
            "SELECT k.id FROM data, (SELECT 1 AS key) k",
            "k has no column id",
            "The tables have: id (BIGINT), ",
        ),
        ("WITH t AS (SELECT 1 AS a) SELECT b FROM t", "The query has no column b", "It has: a."),
        (
            "SELECT r.qqqqqq FROM duckdb_keywords() r",
            "r has no column qqqqqq",
            "It has: keyword_category.",
        ),
    ],
)
def test_a_column_of_another_table_is_not_the_nearest(
    mender: Mender, sql: str, message: str, hint: str
) -> None:
    """What is said of a table is true of that table."""
    error = mender.fail(sql)
    assert str(error) == message
    assert error.hint.startswith(hint)


def test_a_doubtful_column_is_not_mended() -> None:
    """Two names that are equally near are both named, and neither is put in."""
    table = duckdb.connect()
    table.execute("CREATE TABLE data AS SELECT 1 AS amount_in, 2 AS amount_on")
    with pytest.raises(duckdb.Error) as caught:
        table.execute("SELECT amount_n FROM data")
    columns = {"data": [("amount_in", "INTEGER"), ("amount_on", "INTEGER")]}
    error = mend(caught.value, "SELECT amount_n FROM data", columns)
    assert error.hint == "Nearest: amount_in (INTEGER), amount_on (INTEGER)."
    assert error.repair is None


def test_an_alias_of_the_query_is_not_renamed(mender: Mender) -> None:
    """A name that the query defines itself is not taken for a misspelt column."""
    error = mender.fail("SELECT score AS cuntry FROM data WHERE cuntry.x = 1 AND cuntrx = 2")
    assert error.repair is None or " AS cuntry" in str(error.repair["sql"])


def test_text_in_double_quotes_is_mended(mender: Mender) -> None:
    """What is no column but stands in double quotes was meant as text."""
    error = mender.fail('SELECT count(*) FROM data WHERE update = "please delete"')
    assert error.hint.startswith("Text goes in single quotes: 'please delete'.")
    repaired = "SELECT count(*) FROM data WHERE update = 'please delete'"
    assert error.repair == {"sql": repaired}


@pytest.mark.parametrize(
    ("sql", "hint", "repaired"),
    [
        ("SELECT uppr(name) FROM data", "Nearest: upper.", "SELECT upper(name) FROM data"),
        ("SELECT nvl(qty, 0) FROM data", "coalesce", "SELECT coalesce(qty, 0) FROM data"),
        ("SELECT to_char(day, 'FMMonth') FROM data", "strftime", None),
        ("SELECT CAST(qty AS NUMBER) FROM data", "DECIMAL(18, 2)", None),
        ("SELECT st_area(name) FROM data", "no extensions", None),
        ("SELECT qqqqqqqq(name) FROM data", "own functions", None),
        ("SELECT x.country FROM data d", "It has: d.", "SELECT d.country FROM data d"),
        (
            "SELECT sum(name) FROM data",
            "TRY_CAST(name AS DOUBLE)",
            "SELECT sum(TRY_CAST(name AS DOUBLE)) FROM data",
        ),
        (
            "SELECT name + 1 FROM data",
            "TRY_CAST(name AS DOUBLE)",
            "SELECT TRY_CAST(name AS DOUBLE) + 1 FROM data",
        ),
        (
            "SELECT id FROM data WHERE name > 5",
            "TRY_CAST(name AS DOUBLE)",
            "SELECT id FROM data WHERE TRY_CAST(name AS DOUBLE) > 5",
        ),
        (
            "SELECT CAST(name AS INT) FROM data",
            "TRY_CAST",
            "SELECT TRY_CAST(name AS INT) FROM data",
        ),
        (
            "SELECT year(name) FROM data",
            "for dates in it",
            "SELECT year(TRY_CAST(name AS TIMESTAMP)) FROM data",
        ),
        (
            "SELECT regexp_like(name, 'n') FROM data",
            "regexp_matches",
            "SELECT regexp_matches(name, 'n') FROM data",
        ),
        (
            "SELECT regexp_substr(name, 'n') FROM data",
            "regexp_extract",
            "SELECT regexp_extract(name, 'n') FROM data",
        ),
        ("SELECT dateadd('fortnight', 1, day) FROM data", "INTERVAL", None),
        ("SELECT substring(name) FROM data", "DESCRIBE data", None),
        ("SELECT list_aggregate([1], 'read_text')", "Nearest", None),
        ("SELECT a.b.c.d.e FROM data", "It has: data.", None),
        ("SELECT id FROM data WHERE day > 5", "DATE '2026-01-31'", None),
        ("SELECT id FROM data WHERE qty = 'abc'", "column's type", None),
        (
            """SELECT "cast" FROM (SELECT 1 AS "cast") WHERE "cast" = 'x'""",
            "column's type",
            None,
        ),
        (
            "SELECT country, id FROM data GROUP BY country",
            "GROUP BY",
            "SELECT country, id FROM data GROUP BY id, country",
        ),
        ("SELECT id FROM data a JOIN data b ON a.id = b.id", "alias", None),
        ("SELECT id FROM data WHERE sum(qty) > 1", "HAVING", None),
        ("SELECT row_number() FROM data", "OVER", None),
        ("SELECT id // 0 FROM data", "nullif", None),
        ("SELECT 9223372036854775807 + id FROM data", "HUGEINT", None),
        ("SELECT (SELECT id FROM data)", "LIMIT 1", None),
        ("SELECT CAST(id AS nosuchtype) FROM data", "DESCRIBE", None),
        ("SELECT error('boom')", "DESCRIBE", None),
    ],
)
def test_other_errors_say_what_to_do(
    mender: Mender, sql: str, hint: str, repaired: str | None
) -> None:
    """Each is `sql_error` with a hint that fits, and the repaired query where there is one."""
    error = mender.fail(sql)
    assert isinstance(error, SqlError)
    assert hint in error.hint
    assert (error.repair or {}).get("sql") == repaired
    if repaired:
        mender.connection.execute(repaired).fetchall()


def test_a_limit_takes_no_column(mender: Mender) -> None:
    """A column where none can stand is not taken for one that is missing."""
    error = mender.fail("SELECT * FROM data LIMIT id")
    assert error.hint == "Write a number there."
    assert error.repair is None


def test_a_qualifier_of_many_is_not_mended(mender: Mender) -> None:
    """With two tables it is not known which was meant, unless one is near."""
    error = mender.fail("SELECT x.id FROM data aa, data bb WHERE aa.id = 1")
    assert str(error) == "The query has no table x"
    assert error.repair is None
    error = mender.fail("SELECT orders1.id FROM data orders, data clients")
    assert error.repair == {"sql": "SELECT orders.id FROM data orders, data clients"}


def test_incomparable_types_get_a_cast(mender: Mender) -> None:
    """Types without a text among them get a cast to one of them."""
    error = mender.fail("SELECT id FROM data WHERE tags = 5")
    assert "CAST" in error.hint


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), "limit_exceeded"),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), "timeout"),
        (duckdb.InterruptException("Query exceeded maximum execution time"), "timeout"),
        (duckdb.PermissionException('Cannot access file "/etc/passwd"'), "not_allowed"),
        (duckdb.InternalException("INTERNAL Error: stack trace at 0x1"), "sql_error"),
        (
            duckdb.InternalException(
                'INTERNAL Error: Scalar function "||" threw an execution error, but the function '
                "is not marked as fallible. Error: Cannot create a string of size: '4294967296'"
            ),
            "limit_exceeded",
        ),
        (duckdb.FatalException("FATAL Error: database has been invalidated"), "sql_error"),
        (duckdb.BinderException("Pivot column limit of 10 exceeded. Use SET x"), "limit_exceeded"),
        (duckdb.InvalidInputException("No magic bytes found at end of file"), "malformed_data"),
        (
            duckdb.IOException('No files found that match the pattern "s3://b/nosuch*"'),
            "not_found",
        ),
        (duckdb.Error(""), "sql_error"),
        (MemoryError(), "limit_exceeded"),
        (duckdb.Error("Recursion level in ArrowSchema struct exceeded"), "limit_exceeded"),
    ],
)
def test_every_class_of_error_has_its_code(error: Exception, code: str) -> None:
    """What DuckDB raises becomes an error of the contract, never `internal_error`."""
    mended = mend(error, "SELECT 1", {})
    assert mended.code == code
    assert mended.hint


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            'IO Error: Cannot open file "/home/user/.aws/credentials": No such file',
            'Cannot open file "…": No such file',
        ),
        ("Binder Error: x is wrong!\n\nLINE 1: SELECT x\n               ^", "x is wrong"),
        (
            "Invalid Input Error: Division by zero. Use TRY(...), or SET error_on_x=false to.",
            "Division by zero. Use TRY(...)",
        ),
        (
            "Catalog Error: It exists in the json extension.\n\nPlease try installing it\nLOAD x",
            "It exists in the json extension",
        ),
        ('Binder Error: Ambiguous "temp".main."data" here', "Ambiguous data here"),
        ("Invalid Input Error: s3://bucket/a/b.csv is bad", "s3://bucket/a/b.csv is bad"),
        ("Conversion Error: " + "x" * 5_000, "x" * 299 + "…"),
        ("", "The query failed"),
    ],
)
def test_messages_are_scrubbed(text: str, left: str) -> None:
    """No path of the host, no advice on settings or extensions, one short line."""
    assert scrubbed(text) == left


@pytest.mark.parametrize(("mark", "count"), [(" ", 6_000), ("\t", 6_000), ('"', 50_000)])
def test_a_long_value_in_a_message_costs_no_time(mark: str, count: int) -> None:
    """Padding and quotes in a value are not tried from each of their characters."""
    value = f"a{mark * count}z"
    error = duckdb.ConversionException(f"Conversion Error: Could not convert string '{value}'")
    began = time.process_time()
    mended = mend(error, "SELECT CAST(note AS INT) FROM data", {"data": [("note", "VARCHAR")]})
    assert time.process_time() - began < 1
    assert str(mended).startswith("Could not convert string 'a")
    assert mended.repair == {"sql": "SELECT TRY_CAST(note AS INT) FROM data"}


def test_a_type_that_changes_in_a_file_is_seen(tmp_path: Path) -> None:
    """Line, column and value are known, so that the engine can read the column as text."""
    file = tmp_path / "flip.csv"
    file.write_text("a,b\n" + "1,2\n" * 30_000 + "foo,3\n")
    with pytest.raises(duckdb.Error) as caught:
        duckdb.connect().execute(f"SELECT sum(a) FROM read_csv('{file}')").fetchall()
    error = mend(caught.value, "SELECT sum(a) FROM data", {"data": [("a", "BIGINT")]})
    assert str(error) == "Line 30,002 of the CSV file has 'foo' in the column a, which is no BIGINT"
    assert str(file) not in f"{error} {error.hint}"


def test_a_repair_always_passes_the_guard() -> None:
    """A repair that the guard would refuse is not offered."""
    hostile = [('x"; DROP TABLE data; --', "INTEGER"), ("read_text('/etc/passwd')", "VARCHAR")]
    for name, _ in hostile:
        error = duckdb.BinderException(
            f'Binder Error: Referenced column "{name[:-1]}" not found in FROM clause!'
        )
        mended = mend(error, f'SELECT "{name[:-1]}" FROM data', {"data": hostile})
        if mended.repair:
            assert check_sql(str(mended.repair["sql"]))
