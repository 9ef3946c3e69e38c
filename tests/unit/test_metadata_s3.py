"""Metadata over the S3 API: versions, delete markers, tags, encryption, archives."""

from typing import TYPE_CHECKING, Any

import pytest

from s3_data_lake_mcp.errors import InvalidArgumentError, NotFoundError
from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CSV = b"a,b\n1,x\n"


def _describe(store: S3Store, bucket: str, key: str, version_id: str = "") -> dict[str, Any]:
    meter = ScanMeter()
    ref = ObjectRef(bucket=bucket, key=key, version_id=version_id)
    answer = describe_object(store, ref, Settings(), meter)
    assert meter.requests <= 5
    return answer


def test_versions(lake_store: S3Store, s3: "S3Client", bucket: str) -> None:
    """An older version is described as it was; a deleted object is not found."""
    enabled: Any = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=enabled)
    first = s3.put_object(Bucket=bucket, Key="x.csv", Body=_CSV)["VersionId"]
    latest = s3.put_object(Bucket=bucket, Key="x.csv", Body=_CSV + b"2,y\n")["VersionId"]
    said = _describe(lake_store, bucket, "x.csv", latest)["notices"]
    assert said == ["The tools that read data read the latest version, maybe not this one."]
    assert _describe(lake_store, bucket, "x.csv")["total_rows"] == 2
    old = _describe(lake_store, bucket, "x.csv", first)
    assert (old["total_rows"], old["source"]["version_id"]) == (1, first)
    assert old["versions_enabled"] is True
    assert [each["tool"] for each in old["suggested_calls"]] == ["list_s3_objects"]
    s3.delete_object(Bucket=bucket, Key="x.csv")
    with pytest.raises(NotFoundError):
        _describe(lake_store, bucket, "x.csv")
    assert _describe(lake_store, bucket, "x.csv", first)["total_rows"] == 1


def test_a_version_that_is_not_there(lake_store: S3Store, s3: "S3Client", bucket: str) -> None:
    """The call that comes next asks for no version: it tells what is there now."""
    s3.put_object(Bucket=bucket, Key="x.csv", Body=_CSV)
    with pytest.raises(NotFoundError) as caught:
        _describe(lake_store, bucket, "x.csv", "no-such-version")
    assert caught.value.repair == {"bucket_name": bucket, "prefix": "x.csv"}
    assert caught.value.repair_tool == "list_s3_objects"


def test_credentials_that_work_have_not_expired(
    lake_store: S3Store, s3: "S3Client", bucket: str
) -> None:
    """A HEAD that is refused has no text; where a GET passes, it is not for the credentials."""
    s3.put_object(Bucket=bucket, Key="x.csv", Body=_CSV)
    with pytest.raises(InvalidArgumentError, match="HEAD"):
        _describe(lake_store, bucket, "x.csv", "null")


def test_what_a_head_tells(lake_store: S3Store, s3: "S3Client", bucket: str) -> None:
    """Tags, user metadata, type, encoding and encryption are those of the upload."""
    s3.put_object(
        Bucket=bucket,
        Key="x.csv",
        Body=_CSV,
        ContentType="text/csv",
        Metadata={"owner": "ann"},
        Tagging="team=lake",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId=f"arn:aws:kms:us-east-1:{'1234' * 3}:key/1234abcd-12ab-34cd-56ef-123456789abc",
    )
    answer = _describe(lake_store, bucket, "x.csv")
    assert answer["content_type"] == "text/csv"
    assert answer["user_metadata"] == {"owner": "ann"}
    assert answer["tags"] == {"team": "lake"}
    assert answer["encryption"] == {"type": "SSE-KMS", "kms_key_id": "…9abc"}
    assert answer["versions_enabled"] is False
    assert answer["notices"] == []


def test_archived(lake_store: S3Store, s3: "S3Client", bucket: str) -> None:
    """An archived object is answered by its HEAD, with how to get it back."""
    s3.put_object(Bucket=bucket, Key="a/old.csv", Body=_CSV, StorageClass="GLACIER")
    answer = _describe(lake_store, bucket, "a/old.csv")
    assert (answer["archived"], answer["restore_status"]) == (True, "not restored")
    assert "restore-object" in answer["notices"][0]
    assert answer["suggested_calls"][0]["arguments"] == {"bucket_name": bucket, "prefix": "a/"}


@pytest.mark.parametrize("key", ["empty.csv", "folder/", "a b+c/ü.csv"])
def test_empty_objects_and_odd_keys(
    key: str, lake_store: S3Store, s3: "S3Client", bucket: str
) -> None:
    """Ranges of nothing, folder markers and odd keys work over the wire."""
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    answer = _describe(lake_store, bucket, key)
    assert answer["source"]["size_bytes"] == 0
    assert answer["notices"] == ["Empty."]
