"""What only S3 has: versions, metadata, encryption, checksums, tags, regions of buckets."""

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from s3_data_lake_mcp.errors import InvalidArgumentError, NotFoundError, ObjectChangedError
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

ENABLED: Any = {"Status": "Enabled"}


@pytest.fixture
def versions(s3: "S3Client", bucket: str) -> list[ObjectRef]:
    """Return two versions of one key, the older first."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=ENABLED)
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=b)["VersionId"] for b in (b"old!", b"newer")]
    return [ObjectRef(bucket=bucket, key="k", version_id=version) for version in ids]


def test_a_named_version_is_read(lake_store: S3Store, versions: list[ObjectRef]) -> None:
    """Each version gives its own bytes, by opening reads, ranges and heads."""
    for ref, body in zip(versions, (b"old!", b"newer"), strict=True):
        info, head = lake_store.get_head(ref, 100, ScanMeter())
        assert (head, info.version_id) == (body, ref.version_id)
        assert lake_store.get_tail(ref, 2, ScanMeter())[1] == body[-2:]
        assert lake_store.get_range(info, 1, 3, ScanMeter()) == body[1:3]
        assert lake_store.head(ref, ScanMeter()).info.size_bytes == len(body)


def test_a_new_version_changes_what_is_read(
    lake_store: S3Store, versions: list[ObjectRef], s3: "S3Client"
) -> None:
    """Without a named version a read is pinned by its ETag, which needs no further permission."""
    current = ObjectRef(bucket=versions[0].bucket, key="k")
    info, head = lake_store.get_head(current, 100, ScanMeter())
    assert (head, info.version_id) == (b"newer", versions[1].version_id)
    s3.put_object(Bucket=current.bucket, Key="k", Body=b"third")
    with pytest.raises(ObjectChangedError):
        lake_store.get_range(info, 0, 2, ScanMeter())
    named, _ = lake_store.get_head(versions[1], 1, ScanMeter())
    assert lake_store.get_range(named, 0, 2, ScanMeter()) == b"ne"


def test_only_a_named_version_is_asked_for(
    impatient_store: S3Store, versions: list[ObjectRef], fault_proxy: FaultProxy
) -> None:
    """A version in the request would need s3:GetObjectVersion, which a reader may lack."""
    current = ObjectRef(bucket=versions[0].bucket, key="k")
    info, _ = impatient_store.get_head(current, 1, ScanMeter())
    impatient_store.get_range(info, 1, 3, ScanMeter())
    assert [seen.query for seen in fault_proxy.seen if "versionId" in seen.query] == []


def test_a_version_that_never_was(lake_store: S3Store, versions: list[ObjectRef]) -> None:
    """An unknown version is an error of the arguments or not found, never another version."""
    ref = ObjectRef(bucket=versions[0].bucket, key="k", version_id="nope")
    with pytest.raises((NotFoundError, InvalidArgumentError)):
        lake_store.get_head(ref, 10, ScanMeter())


def test_versioning_is_told(lake_store: S3Store, versions: list[ObjectRef]) -> None:
    """A bucket that keeps versions says so."""
    assert lake_store.is_versioned(versions[0].bucket, ScanMeter()) is True


def test_a_head_tells_all(lake_store: S3Store, s3: "S3Client", bucket: str) -> None:
    """Class, encryption, the key's id without its account, metadata and checksums."""
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"data",
        ContentType="text/csv",
        ContentEncoding="gzip",
        StorageClass="STANDARD_IA",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=f"arn:aws:kms:us-east-1:{'1234' * 3}:key/1234-abcd",
        Metadata={"owner": "finance"},
        ChecksumAlgorithm="SHA256",
        Tagging="team=a%20b&env=prod",
    )
    ref = ObjectRef(bucket=bucket, key="k")
    head = lake_store.head(ref, ScanMeter())
    assert (head.info.content_type, head.info.content_encoding) == ("text/csv", "gzip")
    assert (head.storage_class, head.encryption) == ("STANDARD_IA", "aws:kms")
    assert head.kms_key_id == "1234-abcd"
    assert head.user_metadata == {"owner": "finance"}
    assert "SHA256" in head.checksums
    assert lake_store.get_tags(ref, ScanMeter()) == {"team": "a b", "env": "prod"}


def test_a_bucket_elsewhere_tells_its_region(
    lake_store: S3Store, make_bucket: "Callable[..., str]"
) -> None:
    """A probe names the region, with and without the access check."""
    name = make_bucket(region="ap-southeast-2")
    for access in (True, False):
        probe = lake_store.probe_bucket(name, ScanMeter(), access=access)
        assert probe.region == "ap-southeast-2"


def test_long_listings_of_buckets_are_paged(
    impatient_store: S3Store, fault_proxy: FaultProxy
) -> None:
    """All pages of the account's buckets are taken; the regions they tell are asked at once."""
    page = (
        "<ListAllMyBucketsResult><Buckets><Bucket><Name>{name}</Name>"
        "<CreationDate>2026-01-02T03:04:05.000Z</CreationDate>"
        "<BucketRegion>eu-west-3</BucketRegion></Bucket></Buckets>{more}</ListAllMyBucketsResult>"
    )
    first = page.format(name="lake-a", more="<ContinuationToken>t&amp;1</ContinuationToken>")
    fault_proxy.inject("answer", status=200, times=1, page=first)
    fault_proxy.inject("answer", status=200, times=1, page=page.format(name="lake-b", more=""))
    buckets = impatient_store.list_buckets(ScanMeter())
    assert [(bucket.name, bucket.region) for bucket in buckets] == [
        ("lake-a", "eu-west-3"),
        ("lake-b", "eu-west-3"),
    ]
    assert "continuation-token=t%261" in fault_proxy.seen[-1].query
    impatient_store.probe_bucket("lake-a", ScanMeter())
    assert fault_proxy.seen[-1].region == "eu-west-3"


def test_a_head_of_no_bytes_is_a_head(lake_store: S3Store, s3: "S3Client", bucket: str) -> None:
    """Asking for no bytes tells the identity alone."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"data")
    ref = ObjectRef(bucket=bucket, key="k")
    for read in (lake_store.get_head, lake_store.get_tail):
        info, data = read(ref, 0, ScanMeter())
        assert (info.size_bytes, data) == (4, b"")


@pytest.mark.parametrize("delimiter", ["", "/"])
def test_a_listing_goes_on_behind_any_key(
    lake_store: S3Store, s3: "S3Client", bucket: str, delimiter: str
) -> None:
    """Control characters, which XML cannot hold, are no hindrance, on pages of any length."""
    keys = ["\x02", "a", "a\x01b", "a\x01c", "a\x02d/x", "a\tb", "a\x1f", "a b", "é", "\x7f"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    listed = sorted("a\x02d/" if key.endswith("/x") and delimiter else key for key in keys)
    starts = [key for key in keys if not key.endswith("/x")]
    for size, after in product((1, 2, 100), starts):
        found, goes_on = list[str](), {"start_after": after}
        while goes_on:
            page = lake_store.list_page(
                bucket, "", ScanMeter(), delimiter=delimiter, max_keys=size, **goes_on
            )
            found += [*(one.key for one in page.objects), *page.common_prefixes]
            goes_on = {"token": page.next_token} if page.next_token else {}
        assert sorted(found) == [one for one in listed if one > after]
    # The stand-in cannot list versions of such keys, as the end of a test does.
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
