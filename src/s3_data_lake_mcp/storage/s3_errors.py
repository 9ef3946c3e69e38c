"""What S3 and its SDK raise, told in the contract's words; nothing of AWS is quoted unredacted."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore import exceptions as sdk
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    InvalidArgumentError,
    KmsDeniedError,
    LakeError,
    NotFoundError,
    ObjectArchivedError,
    StoreUnavailableError,
)
from s3_data_lake_mcp.storage import s3_codes
from s3_data_lake_mcp.storage.s3_codes import (
    CODES,
    DENIED_CODES,
    MISSING_CODES,
    Meaning,
    Step,
    redact,
)

FAILURES = (ClientError, BotoCoreError, ResponseParserError, ValueError)
"""All that the SDK raises; a ValueError is an answer that cannot be read."""

_ACTIONS = {
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "head_bucket": "s3:ListBucket",
    "list_objects_v2": "s3:ListBucket",
    "list_buckets": "s3:ListAllMyBuckets",
    "get_object_tagging": "s3:GetObjectTagging",
    "get_bucket_versioning": "s3:GetBucketVersioning",
}
_OF_A_VERSION = {
    "s3:GetObject": "s3:GetObjectVersion",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
}

_RAISED: tuple[tuple[tuple[type[Exception], ...], Meaning], ...] = (
    ((sdk.ProfileNotFound,), s3_codes.NO_PROFILE),
    (
        (
            sdk.SSOError,
            sdk.LoginError,
            sdk.TokenRetrievalError,
            sdk.RefreshWithMFAUnsupportedError,
        ),
        s3_codes.EXPIRED,
    ),
    (
        (
            sdk.NoCredentialsError,
            sdk.PartialCredentialsError,
            sdk.NoAuthTokenError,
            sdk.ConfigNotFound,
            sdk.ConfigParseError,
            sdk.InvalidConfigError,
            sdk.CredentialRetrievalError,
            sdk.MetadataRetrievalError,
            sdk.UnknownCredentialError,
        ),
        s3_codes.NO_CREDENTIALS,
    ),
    ((sdk.InvalidRegionError, sdk.NoRegionError, sdk.UnknownRegionError), s3_codes.BAD_REGION),
    (
        (
            sdk.ParamValidationError,
            sdk.InvalidDNSNameError,
            sdk.InvalidHostLabelError,
            sdk.UnsupportedS3ArnError,
            sdk.EndpointResolutionError,
        ),
        s3_codes.BAD_ARGUMENT,
    ),
    ((sdk.SSLError,), s3_codes.TLS_REFUSED),
    ((sdk.ConnectTimeoutError, sdk.ReadTimeoutError), s3_codes.SLOW),
    ((sdk.HTTPClientError, sdk.ConnectionError), s3_codes.UNREACHABLE),
)
"""What the SDK raises by itself; the first that fits holds."""

_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501
_PASSING = frozenset({408, 409, 429})
_DELETE_MARKER = "x-amz-delete-marker"

_ACTION = re.compile(r"to perform: ([\w:*]+)")
_REASON = re.compile(r"because (.+)", re.DOTALL)
_REQUESTER_PAYS = re.compile(r"requester.?pays", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: its operation, subject and parameters."""

    operation: str
    bucket: str = ""
    key: str = ""
    version_id: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """What an error is about."""
        if not self.bucket:
            return "The account's buckets"
        return f"s3://{self.bucket}/{self.key}" if self.key else f"s3://{self.bucket}"

    @property
    def action(self) -> str:
        """The IAM action that the request needs."""
        action = _ACTIONS[self.operation]
        return _OF_A_VERSION.get(action, action) if self.version_id else action


def headers_of(exc: Exception) -> Mapping[str, str]:
    """Return the headers of an error answer; none if there was no answer."""
    if not isinstance(exc, ClientError):
        return {}
    return exc.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})


def status_of(exc: BaseException | None) -> int:
    """Return the HTTP status of an error answer; 0 if there was no answer."""
    if not isinstance(exc, ClientError):
        return 0
    return int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def next_step(exc: Exception) -> Step:
    """Tell what to do about a failed request."""
    if not isinstance(exc, ClientError):
        return _meaning_of(exc).step
    code, status = _code(exc), status_of(exc)
    if code == "400":
        # A HEAD answer has no text: it names another region, or else the token has expired.
        return Step.FOLLOW if "x-amz-bucket-region" in headers_of(exc) else Step.RENEW
    if code in CODES:
        return CODES[code].step
    busy = status in _PASSING or (status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED)
    return Step.RETRY if busy else Step.FAIL


def translate(exc: Exception, asked: Asked) -> LakeError:
    """Return the contract's error for what the SDK raised."""
    if not isinstance(exc, ClientError):
        return _told(_meaning_of(exc), asked, type(exc).__name__)
    if exc.operation_name.lower() != asked.operation.replace("_", ""):
        return _sign_in_failed(exc, asked)
    code = _code(exc)
    if code.startswith("KMS."):
        return _kms_unusable(exc, asked)
    if headers_of(exc).get(_DELETE_MARKER) == "true":
        return _deleted(asked)
    if build := _SPECIAL.get(code):
        return build(exc, asked)
    return _told(CODES[code], asked, _said(exc)) if code in CODES else _by_status(exc, asked)


def _meaning_of(exc: Exception) -> Meaning:
    for types, meaning in _RAISED:
        if isinstance(exc, types):
            return meaning
    return s3_codes.UNREADABLE


def _told(meaning: Meaning, asked: Asked, detail: str = "") -> LakeError:
    message = f"{asked.subject}: {meaning.text}"
    return meaning.error(f"{message} ({detail})" if detail else message, hint=meaning.hint)


def _code(exc: ClientError) -> str:
    return str(exc.response.get("Error", {}).get("Code", ""))


def _text(exc: ClientError) -> str:
    return str(exc.response.get("Error", {}).get("Message", ""))


def _said(exc: ClientError) -> str:
    """Return code and text of an answer, redacted; no code where that is the status alone."""
    code = "" if _code(exc) == str(status_of(exc)) else redact(_code(exc))
    return ": ".join(filter(None, (code, redact(_text(exc)).rstrip("."))))


def _sign_in_failed(exc: ClientError, asked: Asked) -> LakeError:
    """Return the error for an answer of STS or SSO, asked while looking for credentials."""
    code, detail = _code(exc), f"{exc.operation_name}: {redact(_code(exc))}"
    if code in DENIED_CODES:
        hint = (
            "The role's trust policy must admit the server's credentials (external id: "
            "S3_DATA_LAKE_ROLE_EXTERNAL_ID), and they must have sts:AssumeRole on it."
        )
        message = f"{asked.subject}: the configured role is denied ({detail})"
        return AccessDeniedError(message, hint=hint)
    fallback = s3_codes.BUSY if status_of(exc) >= _SERVER_ERROR else s3_codes.NO_CREDENTIALS
    return _told(CODES.get(code, fallback), asked, detail)


def _by_status(exc: ClientError, asked: Asked) -> LakeError:
    status = status_of(exc)
    message = f"{asked.subject}: S3 answered {status}: {_said(exc)}".removesuffix(": ")
    if status == _NOT_IMPLEMENTED:
        hint = f"The store does not have {asked.action}; go on without it."
        return StoreUnavailableError(message, hint=hint)
    if status in {401, 403}:
        return AccessDeniedError(message, hint=f"Check that {asked.action} is allowed.")
    if status in range(400, _SERVER_ERROR) and status not in _PASSING:
        return InvalidArgumentError(message, hint=s3_codes.BAD_ARGUMENT.hint)
    return StoreUnavailableError(message, hint=s3_codes.BUSY.hint)


def _deleted(asked: Asked) -> NotFoundError:
    message = f"{asked.subject} was deleted: the version is a delete marker"
    hint = "Earlier versions may still be there: get_file_metadata with a version_id."
    return NotFoundError(message, hint=hint, bucket=asked.bucket, key=asked.key)


def _missing(exc: ClientError, asked: Asked) -> NotFoundError:
    subject = asked.subject
    if _code(exc) == "NoSuchBucket" or not asked.key:
        hint = "list_s3_buckets shows the buckets."
        return NotFoundError(f"s3://{asked.bucket} does not exist", hint=hint, bucket=asked.bucket)
    text, hint = f"{subject} does not exist", "list_s3_objects shows the keys."
    if asked.version_id:
        text = f"{subject} has no version {redact(asked.version_id)}"
        hint = "Leave version_id out for the current version."
    return NotFoundError(text, hint=hint, bucket=asked.bucket, key=asked.key)


def _denied(exc: ClientError, asked: Asked) -> LakeError:
    text = _text(exc)
    named = _ACTION.search(text)
    action = named[1] if named else asked.action
    if "kms:" in text.lower():
        return _kms_denied(action if action.startswith("kms:") else "kms:Decrypt", asked)
    if _REQUESTER_PAYS.search(text):
        message = f"{asked.subject} is in a requester-pays bucket"
        hint = "Set S3_DATA_LAKE_REQUESTER_PAYS=true if your account shall pay for the requests."
        return AccessDeniedError(message, hint=hint)
    reason = _REASON.search(text)
    because = f": {redact(reason[1]).rstrip('.')}" if reason else ""
    hint = f"The credentials lack {action}{because}. The role's policy, the bucket's "
    hint += "policy and any boundary must all allow it."
    if "ExpectedBucketOwner" in asked.parameters and not named:
        hint += " Or its owner is not the account in S3_DATA_LAKE_EXPECTED_BUCKET_OWNER."
    if asked.key and not named:
        hint += " Without s3:ListBucket S3 answers the same for a key that does not exist."
    if asked.bucket and not named and "RequestPayer" not in asked.parameters:
        hint += " Or its requester pays: S3_DATA_LAKE_REQUESTER_PAYS=true lets your account pay."
    if not asked.bucket:
        hint += " Or name the buckets in S3_DATA_LAKE_ALLOWED."
    return AccessDeniedError(f"{asked.subject}: access denied, {action} is missing", hint=hint)


def _kms_denied(action: str, asked: Asked) -> KmsDeniedError:
    message = f"{asked.subject} is encrypted with a KMS key, and {action} on it is missing"
    hint = f"Allow {action} in the key's policy and in the role's; get_file_metadata names the key."
    return KmsDeniedError(message, hint=hint)


def _kms_unusable(exc: ClientError, asked: Asked) -> KmsDeniedError:
    message = f"{asked.subject}: its KMS key cannot be used ({redact(_code(exc))})"
    return KmsDeniedError(message, hint="Ask the owner of the KMS key to enable or restore it.")


def _archived(exc: ClientError, asked: Asked) -> ObjectArchivedError:
    answer: Mapping[str, Any] = {**exc.response, **exc.response.get("Error", {})}
    tier = str(answer.get("AccessTier") or answer.get("StorageClass") or "")
    where = f" in {redact(tier)}" if tier else ""
    hint = (
        "Restore it first (aws s3api restore-object; that takes minutes to 48 hours), then call "
        "again. get_file_metadata shows how far the restore is."
    )
    return ObjectArchivedError(f"{asked.subject} is archived{where} and not restored", hint=hint)


def _invalid_request(exc: ClientError, asked: Asked) -> LakeError:
    if "encryption" not in _text(exc).lower():
        return _by_status(exc, asked)
    message = f"{asked.subject} is encrypted with a key that its owner holds (SSE-C)"
    hint = "Such an object needs that key with each request; this server holds no keys."
    return AccessDeniedError(message, hint=hint)


_SPECIAL: Mapping[str, Callable[[ClientError, Asked], LakeError]] = {
    **dict.fromkeys(MISSING_CODES, _missing),
    **dict.fromkeys(DENIED_CODES, _denied),
    "InvalidObjectState": _archived,
    "InvalidRequest": _invalid_request,
}
"""The codes whose meaning depends on the answer's text or on what was asked."""
