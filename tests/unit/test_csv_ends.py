"""Records that end in empty fields too many: a query leaves out what the read tool leaves out."""

import gzip
import random
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.engines.watched import (
    EmptyTextError,
    Look,
    RaggedError,
    watched_blocks,
    without_empty_ends,
    without_long_fractions,
    without_quoted_empties,
)
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest, Dialect
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.engine import BUCKET, Desk
from support.memory import MemoryStore

_DIALECT = Dialect(
    delimiter=",",
    quote='"',
    escape="",
    encoding="utf-8",
    has_header=True,
    compression="",
    newline="\n",
)
_COUNT = "SELECT count(*) AS n, sum(a) AS a, count(c) AS c FROM data"


def _text(extra: str, rows: int, last: str, quoted: str) -> str:
    lines = [f"{i},{quoted},{last if i % 2 else 3}" for i in range(rows)]
    lines.insert(rows * 4 // 5, extra)
    return "a,b,c\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("extra", ["9,9,9,", "9,9,9,,", "9,9,,", '9,"9",9,'])
@pytest.mark.parametrize("quoted", ["x", '"x, y"', '"x ""y"""'])
@pytest.mark.parametrize("last", ["3", ""])
@pytest.mark.parametrize("rows", [5, 400, 20_000])
def test_one_empty_field_too_many_is_seen_wherever_it_stands(
    extra: str, quoted: str, last: str, rows: int
) -> None:
    """A row with empty fields too many is left out and named, in the head and behind it."""
    desk = Desk()
    desk.put("a.csv", _text(extra, rows, last, quoted))
    result = desk.run("a.csv", _COUNT)
    (row,) = result.table.to_pylist()
    assert (row["n"], row["a"]) == (rows, sum(range(rows)))
    assert f"line {rows * 4 // 5 + 2}" in result.notices[-1]
    assert "too many fields, left out" in result.notices[-1]


@pytest.mark.parametrize("quoted", ["x", '"x, y"'])
def test_one_empty_field_too_many_is_seen_in_compressed_text(quoted: str) -> None:
    """What is decompressed on the way is judged alike."""
    desk = Desk()
    desk.put("a.csv.gz", gzip.compress(_text("9,9,9,", 20_000, "", quoted).encode()))
    result = desk.run("a.csv.gz", _COUNT)
    assert result.table.to_pylist()[0]["n"] == 20_000
    assert "line 16002" in result.notices[-1]


@pytest.mark.parametrize("key", ["{:03}", "it's {:03}", "a&b/{:03}", "z=b=c/{:03}", "x//{:03}"])
@pytest.mark.parametrize("extra", ["9,9,9,", "9,9,9,,"])
def test_a_ragged_record_of_one_of_very_many_objects_is_left_out(key: str, extra: str) -> None:
    """An object that nobody looked at, under whatever key, is read anew and its row named."""
    desk = Desk()
    for number in range(70):
        more = f"{extra}\n" if number == 3 else ""
        desk.put(f"d/{key.format(number)}.csv", f'a,b,c\n1,"",3\n{more}1,x,3\n')
    result = desk.run("d/", _COUNT)
    assert result.table.to_pylist() == [{"n": 140, "a": 140, "c": 140}]
    assert "line 3" in result.notices[-1]


@pytest.mark.parametrize("key", ["{:03}", "it's {:03}"])
def test_one_of_very_many_objects_has_another_header(key: str) -> None:
    """An object that nobody looked at is read by its own header, under whatever key."""
    desk = Desk()
    for number in range(70):
        header = "c,b,a" if number == 3 else "a,b,c"
        desk.put(f"d/{key.format(number)}.csv", f'{header}\n1,"",3\n')
    assert desk.value("d/", "SELECT sum(a) FROM data") == 72


def test_a_quote_behind_the_head_still_makes_empty_text() -> None:
    """Text that seemed to have no quotes is read anew when one comes: `""` is no null."""
    desk = Desk()
    plain = "".join(f"{i},x,\n" for i in range(20_000))
    desk.put("a.csv", f'a,b,c\n{plain}7,"",8\n7,,8\n')
    found = desk.rows("a.csv", "SELECT b, c FROM data WHERE c = '8' ORDER BY ALL")
    assert found == [{"b": "", "c": 8}, {"b": None, "c": 8}]


def test_long_text_is_read_as_the_engine_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too long to be looked at keeps its quoted empty texts, and a row that is ragged."""
    monkeypatch.setattr("s3_data_lake_mcp.engines.tables.WATCHED_BYTES", 1_000)
    desk = Desk()
    plain = "".join(f"{i},x,\n" for i in range(20_000))
    desk.put("a.csv", f'a,b,c\n{plain}7,"",8\n7,,8\n7,y,8,\n')
    found = desk.rows("a.csv", "SELECT b, c FROM data WHERE c = '8' ORDER BY ALL")
    assert found == [{"b": "", "c": 8}, {"b": "y", "c": 8}, {"b": None, "c": 8}]


def test_many_objects_with_late_quotes_are_read_anew_once() -> None:
    """A quote in one object makes the others be read as if they had some, too."""
    desk = Desk()
    plain = "".join(f"{i},x,y\n" for i in range(12_000))
    for number in range(4):
        desk.put(f"d/{number}.csv", f'a,b,c\n{plain}7,"",8\n')
    assert desk.value("d/", "SELECT count(*) FROM data WHERE b = ''") == 4


@pytest.mark.parametrize("text", ['a"b" c', '"P "the" l"\n"P "the"', '"a "b"" ,c\nx,y\nz,w'])
def test_a_header_of_odd_quotes_hides_no_row(text: str) -> None:
    """The rows behind a header that is not quoted as it should are those of the read tool."""
    desk = Desk()
    desk.put("a.csv", text)
    store = MemoryStore()
    store.put(BUCKET, "a.csv", text.encode())
    ref = ObjectRef(bucket=BUCKET, key="a.csv")
    info: ObjectInfo = store.head(ref, ScanMeter()).info
    read = CsvLoader().load(ObjectReader(store, info, ScanMeter()), CsvRequest(max_rows=10))
    assert desk.run("a.csv", "SELECT * FROM data").table.equals(read.table)


@pytest.mark.parametrize("start", ["", "sep=,\n", "\n"])
def test_rows_of_many_objects_come_in_the_order_of_their_keys(start: str) -> None:
    """However the engine reads them, the first object's rows are the first."""
    desk = Desk()
    for number in range(30):
        desk.put(f"d/{number:02}.csv", f"{start}a,b\n{number},x\n")
        desk.put(f"o/{number:02} *.csv", f"{start}a,b\n{number},x\n")
    for place in ("d/", "o/"):
        assert [row["a"] for row in desk.rows(place, "SELECT a FROM data")] == list(range(30))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["1,2,3\n", "1,,\n", '"a,b",2,\n', '1,"x\ny",\n', ",,\n"])),
    st.lists(st.integers(0, 60), max_size=4),
    st.sampled_from(["1,2,3,\n", ""]),
    st.sampled_from([b"", b"\n"]),
    st.randoms(use_true_random=False),
)
def test_pieces_of_any_size_show_a_ragged_record(
    lines: list[str], cuts: list[int], ragged: str, last: bytes, dice: random.Random
) -> None:
    """Ragged records are found, regular ones pass, and lines that span a piece are not judged."""
    has_lines = any("\ny" in line for line in lines)
    data = "".join([*lines[:2], ragged, *lines[2:]]).encode()
    data = data.removesuffix(b"\n") + last
    look = without_empty_ends("p", _DIALECT, 3, 0)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [(a, data[a:b]) for a, b in pairwise(places)]
    is_long = any(b"\n" not in piece for _, piece in pieces[1:-1])

    def look_at_all() -> None:
        for _ in range(2):
            for at, piece in dice.sample(pieces, len(pieces)):
                look(at, piece)

    if is_long or (ragged and not (has_lines and cuts)):
        with pytest.raises(RaggedError):
            look_at_all()
    elif not ragged and not has_lines:
        look_at_all()


@pytest.mark.parametrize(
    ("look", "size", "count"),
    [
        (without_empty_ends("p", _DIALECT, 3, 0), 50_000, 200),
        (without_quoted_empties("p", _DIALECT, 0), 50, 10_000),
        (without_long_fractions("p"), 50, 10_000),
    ],
    ids=["ragged", "empty", "digits"],
)
def test_what_was_brought_together_is_let_go(look: Look, size: int, count: int) -> None:
    """However long a text is, no more of it is kept than what waits for its other half."""
    block = b"x" * size + b",2,3\n4,5," + b"y" * size
    tracemalloc.start()
    try:
        for number in range(count):
            look(number * len(block), block)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("kind", ["csv", "csv.gz"])
@pytest.mark.parametrize(("extra", "rows"), [("", 41), (",", 40)])
def test_a_record_longer_than_what_is_read_at_once_is_judged_whole(
    kind: str, extra: str, rows: int
) -> None:
    """A row that spans blocks is left out if it is ragged, and read if it is not."""
    desk = Desk()
    some = '1,"",3\n' * 20
    text = f"a,b,c\n{some}9,{'x' * 9_000_000},9{extra}\n{some}".encode()
    desk.put(f"a.{kind}", gzip.compress(text) if kind == "csv.gz" else text)
    result = desk.run(f"a.{kind}", "SELECT count(*) AS n, max(length(b)) AS most FROM data")
    assert result.table.to_pylist() == [{"n": rows, "most": 0 if extra else 9_000_000}]
    assert bool(extra) == any("line 22" in said for said in result.notices)


def test_blocks_that_are_short_are_looked_at_together() -> None:
    """What decompression yields in the middle of a line is no reason to read otherwise."""
    text = b"1,2,3\n" * 50_000
    blocks = [text[:100_000], *(text[at : at + 1] for at in range(100_000, 100_020))]
    look = without_empty_ends("p", _DIALECT, 3, 0)
    read = b"".join(watched_blocks(iter([*blocks, text[100_020:]]), look))
    assert read == text


def test_an_empty_text_is_seen_from_a_place_on() -> None:
    """What is in a header is not in the records."""
    look = without_quoted_empties("p", _DIALECT, 5)
    look(0, b'"",a\n1,"a"""\n')
    look(2, b',a\n1,"x"\n')
    with pytest.raises(EmptyTextError):
        look(5, b'"",2\n')


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["1,2\n", '"a ""b""",2\n', '1,"x\ny"\n', ",\n"]), max_size=5),
    st.lists(st.integers(0, 60), max_size=6),
    st.sampled_from(["", '"",1\n', '1,""\n', '1,""']),
)
def test_pieces_of_any_size_show_an_empty_text(
    lines: list[str], cuts: list[int], empty: str
) -> None:
    """Wherever a text is cut, and in whatever order it comes, `""` is seen, and escapes pass."""
    data = "".join([*lines, empty]).encode()
    look = without_quoted_empties("p", _DIALECT, 0)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    pieces = [(a, data[a:b]) for a, b in pairwise(places)]
    assume(all(len(piece) > 1 for _, piece in pieces))

    def look_at_all() -> None:
        for at, piece in reversed(pieces):
            look(at, piece)

    if empty:
        with pytest.raises(EmptyTextError):
            look_at_all()
    else:
        look_at_all()
