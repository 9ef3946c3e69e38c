"""Metadata of one object: how it is kept, what it holds, and calls that work."""

import bz2
import gzip
import json
import lzma
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.budget import compact_size
from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    KmsDeniedError,
    NotFoundError,
    ObjectChangedError,
)
from s3_data_lake_mcp.models.analysis import FileMetadata
from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectHead, ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.tools.rendering import render
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

_SETTINGS = Settings()
_CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
_BARE = ObjectHead(info=ObjectInfo(ref=ObjectRef(bucket="", key=""), size_bytes=0, etag=""))


def _describe(
    store: MemoryStore, ref: ObjectRef, settings: Settings = _SETTINGS
) -> tuple[dict[str, Any], ScanMeter]:
    meter = ScanMeter()
    answer = describe_object(store, ref, settings, meter)
    scan = {"requests": 0, "bytes_read": 0, "elapsed_ms": 0}
    text = render(FileMetadata.model_validate(answer | {"scan": scan}), "", None, brief=False)
    assert compact_size(answer | {"scan": scan}) <= settings.max_result_bytes
    assert len(text.encode()) <= settings.max_result_bytes
    assert meter.requests <= 5
    assert meter.bytes_read <= 700_000
    return answer, meter


def _of(key: str, body: bytes, **more: Any) -> dict[str, Any]:
    store = MemoryStore()
    return _describe(store, store.put("lake", key, body, **more))[0]


def _head(**fields: Any) -> ObjectHead:
    return replace(_BARE, **fields)


_CSV = b"id,name,at\n1,Ann,2026-01-02\n2,Bob,2026-01-03\n"


def test_a_small_csv_is_told_whole() -> None:
    """Dialect, columns and the exact number of rows, in four requests."""
    store = MemoryStore()
    answer, meter = _describe(store, store.put("lake", "a/x.csv", _CSV, content_type="text/csv"))
    assert answer["detected_format"] == "csv"
    assert [(c["name"], c["type"]) for c in answer["columns"]] == [
        ("id", "int64"),
        ("name", "string"),
        ("at", "date32[day]"),
    ]
    assert answer["total_rows"] == 2
    assert answer["csv"]["dialect"]["delimiter"] == ","
    assert answer["csv"]["columns"] == answer["columns"]
    assert (answer["content_type"], answer["source"]["size_bytes"]) == ("text/csv", len(_CSV))
    assert meter.requests == 4


def test_of_a_large_csv_the_head_alone_is_read() -> None:
    """What only a full read would tell is null, and nothing but the head is fetched."""
    store = MemoryStore()
    answer, meter = _describe(
        store, store.put("lake", "x.csv", _CSV + b"3,Cy,2026-01-04\n" * 9_999)
    )
    assert answer["total_rows"] is None
    assert len(answer["columns"]) == 3
    assert answer["notices"] == ["Columns and their types are those of the first 64 KiB."]
    assert meter.bytes_read == 64 << 10


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_the_head_of_a_long_wide_text_is_cut_behind_a_character(encoding: str, mark: str) -> None:
    """What is cut off within a line of UTF-16 is told all the same."""
    rows = "".join(f"{n},Zoë\r\n" for n in range(20_000))
    answer = _of("a/x.csv", f"{mark}id,name\r\n{rows}".encode(encoding))
    assert [(c["name"], c["type"]) for c in answer["columns"]] == [
        ("id", "int64"),
        ("name", "string"),
    ]
    assert answer["notices"] == ["Columns and their types are those of the first 64 KiB."]


@pytest.mark.parametrize("key", ["x.parquet", "x.parquet.gz", "x.csv.gz"])
def test_parquet_that_was_compressed_as_a_whole(key: str) -> None:
    """It has no footer that could be read, and that is said."""
    store = MemoryStore()
    body = gzip.compress(parquet_bytes(pa.table({"x": [1]})))
    answer, _ = _describe(store, store.put("lake", key, body))
    assert (answer["detected_format"], answer["compression"]) == ("parquet", "gzip")
    assert answer["parquet"] is None
    assert "Parquet inside of gzip is not read: decompress it." in answer["notices"]


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress], ids=["bzip2", "xz"])
def test_columns_of_blocks_longer_than_the_head(pack: Callable[[bytes], bytes]) -> None:
    """Nothing of a block is known before its end, which is behind the first 64 KiB."""
    noise = random.Random(7).randbytes(400_000).hex()  # noqa: S311 - no secret
    rows = "".join(f"{at},{noise[at * 40 : at * 40 + 40]}\n" for at in range(20_000))
    answer = _of("a/x.csv", pack(f"id,text\n{rows}".encode()))
    assert [(c["name"], c["type"]) for c in answer["columns"]] == [
        ("id", "int64"),
        ("text", "string"),
    ]
    assert answer["csv"]["columns"] == answer["columns"]
    assert answer["notices"] == ["Columns and their types are those of the first 64 KiB."]


@pytest.mark.parametrize("more", range(0, 24, 3))
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_head_of_a_csv_may_end_inside_of_quotes(
    pack: Callable[[bytes], bytes], more: int
) -> None:
    """A record that goes on behind the head is no damage."""
    store = MemoryStore()
    title, row = b"i" * more + b"d,text\n", b'1,"one\ntwo\nthree\nfour"\n'
    answer, _ = _describe(store, store.put("lake", "x.csv", pack(title + row * 9_999)))
    assert [c["type"] for c in answer["columns"]] == ["int64", "string"]
    assert answer["notices"] == ["Columns and their types are those of the first 64 KiB."]


@pytest.mark.parametrize(
    ("key", "pack", "name"),
    [("x.csv.gz", gzip.compress, "gzip"), ("x.csv", bz2.compress, "bzip2")],
)
@pytest.mark.parametrize("times", [1, 50_000])
def test_compressed_text(key: str, pack: Callable[[bytes], bytes], name: str, times: int) -> None:
    """Compression is judged by the bytes, and what it hides is described all the same."""
    answer = _of(key, pack(_CSV + _CSV[11:] * times))
    assert (answer["compression"], answer["detected_format"]) == (name, "csv")
    assert answer["csv"]["dialect"]["compression"] == name
    assert [c["name"] for c in answer["columns"]] == ["id", "name", "at"]
    assert answer["total_rows"] == (4 if times == 1 else None)


def test_a_name_that_lies_is_named() -> None:
    """Content wins over the name, and the notice says that they disagree."""
    table = pa.table({"a": [1, 2]})
    answer = _of("x.csv", parquet_bytes(table))
    assert (answer["detected_format"], answer["detected_by"]) == ("parquet", "magic")
    assert answer["total_rows"] == 2
    assert any("name says csv" in notice for notice in answer["notices"])
    assert answer["suggested_calls"][0]["tool"] == "read_parquet_from_s3"
    plain = _of("x.csv.gz", _CSV)
    assert plain["compression"] == ""
    assert any("not compressed" in notice for notice in plain["notices"])


_MANY = {f"k{at}": at for at in range(1_500)}


@pytest.mark.parametrize(
    ("key", "body", "layout", "keys", "rows"),
    [
        ("a.json", b'[{"a":1},{"b":"x"}]', "array", ["a", "b"], 2),
        ("a.jsonl", b'{"a":1}\n{"a":2}\n', "lines", ["a"], 2),
        ("a.json", b'{"x":1,"y":[1]}', "object", ["x", "y"], None),
        ("a.json", b"42", "scalar", [], None),
        ("a.json", b'[{"a":1,"b":"x"},' + b'{"a":2,"b":"y"},' * 9_000, "array", ["a", "b"], None),
        ("a.jsonl", b'{"a":1,"b":[2]}\n' * 9_000, "lines", ["a", "b"], None),
        ("a.jsonl", '{"a":1,"b":"x\u2028y"}\n'.encode() * 9_000, "lines", ["a", "b"], None),
        ("a.json", b'{"x":1,"rows":[' + b"1," * 99_000 + b"1]}", "object", ["x", "rows"], None),
        ("a.json", json.dumps(_MANY).encode(), "object", [*_MANY], None),
        ("a.json", json.dumps([_MANY]).encode(), "array", [*_MANY], 1),
        ("a.jsonl", (json.dumps(_MANY) + "\n").encode() * 9, "lines", [*_MANY], None),
        ("a.json", json.dumps(_MANY | {"x": "y" * 99_999}).encode(), "object", [*_MANY, "x"], None),
        ("a.jsonl", b'{"a":1}\n' * 500 + b'{"b":2}\n' * 9_000, "lines", ["a", "b"], None),
    ],
)
def test_json(key: str, body: bytes, layout: str, keys: list[str], rows: int | None) -> None:
    """Layout and keys, of a document of any size, by its head."""
    answer = _of(key, body)
    assert answer["detected_format"] == "json"
    assert (answer["json"]["layout"], answer["json"]["keys"]) == (layout, keys)
    assert answer["total_rows"] == rows


@pytest.mark.parametrize("times", [1, 9_000])
@pytest.mark.parametrize(
    ("number", "kind"),
    [("0.5", "double"), ("0.123456789012345678", "string"), ("9" * 38, "decimal128(38, 0)")],
)
def test_numbers_of_json_have_one_type(number: str, kind: str, times: int) -> None:
    """Whether all of the document was looked at, or its beginning."""
    answer = _of("a.jsonl", f'{{"v":{number}}}\n'.encode() * times * 2)
    assert [column["type"] for column in answer["columns"]] == [kind]


def test_an_array_whose_first_record_is_longer_than_the_head() -> None:
    """Its keys are told as far as they are seen."""
    store = MemoryStore()
    body = json.dumps([{"id": 1, "blob": "y" * 99_999, "late": 2}] * 3).encode()
    answer, _ = _describe(store, store.put("lake", "x.json", body))
    assert answer["json"] == {"layout": "array", "keys": ["id", "blob"]}


def test_parquet() -> None:
    """Schema, row groups, statistics, writer and key-value metadata, by the footer alone."""
    table = pa.table({"a": [1, None, 3], "s": ["x", "y", "z"]}).replace_schema_metadata({"k": "v"})
    answer = _of("x.parquet", parquet_bytes(table, row_group_size=2))
    assert (answer["total_rows"], answer["parquet"]["num_row_groups"]) == (3, 2)
    assert answer["parquet"]["statistics"][0]["nulls"] == 1
    assert answer["parquet"]["key_value_metadata"] == {"k": "v"}
    assert answer["csv"] is answer["json"] is None


@pytest.mark.parametrize("key", ["x.parquet", "x.bin"])
def test_a_corrupt_parquet_is_described_without_its_footer(key: str) -> None:
    """`parquet` is null, a notice says why, and no suggested call would fail on it."""
    answer = _of(key, b"PAR1" + b"\0" * 100)
    assert (answer["detected_format"], answer["parquet"]) == ("parquet", None)
    assert any("footer" in notice for notice in answer["notices"])
    assert [c["tool"] for c in answer["suggested_calls"]] == ["list_s3_objects"]


@pytest.mark.parametrize(
    ("fields", "kind", "key"),
    [
        ({"encryption": "AES256"}, "SSE-S3", ""),
        ({"encryption": "aws:kms", "kms_key_id": "0123-abcd-ef99"}, "SSE-KMS", "…ef99"),
        ({"encryption": "aws:kms:dsse", "kms_key_id": "k123456"}, "DSSE-KMS", "…3456"),
        ({"customer_key_algorithm": "AES256"}, "SSE-C", ""),
        ({}, "none", ""),
    ],
)
def test_encryption(fields: Mapping[str, str], kind: str, key: str) -> None:
    """The kind of encryption, the key masked but for its end."""
    answer = _of("x.csv", _CSV, head=_head(**fields))
    assert answer["encryption"] == {"type": kind, "kms_key_id": key}


_UNDER_WAY = 'ongoing-request="true"'


@pytest.mark.parametrize(
    ("fields", "archived", "status"),
    [
        ({"storage_class": "GLACIER"}, True, "not restored"),
        ({"storage_class": "DEEP_ARCHIVE", "restore": _UNDER_WAY}, True, "restore in progress"),
        (
            {
                "storage_class": "GLACIER",
                "restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2035 00:00:00 GMT"',
            },
            False,
            "restored until 2035-12-21T00:00:00+00:00",
        ),
        (
            {"storage_class": "INTELLIGENT_TIERING", "archive_status": "ARCHIVE_ACCESS"},
            True,
            "not restored",
        ),
        (
            {"storage_class": "INTELLIGENT_TIERING", "restore": 'ongoing-request="false"'},
            False,
            "restored",
        ),
        ({"storage_class": "GLACIER_IR"}, False, ""),
        ({"storage_class": "STANDARD_IA"}, False, ""),
    ],
)
def test_archives(fields: Mapping[str, str], archived: bool, status: str) -> None:  # noqa: FBT001
    """Whether it must be restored first, how to, and no call that would fail before."""
    answer = _of("a/x.csv", _CSV, head=_head(**fields))
    assert answer["archived"] is archived
    assert answer["restore_status"] == status
    tools = [call["tool"] for call in answer["suggested_calls"]]
    assert (tools == ["list_s3_objects"]) is archived
    assert any("restore" in notice for notice in answer["notices"]) is archived
    assert (answer["csv"] is None) is archived


def test_metadata_and_tags() -> None:
    """User metadata, tags, checksums and versioning come as they are."""
    head = _head(user_metadata={"owner": "ann"}, checksums={"CRC32": "AAAA"})
    answer = _of("x.csv", _CSV, head=head, tags={"team": "lake"})
    assert answer["user_metadata"] == {"owner": "ann"}
    assert answer["tags"] == {"team": "lake"}
    assert answer["checksums"] == {"CRC32": "AAAA"}
    assert answer["versions_enabled"] is False


class _Guarded(MemoryStore):
    """Refuses what it was told to refuse."""

    refused: frozenset[str] = frozenset()

    def _refuse(self, what: str) -> None:
        if what in self.refused:
            message = f"s3:{what} was denied"
            raise AccessDeniedError(message)

    def get_tags(self, ref: ObjectRef, meter: ScanMeter) -> Mapping[str, str]:
        self._refuse("tags")
        return super().get_tags(ref, meter)

    def is_versioned(self, bucket: str, meter: ScanMeter) -> bool:
        self._refuse("versions")
        return super().is_versioned(bucket, meter)

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        if "kms" in self.refused:
            message = f"{ref} is encrypted with a KMS key that may not be used"
            raise KmsDeniedError(message, hint="Allow kms:Decrypt.")
        if "gone" in self.refused:
            raise NotFoundError(f"{ref} does not exist")
        info, body = super().get_head(ref, length, meter)
        return (replace(info, etag="other"), body) if "etag" in self.refused else (info, body)


def _guarded(*refused: str) -> dict[str, Any]:
    store = _Guarded()
    store.refused = frozenset(refused)
    return _describe(store, store.put("lake", "x.csv", _CSV))[0]


def test_what_permissions_deny_is_null() -> None:
    """Denied tags and versioning are null, with the action that is missing."""
    answer = _guarded("tags", "versions")
    assert answer["tags"] is answer["versions_enabled"] is None
    assert any("s3:GetObjectTagging" in notice for notice in answer["notices"])
    assert any("s3:GetBucketVersioning" in notice for notice in answer["notices"])


@pytest.mark.parametrize("key", ["app.log", "x", "app.log.gz"])
def test_lines_of_text_lead_to_their_reader(key: str) -> None:
    """A log is neither CSV nor JSON, and is read all the same."""
    lines = b"2026-10-01 12:00:00 INFO started\n2026-10-01 12:00:01 WARN slow\n"
    answer = _of(key, gzip.compress(lines) if key.endswith(".gz") else lines)
    assert answer["detected_format"] == "text"
    tools = [call["tool"] for call in answer["suggested_calls"]]
    assert tools == ["read_csv_from_s3", "list_s3_objects"]


def test_a_denied_key_leaves_the_head() -> None:
    """An object whose KMS key is denied is described by its HEAD."""
    answer = _guarded("kms")
    assert answer["source"]["size_bytes"] == len(_CSV)
    assert answer["columns"] == []
    assert any("kms:Decrypt" in notice for notice in answer["notices"])
    assert answer["suggested_calls"][0]["tool"] == "list_s3_objects"


@pytest.mark.parametrize("change", ["etag", "gone"])
def test_a_change_in_the_middle_is_an_error(change: str) -> None:
    """HEAD and content of two versions are never mixed; what HEAD still saw was deleted since."""
    with pytest.raises(ObjectChangedError):
        _guarded(change)


def test_a_missing_object_is_not_found() -> None:
    """No such key is an error, whatever else was asked at the same time."""
    store = MemoryStore()
    store.create_bucket("lake")
    with pytest.raises(NotFoundError):
        describe_object(store, ObjectRef(bucket="lake", key="x"), _SETTINGS, ScanMeter())


@pytest.mark.parametrize("key", ["empty.csv", "folder/", "noext"])
def test_empty_objects(key: str) -> None:
    """Nothing is not an error: empty objects and folder markers are described."""
    answer = _of(key, b"")
    assert answer["notices"] == ["Empty."]
    assert (answer["total_rows"], answer["columns"]) == (None, [])


def test_a_wide_object_fits_the_answer() -> None:
    """What does not fit is left out, counted exactly, and the rest stays valid."""
    table = pa.table({f"column_{i:04d}_with_a_long_name": [i] for i in range(1_500)})
    metadata = {f"key{i}": "v" * 400 for i in range(49)}
    body = parquet_bytes(table.replace_schema_metadata(metadata))
    small = Settings(max_result_bytes=ByteSize(8_192))
    for settings in (_SETTINGS, small):
        store = MemoryStore()
        answer, _ = _describe(store, store.put("lake", "w.parquet", body), settings)
        kept = len(answer["columns"])
        assert 0 < kept < 1_500
        assert f"columns: only the first {kept:,} of 1,500 fit." in answer["notices"]
        assert answer["total_rows"] == 1
    wide = _of("w.csv", ",".join(f"c{i}" for i in range(4_000)).encode() + b"\n")
    assert any("of 4,000 fit" in notice for notice in wide["notices"])


@pytest.mark.parametrize(
    ("key", "body", "said"),
    [
        ("x.csv.lz4", b"\x04\x22\x4d\x18aaaa", "is compressed with lz4, which is not read"),
        ("x.csv.gz", gzip.compress(gzip.compress(_CSV, mtime=0), mtime=0), "is compressed twice"),
        ("x.csv", b"a,b\n\0,1\n", "The name says csv, but the content is not."),
    ],
)
def test_content_that_nothing_reads_is_named(key: str, body: bytes, said: str) -> None:
    """What keeps the tools from reading an object is a notice."""
    answer = _of(key, body)
    assert answer["detected_format"] == "unknown"
    assert said in str(answer["notices"])
    assert _of("x", b"\0\1\2")["notices"] == []


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_texts_of_any_type_are_what_rows_are_counted_by(kind: pa.DataType) -> None:
    """A query by an identifier would count each row by itself."""
    table = pa.table({"id": [1, 2], "city": pa.array(["a", "b"]).cast(kind)})
    (_, query, _) = _of("x.parquet", parquet_bytes(table))["suggested_calls"]
    assert query["arguments"]["sql"].startswith('SELECT "city", count(*)')


def test_suggested_calls_are_complete() -> None:
    """One to three calls, each with all that it needs; odd names are quoted."""
    table = pa.table({'we"ird': ["a"], "n": [1]})
    calls = _of("x y.parquet", parquet_bytes(table))["suggested_calls"]
    assert [call["tool"] for call in calls] == [
        "read_parquet_from_s3",
        "query_csv_data",
        "get_dataset_summary",
    ]
    assert all(call["arguments"]["bucket_name"] == "lake" and call["why"] for call in calls)
    assert calls[1]["arguments"]["sql"].startswith('SELECT "we""ird", count(*)')


def test_odd_names_are_scrubbed() -> None:
    """Lone surrogates never leave the server."""
    answer = _of("x\ud800.csv", _CSV)
    assert answer["source"]["uri"] == "s3://lake/x\ufffd.csv"
    json.dumps(answer, ensure_ascii=False).encode()


@pytest.mark.skipif(not _CORPORA.is_dir(), reason="the corpora are not here")
@pytest.mark.parametrize("folder", ["csv", "json", "parquet_bad", "parquet_good", "real"])
def test_no_file_of_the_corpora_breaks_it(folder: str) -> None:
    """Every file, sound or broken, is described within the limits."""
    store = MemoryStore()
    for path in sorted((_CORPORA / folder).iterdir()):
        answer, _ = _describe(store, store.put("lake", path.name, path.read_bytes()))
        assert answer["source"]["size_bytes"] == path.stat().st_size
