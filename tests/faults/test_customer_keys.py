"""Objects under a key that the customer holds: S3 refuses their HEAD by a bare 400."""

from typing import TYPE_CHECKING

import pytest

from s3_data_lake_mcp.errors import CredentialsExpiredError
from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_NEEDS_KEY = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must "
    "be provided to retrieve the object."
)


@pytest.fixture
def ref(s3: "S3Client", bucket: str) -> ObjectRef:
    """Return an object that is there."""
    s3.put_object(Bucket=bucket, Key="a/x.csv", Body=b"a,b\n1,2\n")
    return ObjectRef(bucket=bucket, key="a/x.csv")


def test_the_listing_stands_in_for_the_head(
    impatient_store: S3Store, fault_proxy: FaultProxy, ref: ObjectRef
) -> None:
    """Size, date and the kind of encryption are told, and why the content is not."""
    fault_proxy.inject("answer", method="HEAD", status=400)
    fault_proxy.inject(
        "answer", method="GET", path="x.csv$", status=400, code="InvalidRequest", text=_NEEDS_KEY
    )
    answer = describe_object(impatient_store, ref, Settings(), ScanMeter(timeout_seconds=9))
    assert answer["source"]["size_bytes"] == 8
    assert answer["encryption"] == {"type": "SSE-C", "kms_key_id": ""}
    assert any("SSE-C" in notice for notice in answer["notices"])
    assert [call["tool"] for call in answer["suggested_calls"]] == ["list_s3_objects"]


def test_an_expired_token_is_still_one(
    impatient_store: S3Store, fault_proxy: FaultProxy, ref: ObjectRef
) -> None:
    """What the GET says of expired credentials is not taken for a customer's key."""
    fault_proxy.inject("answer", method="HEAD", status=400)
    fault_proxy.inject("answer", method="GET", path="x.csv$", status=400, code="ExpiredToken")
    with pytest.raises(CredentialsExpiredError):
        describe_object(impatient_store, ref, Settings(), ScanMeter(timeout_seconds=9))
