"""Pages of delimited text: rows, what was wrong with them, positions, and what they cost."""

import gzip
from dataclasses import replace

import pytest

from s3_data_lake_mcp.errors import (
    InvalidArgumentError,
    LimitExceededError,
    MalformedDataError,
    UnknownColumnError,
)
from s3_data_lake_mcp.loaders import LoadResult, Position
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader
from support.lazy import LazyStore, Pattern
from support.memory import MemoryStore

PAGE = CsvRequest(max_rows=100)
WIDE = b",x" * 90


def line(number: int) -> bytes:
    """Return a row of 212 bytes."""
    return b"%09d,row %9d,%8d.25%b\n" % (number, number, number % 5000, WIDE)


BIG = Pattern(head=b"id,name,n" + b",x" * 90 + b"\n", record=line, count=5_000_000)


def opened(body: bytes | str, key: str = "x.csv") -> ObjectReader:
    """Store a body and open it by its head."""
    store = MemoryStore()
    ref = store.put("lake", key, body.encode() if isinstance(body, str) else body)
    return ObjectReader.open_head(store, ref, ScanMeter())


def load(body: bytes | str, request: CsvRequest = PAGE) -> LoadResult:
    """Load one page of a body."""
    return CsvLoader().load(opened(body), request)


def told(result: LoadResult, count: int) -> list[str]:
    """Return the notices about the first rows."""
    return [str(notice) for notice in result.told(count)]


def rows(result: LoadResult) -> list[list[object]]:
    """Return the rows as lists."""
    return [list(row.values()) for row in result.table.to_pylist()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n1,\n2,""\n', [[1, None], [2, ""]]),
        ('a,b\n1,x\n,""\n"",y\n', [["1", "x"], [None, ""], ["", "y"]]),
        ("a,b\n1,NA\n2,3\n", [[1, None], [2, 3]]),
        ("a,b\n1,NA\n2,x\n", [[1, "NA"], [2, "x"]]),
        ("a,b\n1,2", [[1, 2]]),
        ("a,b\r\n1,2\r\n3,4", [[1, 2], [3, 4]]),
        ("a,b\r1,2\r3,4\r", [[1, 2], [3, 4]]),
        ("a,b\n\n1,2\n\r\n\n3,4\n\n", [[1, 2], [3, 4]]),
        ("a,b\n1,2\r\n3,4\n5,6\r", [[1, 2], [3, 4], [5, 6]]),
        ('a,b\n1,"x\ny"\n2,"p\r\nq"\n', [[1, "x\ny"], [2, "p\r\nq"]]),
        ('a,b\n1," x "\n2, y \n', [[1, " x "], [2, " y "]]),
        ("a,b\n01234,1\n56789,2\n", [["01234", 1], ["56789", 2]]),
        ("a,b\n1,x\x00y\n", [[1, "x\x00y"]]),
        ("a\nx\n\ny\n", [["x"], ["y"]]),
        ('a\nx\n""\n', [["x"], [""]]),
        ("a,b\n", []),
        ("a,b", []),
        ("a;b\n1;2\n", [[1, 2]]),
    ],
)
def test_rows(text: str, expected: list[list[object]]) -> None:
    """Fields come as they are written, typed, with null for what is not there."""
    result = load(text)
    assert rows(result) == expected
    assert result.total_rows == len(expected)


def test_a_header_alone_has_columns() -> None:
    """A file with only a header has its columns, and no rows."""
    result = load("id,name\n")
    assert result.table.column_names == ["id", "name"]
    assert result.total_rows == 0


def test_short_and_long_rows_are_counted_and_named() -> None:
    """Rows with too few fields are filled, those with too many left out, each with its line."""
    result = load("a,b\n1\n1,2\n1,2,3\n\n1,2,3,4\n5\n6,7\n")
    assert rows(result) == [[1, None], [1, 2], [5, None], [6, 7]]
    assert result.total_rows == 4
    assert set(told(result, 4)) == {
        "2 rows had too few fields: filled with null (lines 2, 7).",
        "2 rows had too many fields: left out (lines 4, 6).",
    }


def test_many_bad_rows_are_named_in_part() -> None:
    """The first five lines are named; one row is not called rows."""
    many = load("a,b\n" + "1\n" * 2000 + "1,2\n" * 2100, replace(PAGE, max_rows=5000))
    assert told(many, 4100) == [
        "2,000 rows had too few fields: filled with null (lines 2, 3, 4, 5, 6 and 1,995 more)."
    ]
    assert told(load("a,b\n1,2\n3\n"), 2) == [
        "1 row had too few fields: filled with null (line 3)."
    ]


def test_the_row_that_proves_there_is_more_is_not_told_of() -> None:
    """A notice tells of the page's own rows."""
    assert told(load("a,b\n1,2\n3\n", CsvRequest(max_rows=1)), 1) == []


def test_null_tokens_are_told_once() -> None:
    """What was read as null is told, by token, with the columns."""
    text = "a,b,c\n1,NA,x\nNA,2,NA\n"
    assert told(load(text), 2) == ["NA was read as null in 2 columns (a, b)."]
    assert told(load("a\n1\nNULL\n"), 2) == ["NULL was read as null in column a."]


def test_types_hold_for_head_and_page() -> None:
    """A page has the types that its values share with those of the head, so pages agree."""
    text = "n,m\n" + "1,1\n" * 150 + "x,2.5\n"
    first = load(text)
    assert [str(t) for t in first.table.schema.types] == ["string", "double"]
    behind = load("n\n" + "1\n" * 40_000 + "x\n", replace(PAGE, offset=39_990))
    assert str(behind.table.schema.types[0]) == "string"


@pytest.mark.parametrize(
    ("columns", "names", "first"),
    [
        ((), ["a", "a_1", "b"], [1, 2, 3]),
        (("b", "a"), ["b", "a"], [3, 1]),
        (("a_1",), ["a_1"], [2]),
    ],
)
def test_columns(columns: tuple[str, ...], names: list[str], first: list[int]) -> None:
    """Columns come in the order asked for, duplicates by the names that they were given."""
    result = load("a,a,b\n1,2,3\n", replace(PAGE, columns=columns))
    assert result.table.column_names == names
    assert rows(result) == [first]


def test_columns_without_header() -> None:
    """Columns of a file without a header are called by number."""
    result = load("1,x\n2,y\n", replace(PAGE, columns=("column_2",)))
    assert rows(result) == [["x"], ["y"]]


def test_unknown_column() -> None:
    """A name that is not there brings the nearest ones, with types, and the call that works."""
    with pytest.raises(UnknownColumnError, match="has no column 'pirce'") as caught:
        load("id,price,name\n1,2.5,x\n", replace(PAGE, columns=("id", "pirce")))
    assert "price (double)" in caught.value.hint
    assert caught.value.repair == {"columns": ["id", "price"]}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'a,b\n1,2\n"3,4\n5,6\n', "opens a quote in line 3 that is never closed"),
        (b'a,b\n1,2\n"3' + b"x" * 100 + b"\n", "line 3"),
        (b"a,b\n" + b"1,2\n" * 20_000 + "é,1\n".encode() + b"\xe9,1\n", "line 20003"),
    ],
)
def test_torn_text_is_refused(body: bytes, why: str) -> None:
    """What cannot be read is named by its line."""
    with pytest.raises(MalformedDataError, match=why.replace("20003", "20,003")) as caught:
        load(body, replace(PAGE, max_rows=30_000))
    assert caught.value.hint


def test_an_open_quote_does_not_swallow_the_object() -> None:
    """A quote that is never closed ends the read after 16 MiB, whatever the object's size."""
    pattern = replace(BIG, head=b'id,name\n1,"open\n')
    meter = ScanMeter()
    store = LazyStore("x.csv", pattern)
    with pytest.raises((MalformedDataError, LimitExceededError), match="line 2"):
        CsvLoader().load(ObjectReader.open_head(store, store.ref, meter), PAGE)
    assert meter.bytes_read < 64 << 20


def test_a_first_line_without_end_does_not_bring_the_object() -> None:
    """Where there is no end of a line in 16 MiB, no more is read."""
    store = LazyStore("x.csv", Pattern(head=b"a,", record=lambda _: b"x" * 1000, count=200_000))
    meter = ScanMeter()
    with pytest.raises(LimitExceededError, match="begins with a record of more than"):
        CsvLoader().load(ObjectReader.open_head(store, store.ref, meter), PAGE)
    assert meter.bytes_read < 64 << 20


def test_a_long_line_is_over_the_limit() -> None:
    """A row of more than 16 MiB is refused, with its line."""
    pattern = replace(BIG, record=lambda _: b"x" * 1000, count=40_000, head=b"a,b\n1,2\n")
    store = LazyStore("x.csv", pattern)
    with pytest.raises(LimitExceededError, match="line 3"):
        CsvLoader().load(ObjectReader.open_head(store, store.ref, ScanMeter()), PAGE)


@pytest.mark.parametrize("offset", [3, 4, 1000])
def test_offset_behind_the_end(offset: int) -> None:
    """Behind the last row there are none, and the total is known."""
    result = load("a,b\n1,2\n3,4\n5,6\n", replace(PAGE, offset=offset))
    assert (rows(result), result.total_rows, result.offset) == ([], 3, offset)
    assert bool(result.notices) is (offset > 3)


def test_the_total_is_exact_or_unknown() -> None:
    """The number of rows is told where the end was seen."""
    text = "a\n" + "1\n" * 10
    assert load(text, CsvRequest(max_rows=9)).total_rows is None
    assert load(text, CsvRequest(max_rows=10)).total_rows == 10
    assert load(text, CsvRequest(max_rows=5, offset=5)).total_rows == 10


def test_text_may_turn_out_to_be_windows_1252() -> None:
    """Where an ASCII head is followed by Windows-1252, that is read and told, on all pages."""
    body = b"a,b\n" + b"1,x\n" * 20_000 + "2,café\n3,naïve\n".encode("cp1252")
    result = load(body, replace(PAGE, offset=19_999))
    assert rows(result) == [[1, "x"], [2, "café"], [3, "naïve"]]
    assert str(result.told(3)[0]).endswith("Windows-1252 (encoding) from line 20,002 on.")
    assert result.details["dialect"]["encoding"] == "cp1252"  # type: ignore[index] # its JSON
    rest = load(body, replace(PAGE, position=result.resume(2)))
    assert rows(rest) == [[3, "naïve"]]


def test_named_utf8_is_not_taken_for_windows_1252() -> None:
    """An encoding that the caller names is not doubted."""
    body = b"a,b\n" + b"1,x\n" * 20_000 + b"2,caf\xe9\n"
    with pytest.raises(MalformedDataError, match="line 20,002"):
        load(body, CsvRequest(max_rows=30_000, encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,4\n5,6\n",
        "1,2\n3,4\n5,6\n",
        "Title\nday;n\n1;2\n3;4\n5;6\n",
        "sep=;\na;b\n1;2\n3;4\n5;6\n",
        "m,n\nx,1,2\ny,3,4\nz,5,6\n",
        'a,b\n1,"x\\"y"\n2,"p\\",q"\n3,z\n',
        'a\tb\n1\t"x\n2\ty\n3\tz\n',
        "one column, here\nx\ny\nz\n",
        "a,b\n1\n1,2,3\n2,3\n3,4\n",
    ],
)
def test_a_position_keeps_the_form(text: str) -> None:
    """Whatever was detected, a page by position goes on as the page before."""
    whole = rows(load(text))
    first = load(text, CsvRequest(max_rows=1))
    rest = load(text, replace(PAGE, position=first.resume(1)))
    assert rows(first)[:1] + rows(rest) == whole
    assert rest.table.column_names == first.table.column_names
    assert rest.total_rows == len(whole)
    assert rest.details == first.details


def test_a_position_names_the_dialect_that_counts() -> None:
    """It may have been made by another version, which took the text for another dialect."""
    text = "a,b;c\n1,2;3\n4,5;6\n"
    first = load(text, replace(PAGE, max_rows=1, delimiter=";"))
    rest = load(text, replace(PAGE, position=first.resume(1)))
    assert rows(first)[:1] + rows(rest) == [["1,2", 3], ["4,5", 6]]
    assert rows(load(text)) == [[1, "2;3"], [4, "5;6"]]


@pytest.mark.parametrize(
    "position",
    [
        {"x": 1},
        {"at": -1, "line": 1, "row": 0},
        {"at": "0", "line": 1, "row": 0},
        {"at": 1 << 70, "line": 1, "row": 0},
        {"at": 4, "line": None, "row": 0},
    ],
)
def test_a_foreign_position_is_refused(position: Position) -> None:
    """A position that is none of this loader's is an invalid argument."""
    with pytest.raises(InvalidArgumentError, match="cursor"):
        load("a,b\n1,2\n", replace(PAGE, position=position))


def test_compressed_text() -> None:
    """Compressed text is read page by page like any other."""
    body = gzip.compress(b"a,b\n" + b"".join(b"%d,x\n" % i for i in range(300_000)))
    source = opened(body)
    first = CsvLoader().load(source, CsvRequest(max_rows=2))
    assert first.details["dialect"]["compression"] == "gzip"  # type: ignore[index] # its JSON
    far = CsvLoader().load(opened(body), CsvRequest(max_rows=2, offset=250_000))
    assert rows(far)[0] == [250_000, "x"]
    again = CsvLoader().load(opened(body), CsvRequest(max_rows=2, position=far.resume(2)))
    assert rows(again)[0] == [250_002, "x"]


def test_the_first_page_of_a_big_object_is_one_request() -> None:
    """A hundred rows of a gigabyte cost one request of 64 KiB."""
    store, meter = LazyStore("x.csv", BIG), ScanMeter()
    result = CsvLoader().load(ObjectReader.open_head(store, store.ref, meter), PAGE)
    assert result.table.num_rows == 101
    assert (meter.requests, meter.bytes_read) == (1, HEAD_BYTES)


def test_wide_rows_cost_two_requests() -> None:
    """What does not fit the head is fetched in one further request, of about its size."""
    pattern = replace(BIG, record=lambda i: b"%09d,%b\n" % (i, b"x" * 3000), head=b"id,text\n")
    store, meter = LazyStore("x.csv", pattern), ScanMeter()
    result = CsvLoader().load(ObjectReader.open_head(store, store.ref, meter), PAGE)
    assert result.table.num_rows == 101
    assert meter.requests == 2
    assert meter.bytes_read < 340_000


def test_a_page_by_position_is_two_requests() -> None:
    """Going on far into a gigabyte costs its head and the page."""
    store, meter = LazyStore("x.csv", BIG), ScanMeter()
    at = len(BIG.head) + 4_000_000 * BIG.record_bytes
    position: Position = {"at": at, "line": 4_000_002, "row": 4_000_000, "d": ",", "h": True}
    info, _ = store.get_head(store.ref, 1, ScanMeter())
    result = CsvLoader().load(ObjectReader(store, info, meter), replace(PAGE, position=position))
    assert rows(result)[0][0] == "004000000"
    assert meter.requests == 2
    assert meter.bytes_read == 2 * HEAD_BYTES
    assert result.offset == 4_000_000


def test_the_second_page_is_one_request() -> None:
    """Going on near the head fetches both at once."""
    store = LazyStore("x.csv", BIG)
    first = CsvLoader().load(ObjectReader.open_head(store, store.ref, ScanMeter()), PAGE)
    info, _ = store.get_head(store.ref, 1, ScanMeter())
    meter = ScanMeter()
    asked = replace(PAGE, position=first.resume(100))
    result = CsvLoader().load(ObjectReader(store, info, meter), asked)
    assert rows(result)[0][0] == "000000100"
    assert (meter.requests, meter.bytes_read < 2 * HEAD_BYTES) == (1, True)


def test_each_page_judges_the_same_head() -> None:
    """What stands behind the head changes nothing on a page for which more was fetched at once."""
    body = "a,é\n".encode() + b"1,x\n" * 16_500 + b"2,\xe9\xe8\xe0\n"
    first = load(body)
    with pytest.raises(MalformedDataError, match="not valid utf-8"):
        load(body, replace(PAGE, max_rows=20_000, position=first.resume(100)))
    second = load(body, replace(PAGE, position=first.resume(100)))
    assert second.table.column_names == ["a", "é"]


def test_offset_far_into_an_object_reads_little_more_than_is_before_it() -> None:
    """Skipping a hundred thousand rows reads them and not much more, in large parts."""
    store, meter = LazyStore("x.csv", BIG), ScanMeter()
    result = CsvLoader().load(
        ObjectReader.open_head(store, store.ref, meter), replace(PAGE, offset=100_000)
    )
    assert rows(result)[0][0] == "000100000"
    skipped = 100_000 * BIG.record_bytes
    assert skipped < meter.bytes_read < skipped * 1.1 + (1 << 20)
    assert meter.requests <= 2 + skipped // (1 << 20)
