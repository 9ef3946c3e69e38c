"""Keys of listings are those that the SDK would read, and pages of other forms are left to it."""

from functools import cache
from typing import Any
from urllib.parse import quote, unquote_plus
from xml.sax.saxutils import escape

import pytest
from botocore.parsers import create_parser
from botocore.session import get_session
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.aws.listings import read_page
from s3_data_lake_mcp.aws.timestamps import read_timestamp

type Row = tuple[str, str, str, str, str]

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
_TAIL = "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></ListBucketResult>"
_ENCODED = "<EncodingType>url</EncodingType>"
_SHAPE = "<Key>{key}</Key><LastModified>{when}</LastModified><ETag>{etag}</ETag>"
_S3 = f"<Contents>{_SHAPE}<Size>{{size}}</Size><StorageClass>{{kind}}</StorageClass></Contents>"
_CHECKED = (
    f"<Contents>{_SHAPE}<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT"
    "</ChecksumType><Size>{size}</Size><StorageClass>{kind}</StorageClass></Contents>"
)
_OWNED = (
    f"<Contents>\n  {_SHAPE}\n  <Size>{{size}}</Size><StorageClass>{{kind}}</StorageClass>"
    "<Owner><ID>me</ID><DisplayName>I</DisplayName></Owner>\n</Contents>\n"
)
_OWNER_FIRST = (
    f"<Contents>{_SHAPE}<Size>{{size}}</Size><Owner><ID>me</ID><DisplayName></DisplayName></Owner>"
    "<StorageClass>{kind}</StorageClass></Contents>"
)
_OTHER_ORDER = (
    "<Contents><Size>{size}</Size><StorageClass>{kind}</StorageClass>" + _SHAPE + "</Contents>"
)


def _page(form: str, rows: list[Row], *, encoded: bool) -> bytes:
    """Return a page as a store writes it."""
    contents = "".join(
        form.format(
            key=quote(key, safe="/ ").replace(" ", "+") if encoded else escape(key),
            when=when,
            etag=escape(f'"{etag}"', {'"': "&quot;"}),
            size=size,
            kind=kind,
        )
        for key, when, etag, size, kind in rows
    )
    return f"{_HEAD}<Name>lake</Name>{_ENCODED * encoded}{contents}{_TAIL}".encode()


@cache
def _listing() -> Any:
    model = get_session().get_service_model("s3")
    return model.operation_model("ListObjectsV2").output_shape


def _parse(body: bytes) -> Any:
    """Return what the SDK reads."""
    parser = create_parser("rest-xml")
    return parser.parse({"status_code": 200, "headers": {}, "body": body}, _listing())


def _by_sdk(body: bytes) -> list[Row]:
    answer = _parse(body)
    encoded = answer.get("EncodingType") == "url"
    return [
        (
            unquote_plus(entry["Key"]) if encoded else entry["Key"],
            entry["LastModified"].isoformat(),
            entry["ETag"].strip('"'),
            str(entry["Size"]),
            entry["StorageClass"],
        )
        for entry in answer.get("Contents", [])
    ]


_row = st.tuples(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1),
    st.sampled_from(["2026-01-02T03:04:05.000Z", "2020-12-31T23:59:59Z"]),
    st.sampled_from(["798b8004badc0135857d0377ec639d68", "0f-12", "weak & odd"]),
    st.integers(0, 50 << 40).map(str),
    st.sampled_from(["STANDARD", "GLACIER_IR"]),
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(_row, min_size=1, max_size=8),
    form=st.sampled_from([_S3, _CHECKED, _OWNED, _OWNER_FIRST, _OTHER_ORDER]),
    encoded=st.booleans(),
)
def test_any_page_holds_what_the_sdk_reads(rows: list[Row], form: str, *, encoded: bool) -> None:
    """Whatever keys there are, a page that is read here says the same as by the SDK."""
    body = _page(form, rows, encoded=encoded)
    page = read_page(body)
    if page is None:
        return
    listed, rest = page
    found = [
        (entry.key, read_timestamp(entry.last_modified).isoformat(), *entry[2:]) for entry in listed
    ]
    assert found == _by_sdk(body)
    assert _parse(rest) == {
        name: value for name, value in _parse(body).items() if name != "Contents"
    }


@pytest.mark.parametrize("form", [_S3, _CHECKED, _OWNED, _OWNER_FIRST])
def test_forms_of_known_stores_are_read_here(form: str) -> None:
    """Pages of S3 and of stores like it don't need the SDK's slow way, odd keys included."""
    keys = ["a/b.csv", "y=1/ü +%.csv", "line\nbreak", "a&b<c>", "\ufffe\x01\0"]
    rows = [(key, "2026-01-02T03:04:05.000Z", "0f", "7", "STANDARD") for key in keys]
    page = read_page(_page(form, rows, encoded=True))
    assert page is not None
    assert [entry.key for entry in page[0]] == keys


_ENTRY = _S3.format(key="k", when="2026-01-02T03:04:05Z", etag="0f", size=1, kind="STANDARD")


@pytest.mark.parametrize(
    "body",
    [
        "",
        f"{_HEAD}{_TAIL}",
        f"{_HEAD}<!-- {_ENTRY} -->{_TAIL}",
        f"{_HEAD}{_ENTRY}{_TAIL}{_ENTRY}{_TAIL}",
        f"{_HEAD}{_ENTRY}<Contents>{_TAIL}",
        f"{_HEAD}{_ENTRY.replace('<Key>k', '<Key><![CDATA[k]]>')}{_TAIL}",
        f"{_HEAD}{_ENTRY.replace('<Key>k', '<Key>a&amp;b')}{_TAIL}",
        f"{_HEAD}{_ENTRY.replace('<Size>1</Size>', '')}{_TAIL}",
        f"{_HEAD}{_ENTRY.replace('<Size>1', f'<Size>{"9" * 5_000}')}{_TAIL}",
        f"{_HEAD}{_ENTRY.replace('<Size>1</Size>', '<Size>1</Size><Restore/>')}{_TAIL}",
        f"{_HEAD.replace('UTF-8', 'ISO-8859-1')}{_ENTRY}{_TAIL}",
        f"{_HEAD}{_ENTRY}"[:-3],
    ],
)
def test_any_other_page_is_left_to_the_sdk(body: str) -> None:
    """Where the form is not known for sure, nothing is guessed."""
    assert read_page(body.encode()) is None


def test_bytes_that_are_no_text_are_left_to_the_sdk() -> None:
    """Keys in another encoding than the page claims are not read here."""
    body = f"{_HEAD}{_ENTRY}{_TAIL}".encode().replace(b"<Key>k", b"<Key>\xe9")
    assert read_page(body) is None
