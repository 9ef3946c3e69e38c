"""Numbers of JSON with more digits than a double: all of them are kept, wherever they stand."""

import gzip
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.engines.json_lines import has_long_fraction
from s3_data_lake_mcp.engines.watched import Look, without_long_fractions
from s3_data_lake_mcp.loaders.json_table import table_of
from s3_data_lake_mcp.storage.scope import SurpriseError
from support.engine import Desk

_LONG = "0.123456789012345678901234567890"


def _text(form: str, late: str) -> str:
    record = {"id": 1, "x": 0.5, "s": "p" * 150, "n": {"a": 1.5}, "l": [1.5], "m": [1, "a"]}
    lines = [json.dumps(record)] * 8_000 + [late]
    return "\n".join(lines) if form == "lines" else "[" + ",\n".join(lines) + "]"


@pytest.mark.parametrize("form", ["lines", "array", "gz"])
@pytest.mark.parametrize(
    ("late", "column", "value"),
    [
        ('{"x": %s}', "x", _LONG),
        ('{"n": {"a": %s}}', "n.a", _LONG),
        ('{"l": [2, %s]}', "l[2]", _LONG),
        ('{"m": [%s]}', "m[1]", _LONG),
        ('{"s": %s}', "s", _LONG),
        ('{"x": -%se-5}', "x", f"-{_LONG}e-5"),
    ],
)
def test_digits_of_late_numbers_are_kept(form: str, late: str, column: str, value: str) -> None:
    """A fraction of more than 17 digits behind the head comes as the text that it is."""
    desk = Desk()
    text = _text("lines" if form == "gz" else form, late % _LONG)
    desk.put("a.json", gzip.compress(text.encode()) if form == "gz" else text)
    sql = f"SELECT {column} AS v FROM data WHERE id IS NULL"
    assert str(desk.value("a.json", sql)).strip('"') == value


def test_fractions_of_long_text_are_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too long to be looked at has the digits of a double."""
    monkeypatch.setattr("s3_data_lake_mcp.engines.tables.WATCHED_BYTES", 1_000)
    desk = Desk()
    desk.put("a.json", _text("lines", f'{{"x": {_LONG}}}'))
    assert desk.value("a.json", "SELECT x FROM data WHERE id IS NULL") == float(_LONG)


def test_objects_read_by_the_sql_itself_do_not_hide_digits() -> None:
    """What a reader in the SQL has read, and the engine keeps, is no way around."""
    desk = Desk()
    desk.put("a.json", _text("lines", f'{{"x": {_LONG}}}'))
    count = "SELECT count(*) FROM read_json('s3://lake/a.json')"
    assert desk.value("a.json", count) == 8_001
    assert desk.value("a.json", "SELECT x FROM data WHERE id IS NULL") == _LONG


@given(
    st.integers(0, 10**25).flatmap(lambda most: st.integers(0, most)),
    st.text("0123456789", min_size=1, max_size=25) | st.text("05", min_size=20, max_size=40),
    st.binary(max_size=40),
)
def test_every_long_fraction_is_found(whole: int, fraction: str, around: bytes) -> None:
    """The quick ways of looking find what the pattern finds; zeros in front do not count."""
    padding = around.translate(bytes.maketrans(b"0123456789.", b"abcdefghijk"))
    number = f"{whole}.{fraction}".encode()
    found = has_long_fraction(padding + b'{"a": ' + number + b"}" + padding)
    assert found == (len(f"{whole}{fraction}".lstrip("0")) > 17)


@given(st.lists(st.floats(-1e15, 1e15), min_size=1))
def test_what_tells_a_double_is_no_long_fraction(numbers: list[float]) -> None:
    """Languages write up to 17 digits: such an object took thirty times as long."""
    assert not has_long_fraction(json.dumps(numbers).encode())
    assert not has_long_fraction(json.dumps([abs(each) % 0.1 for each in numbers]).encode())


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_number_in_two_pieces_is_found(cut: int) -> None:
    """A number may lie across the end of what is read at once, in either order."""
    data = b'{"a": 0.12345678901234567890, "b": 1}'
    pieces = [(0, data[:cut]), (cut, data[cut:])]
    for first, second in (pieces, reversed(pieces)):
        look = without_long_fractions("p")
        with pytest.raises(SurpriseError):
            _look_at(look, first, second)


def _look_at(look: Look, *pieces: tuple[int, bytes]) -> None:
    for at, data in pieces:
        look(at, data)


def test_long_integers_and_prices_pass() -> None:
    """Numbers that a double or an integer holds are no reason to read slowly."""
    text = b'{"id": 1234567890123456789012, "p": 12.5, "lat": 47.1234567890123, "t": "3.1"}\n'
    assert not has_long_fraction(text * 50)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, -3], "BIGINT"),
        ([2**62, -1], "BIGINT"),
        ([2**63, -1], "HUGEINT"),
        ([7, 2**64], "HUGEINT"),
        ([10**20, None, -(10**36)], "HUGEINT"),
        ([[3, 10**25 + 1]], "HUGEINT[]"),
        ([-1, 0.5], "DOUBLE"),
        ([[1, -2]], "BIGINT[]"),
    ],
)
def test_integers_are_no_wider_than_they_must_be(values: list[object], kind: str) -> None:
    """A sign makes no integer huge, and none that is huge loses a digit."""
    desk = Desk()
    desk.put("a.json", "\n".join(json.dumps({"v": value}) for value in values))
    assert desk.value("a.json", "SELECT typeof(any_value(v)) FROM data") == kind
    found = desk.run("a.json", "SELECT v FROM data").table.column(0).to_pylist()
    assert [[*map(int, v)] if isinstance(v, list) else v for v in found] == values


@pytest.mark.parametrize("other", [2**63, -(10**20), 10**38 - 1, 2.5, None])
def test_numbers_have_one_type(other: float | None) -> None:
    """Parsed here, they are of the type that a query gives them."""
    records = [{"v": 7}, {"v": other}]
    desk = Desk()
    desk.put("a.json", json.dumps(records))
    kind = desk.run("a.json", "SELECT v FROM data").table.schema.field(0).type
    assert table_of(records, "a.json").schema.field(0).type == kind


def test_fractions_that_doubles_hold_leave_numbers_numbers() -> None:
    """Of 17 digits, a double may hold other ones than are written."""
    desk = Desk()
    desk.put("a.json", '{"v": 0.5}\n{"v": 3.1415926535897932}')
    assert desk.run("a.json", "SELECT v FROM data").table.column(0).to_pylist() == [0.5, math.pi]


@pytest.mark.parametrize("value", ["1e+20", "1.5E17", "-1.2345678901234567e20", "6.02214076e23"])
@pytest.mark.parametrize("form", ["lines", "array"])
def test_exponents_are_no_digits(form: str, value: str) -> None:
    """The engine writes doubles of up to 21 digits without an exponent: the column came as text."""
    desk = Desk()
    for late in (1, 8_001):
        text = _text(form, f'{{"x": {value}}}')
        desk.put(f"{late}.json", text if late > 1 else f'[{{"x": {value}}}, {{"x": 0.5}}]')
        assert desk.value(f"{late}.json", "SELECT max(abs(x)) FROM data") == abs(float(value))


def test_integers_of_as_many_digits_keep_them() -> None:
    """Only what has a point is a double to the engine."""
    desk = Desk()
    desk.put("a.json", '[{"x": 123456789012345678901}, {"x": 0.5}]')
    assert (
        desk.value("a.json", "SELECT max(CAST(x AS VARCHAR)) FROM data") == "123456789012345678901"
    )
