"""Tables of more objects than are looked at before they are read: each is read as it is written."""

import bz2
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import (
    LimitExceededError,
    MalformedDataError,
    ObjectChangedError,
    UnknownColumnError,
)
from support.engine import Desk
from support.parquet_files import parquet_bytes

OBJECTS = 100
"""More than are all looked at."""

ODD = (50, 51, 77)
"""Objects that are not like their neighbours, among those that are not looked at, and others."""


def _csv(number: int) -> str:
    return f"id,name\n{number},a\n"


def _other(number: int) -> str:
    return f"name,id,more\nb,{number},1\n"


def _lines(number: int) -> str:
    return f'{{"id": {number}}}\n'


OBJECTS_OF: dict[str, Callable[[int], bytes]] = {
    "csv": lambda n: _csv(n).encode(),
    "other": lambda n: _other(n).encode(),
    "semicolons": lambda n: _csv(n).replace(",", ";").encode(),
    "utf-16": lambda n: _csv(n).encode("utf-16"),
    "other-utf-16": lambda n: _other(n).encode("utf-16"),
    "gz": lambda n: gzip.compress(_csv(n).encode()),
    "other-gz": lambda n: gzip.compress(_other(n).encode()),
    "bz2": lambda n: bz2.compress(_csv(n).encode()),
    "lines": lambda n: _lines(n).encode(),
    "array": lambda n: f"[{_lines(n)}]".encode(),
    "lines-gz": lambda n: gzip.compress(_lines(n).encode()),
    "lines-bz2": lambda n: bz2.compress(_lines(n).encode()),
    "lines-utf-16": lambda n: _lines(n).encode("utf-16"),
}


@pytest.mark.parametrize(
    ("suffix", "usual", "odd"),
    [
        ("csv", "csv", "other"),
        ("csv", "csv", "semicolons"),
        ("csv", "csv", "gz"),
        ("csv", "gz", "csv"),
        ("csv.gz", "gz", "bz2"),
        ("csv.gz", "gz", "other-gz"),
        ("csv", "csv", "utf-16"),
        ("csv", "utf-16", "csv"),
        ("csv", "utf-16", "other-utf-16"),
        ("json", "lines", "array"),
        ("json", "array", "lines"),
        ("json", "lines", "lines-gz"),
        ("json", "lines-gz", "lines"),
        ("json", "lines-gz", "lines-bz2"),
        ("json", "lines-utf-16", "lines-gz"),
    ],
)
def test_objects_unlike_their_neighbours(suffix: str, usual: str, odd: str) -> None:
    """No row is lost or misread because another object has another header, form or compression."""
    desk = Desk()
    for number in range(OBJECTS):
        kind = odd if number in ODD or number % 9 == 0 else usual
        desk.put(f"many/{number:03}.{suffix}", OBJECTS_OF[kind](number))
    (found,) = desk.rows("many/", "SELECT count(*) AS n, count(id) AS ids, sum(id) AS s FROM data")
    assert found == {"n": OBJECTS, "ids": OBJECTS, "s": sum(range(OBJECTS))}


def test_a_few_objects_of_json_differ_in_compression_and_encoding() -> None:
    """Each is read in its own, whatever the first one has."""
    desk = Desk()
    for number, kind in enumerate(["lines-gz", "lines-bz2", "lines-utf-16", "lines", "array"]):
        desk.put(f"few/{number}.json", OBJECTS_OF[kind](number))
    assert desk.value("few/", "SELECT sum(id) FROM data") == 10


@pytest.mark.parametrize("count", [3, OBJECTS])
@pytest.mark.parametrize("first", ["latin-1", "utf-8"])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_each_object_has_its_own_encoding(suffix: str, first: str, count: int) -> None:
    """Text of UTF-8 is not read as Windows-1252 because another object of the header is."""
    desk = Desk()
    for number in range(count):
        encoding = first if number % 2 == 0 else "utf-8" if first == "latin-1" else "latin-1"
        text = f"id,name\n{number},Köln\n".encode(encoding)
        desk.put(f"many/{number:03}.{suffix}", gzip.compress(text) if "gz" in suffix else text)
    found = desk.rows("many/", "SELECT name, count(*) AS n FROM data GROUP BY name")
    assert found == [{"name": "Köln", "n": count}]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_a_column_empty_in_the_first_object_has_the_type_that_others_give(suffix: str) -> None:
    """Columns without a value are no text."""
    desk = Desk()
    for number, cell in enumerate(["", "", "5", "12.5", ""]):
        text = f"id,x\n{number},{cell}\n".encode()
        desk.put(f"few/{number}.{suffix}", gzip.compress(text) if "gz" in suffix else text)
    assert desk.value("few/", "SELECT sum(x) FROM data") == 17.5
    assert desk.filtered("few/", "x", ">", "6", columns=["id"]) == [{"id": 3}]


def _parquet_desk(odd: dict[str, Any], count: int = OBJECTS) -> Desk:
    desk = Desk()
    for number in range(count):
        usual = {"id": pa.array([number], pa.int32()), "v": pa.array([7], pa.int32())}
        columns = {"id": [number]} | odd if number in ODD or (count < OBJECTS and number) else usual
        desk.put(f"many/{number:03}.parquet", parquet_bytes(pa.table(columns)))
    return desk


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        ({"v": [1.5]}, "DOUBLE"),
        ({"v": pa.array([Decimal("1.5")])}, "DECIMAL(11,1)"),
        ({"v": ["x"]}, "VARCHAR"),
        ({"V": [1 << 40]}, "BIGINT"),
        ({"v": [8], "more": ["z"]}, "BIGINT"),
        ({}, "INTEGER"),
    ],
)
def test_parquet_unlike_its_neighbours(odd: dict[str, Any], kind: str) -> None:
    """Values of a wider type than the first objects have are not cut, columns not left out."""
    desk = _parquet_desk(odd)
    for _ in range(2):
        rows = desk.rows("many/", "SELECT * FROM data WHERE id IN (50, 51, 77)")
        assert len(rows) == len(ODD)
        for row in rows:
            values = [v.to_pylist()[0] if isinstance(v, pa.Array) else v[0] for v in odd.values()]
            assert [v for k, v in row.items() if k != "id" and v is not None] == values
        assert desk.value("many/", "SELECT typeof(any_value(v)) FROM data") == kind
        assert desk.value("many/", "SELECT sum(id) FROM data") == sum(range(OBJECTS))


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_columns_are_told_as_a_query_has_found_them(suffix: str) -> None:
    """DESCRIBE knows what was learned since it was asked last, of all objects that were read."""
    desk = _parquet_desk({"v": ["x"]})
    for number in range(OBJECTS):
        desk.put(f"many/{number:03}.csv", f"v\n{'x' if number in ODD else 7}\n")
    key, told = f"many/*.{suffix}", "DESCRIBE SELECT v FROM data"
    assert desk.rows(key, told)[0]["column_type"] != "VARCHAR"
    assert desk.value(key, "SELECT max(v) FROM data") == "x"
    assert desk.rows(key, told)[0]["column_type"] == "VARCHAR"


@pytest.mark.parametrize("count", [2, OBJECTS])
def test_columns_that_cannot_be_one_are_told_apart(count: int) -> None:
    """The object is not called damaged."""
    desk = _parquet_desk({"v": pa.array([{"x": 1}])}, count)
    with pytest.raises(MalformedDataError, match="has a column v of the type INTEGER"):
        desk.rows("many/", "SELECT * FROM data")


@pytest.mark.parametrize("first", [0, 1])
def test_integers_beside_single_floats_keep_their_digits(first: int) -> None:
    """They are doubles together, which hold both."""
    desk = Desk()
    whole = pa.table({"V": pa.array([16_777_217], pa.int32())})
    single = pa.table({"V": pa.array([0.5], pa.float32())})
    for at, table in enumerate((whole, single)):
        desk.put(f"odd/{(at + first) % 2}.parquet", parquet_bytes(table))
    sql = "SELECT V, typeof(V) AS t FROM data ORDER BY V"
    assert desk.rows("odd/", sql) == [
        {"V": 0.5, "t": "DOUBLE"},
        {"V": 16_777_217.0, "t": "DOUBLE"},
    ]


@pytest.mark.parametrize("first", [0, 1])
def test_instants_beside_nanoseconds_keep_their_zone(first: int) -> None:
    """What has no zone is UTC, as it is beside instants where it has microseconds."""
    desk = Desk()
    plain = pa.table({"t": pa.array([10**18 + 1], pa.timestamp("ns"))})
    zoned = pa.table({"t": pa.array([10**15 + 1], pa.timestamp("us", "Europe/Zurich"))})
    for at, table in enumerate((plain, zoned)):
        desk.put(f"odd/{(at + first) % 2}.parquet", parquet_bytes(table))
    found = desk.run("odd/", "SELECT t FROM data ORDER BY t").table
    assert found.schema.field("t").type == pa.timestamp("ns", "UTC")
    assert found.column("t").cast(pa.int64()).to_pylist() == [10**18 + 1, 10**18 + 1_000]


def test_texts_beside_lists_are_told_apart() -> None:
    """So it is where the engine names the value that it cannot make a list of."""
    desk = Desk()
    desk.put("odd/0.parquet", parquet_bytes(pa.table({"v": [[1]]})))
    desk.put("odd/1.parquet", parquet_bytes(pa.table({"v": ["x"]})))
    with pytest.raises(MalformedDataError, match=r"1\.parquet has a column v of the type VARCHAR"):
        desk.rows("odd/", "SELECT * FROM data")


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT * FROM data ORDER BY ALL", r"s3://lake/one\.csv has"),
        ("SELECT * FROM data, 's3://lake/other.csv' ORDER BY ALL", "What the query reads has"),
    ],
)
def test_of_several_objects_none_is_said_to_have_changed(sql: str, named: str) -> None:
    """Which of them it was is not known."""
    desk = Desk()
    for key in ("one.csv", "other.csv"):
        desk.put(key, "a\n1\n2\n3\n")
    identity = desk.run("one.csv", sql).identity
    desk.put("one.csv" if named.startswith("s3") else "other.csv", "a\n1\n")
    with pytest.raises(ObjectChangedError, match=named):
        desk.run("one.csv", sql, offset=1, identity=identity)


@pytest.mark.parametrize("days", [3, OBJECTS])
def test_a_pivot_reads_days_of_unlike_columns(days: int) -> None:
    """It is planned by reading, when one day is looked at that lacks what others have."""
    desk = Desk()
    for day in range(days):
        table = pa.table({"v": [1]} | ({} if day == days - 1 else {"old": [1]}))
        desk.put(f"h/day={day}/a.parquet", parquet_bytes(table))
    (row,) = desk.rows("h/", "PIVOT data ON day USING count(*) GROUP BY v")
    assert row == {"v": 1} | {str(day): 1 for day in range(days)}


def _of_records(suffix: str, records: list[dict[str, Any]]) -> bytes:
    if suffix == "parquet":
        return parquet_bytes(pa.Table.from_pylist(records))
    if suffix == "jsonl":
        return "".join(f"{json.dumps(record)}\n" for record in records).encode()
    rows = [list(records[0]), *(record.values() for record in records)]
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
@pytest.mark.parametrize(("days", "asked"), [(3, 1), (3, 2), (3, 3), (90, 1), (90, 45), (90, 90)])
def test_a_day_has_the_columns_of_all_days(suffix: str, days: int, asked: int) -> None:
    """Those that came or went with time are null, and cost one request for each end."""
    desk = Desk()
    for day in range(1, days + 1):
        record: dict[str, Any] = {"id": day} | ({"old": 1} if day == 1 else {})
        record |= {"new": 2} if day == days else {}
        desk.put(f"h/day={day}/a.{suffix}", _of_records(suffix, [record]))
    fresh = Desk(store=desk.store)
    where = f"day = {asked}"
    (row,) = fresh.rows("h/", f"SELECT * FROM data WHERE {where}")
    assert fresh.meter.requests <= 6
    old, new = (1 if asked == 1 else None), (2 if asked == days else None)
    assert row == {"id": asked, "old": old, "new": new, "day": asked}
    assert list(row)[-1] == "day"
    assert row in desk.rows("h/")
    if suffix == "parquet":
        page = fresh.run("h/", where=where, format="parquet")
        assert page.table.to_pylist() == [row]
        assert page.details["parquet"]["num_rows"] == 1  # type: ignore[index] # JSON


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("folder", ["", "n={:03}/"])
@pytest.mark.parametrize(("objects", "odd"), [(3, 0), (3, 1), (OBJECTS, ODD[0])])
def test_the_simple_form_finds_a_column_wherever_it_is(
    suffix: str, folder: str, objects: int, odd: int
) -> None:
    """As SQL does: in an object that is not looked at first, or pruned by its partition."""
    desk = Desk()
    for number in range(objects):
        record = {"id": number} | ({"more": 7} if number == odd else {})
        names, values = ",".join(record), ",".join(map(str, record.values()))
        body: bytes | str = f"{names}\n{values}\n" if suffix == "csv" else json.dumps(record)
        if suffix == "parquet":
            body = parquet_bytes(pa.table({name: [value] for name, value in record.items()}))
        desk.put(f"many/{folder.format(number)}{number:03}.{suffix}", body)
    found = desk.filtered("many/", "more", "=", "7", columns=["more", "id"])
    assert found == [{"more": 7, "id": odd}]
    with pytest.raises(UnknownColumnError, match="no column 'most'"):
        desk.filtered("many/", "most", "=", "7")


def test_the_simple_form_finds_a_key_that_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the beginning of JSON that is too long to be looked at whole for every query."""
    monkeypatch.setattr("s3_data_lake_mcp.engines.json_table.WHOLE_BYTES", 0)
    desk = Desk()
    lines = [f'{{"id": {i}, "pad": "{"x" * 400}"}}\n' for i in range(1_500)]
    desk.put("late.jsonl", "".join([*lines, '{"id": 1500, "more": 7}\n']))
    assert desk.filtered("late.jsonl", "more", "not_null", "", columns=["id"]) == [{"id": 1500}]
    assert desk.rows("late.jsonl", columns=("more",), max_rows=2_000)[-1] == {"more": 7}
    with pytest.raises(UnknownColumnError, match="no column 'most'"):
        desk.filtered("late.jsonl", "most", "=", "7")


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("late", [5, 30_000])
def test_an_object_by_itself_has_its_own_types(suffix: str, late: int) -> None:
    """What others hold does not make it text: in a query before, or of another version of them."""
    desk = Desk()
    for number, texts in enumerate(
        [["9", "11"], ["1"] * late + ["abc" if suffix == "csv" else '"abc"']]
    ):
        lines = texts if suffix == "csv" else [f'{{"v": {text}}}' for text in texts]
        head = ["v"] if suffix == "csv" else []
        desk.put(f"both/{number}.{suffix}", "\n".join([*head, *lines, ""]))
    assert desk.value("both/", "SELECT max(v) FROM data") == "abc"
    assert desk.value(f"both/0.{suffix}", "SELECT max(v) FROM data") == 11
    assert desk.value("both/", "SELECT min(v) FROM data") == "1"
    other = "v\n7\n8\n" if suffix == "csv" else '{"v": 7}\n{"v": 8}\n'
    desk.put(f"both/1.{suffix}", other)
    assert desk.value("both/", "SELECT max(v) FROM data") == 11


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("late", [0, 5, 30_000])
def test_no_object_takes_types_from_others_of_its_shape(suffix: str, late: int) -> None:
    """Nor do others that it is read with: not by what they begin with, nor by a query of one."""
    desk = Desk()
    text = "abc" if suffix == "csv" else '"abc"'
    for name, texts in {"0": ["1"] * late + [text], "1": ["9", "11"], "2": ["8"]}.items():
        lines = texts if suffix == "csv" else [f'{{"v": {text}}}' for text in texts]
        head = ["v"] if suffix == "csv" else []
        desk.put(f"s/{name}.{suffix}", "\n".join([*head, *lines, ""]))
    assert desk.value("s/", "SELECT count(*) FROM data") == late + 4
    assert desk.value(f"s/0.{suffix}", "SELECT max(v) FROM data") == "abc"
    assert desk.value(f"s/1.{suffix}", "SELECT max(v) FROM data") == 11
    assert desk.value(f"s/[12].{suffix}", "SELECT max(v) FROM data") == 11


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_no_object_is_as_wide_as_a_set_that_it_was_read_in(suffix: str) -> None:
    """Integers, and fractions, that no double holds together are numbers each by itself."""
    desk = Desk()
    for name, texts in {"0": ["-14", "29"], "1": [f"{2**62}", "5"], "2": ["9.5", "10.0"]}.items():
        lines = ["v", *texts] if suffix == "csv" else [f'{{"v": {text}}}' for text in texts]
        desk.put(f"s/{name}.{suffix}", "\n".join([*lines, ""]))
    assert desk.value("s/", "SELECT max(v) FROM data") == "9.5"
    for key, most in (("0", 29), ("1", 2**62), ("2", 10.0), ("[01]", 2**62)):
        found = desk.run(f"s/{key}.{suffix}", "SELECT max(v) FROM data")
        ((value,),) = (row.values() for row in found.table.to_pylist())
        assert (value, type(value), found.notices) == (most, type(most), [])


def test_a_uri_that_is_a_text_as_well_is_read_like_any_other() -> None:
    """It stands in brackets, and is the argument of no reader."""
    desk = Desk()
    desk.put("a.csv", "\n".join(["v", *map(str, range(20_000)), "x", ""]))
    sql = "SELECT max(v) || concat('s3://lake/a.csv') FROM 's3://lake/a.csv'"
    assert desk.value("a.csv", sql) == "xs3://lake/a.csv"


_NUMBERS = "".join(f"{n},{n}\n" for n in range(20_000))


@pytest.mark.parametrize(
    ("bodies", "told"),
    [
        (
            (f"id,v\n{_NUMBERS}1,1.5\n", f"id,V\n{_NUMBERS}1,x\n"),
            ["Column V was read as VARCHAR: 'x' does not fit what the head shows."],
        ),
        (("id,v\n1,NA\n2,3\n", "id,v,w\n1,hello,1\n"), []),
        (
            ("id,v\n1,NA\n2,3\n", "id,v,w\n1,4,1\n"),
            ["NA was read as null in column v, as N/A, NULL, None, null would be."],
        ),
    ],
)
def test_a_column_is_told_as_all_objects_have_it(bodies: tuple[str, ...], told: list[str]) -> None:
    """What holds for some of the objects alone, but not for the column, is not said."""
    desk = Desk()
    for at, body in enumerate(bodies):
        desk.put(f"told/{at}.csv", body)
    assert desk.run("told/", "SELECT max(v), count(v) FROM data").notices == told


MOST_RUNS = 8
"""Where each odd one that is met stands for four times as many as the one before."""

_LONG_LINES = "0,a\n" + f"0,{'x' * 1_000}\n" * 100


@pytest.mark.parametrize("count", [60, OBJECTS])
@pytest.mark.parametrize(
    ("suffix", "usual", "odd"),
    [
        ("csv", "id,name\n{},a\n", "id,name\n{},a\r\n0,b\r\n0,c\n"),
        ("csv", f"id,name\n{{}},a\n{_LONG_LINES}", f"id,name\n{{}},a\n{_LONG_LINES}0\n"),
        ("csv", f"id,name\n{{}},a\n{_LONG_LINES}", f'id,name\n{{}},a\n{_LONG_LINES}0, "x" \n'),
        ("jsonl", '{{"id": {}}}\n', '{{"id": {}}}\n{{"id"\n'),
        ("jsonl", '{{"id": {}}}\n', '{{"id": {}}}\n{{"id": 0, "id": 0}}\n'),
    ],
)
def test_irregular_objects_are_not_found_one_by_one(
    monkeypatch: pytest.MonkeyPatch, suffix: str, usual: str, odd: str, count: int
) -> None:
    """A query runs again a few times, however many objects hold what the engine cannot read."""
    monkeypatch.setattr("s3_data_lake_mcp.engines.call._MOST_LESSONS", MOST_RUNS)
    monkeypatch.setattr("s3_data_lake_mcp.engines.json_table.WHOLE_BYTES", 0)
    monkeypatch.setattr("s3_data_lake_mcp.engines.json_layout._SAMPLE_RECORDS", 1)
    desk = Desk()
    for number in range(count):
        desk.put(f"many/{number:03}.{suffix}", (odd if number % 2 else usual).format(number))
    assert desk.value("many/", "SELECT sum(id) FROM data") == sum(range(count))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("first", [0, 1])
def test_records_among_lines_that_are_none_are_found(
    pack: Callable[[bytes], bytes], first: int
) -> None:
    """The engine takes either for values."""
    desk = Desk()
    for number in range(OBJECTS):
        text = _lines(number) if number % 7 == first else "[1, 2]\n"
        desk.put(f"many/{number:03}.jsonl", pack(text.encode()))
    found = desk.value("many/", "SELECT sum(id) FROM data")
    assert found == sum(range(first, OBJECTS, 7))


@pytest.mark.parametrize("odd", ["id,more\n{},1\n", "\n"])
def test_many_odd_ones_among_very_many_are_found(odd: str) -> None:
    """Each time that one shows, twice as many are looked at: not one after the other."""
    desk, objects = Desk(), 1_002
    for number in range(objects):
        desk.put(f"many/{number:04}.csv", _csv(number) if number % 3 else odd.format(number))
    kept = [n for n in range(objects) if n % 3 or odd != "\n"]
    assert desk.value("many/", "SELECT sum(id) FROM data") == sum(kept)


def test_a_query_that_is_tried_too_often_says_what_would_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no error of the server's own."""
    monkeypatch.setattr("s3_data_lake_mcp.engines.call._MOST_LESSONS", 1)
    desk = Desk()
    desk.put("a.csv", f"id,v\n{_NUMBERS}1,x\n")
    with pytest.raises(LimitExceededError) as caught:
        desk.rows("a.csv", "SELECT max(v) FROM data")
    assert caught.value.hint == "Name fewer columns, or a narrower prefix or glob."
