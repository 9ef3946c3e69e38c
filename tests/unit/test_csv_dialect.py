"""Dialect, header and encoding of delimited text, as its head shows them."""

import gzip
import lzma
import zlib

import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import (
    InvalidArgumentError,
    LimitExceededError,
    MalformedDataError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.loaders.csv import CsvRequest, CsvShape, sniff
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore


def shape(
    body: bytes | str,
    key: str = "x.csv",
    *,
    delimiter: str = "",
    encoding: str = "",
    has_header: str = "auto",
) -> CsvShape:
    """Judge a body."""
    store = MemoryStore()
    ref = store.put("lake", key, body.encode() if isinstance(body, str) else body)
    request = CsvRequest(max_rows=1, delimiter=delimiter, encoding=encoding, has_header=has_header)
    return sniff(ObjectReader.open_head(store, ref, ScanMeter()), request)


@pytest.mark.parametrize(
    ("text", "delimiter", "names"),
    [
        ("id,name\n1,x\n2,y\n", ",", ["id", "name"]),
        ("id;name\n1;x\n2;y\n", ";", ["id", "name"]),
        ("id\tname\n1\tx\n", "\t", ["id", "name"]),
        ("id|name\n1|x\n", "|", ["id", "name"]),
        ("id^name\n1^x\n2^y\n", "^", ["id", "name"]),
        ("id~name\n1~x\n2~y\n", "~", ["id", "name"]),
        ("id\x01name\n1\x01x\n2\x01y\n", "\x01", ["id", "name"]),
        ("id\x1fname\n1\x1fx\n2\x1fy\n", "\x1f", ["id", "name"]),
        ("user:id:shell\nroot:0:sh\nweb:33:no\n", ":", ["user", "id", "shell"]),
        ("x;y\n1,5;2,5\n3,25;4\n", ";", ["x", "y"]),
        ("31.12.2025;1,5\n1.1.2026;2,25\n", ";", ["column_1", "column_2"]),
        ("1,5\tx\n2,5\ty\n", "\t", ["column_1", "column_2"]),
        ("1,2\n3,4;5\n6,7\n", ",", ["column_1", "column_2"]),
        ("a,b;c\n1,2;3\n4,5;6\n", ",", ["a", "b;c"]),
        ("a|note\n1|one, two, three\n2|four, five, six\n", "|", ["a", "note"]),
        ('a,b\n"1;2;3",x\n"4;5;6",y\n', ",", ["a", "b"]),
        ("time\n10:30:00\n11:30:00\n", ",", ["time"]),
        ("url\nhttp://a.example\nhttp://b.example\n", ",", ["url"]),
        ("a,b", ",", ["a", "b"]),
    ],
)
def test_delimiter(text: str, delimiter: str, names: list[str]) -> None:
    """The delimiter is the one that makes rows of one width."""
    found = shape(text)
    assert (found.dialect.delimiter, list(found.names)) == (delimiter, names)


@pytest.mark.parametrize(
    "text",
    [
        "word\nred\ngreen\n",
        "remark\nhello, world\nfoo\nbar\n",
        "amount\n1,000\n200\n30\n",
        "Last, First\nNobody\nSomebody\n",
    ],
)
def test_a_single_column_is_not_cut(text: str) -> None:
    """Where no delimiter makes rows of one width, lines are whole fields."""
    found = shape(text)
    assert found.dialect.delimiter not in text
    assert len(found.names) == 1


@pytest.mark.parametrize(
    ("text", "quote", "escape", "second"),
    [
        ('a,b\n1,"x,y"\n2,z\n', '"', "", {"x,y", "z"}),
        ('a,b\n1,"x ""q"" y"\n2,z\n', '"', "", {'x "q" y', "z"}),
        ('a,b\n1,"x \\"q\\", y"\n2,"z"\n', '"', "\\", {'x "q", y', "z"}),
        ('a,b\n1,"C:\\dir\\"\n2,"D:\\"\n', '"', "", {"C:\\dir\\", "D:\\"}),
        ('"C:\\d\\",b\n"D:\\e\\",c\n', '"', "", {"b", "c"}),
        ("a,b\n1,'x,y'\n2,'z'\n", "'", "", {"x,y", "z"}),
        ("'1','x'\n'2','it''s'\n", "'", "", {"x", "it's"}),
        ("a,b\n1,'x'\n2,'z'\n", "'", "", {"x", "z"}),
        ("1,'Miller, Ann'\n2,'Smith, Bob'\n", "'", "", {"Miller, Ann", "Smith, Bob"}),
        ("a,b\n1,'x'\n2,'tis\n", '"', "", {"'x'", "'tis"}),
        ("a,b\n1,it's\n2,'tis\n", '"', "", {"it's", "'tis"}),
        ("a,b\n1,\"don't, 'x'\"\n2,'\n", '"', "", {"don't, 'x'", "'"}),
        ('a,b\n1,5" pipe\n2,6" pipe\n', '"', "", {'5" pipe', '6" pipe'}),
        ("a,b\n1,x\\,y\n2,z\n3,z\n", '"', "\\", {"x,y", "z"}),
        ('a\tb\n1\t"open\n2\tz\n', "", "", {'"open', "z"}),
        ("a,b\n" + '1,"x"\n' * 150 + '2,"6\\" pipe"\n', '"', "\\", {'6" pipe'}),
        ("a,b\n" + '1,"x"\n' * 150 + '2,"C:\\"\n3,"y"\n', '"', "", {"C:\\"}),
    ],
)
def test_quote_and_escape(text: str, quote: str, escape: str, second: set[str]) -> None:
    """Quotes and escapes are those that make rows of one width."""
    found = shape(text)
    assert (found.dialect.quote, found.dialect.escape) == (quote, escape)
    assert found.values[1] | set(found.names[1:]) >= second


@pytest.mark.parametrize(
    ("text", "newline"),
    [("a,b\n1,2\n", "\n"), ("a,b\r\n1,2\r\n", "\r\n"), ("a,b\r1,2\r", "\r"), ("a,b", "\n")],
)
def test_newline(text: str, newline: str) -> None:
    """The first line's end is the newline."""
    assert shape(text).dialect.newline == newline


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("id,name\n1,x\n", True),
        ("1,x\n2,y\n", False),
        ("name,city\nAnn,Rome\nBob,Oslo\n", True),
        ("id\n1\n2\n", True),
        ("1\n2\n3\n", False),
        ("x,1\n,2\n", False),
        ("a,b,c\n", True),
        ("1,b,c\n", False),
        ("2024-01-01,5\n2024-01-02,6\n", False),
        ("day,n\n2024-01-01,5\n", True),
        ("id,name\n1,\n2,\n", True),
        (",name\n1,x\n2,y\n", True),
        ("country,2019,2020,2021\nFrance,1.5,200,3\nItaly,2.5,300,4\n", True),
        ("country,2021\nFrance,-1.25\nItaly,2.5\n", True),
        ("France,2021\nItaly,1995\n", False),
        ("France,2021\nItaly,3000\n", False),
        (",0,1,2\na,5,6,7\nb,8,9,10\n", True),
        ("0,1\n5,6\n", False),
        ("8,test,tea\n0,,cup\n1,,cup\n", True),
        ("NA,1\nx,2\n", False),
        ("a,NA\nb,1\n", False),
        ("true,1\nfalse,2\n", False),
        ("active,n\ntrue,1\n", True),
        ("01234,Bern\n05678,Basel\n", False),
        ("+41 44 123,Ann\n+41 31 555,Bob\n079 4,Cy\n", False),
        ("10.0.0.1,up\n10.0.0.2,down\n", False),
        ("31.12.2020|open\n1.1.2021|shut\n", False),
        ("10%,a\n20%,b\nn/a,c\n", False),
        ("1,Ann,-\n2,Bob,5\n", False),
        ("1,NaN\n2,5.5\n", False),
        ("share,n\n10%,a\n20%,b\n", True),
        ("country,2019,2020\nFrance,5,-\nItaly,-,7\n", True),
        ("country,2026-01-01\nFrance,5\nItaly,-\n", True),
        ("age,0-9,10-19\nmen,1%,2%\nwomen,3%,4%\n", True),
        (",0,1,2\na,5,-,7\nb,-,9,-\nc,-,-,-\n", True),
        ("12,Main St\n14a,Foo\n9,Bar\n", False),
        ("2026-01-05,ok\npending,fail\nunknown,x\n", False),
        ("Ann,12\nBob,\nCy,\nDee,\n", False),
        ("12,a\n13,b\n14,c\n15,d\n16x,e\n", False),
        ("case,1,2\nR1,yes,a\nR2,no,b\nR3,no,c\n", True),
        ("country,2020\nFrance,\nItaly,\n", True),
        ("a [01/Oct/2026:13:00:00 +0] x;b\nc [01/Oct/2026:13:00:01 +0] y;d\n", False),
        ("sales at 12:00:00,who\nup,Ann\ndown,Bob\n", True),
    ],
)
def test_header(text: str, has_header: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """A first record that is unlike its columns names them."""
    assert shape(text).dialect.has_header is has_header


@pytest.mark.parametrize(
    ("text", "asked", "names"),
    [
        ("1,2\n3,4\n", "true", ["1", "2"]),
        ("a,b\n1,2\n", "false", ["column_1", "column_2"]),
        ("a,b,c\n1,2\n3,4\n", "false", ["column_1", "column_2", "column_3"]),
        ("a\n1,2\n3,4\n5,6\n", "false", ["column_1", "column_2"]),
        ("a,,c\n1,2,3\n", "auto", ["a", "column_2", "c"]),
        ("a, ,c\n1,2,3\n", "auto", ["a", "column_2", "c"]),
        (" a ,b\n1,2\n", "auto", [" a ", "b"]),
        ("a,a,a_1,a\n1,2,3,4\n", "auto", ["a", "a_2", "a_1", "a_3"]),
        ("\n\na,b\n1,2\n", "auto", ["a", "b"]),
        ('"a\nb",c\n1,2\n', "auto", ["a\nb", "c"]),
    ],
)
def test_names(text: str, asked: str, names: list[str]) -> None:
    """Names are as written; what has none, or one that is taken, gets one."""
    assert list(shape(text, has_header=asked, delimiter=",").names) == names


@pytest.mark.parametrize(
    ("text", "names", "line"),
    [
        ("Report\n\na,b,c\n1,2,3\n4,5,6\n", ["a", "b", "c"], 4),
        ("# made today\n# by us, them\na,b,c\n1,2,3\n4,5,6\n", ["a", "b", "c"], 4),
        ("Sales report\nday,n\n2024-01-01,2\n2024-01-02,3\n", ["day", "n"], 3),
        ("sep=;\na;b\n1;2\n", ["a", "b"], 3),
        ("sep=|\r\na|b\r\n1|2\r\n", ["a", "b"], 3),
        ("a,b\n1,2\n", ["a", "b"], 2),
    ],
)
def test_titles_are_passed_over(text: str, names: list[str], line: int) -> None:
    """Lines above the table that are not of its width are no part of it."""
    found = shape(text)
    assert (list(found.names), found.line) == (names, line)
    assert text.encode()[found.start :].decode().startswith(text.splitlines()[line - 1])


@pytest.mark.parametrize(("titles", "said"), [(1, "record was"), (2, "2 records were")])
def test_titles_are_counted(titles: int, said: str) -> None:
    """One is not said to be several."""
    found = shape("Report\n" * titles + "a,b,c\n1,2,3\n4,5,6\n")
    assert found.notices == (f"The first {said} passed over: no part of the table.",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\n1,2,\n3,4,\n", ["a", "b", "column_3"]),
        ("mpg,cyl\nMazda,21,6\nFiat,32,4\n", ["column_1", "mpg", "cyl"]),
        ("a,b\n1,2,3\n4,5\n", ["a", "b"]),
        ("a,b\n1,2,3\n", ["a", "b"]),
    ],
)
def test_a_header_one_field_short(text: str, names: list[str]) -> None:
    """Where every row has one field more than the header, none of them is left out."""
    found = shape(text, delimiter=",")
    assert list(found.names) == names
    assert bool(found.notices) is (len(names) == 3)


@pytest.mark.parametrize(
    ("text", "names"), [("id\n1,\n2,\n", ["id", "column_2"]), ("id\n1,\n2\n", ["id"])]
)
def test_a_delimiter_ends_each_row_below_a_single_name(text: str, names: list[str]) -> None:
    """It is not left in the values."""
    assert list(shape(text).names) == names


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-8"),
        ("a,é\n1,2\n".encode(), "utf-8"),
        ("a,é\n1,2\n".encode("utf-8-sig"), "utf-8"),
        ("a,é\n1,2\n".encode("utf-16"), "utf-16-le"),
        ("a,é\n1,2\n".encode("utf-16-le"), "utf-16-le"),
        ("a,é\n1,2\n".encode("utf-16-be"), "utf-16-be"),
        (b"\xfe\xff" + "a,é\n1,2\n".encode("utf-16-be"), "utf-16-be"),
        ("a,é\n1,2\n".encode("utf-32"), "utf-32-le"),
        ("a,é\n1,€\n".encode("cp1252"), "cp1252"),
        ("x,“quoted”\nüber,café\u2019s\n".encode("cp1252"), "cp1252"),
        (b"a\x00b,c\n1,2\n", "utf-8"),
    ],
)
def test_encoding(body: bytes, encoding: str) -> None:
    """Byte order marks and bytes tell the encoding."""
    found = shape(body)
    assert found.dialect.encoding == encoding
    assert len(found.names) == 2
    assert any("Windows-1252" in notice for notice in found.notices) is (encoding == "cp1252")


@pytest.mark.parametrize(
    ("body", "asked", "used"),
    [
        ("a,é\n".encode("latin-1"), "latin-1", "iso8859-1"),
        ("a,é\n".encode("cp1252"), "windows-1252", "cp1252"),
        ("a,日本\n".encode("shift_jis"), "Shift_JIS", "shift_jis"),
        ("a,é\n".encode("utf-16-le"), "utf-16", "utf-16-le"),
        ("a,é\n".encode("utf-8-sig"), "UTF8", "utf-8"),
        ("a,é\n".encode(), "utf-8-sig", "utf-8"),
    ],
)
def test_named_encoding(body: bytes, asked: str, used: str) -> None:
    """An encoding that is named is used."""
    found = shape(body, encoding=asked, has_header="true")
    assert found.dialect.encoding == used
    assert found.names[1] in ("é", "日本")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"PAR1\x15\x04", "looks like parquet"),
        (b"\x00" * 600, "full of NUL bytes"),
        (b"\x7fELF\x02\x01\xff\xfe\xfd" + bytes(40), "not valid utf-8|NUL"),
        (b"a,b\n1,\xff\xff\n", "not valid utf-8 in line 2"),
        ("é,è\nü,ö\n".encode() + b"caf\xe9\n", "not valid utf-8 in line 3"),
        (b'"a,b\n1,2\n', "line 1"),
    ],
)
def test_what_is_no_delimited_text(body: bytes, why: str) -> None:
    """Empty, binary, damaged and torn text is refused with the reason."""
    with pytest.raises(MalformedDataError, match=why) as caught:
        shape(body)
    assert str(caught.value).startswith("s3://lake/x.csv ")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"delimiter": "||"}, "delimiter"),
        ({"delimiter": "\n"}, "delimiter"),
        ({"delimiter": '"'}, "delimiter"),
        ({"delimiter": "€", "encoding": "latin-1"}, "delimiter"),
        ({"encoding": "klingon"}, "encoding"),
        ({"encoding": "base64"}, "encoding"),
        ({"encoding": "unicode_escape"}, "encoding"),
        ({"encoding": "cp037"}, "encoding"),
        ({"encoding": "a\0b"}, "encoding"),
        ({"has_header": "maybe"}, "has_header"),
    ],
)
def test_a_form_that_cannot_be(asked: dict[str, str], why: str) -> None:
    """An argument that cannot be used is named, with the call that works."""
    with pytest.raises(InvalidArgumentError, match=why) as caught:
        shape("a,b\n1,2\n", **asked)
    assert caught.value.repair is not None


@pytest.mark.parametrize("asked", ["\\t", "tab", "\t"])
def test_a_tab_can_be_spelled(asked: str) -> None:
    """A tab may be written as agents write it."""
    found = shape("a,x\tb,y\n1,2\t3,4\n", delimiter=asked)
    assert found.names == ("a,x", "b,y")


def test_too_many_columns() -> None:
    """A hundred thousand columns are over the limit."""
    with pytest.raises(LimitExceededError, match="100,000 columns"):
        shape(",".join(f"c{i}" for i in range(100_000)) + "\n1,2\n")


def test_a_line_without_end() -> None:
    """A first record of more than 16 MiB is over the limit."""
    with pytest.raises(LimitExceededError):
        shape(b"a" * (17 << 20))


@pytest.mark.parametrize(
    ("key", "body", "tool"),
    [
        ("x.csv", b"PAR1\x15\x04\x15", "read_parquet_from_s3"),
        ("x.json", b'{"a": 1}\n{"a": 2}\n', "read_json_from_s3"),
        ("x.csv", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', "read_json_from_s3"),
        ("x.csv", b'\xef\xbb\xbf[\n  {"a": 1},\n  {"a": 2}\n]\n', "read_json_from_s3"),
        ("x", b'{"a": 1,\n "b": 2}\n', "read_json_from_s3"),
        ("x.csv", b'[{"a": 1, "b": "x"}' + b', {"a": 2, "b": "y"}' * 9_000, "read_json_from_s3"),
    ],
)
def test_another_format_is_named(key: str, body: bytes, tool: str) -> None:
    """What plainly is another format brings the call that reads it."""
    with pytest.raises(MalformedDataError, match="is not CSV: it looks like") as caught:
        shape(body, key)
    assert caught.value.repair_tool == tool
    assert caught.value.hint


@pytest.mark.parametrize(
    ("key", "body", "why"),
    [
        ("x.csv", b"\x89PNG\r\n\x1a\n", "is not CSV: it looks like image"),
        ("x.csv", b"PK\x03\x04....", "is not CSV: it looks like archive"),
        ("x.csv", b"a.csv".ljust(257, b"\0") + b"ustar", "is not CSV: it looks like archive"),
        (
            "x.csv.lz4",
            b"\x04\x22\x4d\x18\x64\x40\xa7\x00",
            "compressed with lz4, which is not read",
        ),
        ("x.csv.snappy", pa.compress(b"a,b\n1,2\n" * 9, "snappy", asbytes=True), "with snappy"),
        ("x.csv.br", pa.compress(b"a,b\n1,2\n" * 9, "brotli", asbytes=True), "with brotli"),
        ("x.csv.lzma", lzma.compress(b"a,b\n1,2\n", format=lzma.FORMAT_ALONE), "with lzma"),
        (
            "x.csv.gz",
            gzip.compress(b"a,b\n1,2\n", mtime=0),
            "compressed twice: there is gzip data within",
        ),
    ],
)
def test_what_no_tool_reads(key: str, body: bytes, why: str) -> None:
    """The format or compression is named, and what would be read."""
    with pytest.raises(UnsupportedFormatError, match=why) as caught:
        shape(gzip.compress(body) if "twice" in why else body, key)
    assert str(caught.value).startswith(f"s3://lake/{key} ")
    assert ("packed in it" in caught.value.hint) == ("archive" in why)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("x.csv", "ORCID,name\n0000-1,Ann\n0000-2,Bob\n"),
        ("x.csv", "PAR1,PAR2\n1,2\n3,4\n5,6\n"),
        ("x.csv", '{"a":1},2\n{"a":2},3\n'),
        ("x.json", "id,name\n1,a\n2,b\n"),
        ("x.lz4", "id,name\n1,a\n2,b\n"),
        ("x.csv", "[a],{b}\n1,2\n"),
        ("x.txt", "[a],b\n[c],d\n"),
    ],
)
def test_words_are_no_magic_numbers(key: str, text: str) -> None:
    """Text that begins like another format is text."""
    assert len(shape(text, key).names) == 2


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("br", pa.compress(b"a,b\n1,2\n" * 9, "brotli", asbytes=True)),
        ("aws-chunked,deflate", zlib.compress(b"a,b\n1,2\n" * 9)),
    ],
)
def test_what_the_content_encoding_alone_tells_is_not_read_as_text(
    encoding: str, packed: bytes
) -> None:
    """These have no magic number, and their bytes may pass for Windows-1252."""
    store = MemoryStore()
    ref = store.put("lake", "x.csv", packed, content_encoding=encoding)
    source = ObjectReader.open_head(store, ref, ScanMeter())
    with pytest.raises(UnsupportedFormatError, match="which is not read"):
        sniff(source, CsvRequest(max_rows=1))
