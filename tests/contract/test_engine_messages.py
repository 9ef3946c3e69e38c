"""Values stand in the engine's messages, whatever they are: the error is one of the query."""

import io
import json
import re
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s3_data_lake_mcp.errors import LakeError, SqlError
from support.engine import Desk


def _body(form: str, value: str) -> bytes:
    if form == "json":
        return json.dumps([{"id": 1, "note": value}]).encode()
    if form == "csv":
        return f'id,note\n1,"{value}"\n'.encode()
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [1], "note": [value]}), sink)
    return sink.getvalue()


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("letter", ["é", "€", "😀"])
def test_a_value_may_be_cut_in_the_midst_of_a_character(form: str, letter: str) -> None:
    """The engine does so with text that is no JSON."""
    desk = Desk()
    for before in range(4):
        desk.put(f"a.{form}", _body(form, f"{{{'x' * before}{letter * 300}"))
        with pytest.raises(SqlError, match="Malformed JSON") as caught:
            desk.run(f"a.{form}", "SELECT note::JSON->>'name' AS name FROM data")
        assert letter * 5 in str(caught.value)


def test_line_ends_in_a_value_cost_no_time() -> None:
    """They are not tried from each of them."""
    desk = Desk()
    desk.put("a.csv", _body("csv", "x" + "\n" * 60_000 + "y"))
    assert desk.value("a.csv", "SELECT count(*) FROM data") == 1
    began = time.process_time()
    with pytest.raises(SqlError, match="Could not convert string 'x"):
        desk.run("a.csv", "SELECT note::INT FROM data")
    assert time.process_time() - began < 1


def test_an_encoding_that_the_engine_lacks_comes_with_those_it_has() -> None:
    """One of them reads nearly anything."""
    desk = Desk()
    desk.put("a.csv", "id,note\n1,é\n".encode("cp1252"))
    source = "read_csv('s3://lake/a.csv', encoding='{}')"
    with pytest.raises(SqlError) as caught:
        desk.run("a.csv", f"SELECT note FROM {source.format('windows-1252')}")
    assert "utf-8, utf-16 and latin-1" in caught.value.hint
    assert desk.value("a.csv", f"SELECT note FROM {source.format('latin-1')}") == "é"


def test_of_a_reader_in_the_sql_nothing_is_said_that_another_does() -> None:
    """It has options of its own: what is null to `data`, or left out, may be none to it."""
    desk = Desk()
    desk.put("a.csv", "id,n\n1,7\n2,NA\n")
    assert desk.run("a.csv", "SELECT n FROM data").notices
    result = desk.run("", "SELECT n FROM read_csv('s3://lake/a.csv')")
    assert (result.table.column("n").to_pylist(), result.notices) == (["7", "NA"], [])


@pytest.mark.parametrize(
    ("body", "sql"),
    [
        (b"a,b\n" + "é,è\n".encode() * 9 + b"1,caf\xe9\n2,x\n", "FROM data"),
        (b"a,b\n1,\x8d\n2,x\n", "FROM data"),
        (b"a,b\n1,\x8d\n2,x\n", "FROM read_csv('s3://lake/a.csv', encoding='latin-1')"),
        (b"a,b\n1,\x8d\n2,x\n", "FROM read_csv('s3://lake/a.csv')"),
        (b'a,b\n1,"x\n2,x\n', "FROM data"),
    ],
)
def test_the_option_that_is_named_for_torn_text_reads_it(body: bytes, sql: str) -> None:
    """What else is tried of the hint would fail in the same way."""
    desk = Desk()
    desk.put("a.csv", body)
    with pytest.raises(LakeError) as caught:
        desk.run("a.csv", sql)
    option = re.findall(r"\w+=(?:''|true)", caught.value.hint)[-1]
    read = f"SELECT b FROM read_csv('s3://lake/a.csv', {option}, header=true)"
    assert desk.rows("a.csv", read)[-1] == {"b": "x"}


def test_a_duration_is_compared_with_seconds() -> None:
    """No cast makes a number of an interval, or the other way."""
    desk = Desk()
    desk.put("a.csv", "took\n60\n7200\n")
    with pytest.raises(SqlError, match="BIGINT and INTERVAL cannot be compared") as caught:
        desk.run("a.csv", "SELECT took FROM data WHERE took > INTERVAL 1 HOUR")
    assert "epoch(INTERVAL …)" in caught.value.hint
    assert desk.value("a.csv", "SELECT took FROM data WHERE took > epoch(INTERVAL 1 HOUR)") == 7200
