"""Each refusal of S3 in the contract's words: code, subject first, a hint, and no secrets."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    LakeError,
    NotFoundError,
    ObjectArchivedError,
    StoreUnavailableError,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy
from support.stores import open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCOUNT = "1234" * 3
KEY_ID = "AKIA" + "IOSFODNN7EXAMPLE"
TOKEN = "FwoGZX" + "IvYXdzEBYaDHqa0AP1234567890abcdefghijklmnopqrstuvwxyz"
DENIED_TEXT = (
    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/lake/i-0abc is not authorized to perform: "
    "s3:GetObject on resource: &quot;arn:aws:s3:::lake/orders.csv&quot; because no identity-based "
    "policy allows the s3:GetObject action"
)
KMS_TEXT = (
    f"User: arn:aws:iam::{ACCOUNT}:user/x is not authorized to perform: kms:Decrypt on "
    f"resource: arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222 because no policy allows it"
)
SSE_C_TEXT = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must "
    "be provided to retrieve the object."
)
LEAKY_TEXT = (
    f"Odd: {KEY_ID} {ACCOUNT} arn:aws:iam::{ACCOUNT}:role/x "
    "https://lake.s3.amazonaws.com/k?X-Amz-Signature=0123abcd&amp;X-Amz-Credential=zzz "
    f"10.1.2.3:9000 {TOKEN}"
)
SECRET = re.compile(r"arn:aws|\d{12}|AKIA|ASIA|X-Amz|https?://|127\.0\.0\.1|10\.1\.2|FwoGZX|i-0abc")

REFUSALS: list[tuple[str, int, str, str, str]] = [
    ("AccessDenied", 403, DENIED_TEXT, "access_denied", "s3:GetObject"),
    ("AccessDenied", 403, "Access Denied", "access_denied", "s3:GetObject"),
    ("AllAccessDisabled", 403, "All access to this object has been disabled", "access_denied", ""),
    ("AccessDenied", 403, "Requester Pays bucket", "access_denied", "S3_DATA_LAKE_REQUESTER_PAYS"),
    ("AccessDenied", 403, "Access Denied", "access_denied", "S3_DATA_LAKE_REQUESTER_PAYS"),
    ("Forbidden", 403, "", "access_denied", "S3_DATA_LAKE_REQUESTER_PAYS"),
    ("SignatureDoesNotMatch", 403, "The signature differs", "access_denied", "secret key"),
    ("RequestTimeTooSkewed", 403, "The difference is too large", "access_denied", "clock"),
    ("InvalidRequest", 400, SSE_C_TEXT, "access_denied", "SSE-C"),
    ("AccessDenied", 403, KMS_TEXT, "kms_denied", "kms:Decrypt"),
    ("KMS.DisabledException", 400, "arn:aws:kms:x is disabled", "kms_denied", "owner"),
    ("InvalidAccessKeyId", 403, f"The key {KEY_ID}", "no_credentials", "AWS_PROFILE"),
    ("ExpiredToken", 400, "The token has expired", "credentials_expired", "sso login"),
    ("ExpiredToken", 403, "The token has expired", "credentials_expired", "sso login"),
    ("InvalidToken", 400, "The token is malformed", "credentials_expired", "sso login"),
    ("TokenRefreshRequired", 400, "Refresh the token", "credentials_expired", "sso login"),
    ("PermanentRedirect", 301, "Use another endpoint", "wrong_region", "AWS_REGION"),
    ("InvalidObjectState", 403, "The class forbids it", "object_archived", "restore"),
    ("NoSuchKey", 404, "It does not exist", "not_found", "list_s3_objects"),
    ("NoSuchBucket", 404, "It does not exist", "not_found", "list_s3_buckets"),
    ("PreconditionFailed", 412, "It did not hold", "object_changed", "again"),
    ("SlowDown", 503, "Reduce your request rate", "store_unavailable", "again"),
    ("TooManyRequests", 429, "Too many requests", "store_unavailable", "again"),
    ("InternalError", 500, "Try again", "store_unavailable", "again"),
    ("NotImplemented", 501, "Not provided", "store_unavailable", "does not have"),
    ("InvalidArgument", 400, "Invalid version id specified", "invalid_argument", "version_id"),
    ("BrandNewCode", 400, LEAKY_TEXT, "invalid_argument", "Check"),
    ("BrandNewCode", 403, LEAKY_TEXT, "access_denied", "s3:GetObject"),
    ("BrandNewCode", 409, LEAKY_TEXT, "store_unavailable", "again"),
    ("BrandNewCode", 599, LEAKY_TEXT, "store_unavailable", "again"),
]


@pytest.fixture
def ref(s3: "S3Client", bucket: str) -> ObjectRef:
    """Return an object that is there."""
    s3.put_object(Bucket=bucket, Key="orders.csv", Body=b"a,b\n1,2\n")
    return ObjectRef(bucket=bucket, key="orders.csv")


def meter() -> ScanMeter:
    """Return a meter for one quick call."""
    return ScanMeter(timeout_seconds=5)


def refused(call: Callable[[], object]) -> LakeError:
    """Return the error of a call, which must tell what to do and nothing of the inside."""
    with pytest.raises(LakeError) as caught:
        call()
    text = f"{caught.value} {caught.value.hint}"
    assert caught.value.hint
    assert not SECRET.search(text), text
    assert not str(caught.value).endswith(".")
    return caught.value


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=[f"{row[0]}-{row[1]}-{at}" for at, row in enumerate(REFUSALS)]
)
def test_each_refusal_has_its_code_and_hint(
    impatient_store: S3Store,
    ref: ObjectRef,
    fault_proxy: FaultProxy,
    refusal: tuple[str, int, str, str, str],
) -> None:
    """An answer of S3 becomes the contract's code, with the next step, redacted."""
    code, status, text, expected, says = refusal
    fault_proxy.inject("answer", status=status, code=code, text=text)
    error = refused(lambda: impatient_store.get_head(ref, 100, meter()))
    assert error.code == expected
    assert says in f"{error} {error.hint}"
    assert str(error).startswith(f"s3://{ref.bucket}")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "credentials_expired"),
        (403, "access_denied"),
        (404, "not_found"),
        (412, "object_changed"),
        (503, "store_unavailable"),
    ],
)
def test_a_refused_head_request_has_no_text_but_a_code(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy, status: int, expected: str
) -> None:
    """HEAD answers carry a status alone."""
    fault_proxy.inject("answer", status=status)
    error = refused(lambda: impatient_store.head(ref, meter()))
    assert error.code == expected
    assert str(ref) in str(error)
    assert f"{status}: {status}" not in str(error)


@pytest.mark.parametrize(
    "reason",
    [
        (403, 403, "AccessDenied", KMS_TEXT, "kms_denied"),
        (400, 400, "InvalidRequest", SSE_C_TEXT, "access_denied"),
        (400, 400, "ExpiredToken", "It has expired", "credentials_expired"),
        (403, 403, "InvalidObjectState", "It is archived", "access_denied"),
    ],
)
def test_a_refused_head_asks_a_get_for_the_reason(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy, reason: tuple[Any, ...]
) -> None:
    """Behind a HEAD without text, a GET of one byte tells what it was."""
    bare, status, code, text, expected = reason
    fault_proxy.inject("answer", method="HEAD", status=bare)
    fault_proxy.inject("answer", method="GET", status=status, code=code, text=text)
    assert refused(lambda: impatient_store.head(ref, meter())).code == expected


def test_the_missing_thing_is_named(lake_store: S3Store, bucket: str) -> None:
    """`not_found` carries bucket and key, so that nearest names can be looked up."""
    with pytest.raises(NotFoundError) as caught:
        lake_store.get_head(ObjectRef(bucket=bucket, key="ordrs.csv"), 10, meter())
    assert (caught.value.bucket, caught.value.key) == (bucket, "ordrs.csv")
    with pytest.raises(NotFoundError) as caught:
        lake_store.get_head(ObjectRef(bucket="no-such-bucket", key="orders.csv"), 10, meter())
    assert (caught.value.bucket, caught.value.key) == ("no-such-bucket", "")


def test_a_deleted_object_is_told_from_one_that_never_was(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """A delete marker is `not_found`, and says that earlier versions may be there."""
    marker = {"x-amz-delete-marker": "true"}
    fault_proxy.inject("answer", status=404, code="NoSuchKey", headers=marker)
    error = refused(lambda: impatient_store.get_head(ref, 10, meter()))
    assert error.code == "not_found"
    assert "delete marker" in str(error)
    assert "version" in error.hint


def test_an_unknown_version_is_not_found(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """A version that is not there is told as such."""
    fault_proxy.inject("answer", status=404, code="NoSuchVersion")
    wanted = ObjectRef(bucket=ref.bucket, key=ref.key, version_id="v9")
    error = refused(lambda: impatient_store.get_head(wanted, 10, meter()))
    assert "no version v9" in str(error)


def test_an_archived_object_says_how_to_restore(
    lake_store: S3Store, s3: "S3Client", bucket: str
) -> None:
    """A Glacier object is `object_archived` with its class; its HEAD still answers."""
    s3.put_object(Bucket=bucket, Key="old.csv", Body=b"x", StorageClass="GLACIER")
    ref = ObjectRef(bucket=bucket, key="old.csv")
    error = refused(lambda: lake_store.get_head(ref, 10, meter()))
    assert error.code == "object_archived"
    assert "restore-object" in error.hint
    assert lake_store.head(ref, meter()).storage_class == "GLACIER"


def test_a_restore_under_way_is_told(
    impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """An object that is being restored says so, instead of asking to restore it."""
    fault_proxy.inject(
        "answer",
        method="GET",
        status=403,
        code="InvalidObjectState",
        extra="<StorageClass>DEEP_ARCHIVE</StorageClass>",
    )
    fault_proxy.inject(
        "answer",
        method="HEAD",
        status=200,
        headers={"x-amz-restore": 'ongoing-request="true"', "ETag": '"e"'},
    )
    with pytest.raises(ObjectArchivedError) as caught:
        impatient_store.get_head(ref, 10, meter())
    assert "DEEP_ARCHIVE" in str(caught.value)
    assert "under way" in caught.value.hint


def test_denied_bucket_listing_names_its_permission(
    impatient_store: S3Store, fault_proxy: FaultProxy
) -> None:
    """Without the permission to list buckets the hint names it, and the way round."""
    fault_proxy.inject("answer", status=403, code="AccessDenied", text="Access Denied")
    error = refused(lambda: impatient_store.list_buckets(meter()))
    assert isinstance(error, AccessDeniedError)
    assert "s3:ListAllMyBuckets" in str(error)
    assert "S3_DATA_LAKE_ALLOWED" in error.hint


_DATE = "<LastModified>2026-01-02T03:04:05.000Z</LastModified>"
_TAG = "<ETag>&quot;0f&quot;</ETag>"


@pytest.mark.parametrize(
    "entry",
    [
        f"<Key>k</Key>{_DATE}{_TAG}<Size>{'9' * 5_000}</Size>",
        f"<Key>k</Key>{_DATE}{_TAG}<Size>{'9' * 25}</Size>",
        f"<Key>k</Key>{_DATE}{_TAG}<Size>-1</Size>",
        f"<Key>k</Key>{_DATE}{_TAG}",
        f"<Key>k</Key>{_TAG}<Size>1</Size>",
        f"<Key>k</Key>{_DATE.replace('01-02', '13-32')}{_TAG}<Size>1</Size>",
        f"{_DATE}{_TAG}<Size>1</Size>",
    ],
)
def test_a_listing_of_impossible_keys(
    impatient_store: S3Store, bucket: str, fault_proxy: FaultProxy, entry: str
) -> None:
    """A store that lists no size, date or name, or one that cannot be, is not told to be a bug."""
    page = (
        "<ListBucketResult><IsTruncated>false</IsTruncated>"
        f"<Contents>{entry}</Contents></ListBucketResult>"
    )
    fault_proxy.inject("answer", status=200, page=page)
    error = refused(lambda: impatient_store.list_page(bucket, "", meter()))
    assert error.code == "store_unavailable"
    assert str(error).startswith(f"s3://{bucket}")


def test_no_answer_at_all(aws_env: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that nobody serves is `store_unavailable`, and is not told."""
    del aws_env
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    store = open_store(Settings(_env_file=None, timeout_seconds=2))  # type: ignore[call-arg] # of pydantic-settings
    error = refused(lambda: store.list_page("lake", "", meter()))
    assert error.code == "store_unavailable"
    assert "could not be reached" in str(error)


def test_an_endpoint_that_is_no_url(aws_env: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped endpoint is told by the setting's name."""
    del aws_env
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "localhost")
    store = open_store(Settings(_env_file=None))  # type: ignore[call-arg] # as above
    error = refused(lambda: store.list_page("lake", "", meter()))
    assert error.code == "store_unavailable"
    assert "AWS_ENDPOINT_URL_S3" in error.hint


def test_requests_pay_only_if_told(
    fault_proxy: FaultProxy, ref: ObjectRef, impatient_store: S3Store
) -> None:
    """The requester-pays header is sent by setting alone."""
    impatient_store.get_head(ref, 10, meter())
    assert "x-amz-request-payer" not in fault_proxy.seen[-1].headers
    paying = open_store(Settings(_env_file=None, requester_pays=True))  # type: ignore[call-arg] # as above
    paying.get_head(ref, 10, meter())
    assert fault_proxy.seen[-1].headers["x-amz-request-payer"] == "requester"


@pytest.mark.parametrize(("text", "pays"), [(DENIED_TEXT, False), ("Access Denied", True)])
def test_a_payer_is_proposed_only_where_that_can_help(
    aws_env: None,
    fault_proxy: FaultProxy,
    ref: ObjectRef,
    text: str,
    pays: bool,  # noqa: FBT001 - a case
) -> None:
    """S3 refuses an unpaid request without a reason; a reason, or paying already, rules it out."""
    del aws_env
    settings = Settings(_env_file=None, timeout_seconds=5, requester_pays=pays)  # type: ignore[call-arg] # as above
    fault_proxy.inject("answer", status=403, code="AccessDenied", text=text)
    error = refused(lambda: open_store(settings).get_head(ref, 10, meter()))
    assert error.code == "access_denied"
    assert "REQUESTER_PAYS" not in error.hint


_STOOD = "at"


@pytest.mark.parametrize("more", ["", f"<NextContinuationToken>{_STOOD}</NextContinuationToken>"])
def test_a_listing_that_does_not_go_on_ends(
    impatient_store: S3Store, fault_proxy: FaultProxy, bucket: str, more: str
) -> None:
    """One that goes on without saying how, or where it stood already, would never end."""
    page = f"<ListBucketResult><IsTruncated>true</IsTruncated>{more}</ListBucketResult>"
    fault_proxy.inject("answer", status=200, page=page)
    with pytest.raises(StoreUnavailableError, match="broke its listing off"):
        impatient_store.list_page(bucket, "", ScanMeter(), token=_STOOD)
