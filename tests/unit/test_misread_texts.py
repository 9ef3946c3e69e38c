"""What is said of text that a query takes for numbers or dates, and that is not written so."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from s3_data_lake_mcp.engines import Filter, misread
from s3_data_lake_mcp.errors import LakeError
from support.engine import Desk

_TEXT = "Ort;Umsatz (€);seit;kurz\nKöln;1.250,50;04.02.2020;x\nBonn;99,5;28.11.2019;7\n"
_COMMA = (
    "TRY_CAST(\"Umsatz (€)\" AS DOUBLE) is null for all of its values, such as '1.250,50': write "
    "TRY_CAST(replace(replace(\"Umsatz (€)\", '.', ''), ',', '.') AS DOUBLE)."
)
_DATE = (
    "TRY_CAST(d.seit AS DATE) is null for all of its values, such as '04.02.2020': write "
    "CAST(try_strptime(d.seit, '%d.%m.%Y') AS DATE)."
)
_DAY = (
    "seit is text: it was compared with '2020-01-01' letter by letter, not as a date: write "
    "CAST(try_strptime(seit, '%d.%m.%Y') AS DATE)."
)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Return an engine over a German export."""
    made = Desk()
    made.put("a.csv", _TEXT)
    return made


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ('SELECT Ort, sum(TRY_CAST("Umsatz (€)" AS DOUBLE)) FROM data GROUP BY 1', [_COMMA]),
        ("SELECT TRY_CAST(d.seit AS DATE) FROM data d", [_DATE]),
        ("SELECT TRY_CAST(kurz AS INTEGER) FROM data", []),
        ("SELECT TRY_CAST(upper(Ort) AS INTEGER) FROM data", []),
        (
            "SELECT TRY_CAST(Ort AS INTEGER) FROM data",
            ["TRY_CAST(Ort AS INTEGER) is null for all of its values, such as 'Köln'."],
        ),
        (
            "SELECT Ort FROM data WHERE \"Umsatz (€)\" > '500'",
            ["Umsatz (€) is text: it was compared with '500' letter by letter, not as a number."],
        ),
        (
            "SELECT Ort FROM data WHERE seit >= '2020-01-01'",
            [_DAY],
        ),
        ("SELECT Ort FROM data WHERE Ort > 'B'", []),
    ],
)
def test_a_cast_that_gives_nothing_is_told(desk: Desk, sql: str, said: list[str]) -> None:
    """Nulls that come from how the text is written are no missing values."""
    assert list(desk.run("a.csv", sql).notices) == said


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("FROM data WHERE kurz != NULL", ["!= NULL is never true: write IS NULL or IS NOT NULL."]),
        (
            "SELECT len(kurz) AS n FROM data WHERE n = @n",
            ["@n is an absolute value here, no parameter."],
        ),
        ("SELECT '= NULL', struct_pack(a := NULL), @(-1) FROM data WHERE kurz IS NOT NULL", []),
    ],
)
def test_operators_that_mean_something_else_are_told(desk: Desk, sql: str, said: list[str]) -> None:
    """Rows that come, or do not come, by a slip of the pen look like an answer."""
    assert list(desk.run("a.csv", sql).notices) == said


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(TRY_CAST(b.seit AS DATE) - d.day) FROM data d JOIN 's3://lake/a.csv' b ON true",
        "SELECT TRY_CAST(seit AS DATE) FROM 's3://lake/a.csv'",
    ],
)
def test_a_cast_in_another_table_is_told(desk: Desk, sql: str) -> None:
    """Each table of a query is looked at."""
    desk.put("days.csv", "day\n2026-01-01\n")
    (said,) = desk.run("days.csv", sql).notices
    assert said.startswith("TRY_CAST(")
    assert said.endswith("'%d.%m.%Y') AS DATE).")


def test_a_cast_of_a_long_text_is_told_if_its_answer_is_void(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A few of its first rows tell how it is written; an answer with values needs no word."""
    monkeypatch.setattr(misread, "CHEAP_BYTES", 1)
    long = Desk()
    long.put("a.csv", _TEXT)
    assert long.run("a.csv", "SELECT max(TRY_CAST(d.seit AS DATE)) FROM data d").notices == [_DATE]
    sql = "SELECT Ort, TRY_CAST(seit AS DATE) IS NULL AS is_void FROM data"
    assert not long.run("a.csv", sql).notices


def test_the_simple_form_says_that_it_compares_texts(desk: Desk) -> None:
    """A number is no bound for text."""
    wanted = Filter(column="Umsatz (€)", operator=">", value="500")
    (said,) = desk.run("a.csv", filter=wanted).notices
    assert said.startswith("Umsatz (€) is text")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ('SELECT sum("Umsatz (€)") FROM data', [1350.0]),
        ('SELECT sum(CAST("Umsatz (€)" AS DOUBLE)) FROM data', [1350.0]),
        ('SELECT count(*) FROM data WHERE "Umsatz (€)" > 500', [1]),
        ("SELECT year(seit) FROM data", [2020, 2019]),
        ("SELECT year(date_trunc('year', seit)) FROM data", [2020, 2019]),
        ("SELECT count(*) FROM data WHERE seit > DATE '2019-12-01' OR seit IS NULL", [1]),
        ("SELECT seit + INTERVAL 1 DAY IS NULL FROM data", [False, False]),
    ],
)
def test_the_repair_reads_the_text_as_it_is_written(
    desk: Desk, sql: str, rows: list[object]
) -> None:
    """A cast that gives null for each value is no call that works."""
    with pytest.raises(LakeError) as failed:
        desk.run("a.csv", sql)
    repair = failed.value.repair
    assert repair is not None, failed.value.hint
    found = desk.run("a.csv", str(repair["sql"])).table.column(0).to_pylist()
    assert found == rows


def test_the_hint_shows_how_the_values_look(desk: Desk) -> None:
    """Where no way to read them is known."""
    with pytest.raises(LakeError) as failed:
        desk.run("a.csv", "SELECT sum(Ort) FROM data")
    assert "is null for all of its values, such as 'Köln'" in failed.value.hint


def test_an_error_of_a_long_text_reads_nothing_more() -> None:
    """How its values are written is said with the answer of who casts them, if at all."""
    desk = Desk()
    # Of a shorter one the rest may be on its way already.
    desk.put("long.csv", "name\n" + "long enough to be text\n" * 800_000)
    with pytest.raises(LakeError):
        desk.run("long.csv", "SELECT sum(nme) FROM data")
    least = desk.meter.bytes_read
    fresh = Desk(store=desk.store)
    with pytest.raises(LakeError) as failed:
        fresh.run("long.csv", "SELECT sum(name) FROM data")
    assert failed.value.repair == {"sql": "SELECT sum(TRY_CAST(name AS DOUBLE)) FROM data"}
    assert fresh.meter.bytes_read <= least


@pytest.mark.parametrize(
    ("values", "kind", "better", "first"),
    [
        (["43\u202f067,11", "970,25"], "DOUBLE", ["chr(8239)"], 43067.11),
        (["1\u00a0200", "3\u00a0400"], "INTEGER", ["chr(160)"], 1200),
        (["1'200.50", "2'007.25"], "DOUBLE", ["''''"], 1200.5),
        (["$1,234,567.89", "$2,000.00", "n/a"], "DOUBLE", ["'$'"], 1234567.89),
        (["12.5%", "3%"], "DECIMAL(9, 3)", ["'%'"], Decimal("12.500")),
        (["EUR 1.234,56", "EUR 7,00"], "DOUBLE", ["'EUR'"], 1234.56),
        (["12.5%", "(3.2%)"], "DOUBLE", [], None),
        (["1,234", "5,678"], "DOUBLE", ["','", "'.'"], None),
        (["1,234", "5,678,900"], "BIGINT", ["','"], 1234),
        (["Room 12", "Room 13"], "INTEGER", [], None),
        (["01.02.2026", "03.04.2026"], "DOUBLE", [], None),
        (["28/01/2026", "02/03/2026"], "DATE", ["%d/%m"], date(2026, 1, 28)),
        (["02/28/2026 3:05:00 PM", ""], "TIMESTAMP", ["%m/%d"], datetime(2026, 2, 28, 15, 5)),  # noqa: DTZ001
        (["01/02/2026", "03/04/2026"], "DATE", ["%d/%m", "%m/%d"], None),
        (["05-Jan-2026", "28-Feb-2026"], "DATE", ["%d-%b"], date(2026, 1, 5)),
    ],
)
def test_text_is_read_as_all_of_it_is_written(
    values: list[str], kind: str, better: list[str], first: object
) -> None:
    """More than one way is a choice of who asks, and the call that follows has none of them."""
    desk = Desk()
    desk.put("a.csv", "n;v\n" + "".join(f'{i};"{value}"\n' for i, value in enumerate(values)))
    sql = f"SELECT TRY_CAST(v AS {kind}) AS v FROM data ORDER BY n"
    (said,) = desk.run("a.csv", sql).notices
    assert (": write " in said) is bool(better)
    assert said.count(" or ") == max(0, len(better) - 1)
    assert all(part in said for part in better)
    if len(better) == 1:
        way = said.partition(": write ")[2].removesuffix(".")
        found = desk.run("a.csv", f"SELECT {way} AS v FROM data ORDER BY n").table
        assert found["v"].to_pylist()[0] == first


def test_a_number_taken_for_a_date_is_told_its_functions() -> None:
    """Which unit it counts is not in it."""
    desk = Desk()
    desk.put("a.csv", "ts\n1790000000000\n")
    for sql in ("SELECT date_trunc('hour', ts) FROM data", "SELECT year(ts) FROM data"):
        with pytest.raises(LakeError) as failed:
            desk.run("a.csv", sql)
        assert "epoch_ms(ts)" in failed.value.hint
