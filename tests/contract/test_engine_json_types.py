"""Types of JSON columns that the engine alone would take for text."""

import json

import pyarrow as pa
import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.settings import Settings
from support.engine import Desk


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["2026-01-01T10:00:00", "2026-01-01T10:00:00.123456"], pa.timestamp("us")),
        (["2026-01-01 10:00:00", "2026-01-01T10:00"], pa.timestamp("us")),
        (["2026-01-01T10:00:00", "2026-01-01T10:00:00.123456789"], pa.timestamp("ns")),
        (["2026-01-01T10:00:00", "2026-02-30T10:00:00.5"], pa.string()),
        (["2026-01-01T10:00:00", "soon"], pa.string()),
        (["2026-01-01T10:00:00", 5, "2026-01-01T10:00:00.5"], pa.string()),
    ],
)
def test_timestamps_may_be_written_in_several_ways(texts: list[object], kind: pa.DataType) -> None:
    """A column has the type that the same values have as CSV, inside of others, too."""
    desk = Desk()
    desk.put("a.json", json.dumps([{"x": text, "in": {"l": [text]}} for text in texts]))
    found = desk.run("a.json").table
    assert found.schema.field("x").type == kind
    assert found.schema.field("in").type.field("l").type.value_type == kind
    desk.put("a.csv", "x,y\n" + "".join(f"{text},1\n" for text in texts))
    assert desk.run("a.csv").table.column("x").to_pylist() == [
        str(value) if kind == pa.string() else value for value in found.column("x").to_pylist()
    ]


def test_text_behind_many_timestamps_is_kept() -> None:
    """What the beginning does not show makes the column wider, also where another key is new."""
    desk = Desk()
    stamps = [{"t": f"2026-01-01T10:00:00{'.5' * (i % 2)}"} for i in range(20_000)]
    desk.put("a.jsonl", "\n".join(map(json.dumps, [*stamps, {"t": "soon", "new": 1}])))
    assert desk.value("a.jsonl", "SELECT t FROM data WHERE new = 1") == "soon"
    assert desk.value("a.jsonl", "SELECT count(*) FROM data WHERE t LIKE '2026%'") == 20_000
    desk.put("b.jsonl", "\n".join(map(json.dumps, [*stamps, {"t": None, "new": 1}])))
    sql = "SELECT typeof(any_value(t)) FROM data WHERE new IS NULL"
    assert desk.value("b.jsonl", sql) == "TIMESTAMP"


@pytest.mark.parametrize(
    ("nothing", "value", "kind"),
    [
        ("null", "5", "BIGINT"),
        ("null", "2.5", "DOUBLE"),
        ("null", '{"x": 5}', "STRUCT(x BIGINT)"),
        ("[]", "[5]", "BIGINT[]"),
        ("[null]", '[{"x": true}]', "STRUCT(x BOOLEAN)[]"),
        ("{}", '{"x": 5}', "STRUCT(x BIGINT)"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_an_object_without_values_says_nothing_of_types(
    nothing: str, value: str, kind: str, order: int
) -> None:
    """A column has the type that its values have, wherever they are."""
    desk = Desk()
    for number, text in enumerate([nothing, value][::order]):
        desk.put(f"few/{number}.json", f'[{{"a": {text}, "b": 1}}]')
    found = desk.rows("few/", "SELECT typeof(a) AS t, count(*) AS n FROM data GROUP BY t")
    assert found == [{"t": kind, "n": 2}]


def test_numbers_of_some_objects_are_compared_as_numbers() -> None:
    """Not as text, because another object has null in their place."""
    desk = Desk()
    desk.put("few/1.json", '[{"a": null, "id": 1}]')
    desk.put("few/2.json", '[{"a": 10, "id": 2}, {"a": 9, "id": 3}]')
    assert desk.filtered("few/", "a", ">", "9", columns=["id"]) == [{"id": 2}]


def _late(first: str, later: str, *, form: str = "lines") -> str:
    """Return records of which those behind the beginning that is looked at hold another value."""
    pad = "x" * 400
    records = [
        f'{{"id": {i}, "pad": "{pad}", "v": {first if i < 1_000 else later}}}' for i in range(1_500)
    ]
    return "\n".join(records) if form == "lines" else f"[{','.join(records)}]"


WHOLE = "s3_data_lake_mcp.engines.json_table.WHOLE_BYTES"
LATE = [
    ("null", "9", "BIGINT"),
    ("null", "9.5", "DOUBLE"),
    ("null", "true", "BOOLEAN"),
    ("null", '"9"', "VARCHAR"),
    ("null", '"2026-01-31"', "DATE"),
    ("null", '"2026-01-31T10:00:00Z"', "TIMESTAMP WITH TIME ZONE"),
    ("null", '"2026-01-31T10:00:00.123"', "TIMESTAMP"),
    ("null", '"2026-01-31T10:00:00.123456789"', "TIMESTAMP_NS"),
    ('{"a": []}', '{"a": [{"b": "2026-01-31T10:00"}]}', "STRUCT(a STRUCT(b TIMESTAMP)[])"),
    ("null", '{"a": [9]}', "STRUCT(a BIGINT[])"),
    ("{}", '{"a": 9}', "STRUCT(a BIGINT)"),
    ("[]", "[9]", "BIGINT[]"),
    ('{"a": null}', '{"a": 9.5}', "STRUCT(a DOUBLE)"),
    ('[{"a": null}]', '[{"a": {"b": 9}}]', "STRUCT(a STRUCT(b BIGINT))[]"),
    ("null", "18446744073709551616", "HUGEINT"),
    ("7", "18446744073709551616", "HUGEINT"),
    ("[7]", "[-18446744073709551616]", "HUGEINT[]"),
    ("7", "9.5", "DOUBLE"),
    ("9.5", "18446744073709551617", "VARCHAR"),
    ("18446744073709551617", "9.5", "VARCHAR"),
    ("7", "1361129467683753853853498429727072845825", "VARCHAR"),
    ("{}", "{}", "VARCHAR"),
    ("null", "null", "VARCHAR"),
]


@pytest.mark.parametrize("form", ["lines", "array"])
@pytest.mark.parametrize(("first", "later", "kind"), LATE)
@pytest.mark.parametrize("whole_bytes", [0, 8 << 20])
def test_the_type_holds_what_comes_later(
    first: str, later: str, kind: str, form: str, whole_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No digit is lost, nothing turns into text: in a short object as in one too long to know."""
    monkeypatch.setattr(WHOLE, whole_bytes)
    desk = Desk()
    desk.put("a.json", _late(first, later, form=form))
    sql = "SELECT typeof(v) AS t, to_json(v)::VARCHAR AS v FROM data WHERE id = 1400"
    (row,) = desk.rows("a.json", sql)
    value = json.loads(later)
    shown = str(value) if kind == "VARCHAR" and value is not None else value
    assert row["t"] == kind
    if "DATE" not in kind and "TIME" not in kind:
        assert row["v"] is value is None or json.loads(row["v"]) == shown


def test_the_type_does_not_go_by_what_was_asked_before() -> None:
    """Integers of more than 64 bits stay numbers where one of the objects is known already."""
    desk = Desk()
    for number, least in enumerate([10**20 + 1, 10**21 + 1]):
        desk.put(f"few/{number}.jsonl", _late("null", str(least)))
    assert desk.value("few/0.jsonl", "SELECT max(v) FROM data") == 10**20 + 1
    found = desk.run("few/", "SELECT max(v) AS v FROM data").table
    assert found.to_pylist() == [{"v": 10**21 + 1}]
    assert pa.types.is_decimal(found.schema.field("v").type)


def test_what_takes_no_text_is_asked_of_late_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers behind nulls are averaged and compared as numbers, also first rows far down."""
    monkeypatch.setattr(WHOLE, 0)
    desk = Desk()
    desk.put("a.json", _late("null", "9"))
    assert desk.value("a.json", "SELECT avg(v) FROM data") == 9
    assert desk.run("a.json", max_rows=1_400).table.schema.field("v").type == pa.int64()


def test_too_long_to_be_looked_at_it_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another look would be another download, what was null at first is text."""
    monkeypatch.setattr(WHOLE, 0)
    desk = Desk(settings=Settings(_env_file=None, cache_bytes=ByteSize(100_000)))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    desk.put("a.json", _late("null", '{"a": 9}'))
    assert desk.value("a.json", "SELECT v FROM data WHERE id = 1400") == '{"a":9}'


def test_fields_that_come_later_are_not_left_out_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A value shown with the fields of the beginning says so; one asked for by name is found."""
    monkeypatch.setattr(WHOLE, 0)
    desk = Desk()
    desk.put("a.json", _late('{"a": 1}', '{"a": 2, "z": 3}'))
    found = desk.run("a.json", "SELECT v FROM data WHERE id = 1400")
    assert found.table.to_pylist() == [{"v": {"a": 2}}]
    assert any("further keys" in notice for notice in found.notices)
    assert not desk.run("a.json", "SELECT v.a FROM data WHERE id = 1400").notices
    found = desk.run("a.json", "SELECT v, v.z FROM data WHERE id = 1400")
    assert found.table.to_pylist() == [{"v": {"a": 2, "z": 3}, "z": 3}]
    assert not found.notices
