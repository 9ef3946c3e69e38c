"""Numbers of JSON are read as JSON: that gives what reading them as text gives."""

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.engines.casts import checked_cast, checked_json, misfit_of
from support.engine import Desk

_KINDS = ("BIGINT", "HUGEINT", "DOUBLE", "BOOLEAN")
_ODD = [
    *("0", "-0", "-0.0", "1.50", "1e5", "1E22", "1e0005", "100000000000000000000", "1e999"),
    *("9223372036854775808", "0.12345678901234567890", "1e-300", "1e-320", "5e-324", "0e0"),
    *('"5"', '"0x5"', '"007"', '" 5"', '"1.5"', '"true"', '"TRUE"', '""', '"a\\"b"', '"é\\n"'),
    *("true", "false", "null", "[1]", '{"a":1}', '"NaN"', '"Infinity"', '"1e5"', '"null"'),
]


@pytest.fixture
def desk() -> Desk:
    """Return an engine over an empty store."""
    return Desk()


def _outcome(path: Path, stored: str, cast: str) -> object:
    """Return the only value of a file, or which misfit it is."""
    source = f"read_json('{path}', format='newline_delimited', columns={{'v': '{stored}'}})"
    try:
        ((value,),) = duckdb.execute(f"SELECT {cast} FROM {source}").fetchall()
    except duckdb.InvalidInputException as exc:
        misfit = misfit_of(exc)
        assert misfit is not None
        # Of large doubles the engine writes the exponent in two ways.
        return misfit.table, misfit.column, misfit.value.replace("e+", "e")
    return repr(value)


@pytest.mark.parametrize("kind", _KINDS)
def test_json_is_cast_as_its_text_is(kind: str, tmp_path: Path) -> None:
    """Numbers, words, texts that look like them, null, lists: each a value or a misfit for both."""
    place = (3, "v")
    for text in _ODD:
        path = tmp_path / "one.jsonl"
        path.write_text(f'{{"v":{text}}}\n')
        plain = _outcome(path, "VARCHAR", checked_cast("v", kind, place))
        assert _outcome(path, "JSON", checked_json("v", kind, place)) == plain, text


@given(values=st.lists(st.one_of(st.floats(allow_nan=False), st.integers(-(2**70), 2**70))))
@example(values=[0, 0.0, -0.0, 2**53 + 1, 1e290, 1e-290, 2.5e-300, 5e-324, 0.1 + 0.2])
@settings(max_examples=40, deadline=None)
def test_numbers_come_as_they_are_written(values: list[float]) -> None:
    """A column of numbers that doubles hold gives them back."""
    held = [v for v in values if float(v) == v and abs(v) < 1e290]
    desk = Desk()
    desk.put("a.jsonl", "\n".join(json.dumps({"n": {"v": v}, "x": 0.5}) for v in [0.5, *held]))
    found = [row["v"] for row in desk.rows("a.jsonl", "SELECT n.v AS v FROM data")]
    assert list(map(float, found)) == [0.5, *map(float, held)]


@pytest.mark.parametrize("before", [1_000, 400_000])
def test_a_text_among_numbers(desk: Desk, before: int) -> None:
    """Where all is looked through, it makes the column text; behind that, it is a number, too."""
    many = '{"v":1,"w":1.5,"l":[1]}\n' * before
    desk.put("a.jsonl", many + '{"v":"2","w":"2.5","l":["3",null]}\n')
    desk.put("b.jsonl", many + '{"v":"x","w":1e400,"l":[true]}\n')
    sql = "SELECT max(v) v, max(w) w, max(list_max(l)) l FROM data"
    (row,) = desk.rows("a.jsonl", sql)
    assert row == (
        {"v": "2", "w": "2.5", "l": "3"} if before < 9_999 else {"v": 2, "w": 2.5, "l": 3}
    )
    assert desk.value("b.jsonl", "SELECT max(v) FROM data") == "x"
    assert desk.value("b.jsonl", "SELECT max(w) FROM data") == "1e400"
    assert desk.value("b.jsonl", "SELECT max(l[1]) FROM data") == "true"


def test_a_subquery_beside_lists_is_joined_once(desk: Desk) -> None:
    """A volatile cast among the columns would have it run anew for each row outside."""
    desk.put("a.jsonl", "".join(f'{{"id":{i},"v":[{i}]}}\n' for i in range(9)))
    sql = "SELECT id FROM data a WHERE EXISTS (FROM data b WHERE b.id = a.id * 2)"
    assert len(desk.rows("a.jsonl", sql)) == 5
    (plan,) = desk.rows("a.jsonl", f"EXPLAIN {sql}")
    assert "Cross Product" not in plan["explain_value"]


@pytest.mark.parametrize("last", ["1.5", "\"it's' to INT64\"", '"a\\nb"', '"2026-01-31"', "{}"])
def test_a_misfit_in_a_list_widens_it(desk: Desk, last: str) -> None:
    """The error of a cast says which value it was, whatever that holds."""
    body = "".join(f'{{"v":[{i}]}}\n' for i in range(30_000))
    desk.put("a.jsonl", f'{body}{{"v":[{last}]}}\n')
    found = desk.value("a.jsonl", "SELECT v[1] FROM data OFFSET 30000")
    assert found == (json.loads(last) or "{}")
