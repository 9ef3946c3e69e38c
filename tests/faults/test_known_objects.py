"""Objects that were read before: over the SDK's connections, without the SDK's own work."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from botocore.session import Session

from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.aws.objects import ObjectClient
from s3_data_lake_mcp.errors import NotFoundError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from s3_data_lake_mcp.storage import ObjectInfo

BODY = bytes(range(256)) * 400
OF_THE_SDK = "amz-sdk-invocation-id"


@pytest.fixture
def info(s3: "S3Client", bucket: str, impatient_store: S3Store) -> "ObjectInfo":
    """Return the identity of an object of which the last bytes were read."""
    s3.put_object(Bucket=bucket, Key="a b+c/ä.bin", Body=BODY)
    ref = ObjectRef(bucket=bucket, key="a b+c/ä.bin")
    found, tail = impatient_store.get_tail(ref, 100, ScanMeter())
    assert tail == BODY[-100:]
    return found


def read(store: S3Store, info: "ObjectInfo", start: int, stop: int) -> None:
    """Read a range, which must be exact."""
    assert store.get_range(info, start, stop, ScanMeter()) == BODY[start:stop]


def test_the_sdk_sends_the_first_and_no_other(
    impatient_store: S3Store, info: "ObjectInfo", fault_proxy: FaultProxy
) -> None:
    """All are signed, by the same key for the same region, and go to the same place."""
    for start in (0, 1_000):
        read(impatient_store, info, start, start + 50_000)
    first, *others = fault_proxy.seen
    assert OF_THE_SDK in first.headers
    for other in others:
        assert OF_THE_SDK not in other.headers
        assert (other.access_key, other.region, other.path) == (
            first.access_key,
            first.region,
            first.path,
        )
        assert other.headers["user-agent"] == first.headers["user-agent"]
        assert other.headers["if-match"] == f'"{info.etag}"'


def test_what_a_head_tells_is_the_same_without_the_sdk(
    s3: "S3Client", bucket: str, impatient_store: S3Store, fault_proxy: FaultProxy
) -> None:
    """All of it, checksums with it, which S3 tells only who asks for them."""
    s3.put_object(
        Bucket=bucket,
        Key="a.bin",
        Body=BODY,
        ContentType="text/csv",
        ContentEncoding="gzip",
        StorageClass="STANDARD_IA",
        ServerSideEncryption="AES256",
        ChecksumAlgorithm="SHA256",
        Metadata={"owner": "crm"},
    )
    ref = ObjectRef(bucket=bucket, key="a.bin")
    by_sdk = impatient_store.head(ref, ScanMeter())
    opened, _ = impatient_store.get_head(ref, 100, ScanMeter())
    assert impatient_store.head(ref, ScanMeter()) == by_sdk
    assert impatient_store.get_head(ref, 100, ScanMeter()) == (opened, BODY[:100])
    assert impatient_store.get_tail(ref, 100, ScanMeter()) == (opened, BODY[-100:])
    assert by_sdk.checksums["SHA256"]
    assert [OF_THE_SDK in seen.headers for seen in fault_proxy.seen] == [True] * 2 + [False] * 3
    first, _, second, *_ = fault_proxy.seen
    of_each_request = ("amz-sdk", "authorization", "x-amz-date", "user-agent", "host")
    kept = [
        {name: v for name, v in seen.headers.items() if not name.startswith(of_each_request)}
        for seen in (first, second)
    ]
    assert kept[0] == kept[1]


def test_a_head_without_the_sdk_fails_as_with_it(
    s3: "S3Client", bucket: str, impatient_store: S3Store, info: "ObjectInfo"
) -> None:
    """The object was deleted since it was read."""
    s3.delete_object(Bucket=bucket, Key=info.ref.key)
    with pytest.raises(NotFoundError) as without:
        impatient_store.head(info.ref, ScanMeter())
    with pytest.raises(NotFoundError) as by_sdk:
        impatient_store.head(ObjectRef(bucket=bucket, key="other.bin"), ScanMeter())
    assert str(without.value).replace(info.ref.key, "other.bin") == str(by_sdk.value)


def test_a_header_that_no_parser_takes_is_no_matter(
    impatient_store: S3Store, info: "ObjectInfo", fault_proxy: FaultProxy
) -> None:
    """Who wrote the object chose what it says of its end."""
    headers = {"Expires": "never", "ETag": '"1"'}
    fault_proxy.inject("answer", method="HEAD", status=200, headers=headers)
    assert impatient_store.head(info.ref, ScanMeter()).info.etag == "1"


def test_a_signature_serves_for_a_minute(
    impatient_store: S3Store,
    info: "ObjectInfo",
    fault_proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the time of day, which S3 compares with: also after the computer slept or was set back."""
    read(impatient_store, info, 0, 50_000)
    noon = datetime(2036, 11, 30, 12, tzinfo=UTC)  # no minute of the test itself
    for seconds in (0, 59, 61, 121, -3_600):
        at = noon + timedelta(seconds=seconds)
        monkeypatch.setattr("time.time", at.timestamp)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda at=at: at)
        read(impatient_store, info, 0, 50_000)
    dates = [seen.headers["x-amz-date"][9:15] for seen in fault_proxy.seen[-5:]]
    assert dates == ["120000", "120000", "120101", "120101", "110000"]


def test_renewed_keys_sign_at_once(s3: "S3Client", bucket: str, fault_proxy: FaultProxy) -> None:
    """Keys of a role change while a scan runs."""
    etag = s3.put_object(Bucket=bucket, Key="a.bin", Body=BODY)["ETag"]
    session = Session()
    session.set_credentials("AKIA-OLD", "secret")
    objects = ObjectClient(cast("S3Client", session.create_client("s3")), session)
    for key in ("AKIA-OLD", "AKIA-OLD", "AKIA-NEW"):
        session.set_credentials(key, "secret")
        answer = objects.get_object(Bucket=bucket, Key="a.bin", Range="bytes=0-9", IfMatch=etag)
        assert answer["Body"].read() == BODY[:10]
    assert [seen.access_key for seen in fault_proxy.seen[-2:]] == ["AKIA-OLD", "AKIA-NEW"]


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"])
def test_where_a_proxy_is_between_the_sdk_sends_all(
    aws_env: None, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """It knows how to talk to it."""
    del aws_env
    monkeypatch.setenv("HTTP_PROXY", proxy)
    objects = ClientFactory(Settings()).client_for("lake").objects
    assert (objects._pool("http://lake.s3.amazonaws.com/a.bin") is None) == bool(proxy)


def test_connections_that_the_sdk_did_not_set_up_are_not_used(aws_env: None) -> None:
    """Whom to trust is said before it sends: of a host that it has not asked, nothing is known."""
    del aws_env
    objects = ClientFactory(Settings()).client_for("lake").objects
    assert objects._pool("https://lake.s3.amazonaws.com/a.bin") is None
