"""How objects become tables of the engine: the loaders' own dialects, types and rows, exactly."""

import bz2
import gzip
import json
import lzma
import math
import re
from datetime import date, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.engines.casts import _PATTERNS, checked_cast, misfit_of
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.csv_table import CsvTable
from s3_data_lake_mcp.engines.tables import type_name
from s3_data_lake_mcp.errors import LakeError, LimitExceededError, MalformedDataError
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.csv_types import guess
from s3_data_lake_mcp.loaders.json import JsonLoader
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.engine import Desk
from support.parquet_files import parquet_bytes

MANY = 3_000
CSV = {
    "plain": b'id,name\n1,Anna\n2,"C, D"\n',
    "short-rows": b"a,b,c\n1,2\n3,4,5\n6\n",
    "long-rows": b"a,b,c\n1,2,3,4\n4,5,6\n",
    "a-long-row-late": b"a,b,c\n" + b"4,5,6\n" * MANY + b"1,2,3,4\n7,8,9\n",
    "irregular-crlf": b"a,b\r\n" + b"1,2\r\n" * MANY + b'3\r\n4,"x, y"\r\n5,6,7\r\n',
    "irregular-and-mixed": b"a,b\n" + b"1,2\n" * MANY + b"3\n4,5\r\n6,7,8\r9,10\n",
    "irregular-and-not-utf-8": b"a,b\n" + b"1,2\n" * 40_000 + b"3\n4,\xe9\n",
    "trailing-delimiters": b"a,b,c\n1,2,3,\n4,5,6\n",
    "blank-lines": b"a,b\n\n1,2\n\n\n3,4\n",
    "one-column": b'a\n\n1\n\n"x"\n""\n',
    "crlf": b"a,b\r\n1,2\r\n",
    "cr": b"a,b\r1,2\r3,4\r",
    "mixed-line-ends": b"a,b\n1,2\r\n3,4\r5,6\n",
    "spaces-before-quotes": b'a,b,c\n1, "x",3\n4, "y",6\n',
    "spaces-behind-quotes": b'a,b,c\n1,"x" ,3\n',
    "spaces-before-quotes-late": b"a,b\n" + b"1,x\n" * MANY + b'2, "y, z"\n3, "w"\n',
    "spaces-behind-quotes-late": b'a,b\n1,""\n' + b"1,x\n" * 40_000 + b'3,"w"  \n4,x\n',
    "quotes-inside": b'a,b,c\n1,x"y,3\n4,"y"z,6\n',
    "empty-quoted": b'a,b,c\n1,"",\n,,\n"","",""\n',
    "lines-in-quotes": b'a,b,c\n1,2,"x\ny"\n3,4,"5\r\n6"\n6,"7",8\n',
    "byte-order-mark": b"\xef\xbb\xbfa,b\n1,2\n",
    "utf-16": "a,b\n1,é\n".encode("utf-16"),
    "windows-1252-late": b"a,b\n" + b"1,x\n" * 40_000 + "2,é\n".encode("cp1252"),
    "backslashes": b'a,b\n1,"x\\"y"\n2,"x""y"\n3,x\\,y\n',
    "tabs": b"a\tb\n1\t2\n",
    "semicolons": b"a;b\n1,5;2\n",
    "single-quotes": b"a,b\n'x,y',2\n'z',3\n",
    "no-header": b"1,2\n3,4\n5,6\n",
    "duplicate-names": b"a,a,b\n1,2,3\n",
    "null-tokens": b"a,b\n1,x\nNA,NA\n3,NULL\n",
    "null-token-late": b"a,b\n" + b"1,x\n" * MANY + b"N/A,y\n",
    "fraction-late": b"a,b\n" + b"1,x\n" * MANY + b"1.5,y\n",
    "leading-zero-late": b"a,b\n" + b"12345,x\n" * MANY + b"01234,y\n",
    "text-late": b"a,b\n" + b"1,x\n" * MANY + b"hello,y\n",
    "many-digits": b"a,b\n12345678901234567890,0.12345678901234567890\n",
    "many-digits-late": b"a,b\n"
    + b"1,1.5\n" * MANY
    + b"12345678901234567890,0.1234567890123456789\n",
    "moments": b"d,t,z,h\n2026-01-01,2026-01-01T10:00:00,2026-01-01T10:00:00Z,10:00:00\n",
    "nanoseconds-late": b"t\n"
    + b"2026-01-01 10:00:00\n" * MANY
    + b"2026-01-01 10:00:00.123456789\n",
    "no-such-day-late": b"d\n" + b"2026-01-01\n" * MANY + b"2026-02-30\n",
    "booleans": b"a\ntrue\nfalse\n",
    "an-empty-column": b"a,b\n1,\n2,\n",
    "a-header-of-two-lines": b'"a\nb",c\n1,2\n',
    "named-delimiter": b"sep=;\na;b\n1;2\n",
    "spaces": b"a,b\n 1 , x \n",
    "header-only": b"a,b\n",
    "a-long-line": b"a,b\n1," + b"x" * 3_000_000 + b"\n2,y\n",
}


def read_csv(desk: Desk, key: str) -> pa.Table:
    """Return all rows as the CSV loader reads them."""
    ref = ObjectRef(bucket=desk.bucket, key=key)
    source = ObjectReader.open_head(desk.store, ref, ScanMeter())
    return CsvLoader().load(source, CsvRequest(max_rows=1_000_000)).table


@pytest.mark.parametrize("name", CSV)
def test_csv_is_what_the_loader_reads(name: str) -> None:
    """A query sees the rows, names and types of a reading, and their number."""
    desk = Desk()
    desk.put("a.csv", CSV[name])
    read = read_csv(desk, "a.csv")
    queried = desk.run("a.csv", max_rows=1_000_000).table
    assert queried.schema.types == read.schema.types
    assert queried.to_pydict() == read.to_pydict()
    assert desk.value("a.csv", "SELECT count(*) FROM data") == read.num_rows


@pytest.mark.parametrize("name", ["plain", "fraction-late", "short-rows", "utf-16"])
@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_compressed_csv_is_the_same(name: str, suffix: str, compress: Any) -> None:
    """Compression changes nothing."""
    desk = Desk()
    desk.put("a.csv", CSV[name])
    desk.put(f"a.csv.{suffix}", compress(CSV[name]))
    assert desk.rows(f"a.csv.{suffix}") == desk.rows("a.csv")


def test_torn_compression_is_an_error() -> None:
    """A compressed text that is cut off is no shorter table."""
    desk = Desk()
    desk.put("a.csv.gz", gzip.compress(CSV["fraction-late"])[:-20])
    with pytest.raises(MalformedDataError, match="cut off"):
        desk.run("a.csv.gz", "SELECT count(*) FROM data")


def test_decoded_bytes_are_bounded() -> None:
    """A small object that decompresses to more than is allowed is refused."""
    desk = Desk()
    desk.settings = desk.settings.model_copy(update={"max_decoded_bytes": 1_000_000})
    desk.__post_init__()
    desk.put("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))
    with pytest.raises(LimitExceededError, match="1,000,000"):
        desk.run("a.csv.gz", "SELECT count(*) FROM data")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("short-rows", "2 rows .* too few fields, .* line 2, 4"),
        ("long-rows", "1 row .* too many fields, .* line 2"),
        ("null-tokens", "NA was read as null"),
        ("null-token-late", "N/A was read as null"),
        ("fraction-late", "1.5"),
        ("leading-zero-late", "01234"),
        ("windows-1252-late", "s3://.* Windows-1252 .* from line 40,002 on"),
    ],
)
def test_what_was_not_plain_is_said(name: str, said: str) -> None:
    """Rows mended or left out, nulls and wider columns are in the notices."""
    desk = Desk()
    desk.put("a.csv", CSV[name])
    result = desk.run("a.csv", "SELECT * FROM data ORDER BY 1")
    assert any(re.search(said, notice) for notice in result.notices)


def test_many_columns_that_flip_late_cost_few_scans() -> None:
    """However many columns turn out to be wider, the object is read a few times, not once each."""
    desk = Desk()
    width = 40
    rows = [",".join("1" for _ in range(width))] * MANY
    for column in range(width):
        odd = ["1.5", "N/A", "text", "01"][column % 4]
        rows.append(",".join(odd if at == column else "1" for at in range(width)))
    desk.put("a.csv", "\n".join([",".join(f"c{at}" for at in range(width)), *rows]) + "\n")
    views: list[int] = []
    select = CsvTable.select

    def counted(table: CsvTable, session: Session) -> str:
        views.append(1)
        return select(table, session)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CsvTable, "select", counted)
        table = desk.run("a.csv", "SELECT * FROM data", max_rows=MANY + width).table
    assert [str(kind) for kind in table.schema.types[:4]] == ["double", "int64", "string", "string"]
    assert len(views) < 8


def test_many_columns_that_flip_late_are_told_in_few_words() -> None:
    """The notices leave room for rows, however many columns there are."""
    desk = Desk()
    names, row = ",".join(f"c{at}" for at in range(90)), ",".join("1" * 90) + "\n"
    desk.put("a.csv", f"{names}\n{row * 400}{row.replace('1', 'x')}{row.replace('1', 'NA')}")
    notices = desk.run("a.csv", "SELECT * FROM data").notices
    assert sum(map(len, notices)) < 2_000
    assert notices[-1].startswith("80 more columns have other types than the head shows: c10, c11,")


def lines(*records: str) -> bytes:
    """Return JSON Lines."""
    return ("\n".join(records) + "\n").encode()


JSON = {
    "lines.jsonl": lines('{"a":1,"b":"x"}', '{"a":2,"b":null}'),
    "array.json": b'[{"a":1},\n{"a":2,"b":"x"}]',
    "pretty.json": b'[\n {\n "a": 1\n },\n {\n "a": 2\n }\n]\n',
    "object.json": b'{"a":{"b":[1,2]},"c":"x"}',
    "scalars.jsonl": lines("1", "2", '"x"', "null"),
    "scalars.json": b"[1, 2.5, null]",
    "mixed.jsonl": lines('{"a":1}', "5", "null"),
    "empty.json": b"[]",
    "bad-line.jsonl": lines('{"a":1}', "{bad}", "", '{"a":3}'),
    "bad-line-late.jsonl": lines(*['{"a":1}'] * MANY, "{bad}", '{"a":3}'),
    "several-bad.jsonl": lines(*['{"a":1,"b":{"c":[2]}}'] * 20_000, "{bad", '{"a":3}', "]", "5"),
    "spread.jsonl": b'{\n"a":1\n}\n{\n"a":\n2\n}\n{bad}\n',
    "repeated-late.jsonl": lines(*['{"a":1}'] * 20_000, '{"a":1,"a":2}', "{bad}"),
    "surrogate-late.jsonl": lines(*['{"a":"x"}'] * 20_000, '{"a":"\\ud800"}', '{"a":"y"}'),
    "digits-late.jsonl": lines(*['{"a":"x"}'] * 20_000, "{bad}", '{"a":0.12345678901234567891}'),
    "fraction-late.jsonl": lines(*['{"a":1}'] * MANY, '{"a":1.5}'),
    "text-late.jsonl": lines(*['{"a":1}'] * MANY, '{"a":"x"}'),
    "inside-late.jsonl": lines(*['{"a":{"x":1,"l":[1]}}'] * MANY, '{"a":{"x":1.5,"l":[2.5]}}'),
    "key-late.jsonl": lines(*['{"a":1}'] * MANY, '{"b":1}'),
    "digits.jsonl": lines('{"a":12345678901234567890123,"b":0.1234567890123456789,"c":1e400}'),
    "repeated-key.jsonl": lines('{"a":1,"a":2}'),
    "surrogate.jsonl": lines('{"a":"\\ud800"}', '{"a":"x"}'),
    "mark.jsonl": b'\xef\xbb\xbf{"a":1}\n',
    "utf-16.json": '[{"a":"é"}]'.encode("utf-16"),
    "not-a-number.jsonl": lines('{"a":NaN}', '{"a":1}'),
    "many-keys.jsonl": lines(*[f'{{"k{i}":1}}' for i in range(300)]),
    "booleans.jsonl": lines('{"a":true}', '{"a":false}'),
    "escapes.jsonl": lines('{"a":"x\\ny\\u00e9\\"q\\""}'),
    "quotes.jsonl": lines('{"it\'s":1,"s":{"o\'k":2},"a \\"b\\"":3,"x.y":{"z.w":4}}'),
    "zeros.jsonl": lines('{"a":-0}', '{"a":-0.0}'),
    "lines.jsonl.gz": gzip.compress(lines('{"a":1}', '{"a":2}')),
    "array.json.bz2": bz2.compress(b'[{"a":1},{"a":2}]'),
}


@pytest.mark.parametrize("key", JSON)
def test_json_is_what_the_loader_reads(key: str) -> None:
    """A query sees the records of a reading as rows, and their number."""
    desk = Desk()
    desk.put(key, JSON[key])
    ref = ObjectRef(bucket=desk.bucket, key=key)
    source = ObjectReader.open_head(desk.store, ref, ScanMeter())
    read = JsonLoader().load(source, LoadRequest(max_rows=1_000_000)).table
    queried = desk.run(key, max_rows=1_000_000).table
    assert queried.to_pylist() == read.to_pylist()
    assert desk.value(key, "SELECT count(*) FROM data") == read.num_rows


def test_moments_in_json_have_types() -> None:
    """Texts that are all dates or times can be compared as such; others stay text."""
    desk = Desk()
    record = '{"d":"2026-01-0%d","t":"2026-01-01T00:00:00Z","n":"007"}'
    desk.put("a.jsonl", lines(record % 1, record % 2))
    result = desk.run("a.jsonl", "SELECT * FROM data WHERE d > DATE '2026-01-01'")
    assert result.table.num_rows == 1
    assert [str(kind) for kind in result.table.schema.types] == [
        "date32[day]",
        "timestamp[us, tz=UTC]",
        "string",
    ]


def test_a_bad_line_is_counted_and_named() -> None:
    """What is no JSON among JSON Lines is left out, not in silence."""
    desk = Desk()
    desk.put("a.jsonl", JSON["bad-line-late.jsonl"])
    (notice,) = desk.run("a.jsonl", "SELECT sum(a) FROM data").notices
    assert "1 line is not JSON and left out: line 3001" in notice


def test_a_key_that_comes_late_is_found_when_it_is_named() -> None:
    """A column that only later records of a long object have can be asked for."""
    desk = Desk()
    filler = "x" * 90
    desk.put("a.jsonl", lines(*[f'{{"a":1,"s":"{filler}"}}'] * 100_000, '{"b":7}'))
    assert any("further keys" in notice for notice in desk.run("a.jsonl", max_rows=5).notices)
    assert desk.value("a.jsonl", "SELECT sum(b) FROM data") == 7


_NUMBERS = st.one_of(
    st.floats(),
    st.integers(),
    st.decimals(places=2, allow_nan=False, allow_infinity=False),
    st.text("0123456789.-eE+", max_size=24),
)


@pytest.mark.parametrize("cents", [False, True])
@given(values=st.lists(_NUMBERS))
@example(values=["-0.00", "007.10", ".50", "9999999999999.99", "99999999999999.99", "1.005"])
@example(values=[10**19, "10000000000000000000.00", "1e19", "120e15", "1000000000000000.50"])
@example(values=["2.5e-300", "5e-324", "4e-324", "4.940656e-324", "1.2345e-320", "0e-400", ".0"])
@settings(max_examples=60, deadline=None)
def test_casts_let_through_what_the_loader_calls_a_value(
    values: list[Any],
    cents: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A cast returns exactly the values that the loader reads as its type, and refuses the rest."""
    connection = duckdb.connect()
    for value in values:
        text = repr(value) if isinstance(value, float) else str(value)
        kind = type_name(guess([text])) if text else ""
        for target in ("BIGINT", "DOUBLE"):
            cast = checked_cast("v", target, (1, "c"), cents=cents)
            try:
                ((got,),) = connection.execute(
                    f"SELECT {cast} FROM (SELECT ? AS v)", [text]
                ).fetchall()
            except duckdb.Error as exc:
                misfit = misfit_of(exc)
                assert misfit is not None
                assert (misfit.table, misfit.column, misfit.value) == (1, "c", text[:60])
                assert kind != target or (target == "BIGINT" and abs(int(text)) >= 2**63)
            else:
                assert kind in {target, "BIGINT"}
                assert math.isclose(float(got), float(text), rel_tol=0)


def test_every_castable_type_has_a_cast() -> None:
    """Each type casts some text, and null stays null."""
    examples = {
        "BIGINT": "-5",
        "HUGEINT": "12345678901234567890",
        "DOUBLE": "1.5e3",
        "BOOLEAN": "true",
        "DATE": "2026-01-05",
        "TIME": "10:00:00.5",
        "TIMESTAMP": "2026-01-05 10:00:00.123456",
        "TIMESTAMP_NS": "2026-01-05T10:00:00.123456789",
        "TIMESTAMPTZ": "2026-01-05T10:00:00+05:30",
        "TIMESTAMPTZ_NS": "2026-01-05T10:00:00.123456789Z",
    }
    assert _PATTERNS.keys() == examples.keys()
    for kind, text in examples.items():
        cast = checked_cast("v", kind, (0, "c"), tokens=True)
        rows = duckdb.execute(
            f"SELECT {cast} IS NULL FROM (VALUES (?), ('NA'), (NULL)) t(v)", [text]
        ).fetchall()
        assert [null for (null,) in rows] == [False, True, True]


def test_booleans_are_the_words_of_the_loader() -> None:
    """Words of the type become their value; any other is a misfit."""
    cast = checked_cast("v", "BOOLEAN", (0, "c"))
    words = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}
    for text, value in (words | {"FALSE": False}).items():
        assert duckdb.execute(f"SELECT {cast} FROM (SELECT ? AS v)", [text]).fetchall() == [
            (value,)
        ]
    for text in ("tRUE", "t", "1", "yes", "", " true"):
        with pytest.raises(duckdb.InvalidInputException) as caught:
            duckdb.execute(f"SELECT {cast} FROM (SELECT ? AS v)", [text]).fetchall()
        assert misfit_of(caught.value) is not None


@pytest.mark.parametrize("kind", sorted(_PATTERNS))
def test_columns_that_are_not_asked_for_cost_nothing(kind: str) -> None:
    """The plan of a query reads no column that only an unused cast needs."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t AS SELECT '1' AS unused, '2' AS used FROM range(9)")
    cast = checked_cast("unused", kind, (0, "c"), tokens=True, empty=True)
    view = f"SELECT {cast} AS a, used FROM t"
    ((_, plan),) = connection.execute(f"EXPLAIN SELECT max(used) FROM ({view})").fetchall()
    assert "unused" not in plan


@pytest.fixture(scope="module")
def year() -> Desk:
    """Return an engine over a year-long dataset of each format; the schema changes in it."""
    desk = Desk()
    for number in range(365):
        day = date(2025, 1, 1) + timedelta(days=number)
        columns: dict[str, list[Any]] = {"id": [number, number], "v": [1.5, 2.5]}
        rows = "".join(f"{number},{v}\n" for v in (1.5, 2.5))
        body = f"id,v\n{rows}"
        if number >= 200:
            columns["extra"] = ["x", "y"]
            body = "v,id,extra\n" + "".join(f"{v},{number},x\n" for v in (1.5, 2.5))
        desk.put(f"p/dt={day}/a.parquet", parquet_bytes(pa.table(columns)))
        desk.put(f"c/dt={day}/a.csv", body)
        records = pa.table(columns).to_pylist()
        desk.put(f"j/dt={day}/a.jsonl", lines(*map(json.dumps, records)))
    desk.put("p/_SUCCESS", b"")
    desk.put("p/_delta_log/0.json", b"{}")
    desk.put("p/dt=2025-01-01/.a.parquet.crc", b"x")
    return desk


@pytest.mark.parametrize("key", ["p/", "c/", "j/", "p/*/*.parquet"])
def test_one_day_of_a_year_costs_few_requests(year: Desk, key: str) -> None:
    """A predicate on the partition opens the objects that it leaves, and the newest one."""
    fresh = Desk(store=year.store)
    sql = "SELECT count(*) AS n, max(id) AS id FROM data WHERE dt = '2025-03-05'"
    assert fresh.rows(key, sql) == [{"n": 2, "id": 63}]
    assert fresh.meter.requests <= 6


@pytest.mark.parametrize("where", ["area = 'a)('", "area IN ('a)(', 'x')", "\"ar)(ea\" = 'it''s('"])
def test_predicates_on_all_partitions_prune_together(where: str) -> None:
    """Of 200 objects in two levels, those are opened that both predicates leave."""
    desk = Desk()
    column = "ar)(ea" if "ar)(ea" in where else "area"
    for day in range(20):
        for area in ("a)(", "it's(", *"bcdefghi"):
            body = parquet_bytes(pa.table({"id": [day]}))
            desk.put(f"t/day={day}/{column}={area}/a.parquet", body)
    asked = Desk(store=desk.store)
    sql = f"SELECT count(*) AS n, max(id) AS id FROM data WHERE day = 7 AND {where}"
    assert asked.rows("t/", sql) == [{"n": 1, "id": 7}]
    assert asked.meter.requests <= 5


@pytest.mark.parametrize("key", ["p/", "c/", "j/"])
def test_many_objects_are_one_table(year: Desk, key: str) -> None:
    """All rows are read, columns meet by name, and partitions have types."""
    sql = "SELECT count(*) AS n, sum(id) AS s, count(extra) AS e, max(month(dt)) AS m FROM data"
    expected = {"n": 730, "s": sum(range(365)) * 2, "e": 330, "m": 12}
    assert year.rows(key, sql) == [expected]


def test_columns_come_from_every_object_that_is_read(year: Desk) -> None:
    """A column that only newer objects have is null in the older ones."""
    sql = "SELECT extra FROM data WHERE dt = '2025-01-01'"
    assert year.rows("p/", sql) == [{"extra": None}, {"extra": None}]


def test_types_that_differ_become_wider() -> None:
    """Objects whose columns have different types meet in one that loses nothing."""
    desk = Desk()
    desk.put("p/1.parquet", parquet_bytes(pa.table({"a": [1], "s": [{"x": 1}]})))
    desk.put("p/2.parquet", parquet_bytes(pa.table({"a": ["01"], "s": [{"x": 2, "y": "z"}]})))
    assert desk.rows("p/") == [
        {"a": "1", "s": {"x": 1, "y": None}},
        {"a": "01", "s": {"x": 2, "y": "z"}},
    ]
    desk.put("c/1.csv", "a\n1\n")
    desk.put("c/2.csv", "a\n01\n")
    assert desk.rows("c/") == [{"a": "1"}, {"a": "01"}]


def test_ten_thousand_objects_work() -> None:
    """First rows of very many objects cost the listing and a few of them."""
    desk = Desk()
    body = parquet_bytes(pa.table({"a": [1, 2]}))
    for number in range(10_000):
        desk.put(f"p/x={number % 50}/{number:05}.parquet", body)
    assert desk.run("p/", max_rows=5).table.num_rows == 6
    assert desk.meter.requests < 200
    assert desk.value("p/", "SELECT count(*) FROM data WHERE x = 7") == 400


def test_one_of_very_many_that_differs_is_noticed() -> None:
    """Of many objects some are only thought to be like others; a wrong guess is corrected."""
    desk = Desk()
    for number in range(200):
        desk.put(f"c/{number:03}.csv", "a,b\n1,x\n" if number != 77 else "b,a\ny,5\n")
        columns: dict[str, list[Any]] = {"a": [1]} if number != 77 else {"a": [1], "late": ["z"]}
        desk.put(f"p/{number:03}.parquet", parquet_bytes(pa.table(columns)))
    assert desk.value("c/", "SELECT sum(a) FROM data") == 204
    assert desk.value("p/", "SELECT count(late) FROM data") == 1


def test_other_formats_under_a_prefix_are_left_out_and_named() -> None:
    """The format that most objects have is read, and the notice says what is not."""
    desk = Desk()
    for number in range(3):
        desk.put(f"m/{number}.csv", "a\n1\n")
    desk.put("m/x.parquet", parquet_bytes(pa.table({"b": [1]})))
    result = desk.run("m/")
    assert result.table.num_rows == 3
    assert "m/x.parquet" in result.notices[0]


@pytest.mark.parametrize(
    "key",
    ["a?b*[1].csv", "a/../x.csv", "a//z.csv", "it's.csv", "ü %20#.csv", "dt=1/x.csv", "a\\b.csv"],
)
def test_any_key_can_be_read(key: str) -> None:
    """Keys are taken literally, as `data` and as a URI in the SQL."""
    desk = Desk()
    desk.put(key, "a\n1\n")
    assert desk.rows(key) == [{"a": 1}]
    uri = f"s3://lake/{key}".replace('"', '""')
    assert desk.rows(key, f'SELECT * FROM "{uri}"') == [{"a": 1}]


def test_hive_values_keep_their_digits() -> None:
    """A partition `007` is text, null partitions are null, escapes are undone."""
    desk = Desk()
    for value in ("007", "__HIVE_DEFAULT_PARTITION__", "a%20b"):
        desk.put(f"t/p={value}/a.csv", "n\n1\n")
    assert {row["p"] for row in desk.rows("t/")} == {"007", None, "a b"}


def test_errors_name_the_column_and_what_there_is(year: Desk) -> None:
    """A wrong column of a dataset is an error with the right ones."""
    with pytest.raises(LakeError) as caught:
        year.run("p/", "SELECT vv FROM data WHERE dt = '2025-01-01'")
    assert caught.value.code == "unknown_column"
