"""The allow-list: what its text permits, and that nothing else is ever asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.errors import InvalidArgumentError, NotAllowedError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.access import AllowList
from s3_data_lake_mcp.storage.lookup import locate
from support.fault_proxy import FaultProxy
from support.stores import open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

keys = st.text(min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("text", "bucket", "key", "permitted"),
    [
        ("", "any", "thing", True),
        ("lake", "lake", "a/b.csv", True),
        ("lake", "lakes", "a/b.csv", False),
        ("lake", "lak", "a/b.csv", False),
        ("lake/", "lake", "a/b.csv", True),
        ("lake/*", "lake", "a/b.csv", True),
        ("lake/sales/", "lake", "sales/2026/a.csv", True),
        ("lake/sales/", "lake", "sales", False),
        ("lake/sales/", "lake", "salesforce/a.csv", False),
        ("lake/sales*", "lake", "salesforce/a.csv", True),
        ("lake/sales/*.csv", "lake", "sales/2026/a.csv", True),
        ("lake/sales/*.csv", "lake", "sales/2026/a.json", False),
        ("lake/*/public/*", "lake", "a/b/public/c", True),
        ("lake/*/public/*", "lake", "a/private/c", False),
        ("lake/a.csv", "lake", "a.csv", True),
        ("lake/a.csv", "lake", "a.csv.bak", False),
        ("lake/a.csv", "lake", "x/a.csv", False),
        ("lake-*", "lake-eu", "a", True),
        ("lake-*", "lake", "a", False),
        ("*/public/*", "anything", "public/a", True),
        ("*/public/*", "anything", "private/a", False),
        (" one , two/x/ ,", "one", "a", True),
        (" one , two/x/ ,", "two", "x/a", True),
        (" one , two/x/ ,", "two", "y/a", False),
        ("s3://lake/a/*", "lake", "a/b", True),
        ("lake/a b/", "lake", "a b/c", True),
        ("lake/[ab]/", "lake", "a/c", False),
        ("lake/[ab]/", "lake", "[ab]/c", True),
        ("lake/a?", "lake", "ab", False),
        ("lake/a/", "lake", "a/../b", True),
        ("lake/a/", "lake", "a%2Fb", False),
        ("lake/a/", "lake", "A/b", False),
        ("lake/a*b*c", "lake", "abc", True),
        ("lake/a*b*c", "lake", "a-c-b", False),
        ("lake/aXa*aXa", "lake", "aXa", False),
        ("lake/a/*", "lake", "a/new\nline", True),
    ],
)
def test_what_an_entry_permits(text: str, bucket: str, key: str, permitted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Entries are buckets, prefixes ending in `/`, globs with `*`, or whole keys, all literal."""
    assert AllowList(text).permits(bucket, key) is permitted


@pytest.mark.parametrize(
    "text", [" ", ",", " , ", "/", "/key*", "arn:aws:s3:::lake", "Lake", "a b"]
)
def test_a_setting_that_cannot_be_read_fails_closed(text: str) -> None:
    """A malformed list is an error at the start, not an open door."""
    with pytest.raises(InvalidArgumentError) as caught:
        AllowList(text)
    assert "S3_DATA_LAKE_ALLOWED" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "prefix", "permitted"),
    [
        ("", "", True),
        ("lake", "", True),
        ("lake/sales/", "sales/", True),
        ("lake/sales/", "sales/2026", True),
        ("lake/sales/", "sales", False),
        ("lake/sales/", "", False),
        ("lake/sales*", "sales", True),
        ("lake/sales/*.csv", "sales/", True),
        ("lake/sales/a.csv", "sales/a.csv", True),
        ("lake/sales/a.csv", "sales/", False),
        ("lake/sales", "sales/a.csv", False),
        ("other", "", False),
    ],
)
def test_a_listing_stays_below_what_is_allowed(text: str, prefix: str, permitted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A listing may begin at an allowed prefix or below it, not above."""
    assert AllowList(text).permits_listing("lake", prefix) is permitted


def test_names_and_prefixes_are_told() -> None:
    """The buckets named in full, and where each may be listed."""
    allowed = AllowList("b/x/, a, logs-*, b/y/*.csv")
    assert allowed.bucket_names() == ("a", "b")
    assert allowed.prefixes("b") == ("x/", "y/")
    assert allowed.prefixes("a") == ("",)
    assert allowed.prefixes("c") == ()
    assert AllowList("").prefixes("c") == ("",)


def test_a_refusal_tells_what_is_allowed() -> None:
    """The hint names the allowed places of that bucket, or else all."""
    allowed = AllowList("lake/sales/,lake/web/,other")
    with pytest.raises(NotAllowedError) as caught:
        allowed.require_listing("lake", "")
    assert "s3://lake/sales/*" in caught.value.hint
    assert "other" not in caught.value.hint
    with pytest.raises(NotAllowedError) as caught:
        allowed.require("third", "key")
    assert "s3://other" in caught.value.hint


@given(prefix=keys, key=keys)
def test_a_prefix_permits_exactly_what_begins_with_it(prefix: str, key: str) -> None:
    """`bucket/prefix*` is `startswith`, whatever the letters."""
    literal = prefix.replace("*", "").replace(",", "").strip().strip("/")
    if not literal:
        return
    allowed = AllowList(f"lake/{literal}*")
    assert allowed.permits("lake", literal + key)
    assert allowed.permits("lake", key) is key.startswith(literal)


@given(parts=st.lists(st.text("ab/", max_size=4), min_size=2, max_size=4), key=st.text("ab/"))
def test_a_glob_is_the_regular_expression_it_stands_for(parts: list[str], key: str) -> None:
    """Each `*` is any run of characters; nothing else is special."""
    import re  # noqa: PLC0415 - the oracle of this test alone

    glob = "*".join(parts)
    if not glob.strip("/") or glob.endswith("/"):
        return
    expected = re.fullmatch(".*".join(map(re.escape, parts)), key, re.DOTALL) is not None
    assert AllowList(f"lake/{glob}").permits("lake", key) is expected


def test_a_folder_is_shown_only_if_it_can_hold_an_allowed_key() -> None:
    """Common prefixes don't tell the names of folders that may not be read."""
    allowed = AllowList("lake/a/*/public/*, lake/b.csv")
    assert allowed.permits_folder("lake", "a/x/")
    assert allowed.permits_folder("lake", "a/")
    assert not allowed.permits_folder("lake", "c/")
    assert not allowed.permits_folder("other", "a/")


SECRET = ObjectRef(bucket="secret", key="k")
CALLS: dict[str, Callable[..., object]] = {
    "get_head": lambda store, meter: store.get_head(SECRET, 10, meter),
    "get_tail": lambda store, meter: store.get_tail(SECRET, 10, meter),
    "get_range": lambda store, meter: store.get_range(
        ObjectInfo(ref=SECRET, size_bytes=10, etag="e"), 0, 5, meter
    ),
    "head": lambda store, meter: store.head(SECRET, meter),
    "get_tags": lambda store, meter: store.get_tags(SECRET, meter),
    "list_page": lambda store, meter: store.list_page("secret", "", meter),
    "list_above": lambda store, meter: store.list_page("lake", "", meter),
    "probe_bucket": lambda store, meter: store.probe_bucket("secret", meter),
    "is_versioned": lambda store, meter: store.is_versioned("secret", meter),
    "key_outside": lambda store, meter: store.get_head(
        ObjectRef(bucket="lake", key="private/k"), 10, meter
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_is_not_allowed_is_never_asked_for(
    fault_proxy: FaultProxy, call: Callable[..., object]
) -> None:
    """Every method refuses before any request."""
    store = open_store(Settings(allowed="lake/public/*"))
    with pytest.raises(NotAllowedError) as caught:
        call(store, ScanMeter())
    assert "lake/public/*" in caught.value.hint
    assert fault_proxy.seen == []


def test_only_what_is_allowed_is_listed(s3: "S3Client", bucket: str) -> None:
    """Objects, folders and buckets beside the allowed ones do not appear."""
    for key in ("data/a.csv", "data/b.json", "data/sub/c.csv", "data/d.txt", "other/e.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    store = open_store(Settings(allowed=f"{bucket}/data/*.csv"))
    page = store.list_page(bucket, "data/", ScanMeter())
    assert [o.key for o in page.objects] == ["data/a.csv", "data/sub/c.csv"]
    page = store.list_page(bucket, "data/", ScanMeter(), delimiter="/")
    assert page.common_prefixes == ("data/sub/",)
    assert [b.name for b in store.list_buckets(ScanMeter())] == [bucket]
    assert store.probe_bucket(bucket, ScanMeter()).access == "readable"
    assert open_store(Settings(allowed="elsewhere")).list_buckets(ScanMeter()) == ()


def test_folders_beside_an_allowed_key_are_not_shown(s3: "S3Client", bucket: str) -> None:
    """A key that is allowed alone does not open the folders whose names begin like it."""
    for key in ("a.csv", "a.csv.d/secret"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    store = open_store(Settings(allowed=f"{bucket}/a.csv"))
    page = store.list_page(bucket, "a.csv", ScanMeter(), delimiter="/")
    assert ([o.key for o in page.objects], page.common_prefixes) == (["a.csv"], ())


def test_an_allowed_key_that_looks_like_a_glob_is_an_object(s3: "S3Client", bucket: str) -> None:
    """Also where what begins like it must not be listed; no other key that it fits is read."""
    for key in ("part[1].csv", "part1.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    store = open_store(Settings(allowed=f"{bucket}/part[1].csv"))
    assert locate(store, bucket, "part[1].csv", ScanMeter()).kind == "object"
    s3.delete_object(Bucket=bucket, Key="part[1].csv")
    with pytest.raises(NotAllowedError):
        locate(store, bucket, "part[1].csv", ScanMeter())
