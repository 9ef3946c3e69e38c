"""Formats by name and by bytes."""

import pytest

from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders.formats import detect_format, detect_format_by_name, refuse_other
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a/b.csv", ("csv", "")),
        ("a/B.CSV.GZ", ("csv", "gzip")),
        ("x.tsv.zst", ("csv", "zstd")),
        ("x.ndjson.bz2", ("json", "bzip2")),
        ("x.geojson", ("json", "")),
        ("part-0.snappy.parquet", ("parquet", "")),
        ("x.xlsx", ("excel", "")),
        ("x.gz", ("unknown", "gzip")),
        ("dir.csv/file", ("unknown", "")),
        (".csv", ("unknown", "")),
        ("", ("unknown", "")),
    ],
)
def test_by_name(key: str, expected: tuple[str, str]) -> None:
    """Suffixes announce the format and the compression."""
    assert detect_format_by_name(key) == expected


@pytest.mark.parametrize(
    ("key", "head", "expected"),
    [
        ("x.csv", b"PAR1\x15\x04", ("parquet", "magic")),
        ("x", b"PARE\x15\x04", ("parquet", "magic")),
        ("x", b"Obj\x01\x04", ("avro", "magic")),
        ("x", b"PK\x03\x04....[Content_Types].xml", ("excel", "magic")),
        ("x", b"PK\x03\x04....", ("archive", "magic")),
        ("x", b'\xef\xbb\xbf {"a":1}', ("json", "content")),
        ("x", b"[1,\n2]", ("json", "content")),
        ("x", '{"a":1}\n'.encode("utf-16"), ("json", "content")),
        ("x.txt", '[{"a":1}]'.encode("utf-16"), ("json", "content")),
        ("x.csv", "{a},b\n1,2\n".encode("utf-16"), ("csv", "suffix")),
        ("x", b"a,b\n1,2\n3,4\n", ("csv", "content")),
        ("x", b"hello\nworld\n", ("text", "content")),
        ("x.csv", b"word", ("csv", "suffix")),
        ("x.txt", b"a\tb\n1\t2\n", ("csv", "content")),
        ("x.txt", "a\tb\n1\t2\n".encode("utf-16"), ("csv", "content")),
        ("x.txt", b"Hello, you\nand all, who, come\nlate\n", ("text", "suffix")),
        ("x.log", b"10:00:00,123 up\n10:00:01,456 down\n", ("text", "suffix")),
        ("x.txt", b"one, line\n", ("text", "suffix")),
        ("x.json", b'"a","b"\n"1","2"\n', ("csv", "content")),
        ("x.json", b"1,2\n3,4\n", ("csv", "content")),
        ("x.json", b'"a,b"\n"c,d"\n', ("json", "suffix")),
        ("x.json", b"nothing\nat all\n", ("json", "suffix")),
        ("x.csv", b"", ("csv", "suffix")),
        ("x", b"", ("unknown", "")),
        ("x.bin", b"\x00\x01\x02", ("unknown", "")),
        ("x.csv", b"a,b\r\n1,2\r\n\x1a", ("csv", "suffix")),
        ("x.json", b'[{"a": "x\x07y"}]', ("json", "content")),
        ("x.csv", bytes(range(256)), ("unknown", "")),
        ("x", b"a,b\n1,2\n\x1a", ("unknown", "")),
    ],
)  # fmt: skip
def test_by_content(key: str, head: bytes, expected: tuple[str, str]) -> None:
    """Bytes win over names."""
    info = ObjectInfo(ref=ObjectRef(bucket="b", key=key), size_bytes=len(head), etag="e")
    assert detect_format(info, head) == expected


@pytest.mark.parametrize("head", [b"ORCID,name\n0000-0001,Ann\n", b"GIF87,x\n1,2\n3,4\n5,6\n"])
def test_words_are_no_magic_numbers(head: bytes) -> None:
    """A word that begins like a magic number, and goes on as text, is text."""
    info = ObjectInfo(ref=ObjectRef(bucket="b", key="x.csv"), size_bytes=len(head), etag="e")
    assert detect_format(info, head) == ("csv", "suffix")


def test_another_format_is_refused_with_the_call_that_reads_it() -> None:
    """Parquet bytes are no JSON, and the error says what reads them."""
    info = ObjectInfo(ref=ObjectRef(bucket="b", key="x.json"), size_bytes=9, etag="e")
    with pytest.raises(MalformedDataError, match="is not JSON: it looks like parquet") as caught:
        refuse_other(info, b"PAR1\x15\x04\x00", "json")
    assert caught.value.repair_tool == "read_parquet_from_s3"
    assert caught.value.repair == {"bucket_name": "b", "object_key": "x.json"}
    refuse_other(info, b'{"a": 1}', "json")


@pytest.mark.parametrize("head", [b"name,n\nx,1\ny,2\n", b"\xef\xbb\xbfname;n\r\nx;1\r\n"])
def test_delimited_text_is_no_json(head: bytes) -> None:
    """Whoever asks for JSON is told what reads it."""
    info = ObjectInfo(ref=ObjectRef(bucket="b", key="x.json"), size_bytes=len(head), etag="e")
    with pytest.raises(MalformedDataError, match="is not JSON: it looks like csv") as caught:
        refuse_other(info, head, "json")
    assert caught.value.repair_tool == "read_csv_from_s3"


@pytest.mark.parametrize(
    "text",
    ['{"a":1,\n"b":2,\n"c":3,\n"d":4}', "[1,2,\n3,4,\n5,6]", '"a,b"\n"c,d"\n', '{"a":\n1}', "1"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_json_over_several_lines_is_not_taken_for_a_table(text: str, encoding: str) -> None:
    """However regular its commas are."""
    head = text.encode(encoding)
    info = ObjectInfo(ref=ObjectRef(bucket="b", key="x.json"), size_bytes=len(head), etag="e")
    refuse_other(info, head, "json")


def test_an_array_of_objects_in_one_line_is_no_csv() -> None:
    """Its first line is no header, whatever the key says."""
    head = b'[{"a":1,"b":"x"},{"a":2,"b":"y"}]'
    info = ObjectInfo(ref=ObjectRef(bucket="b", key="x.csv"), size_bytes=len(head), etag="e")
    with pytest.raises(MalformedDataError, match="is not CSV: it looks like json"):
        refuse_other(info, head, "csv")
    refuse_other(info, b"[a],[b]\n[1],[2]\n", "csv")
