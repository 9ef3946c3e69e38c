"""Types of JSON columns that the engine alone would take for text."""

import json

import pyarrow as pa
import pytest

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
