"""Delimited columns without a value at the beginning: their type is that of later values."""

import gzip
from collections.abc import Callable

import pytest

from s3_data_lake_mcp.errors import SqlError
from support.engine import Desk

ROWS = 16_000
LATE = ROWS * 3 // 5
LONE = ROWS * 7 // 16
"""A row that lies in none of the parts that are looked at."""

type Cell = Callable[[int], str]
ENCODED: dict[str, Callable[[str], bytes]] = {
    "a.csv": str.encode,
    "a.csv.gz": lambda text: gzip.compress(text.encode()),
    "utf16.csv": lambda text: text.encode("utf-16"),
}


def table(cell: Cell, *, rows: range = range(ROWS)) -> str:
    """Return rows with a column `v` of such cells."""
    lines = (f"{i},{'x' * 90},{cell(i)}" for i in rows)
    return "\n".join(["id,pad,v", *lines, ""])


def late(value: Cell) -> Cell:
    """Return cells that are empty at first, and then one in three has a value."""
    return lambda i: value(i) if i >= LATE and i % 3 == 0 else ""


def lone(*values: str) -> Cell:
    """Return cells that are empty, but for a few in one place."""
    return lambda i: values[i - LONE] if LONE <= i < LONE + len(values) else ""


def desk_of(*texts: str, key: str = "a.csv") -> Desk:
    """Return a desk with one object, or a few under `few/`."""
    desk = Desk()
    for at, text in enumerate(texts):
        desk.put(key if len(texts) == 1 else f"few/{at}-{key}", ENCODED[key](text))
    return desk


@pytest.mark.parametrize("key", ENCODED)
@pytest.mark.parametrize(
    ("value", "sql", "expected"),
    [
        (lambda i: f"{i % 40 / 4:.2f}", "max(v) + 0.25", 10),
        (lambda i: str(i % 14), "max(v)", 13),
        (lambda i: f"2026-01-{i % 28 + 1:02}", "max(v) - DATE '2026-01-01'", 27),
        (lambda _: "2026-01-31T12:00:00Z", "max(v) > TIMESTAMPTZ '2026-01-31 11:00:00+00'", True),
        (lambda i: "false" if i % 2 else "true", "bool_or(v)", True),
        (lambda i: f"0{i % 10}", "max(v)", "09"),
        (lambda i: str(2**64 + i % 10), "min(length(v))", 20),
        (lambda i: f"n{i % 10}", "max(v)", "n9"),
    ],
)
def test_the_type_is_that_of_later_values(
    key: str, value: Cell, sql: str, expected: object
) -> None:
    """Numbers are numbers and dates are dates, also where a query would not bind with text."""
    assert desk_of(table(late(value)), key=key).value(key, f"SELECT {sql} FROM data") == expected


@pytest.mark.parametrize("key", ENCODED)
@pytest.mark.parametrize(
    ("values", "sql", "expected"),
    [
        (["9", "10"], "max(v)", 10),
        (["9", "10.5"], "max(v)", 10.5),
        (["9", "10"], "sum(v)", 19),
        (["9", "NA"], "count(v)", 1),
        (["9", "ten"], "max(v)", "ten"),
        (["", "NA"], "max(v)", "NA"),
        (["9", '""'], "min(v)", ""),
        (["2026-01-01", "2026-02-30"], "max(v)", "2026-02-30"),
        (["5", "12345678901234567890"], "max(v)", "5"),
    ],
)
def test_a_few_values_that_nobody_looked_for(
    key: str, values: list[str], sql: str, expected: object
) -> None:
    """A guess that does not hold, or none at all, costs no value: the type is that of all."""
    desk = desk_of(table(lone(*values)), key=key)
    assert desk.value(key, f"SELECT {sql} FROM data") == expected


def test_what_parts_show_is_widened() -> None:
    """Elsewhere may be what does not fit it."""
    desk = desk_of(table(lambda i: "word" if i == LONE else str(i) if i > LONE else ""))
    assert desk.value("a.csv", "SELECT max(v) FROM data") == "word"


def test_null_tokens_before_numbers_are_null() -> None:
    """The column is one of numbers; without a number it is one of text."""
    numbers = desk_of(table(lambda i: f"{i}.5" if i >= LATE else "NULL"))
    assert numbers.value("a.csv", "SELECT count(v) FROM data") == ROWS - LATE
    texts = desk_of(table(lambda _: "NULL"))
    assert texts.value("a.csv", "SELECT count(v) FROM data WHERE v = 'NULL'") == ROWS


@pytest.mark.parametrize("key", ["a.csv", "a.csv.gz"])
def test_objects_of_a_prefix(key: str) -> None:
    """The type is that of the values of any of them."""
    parts = [range(at, at + 4_000) for at in range(0, 12_000, 4_000)]
    for filled in range(3):
        texts = [
            table(lambda i: f"{i}.5" if i % 4_000 > 3_000 else "", rows=rows)
            if at == filled
            else table(lambda _: "", rows=rows)
            for at, rows in enumerate(parts)
        ]
        desk = desk_of(*texts, key=key)
        assert desk.value("few/", "SELECT max(v) - min(v) FROM data") == 998


def test_the_simple_form_compares_values() -> None:
    """What a number is equal to does not depend on how it is written."""
    desk = desk_of(table(late(lambda i: f"{i % 4}.50")))
    assert len(desk.filtered("a.csv", "v", "=", "2.5", columns=["id"])) == 533
    assert not desk.filtered("a.csv", "v", ">", "10", columns=["id"])


def test_only_queries_that_use_such_a_column_cost_more() -> None:
    """Not more than a few parts, once, side by side; nothing if all is at hand."""
    text = table(late(str))
    counted = {}
    for sql in ("sum(id)", "sum(v)"):
        desk = desk_of(text)
        desk.rows("a.csv", f"SELECT {sql} FROM data")
        counted[sql] = desk.meter.requests
        desk.rows("a.csv", f"SELECT {sql}, max(pad) FROM data")
        assert desk.meter.requests == 1
    assert counted["sum(id)"] < counted["sum(v)"] <= counted["sum(id)"] + 8
    small = desk_of(table(late(str), rows=range(LATE - 1_500, LATE + 1_500)))
    assert small.value("a.csv", "SELECT count(v) FROM data") == 500
    assert small.meter.requests == 1


def test_the_first_rows_and_a_plan_look_no_further() -> None:
    """A plan reads more than the beginning only if the query does not bind without."""
    desk = desk_of(table(late(str)))
    assert not any(row["v"] for row in desk.rows("a.csv", max_rows=5))
    assert desk.meter.requests == 1
    assert desk.run("a.csv", "SELECT v FROM data", dry_run=True).plan is not None
    assert desk.meter.requests == 1
    assert desk.run("a.csv", "SELECT sum(v) FROM data", dry_run=True).plan is not None
    assert desk.meter.requests > 1


def test_a_column_without_a_value_is_text() -> None:
    """What does not take text is refused, as ever."""
    desk = desk_of(table(lambda _: ""))
    with pytest.raises(SqlError, match="does not take"):
        desk.rows("a.csv", "SELECT avg(v) FROM data")
    with pytest.raises(SqlError, match="does not take"):
        desk.run("a.csv", "SELECT avg(v) FROM data", dry_run=True)
    assert desk.value("a.csv", "SELECT count(v) FROM data") == 0


@pytest.mark.parametrize("cells", [["", "7"], ["7", "7.5"], ["7", "x"], ["", "2026-01-31"]])
def test_very_many_columns_change_at_once(cells: list[str]) -> None:
    """They are looked through together, in time that does not grow with their square."""
    columns = 600
    rows = [[str(i), *([cells[i > 150]] * columns)] for i in range(300)]
    names = ["id", *(f"c{at}" for at in range(columns))]
    desk = desk_of("\n".join(map(",".join, [names, *rows, []])))
    found = desk.rows("a.csv", "SELECT max(c7) AS m, count(c599) AS n FROM data WHERE id < 290")
    assert [(str(row["m"]), row["n"]) for row in found] == [(cells[1], 290 - 151 * (not cells[0]))]
    assert len(desk.run("a.csv", "SELECT DISTINCT * EXCLUDE (id) FROM data").table) == 2
