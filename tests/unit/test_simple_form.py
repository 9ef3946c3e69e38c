"""The simple form: the same rows from every format, values bound, nothing guessed."""

import csv
import json
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines import Filter
from s3_data_lake_mcp.errors import InvalidArgumentError, UnknownColumnError
from support.engine import Desk
from support.parquet_files import parquet_bytes

KEYS = ("t.csv", "t.jsonl", "t.json", "t.parquet")
ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "Anna", "price": 1.5, "day": "2026-01-01", "ok": True},
    {"id": 2, "name": "anton", "price": 2.0, "day": "2026-01-02", "ok": False},
    {"id": 3, "name": "Bob, Jr.", "price": None, "day": "2026-01-03", "ok": None},
    {"id": 4, "name": None, "price": 10.25, "day": None, "ok": True},
]


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Return an engine over the same table in every format."""
    made = Desk()
    cells = [["" if v is None else str(v) for v in row.values()] for row in ROWS]
    quoted = (
        "\n".join(",".join(f'"{c}"' if "," in c else c for c in row) for row in cells)
    ).replace("True", "true")
    made.put("t.csv", "id,name,price,day,ok\n" + quoted.replace("False", "false") + "\n")
    made.put("t.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n")
    made.put("t.json", json.dumps(ROWS))
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    table = pa.table(columns)
    day = table.column("day").cast(pa.date32())
    made.put("t.parquet", parquet_bytes(table.set_column(3, "day", day)))
    return made


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("column", "operator", "value", "ids"),
    [
        ("name", "auto", "an", [1, 2]),
        ("name", "contains", "JR", [3]),
        ("name", "starts_with", "AN", [1, 2]),
        ("name", "ends_with", "A", [1]),
        ("name", "=", "Anna", [1]),
        ("name", "=", "anna", []),
        ("name", "!=", "Anna", [2, 3]),
        ("name", "<", "B", [1]),
        ("name", "in", '"Bob, Jr.",Anna', [1, 3]),
        ("name", "in", "Anna, anton", [1, 2]),
        ("name", "is_null", "", [4]),
        ("name", "not_null", "ignored", [1, 2, 3]),
        ("name", "contains", "%", []),
        ("name", "=", "' OR 1=1 --", []),
        ("id", "auto", "2", [2]),
        ("id", ">", "1.5", [2, 3, 4]),
        ("id", "=", "1.5", []),
        ("id", "in", "1,3", [1, 3]),
        ("id", "contains", "3", [3]),
        ("id", "<=", "99999999999999999999", [1, 2, 3, 4]),
        ("price", "=", "2", [2]),
        ("price", ">=", "2", [2, 4]),
        ("price", "!=", "2", [1, 4]),
        ("price", "is_null", "", [3]),
        ("day", "=", "2026-01-02", [2]),
        ("day", ">=", "2026-01-02", [2, 3]),
        ("ok", "=", "true", [1, 4]),
        ("ok", "!=", "true", [2]),
        ("NAME", "=", "Anna", [1]),
    ],
)
def test_a_filter_means_the_same_for_every_format(
    desk: Desk, key: str, column: str, operator: str, value: str, ids: list[int]
) -> None:
    """The operators of the contract, on text, numbers, dates and booleans."""
    assert [row["id"] for row in desk.filtered(key, column, operator, value)] == ids


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("contains", "ΛΌΓΟΣ"),
        ("contains", "λόγοσ"),
        ("starts_with", "Λόγος"),
        ("ends_with", "ΒΊΟΣ"),
        ("ends_with", "βίος"),
    ],
)
def test_a_capital_of_two_small_letters_matches_both(operator: str, value: str) -> None:
    """Greek writes the last s of a word in another way, but not in capitals."""
    desk = Desk()
    desk.put("g.csv", "id,t\n1,λόγος βίος\n2,ΛΌΓΟΣ ΒΊΟΣ\n3,όχι\n")
    assert [row["id"] for row in desk.filtered("g.csv", "t", operator, value)] == [1, 2]


@pytest.mark.parametrize("key", KEYS)
def test_columns_come_in_the_order_asked_for(desk: Desk, key: str) -> None:
    """Only the named columns are returned, and in that order."""
    rows = desk.filtered(key, "id", "=", "1", columns=("price", "id"))
    assert [list(row.items()) for row in rows] == [[("price", 1.5), ("id", 1)]]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("id", "two", "BIGINT"),
        ("price", "x", "DOUBLE"),
        ("day", "soon", "DATE"),
        ("ok", "maybe", "BOOLEAN"),
    ],
)
def test_a_value_of_another_type_is_refused(desk: Desk, column: str, value: str, kind: str) -> None:
    """The error says what the column holds."""
    with pytest.raises(InvalidArgumentError, match=kind) as caught:
        desk.filtered("t.csv", column, ">", value)
    assert ("Write it as 2026-01-31" in caught.value.hint) == (kind == "DATE")


def test_an_unknown_column_comes_with_the_nearest() -> None:
    """The repaired argument is the column that was meant."""
    desk = Desk()
    desk.put("a.csv", "customer_id,amount\n1,2\n")
    with pytest.raises(UnknownColumnError, match="custmer_id") as caught:
        desk.filtered("a.csv", "custmer_id", "=", "1")
    assert caught.value.repair == {"filter_column": "customer_id"}
    assert "customer_id (BIGINT)" in caught.value.hint
    with pytest.raises(UnknownColumnError) as caught:
        desk.filtered("a.csv", "amount", "=", "1", columns=("amount", "customer"))
    assert caught.value.repair == {"columns": ["amount", "customer_id"]}
    with pytest.raises(UnknownColumnError) as caught:
        desk.run("a.csv", columns=("amount", "customer_id, amount"))
    assert caught.value.repair == {"columns": ["amount", "customer_id", "amount"]}
    with pytest.raises(UnknownColumnError) as caught:
        desk.run("a.csv", columns=("amount", "count(*)"))
    assert caught.value.repair == {"columns": ["amount"]}


@pytest.mark.parametrize(
    ("operator", "value", "meant"),
    [("auto", "null", "is_null"), ("=", "", "is_null"), ("!=", "None", "not_null"), ("<", "", "")],
)
def test_a_filter_for_nothing_is_one_for_nulls(
    desk: Desk, operator: str, value: str, meant: str
) -> None:
    """Nulls match is_null alone, and no number is written so."""
    with pytest.raises(InvalidArgumentError) as caught:
        desk.filtered("t.csv", "price", operator, value)
    repair = {"filter_operator": meant, "filter_value": ""} if meant else None
    assert caught.value.repair == repair


def test_bytes_are_found_as_they_are_shown() -> None:
    """A value of an answer is one to ask for; what is no base64 is text."""
    desk = Desk()
    raw = [b"\x00\xff", b"base64:x", b"", b"\xfb\xef"]
    desk.put("a.parquet", parquet_bytes(pa.table({"raw": raw, "id": [1, 2, 3, 4]})))
    for value, found in (("AP8=", [1]), ("x", [2]), ("", [3]), ("++8=", [4]), ("AP8", [])):
        rows = desk.filtered("a.parquet", "raw", "=", f"base64:{value}")
        assert [row["id"] for row in rows] == found, value
    assert len(desk.filtered("a.parquet", "raw", "in", "base64:AP8=,base64:++8=")) == 2


def test_the_sql_is_shown_as_it_ran(desk: Desk) -> None:
    """Values are bound when it runs, and quoted where it is shown."""
    condition = Filter(column="name", operator="=", value="O'Neil")
    result = desk.run("t.csv", filter=condition, columns=("id",))
    assert result.sql == "SELECT \"id\" FROM data WHERE \"name\" = 'O''Neil'"


def test_columns_that_need_quotes_can_be_filtered() -> None:
    """A name with spaces, quotes or a question mark is only a name."""
    desk = Desk()
    desk.put("a.csv", 'what?,"a ""b"""\n1,2\n3,4\n')
    assert desk.filtered("a.csv", "what?", "=", "3") == [{"what?": 3, 'a "b"': 4}]
    assert desk.filtered("a.csv", 'a "b"', "in", "2,9") == [{"what?": 1, 'a "b"': 2}]


def test_decimals_are_compared_exactly() -> None:
    """A value with more digits than the column is not rounded to one that is there."""
    desk = Desk()
    prices = pa.array(["1.01", "1.00"]).cast(pa.decimal128(10, 2))
    desk.put("a.parquet", parquet_bytes(pa.table({"p": prices, "n": [1, 2]})))
    assert desk.filtered("a.parquet", "p", "=", "1.005") == []
    assert [row["n"] for row in desk.filtered("a.parquet", "p", ">", "1.005")] == [1]
    assert [row["n"] for row in desk.filtered("a.parquet", "p", "=", "1")] == [2]
    assert [row["n"] for row in desk.filtered("a.parquet", "p", "<", "9" * 39)] == [1, 2]


@pytest.mark.parametrize("key", KEYS)
def test_a_value_that_is_not_there_names_those_that_are(desk: Desk, key: str) -> None:
    """A filter without rows says what the column holds."""
    result = desk.run(key, "SELECT count(*) FROM data WHERE name = 'ANNA'")
    assert any("'Anna'" in notice and "'anton'" in notice for notice in result.notices)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('"b, c",a', [1, 2]),
        ("a\n", [1]),
        ("a\r\nx", [1]),
        ("a\rx", [1]),
        ('"x\ny"', [3]),
        ('"say ""hi"""', [4]),
        ("a\u2028b", []),
        ('"a', [1]),
        (",", []),
    ],
)
def test_a_list_is_read_as_csv(value: str, found: list[int]) -> None:
    """Quotes keep commas and line ends; whatever is written, it is a list of values."""
    desk = Desk()
    desk.put("a.csv", 'n,t\n1,a\n2,"b, c"\n3,"x\ny"\n4,"say ""hi"""\n')
    assert [row["n"] for row in desk.filtered("a.csv", "t", "in", value)] == found


@pytest.mark.parametrize("operator", ["auto", "=", "contains", "in"])
def test_a_value_that_is_no_unicode_is_refused(desk: Desk, operator: str) -> None:
    """A lone surrogate is told by its place."""
    with pytest.raises(InvalidArgumentError, match="character 2"):
        desk.filtered("t.csv", "name", operator, "a\ud800")


def test_a_value_that_is_too_long_for_csv_is_refused() -> None:
    """No value is an internal error."""
    desk = Desk()
    desk.put("a.csv", "n,t\n1,a\n")
    limit = csv.field_size_limit(1000)
    try:
        with pytest.raises(InvalidArgumentError, match="filter_value"):
            desk.filtered("a.csv", "t", "in", "x" * 2000)
    finally:
        csv.field_size_limit(limit)


@pytest.mark.parametrize("key", ["s.csv", "s.jsonl", "s.parquet"])
@pytest.mark.parametrize(
    ("column", "operator", "value", "ids"),
    [
        ("day", ">=", "2026-01-10 12:00:00", [2]),
        ("day", "=", "2026-01-10T12:00", []),
        ("day", "=", "2026-01-10 00:00:00", [1]),
        ("day", "in", "2026-01-10 00:00,2026-01-11", [1, 2]),
        ("at", "contains", "2026-01-10T08", [1]),
        ("at", "starts_with", "2026-01-10 08:30", [1]),
        ("at", "ends_with", "t09:00:05.5", [2]),
    ],
)
def test_a_moment_is_compared_as_it_is_written(
    key: str, column: str, operator: str, value: str, ids: list[int]
) -> None:
    """A time of day is not cut off a value, and texts of timestamps are those of answers."""
    rows = [(1, "2026-01-10", "2026-01-10T08:30:00"), (2, "2026-01-11", "2026-01-11T09:00:05.5")]
    desk = Desk()
    desk.put("s.csv", "id,day,at\n" + "".join(f"{i},{d},{t}\n" for i, d, t in rows))
    records = [json.dumps({"id": i, "day": d, "at": t}) for i, d, t in rows]
    desk.put("s.jsonl", "\n".join(records))
    at = pa.array([t for _, _, t in rows]).cast(pa.timestamp("us"))
    day = pa.array([d for _, d, _ in rows]).cast(pa.date32())
    desk.put("s.parquet", parquet_bytes(pa.table({"id": [1, 2], "day": day, "at": at})))
    assert [row["id"] for row in desk.filtered(key, column, operator, value)] == ids


def test_a_column_with_quotes_is_named_as_it_is() -> None:
    """In SQL they are doubled."""
    desk = Desk()
    desk.put("q.csv", '"12"" pipe",n\n1,2\n3,4\n')
    with pytest.raises(InvalidArgumentError, match=r'the type of column 12" pipe$'):
        desk.filtered("q.csv", '12" pipe', "=", "x")
