"""Names that no request is made for."""

from collections.abc import Callable

import pytest

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy
from support.stores import open_store

BAD_BUCKETS = [
    "",
    "ab",
    "a" * 64,
    "Lake",
    "-lake",
    "lake-",
    "la..ke",
    "192.168.0.1",
    "la_ke",
    "lake/key",
    "lake?x=1",
    "lake@evil.example",
    "lake#x",
    "evil.example:80",
    "lake\n",
    "läke",
    "..",
    f"arn:aws:s3:us-east-1:{'1234' * 3}:accesspoint/x",
    f"arn:aws:s3::{'1234' * 3}:accesspoint:abc.mrap",
    "abcdef.mrap",
    "lake--use1-az4--x-s3",
    "ap-123-s3alias",
    "ap-123--ol-s3",
]

BUCKET_CALLS: dict[str, Callable[[S3Store, str, ScanMeter], object]] = {
    "get_head": lambda store, name, m: store.get_head(ObjectRef(bucket=name, key="k"), 1, m),
    "list_page": lambda store, name, m: store.list_page(name, "", m),
    "probe_bucket": lambda store, name, m: store.probe_bucket(name, m),
    "is_versioned": lambda store, name, m: store.is_versioned(name, m),
}


@pytest.mark.parametrize("bucket", BAD_BUCKETS)
def test_a_name_that_is_no_bucket_is_never_sent(fault_proxy: FaultProxy, bucket: str) -> None:
    """Addresses, ARNs, access points and directory buckets are refused before any request."""
    store = open_store(Settings())
    for call in BUCKET_CALLS.values():
        with pytest.raises(InvalidArgumentError) as caught:
            call(store, bucket, ScanMeter())
        assert caught.value.hint
    assert fault_proxy.seen == []


@pytest.mark.parametrize(
    "ref",
    [
        ObjectRef(bucket="lake", key=""),
        ObjectRef(bucket="lake", key="k" * 1025),
        ObjectRef(bucket="lake", key="ü" * 513),
        ObjectRef(bucket="lake", key="\ud800"),
        ObjectRef(bucket="lake", key="k", version_id="\ud800"),
        ObjectRef(bucket="lake", key="k", version_id="v" * 2000),
    ],
    ids=["empty", "long", "long-utf8", "surrogate", "version", "long-version"],
)
def test_a_key_that_s3_cannot_hold_is_never_sent(fault_proxy: FaultProxy, ref: ObjectRef) -> None:
    """Empty, too long and unencodable keys and versions are refused before any request."""
    store = open_store(Settings())
    for call in (
        lambda: store.get_head(ref, 1, ScanMeter()),
        lambda: store.get_tail(ref, 1, ScanMeter()),
        lambda: store.head(ref, ScanMeter()),
        lambda: store.get_tags(ref, ScanMeter()),
    ):
        with pytest.raises(InvalidArgumentError) as caught:
            call()
        assert caught.value.hint
    assert fault_proxy.seen == []


def test_a_prefix_that_s3_cannot_hold_is_never_sent(fault_proxy: FaultProxy) -> None:
    """Listings check their texts alike."""
    store = open_store(Settings())
    for prefix in ("p" * 1025, "\udfff"):
        with pytest.raises(InvalidArgumentError):
            store.list_page("lake", prefix, ScanMeter())
    assert fault_proxy.seen == []


def test_the_longest_key_is_read(lake_store: S3Store, bucket: str, s3: object) -> None:
    """1,024 bytes are allowed."""
    key = "k" * 1024
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")  # type: ignore[attr-defined] # an S3Client
    ref = ObjectRef(bucket=bucket, key=key)
    assert lake_store.get_head(ref, 10, ScanMeter())[1] == b"x"
