"""Buckets elsewhere: followed once, remembered, and `wrong_region` only when following fails."""

from typing import TYPE_CHECKING, Any

import pytest

from s3_data_lake_mcp.errors import WrongRegionError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy
from support.stores import open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HOME, AWAY = "us-east-1", "eu-central-1"
REGION_HEADER = {"x-amz-bucket-region": AWAY}
SENT_AWAY: list[dict[str, Any]] = [
    {"status": 301, "code": "PermanentRedirect", "headers": REGION_HEADER},
    {"status": 307, "code": "TemporaryRedirect", "headers": REGION_HEADER},
    {
        "status": 400,
        "code": "AuthorizationHeaderMalformed",
        "extra": f"<Region>{AWAY}</Region>",
    },
    {"status": 400, "code": "IllegalLocationConstraintException", "headers": REGION_HEADER},
]


@pytest.fixture
def ref(s3: "S3Client", bucket: str) -> ObjectRef:
    """Return an object that is there."""
    s3.put_object(Bucket=bucket, Key="orders.csv", Body=b"a,b\n1,2\n")
    return ObjectRef(bucket=bucket, key="orders.csv")


@pytest.mark.parametrize("answer", SENT_AWAY, ids=[str(answer["code"]) for answer in SENT_AWAY])
def test_a_bucket_elsewhere_is_followed_and_remembered(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy, answer: dict[str, Any]
) -> None:
    """The first request is sent on to the bucket's region; the next one goes there at once."""
    fault_proxy.inject("answer", region=HOME, **answer)
    meter = ScanMeter()
    info, data = impatient_store.get_head(ref, 100, meter)
    assert data == b"a,b\n1,2\n"
    assert impatient_store.get_range(info, 4, 8, meter) == b"1,2\n"
    assert [seen.region for seen in fault_proxy.seen] == [HOME, AWAY, AWAY]
    assert meter.requests == 3


def test_a_head_request_is_followed(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """A HEAD that S3 refuses with a bare 400 and the region's name is followed too."""
    fault_proxy.inject("answer", region=HOME, status=400, headers=REGION_HEADER)
    assert impatient_store.head(ref, ScanMeter()).info.size_bytes == 8


def test_a_redirect_without_a_region_asks_for_it(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """Where the answer doesn't say the region, a HEAD of the bucket does; all is counted."""
    fault_proxy.inject(
        "answer", method="HEAD", region=HOME, status=301, headers=REGION_HEADER, times=1
    )
    fault_proxy.inject("answer", region=HOME, status=301, code="PermanentRedirect")
    meter = ScanMeter()
    assert impatient_store.list_page(ref.bucket, "", meter).objects[0].key == "orders.csv"
    assert [seen.method for seen in fault_proxy.seen] == ["GET", "HEAD", "GET"]
    assert meter.requests == 3


def test_a_bucket_that_moved_again_is_followed_again(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """A remembered region that became wrong is corrected."""
    fault_proxy.inject(
        "answer", region=HOME, status=301, code="PermanentRedirect", headers=REGION_HEADER
    )
    impatient_store.get_head(ref, 10, ScanMeter())
    fault_proxy.clear()
    back = {"x-amz-bucket-region": HOME}
    fault_proxy.inject("answer", region=AWAY, status=301, code="PermanentRedirect", headers=back)
    impatient_store.get_head(ref, 10, ScanMeter())
    assert [seen.region for seen in fault_proxy.seen] == [AWAY, HOME]


def test_following_in_a_circle_is_wrong_region(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """A bucket that redirects wherever it is asked is given up soon."""
    fault_proxy.inject("answer", status=301, code="PermanentRedirect", headers=REGION_HEADER)
    meter = ScanMeter()
    with pytest.raises(WrongRegionError) as caught:
        impatient_store.get_head(ref, 10, meter)
    assert "AWS_REGION" in caught.value.hint
    assert meter.requests <= 3


def test_the_account_is_asked_in_the_region_that_its_store_names(
    impatient_store: S3Store, bucket: str, fault_proxy: FaultProxy
) -> None:
    """A store that signs for one region alone says so; the account is asked there from then on."""
    fault_proxy.inject(
        "answer",
        region=HOME,
        status=400,
        code="AuthorizationHeaderMalformed",
        extra=f"<Region>{AWAY}</Region>",
    )
    for _ in range(2):
        assert bucket in {found.name for found in impatient_store.list_buckets(ScanMeter())}
    assert [seen.region for seen in fault_proxy.seen] == [HOME, AWAY, AWAY]


def test_an_account_sent_in_a_circle_is_wrong_region(
    impatient_store: S3Store, fault_proxy: FaultProxy
) -> None:
    """So is a list of buckets that is redirected wherever it is asked for."""
    fault_proxy.inject("answer", status=301, code="PermanentRedirect", headers=REGION_HEADER)
    meter = ScanMeter()
    with pytest.raises(WrongRegionError):
        impatient_store.list_buckets(meter)
    assert meter.requests == len(fault_proxy.seen) == 2


def test_a_region_that_is_no_name_is_not_followed(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """What claims to be a region but could be a host is refused."""
    evil = {"x-amz-bucket-region": "evil.example/x"}
    fault_proxy.inject("answer", status=301, code="PermanentRedirect", headers=evil)
    with pytest.raises(WrongRegionError):
        impatient_store.get_head(ref, 10, ScanMeter())


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_configured_region_is_asked_first(
    fault_proxy: FaultProxy, bucket: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Both of the environment's names for the region hold."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv(variable, "ap-south-1")
    open_store(Settings()).list_page(bucket, "", ScanMeter())
    assert fault_proxy.seen[-1].region == "ap-south-1"


def test_without_a_region_the_default_is_asked(
    fault_proxy: FaultProxy, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No region configured is no error."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    open_store(Settings()).list_page(bucket, "", ScanMeter())
    assert fault_proxy.seen[-1].region == HOME


def test_a_probe_tells_the_region_of_a_denied_bucket(
    impatient_store: S3Store, bucket: str, fault_proxy: FaultProxy
) -> None:
    """A refusal names the region too: one request tells access and region."""
    fault_proxy.inject("answer", status=403, code="AccessDenied", headers=REGION_HEADER)
    probe = impatient_store.probe_bucket(bucket, ScanMeter())
    assert (probe.region, probe.access) == (AWAY, "denied")
    assert len(fault_proxy.seen) == 1


def test_a_region_that_is_no_name_is_not_remembered(
    impatient_store: S3Store, bucket: str, fault_proxy: FaultProxy
) -> None:
    """An answer cannot send later requests to a host of its choice."""
    evil = {"x-amz-bucket-region": "evil.example/x"}
    fault_proxy.inject("answer", status=403, code="AccessDenied", headers=evil, times=1)
    assert impatient_store.probe_bucket(bucket, ScanMeter()).region == HOME
    assert {seen.region for seen in fault_proxy.seen} == {HOME}


def test_a_probe_that_s3_takes_for_wrong_tells_nothing(
    impatient_store: S3Store, bucket: str, fault_proxy: FaultProxy
) -> None:
    """A bucket that cannot be listed for another reason spoils no list of buckets."""
    fault_proxy.inject("answer", status=400, code="InvalidRequest", text="Not for this bucket")
    assert impatient_store.probe_bucket(bucket, ScanMeter()).access == "unknown"
