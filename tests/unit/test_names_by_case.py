"""Names that differ only in case: SQL does not tell them apart, so they are numbered, and said."""

import gzip
import json

import pyarrow as pa
import pytest

from support.engine import Desk
from support.parquet_files import parquet_bytes

_NUMBERED = "Columns whose names differ only in case were numbered: A_1."


def _table(names: list[str]) -> pa.Table:
    return pa.table([pa.array([at]) for at in range(len(names))], names=names)


@pytest.mark.parametrize("sql", ["", "SELECT * FROM data"])
@pytest.mark.parametrize("key", ["a.parquet", "p/", "a.csv"])
def test_columns_of_one_object_are_numbered_and_named(key: str, sql: str) -> None:
    """Parquet and CSV number alike, and say which columns."""
    desk = Desk()
    for name in ("a.parquet", "p/1.parquet", "p/2.parquet"):
        desk.put(name, parquet_bytes(_table(["a", "A", "B"])))
    desk.put("a.csv", "a,A,B\n0,1,2\n")
    result = desk.run(key, sql)
    assert result.table.column_names == ["a", "A_1", "B"]
    assert result.table.to_pylist()[0] == {"a": 0, "A_1": 1, "B": 2}
    assert list(result.notices) == [_NUMBERED]


def test_a_number_that_is_a_name_already_is_passed_over() -> None:
    """A new name is none of those that exist."""
    desk = Desk()
    desk.put("a.parquet", parquet_bytes(_table(["a", "A", "a_1"])))
    assert desk.run("a.parquet").table.column_names == ["a", "A_2", "a_1"]


@pytest.mark.parametrize("form", ["json", "csv", "parquet"])
def test_objects_that_differ_in_the_case_of_a_name_share_the_column(form: str) -> None:
    """A column is the same in all objects, however each writes its name."""
    desk = Desk()
    for number, name in enumerate(["id", "ID", "Id"]):
        text = f"{name},x\n{number},7\n" if form == "csv" else json.dumps({name: number, "x": 7})
        table = pa.table({name: [number], "x": [7]})
        desk.put(f"d/{number}.{form}", parquet_bytes(table) if form == "parquet" else text)
    found = desk.rows("d/", "SELECT id, x FROM data ORDER BY 1")
    assert found == [{"id": number, "x": 7} for number in range(3)]


@pytest.mark.parametrize("form", ["json", "csv", "parquet"])
def test_a_partition_hides_a_column_that_differs_in_case(form: str) -> None:
    """The folder's value is what the name stands for, as where the case is the same; it is said."""
    desk = Desk()
    text = "dt,x\n5,7\n" if form == "csv" else '{"dt": 5, "x": 7}'
    body = parquet_bytes(pa.table({"dt": [5], "x": [7]})) if form == "parquet" else text
    desk.put(f"d/DT=9/a.{form}", body)
    assert desk.value("d/", "SELECT dt FROM data") == 9
    assert desk.value("d/", "SELECT x FROM data WHERE DT = 9") == 7
    said = "Columns that are partitions, too, have the values of the folders: DT."
    assert list(desk.run("d/").notices) == [said]


def test_a_name_that_a_column_shares_with_others_is_its_own_alone() -> None:
    """An object that was read with others, which write a name otherwise, keeps its own name."""
    desk = Desk()
    desk.put("d/a.json", '{"ID": 1}')
    desk.put("d/b.json", '{"id": 2}')
    alone = desk.run("d/b.json")
    for _ in range(2):
        assert desk.rows("d/", "SELECT * FROM data ORDER BY 1") == [{"ID": 1}, {"ID": 2}]
        again = desk.run("d/b.json")
        assert again.table.equals(alone.table)
        assert again.notices == alone.notices == []


def test_columns_that_share_a_name_and_more_are_read_alike_again() -> None:
    """What a late value shows of a column under its shared name holds in this query."""
    desk = Desk()
    desk.put("d/a.json", '{"ID": 1}')
    desk.put("d/b.json", '{"id": 2}\n' * 60_000 + '{"id": "x"}\n{"id": 5, "new": 6}\n')
    count = "SELECT count(*) AS n, count(new) AS new FROM data WHERE ID IN ('x', '1', '5')"
    for _ in range(2):
        assert desk.rows("d/", count) == [{"n": 3, "new": 1}]


def test_one_key_stands_for_another_column_in_each_object() -> None:
    """A key that is numbered in one object is the column itself where it is alone."""
    desk = Desk()
    desk.put("d/a.json", '{"A": 1, "a": 2}')
    desk.put("d/b.json", '{"a": 3}')
    found = desk.rows("d/", "SELECT * FROM data ORDER BY 1")
    assert found == [{"A": 1, "a_1": 2}, {"A": 3, "a_1": None}]


def _with_late(key: str) -> str:
    """Return lines that end, far behind what is looked at first, in one with another key."""
    lines = [{"id": at, "v": "a", "pad": "x" * 200} for at in range(2_000)]
    return "".join(json.dumps(one) + "\n" for one in [*lines, {"id": -1, key: 7}])


def test_a_late_key_that_differs_in_case_has_its_values() -> None:
    """The engine's name for it is no key of the text."""
    desk = Desk()
    desk.put("a.jsonl", _with_late("V"))
    result = desk.run("a.jsonl", "SELECT max(v) AS v, max(V_1) AS late FROM data")
    assert result.table.to_pylist() == [{"v": "a", "late": 7}]
    assert "'V' is V_1" in str(result.notices)


def test_late_keys_of_sets_that_are_read_apart_share_a_column() -> None:
    """Lines and an array are read apart, and a name is found late in one of them."""
    desk = Desk()
    desk.put("d/a.jsonl", _with_late("LATE"))
    desk.put("d/b.json", '[{"id": -2, "late": 5}]')
    assert desk.value("d/", "SELECT sum(late) FROM data") == 12


@pytest.mark.parametrize("form", ["{}", "[{}]", "gz"])
def test_objects_of_very_many_that_nobody_looked_at_share_the_columns(form: str) -> None:
    """The first record of each is looked at as it passes: a sum left out one object in silence."""
    desk = Desk()
    for at in range(70):
        text = '{"Id": 1, "V": 2}' if at in {30, 31, 50} else '{"id": 1, "v": 2}'
        body = gzip.compress(text.encode()) if form == "gz" else form.replace("{}", text).encode()
        desk.put(f"many/{at:02}.json", body)
    assert desk.rows("many/", "SELECT sum(id) AS i, sum(v) AS v FROM data") == [{"i": 70, "v": 140}]
    assert desk.run("many/").table.column_names == ["id", "v"]


def test_objects_with_other_keys_are_read_as_they_were_thought_to_be() -> None:
    """Keys that are new cost no second look."""
    desk = Desk()
    for at in range(70):
        desk.put(f"many/{at:02}.json", f'{{"id": 1, "only_{at}": 2}}')
    assert desk.value("many/", "SELECT sum(id) FROM data") == 70
    assert desk.meter.requests == 71
