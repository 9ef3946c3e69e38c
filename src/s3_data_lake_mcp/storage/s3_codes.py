"""The table of S3's error codes: what each means in the contract's words, and what to do first."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    CredentialsExpiredError,
    InvalidArgumentError,
    LakeError,
    NoCredentialsError,
    ObjectChangedError,
    StoreUnavailableError,
    WrongRegionError,
)

_SECRETS = re.compile(
    r"arn:aws[^\s\"'<>,]*|https?://[^\s\"'<>]+|[\w.-]+\.amazonaws\.com[^\s\"'<>]*"
    r"|X-Amz-[\w-]+(=[^&\s\"']*)?|\b(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{8,}|\b\d{12}\b"
    r"|\b\d{1,3}(\.\d{1,3}){3}\b(:\d+)?|[A-Za-z0-9+/=_-]{40,}",
    re.IGNORECASE,
)
_QUOTED_CHARS = 240


class Step(Enum):
    """What to do about a failed request before it is told."""

    RETRY = auto()
    RENEW = auto()
    FOLLOW = auto()
    FAIL = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """An error of the contract: class, text behind the subject, hint, and the step before it."""

    error: type[LakeError]
    text: str
    hint: str
    step: Step = Step.FAIL


_LATER = "Call again in a moment; if it goes on, check the network and the endpoint."

BUSY = Meaning(StoreUnavailableError, "S3 keeps failing", _LATER, Step.RETRY)
UNREACHABLE = Meaning(StoreUnavailableError, "S3 could not be reached", _LATER, Step.RETRY)
SLOW = Meaning(StoreUnavailableError, "S3 did not answer in time", _LATER, Step.RETRY)
UNREADABLE = Meaning(StoreUnavailableError, "S3's answer could not be read", _LATER, Step.RETRY)
TLS_REFUSED = Meaning(
    StoreUnavailableError,
    "the TLS connection was refused",
    "Check AWS_CA_BUNDLE, the proxy and the endpoint.",
)
EXPIRED = Meaning(
    CredentialsExpiredError,
    "the AWS credentials have expired",
    "Sign in again (such as aws sso login) or renew the keys, then call again: the server picks "
    "them up without a restart.",
    Step.RENEW,
)
NO_CREDENTIALS = Meaning(
    NoCredentialsError,
    "no AWS credentials could be used",
    "Set up the standard AWS chain: AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, aws "
    "sso login, or a role. Files that change are picked up without a restart.",
    Step.RENEW,
)
NO_PROFILE = Meaning(
    NoCredentialsError,
    "the profile that AWS_PROFILE names does not exist",
    "Set AWS_PROFILE to one that aws configure list-profiles prints, or unset it. Files that "
    "change are picked up without a restart.",
    Step.RENEW,
)
UNKNOWN_KEY = Meaning(
    NoCredentialsError, "AWS does not know the access key", NO_CREDENTIALS.hint, Step.RENEW
)
BAD_SIGNATURE = Meaning(
    AccessDeniedError,
    "S3 refused the signature",
    "The secret key does not belong to the access key, or a proxy changed the request.",
    Step.RENEW,
)
BAD_CLOCK = Meaning(
    AccessDeniedError,
    "this machine's clock is wrong",
    "Set the clock: S3 refuses requests that are more than 15 minutes off.",
)
MOVED = Meaning(
    WrongRegionError,
    "it is in another region, and following it there failed",
    "Set AWS_REGION to the bucket's region, or check AWS_ENDPOINT_URL_S3.",
    Step.FOLLOW,
)
BAD_REGION = Meaning(
    WrongRegionError, "the configured region is none of AWS", "Check AWS_REGION and the profile."
)
CHANGED = Meaning(
    ObjectChangedError, "it changed while it was being read", "Call again, without a cursor."
)
BAD_ARGUMENT = Meaning(
    InvalidArgumentError, "S3 does not take that", "Check bucket, key and version_id."
)

CODES = {
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "InvalidToken": EXPIRED,
    "TokenRefreshRequired": EXPIRED,
    "RequestExpired": EXPIRED,
    "InvalidClientTokenId": EXPIRED,
    "InvalidIdentityToken": EXPIRED,
    "IDPRejectedClaim": EXPIRED,
    "UnauthorizedException": EXPIRED,
    "UnrecognizedClientException": EXPIRED,
    "InvalidAccessKeyId": UNKNOWN_KEY,
    "NotSignedUp": UNKNOWN_KEY,
    "400": EXPIRED,
    "SignatureDoesNotMatch": BAD_SIGNATURE,
    "RequestTimeTooSkewed": BAD_CLOCK,
    "PermanentRedirect": MOVED,
    "TemporaryRedirect": MOVED,
    "Redirect": MOVED,
    "AuthorizationHeaderMalformed": MOVED,
    "IllegalLocationConstraintException": MOVED,
    "301": MOVED,
    "302": MOVED,
    "307": MOVED,
    "SlowDown": BUSY,
    "ServiceUnavailable": BUSY,
    "InternalError": BUSY,
    "OperationAborted": BUSY,
    "Throttling": BUSY,
    "ThrottlingException": BUSY,
    "RequestLimitExceeded": BUSY,
    "BandwidthLimitExceeded": BUSY,
    "TooManyRequestsException": BUSY,
    "RequestTimeout": SLOW,
    "408": SLOW,
    "429": BUSY,
    "PreconditionFailed": CHANGED,
    "412": CHANGED,
    "InvalidRange": CHANGED,
    "416": CHANGED,
    "InvalidArgument": BAD_ARGUMENT,
    "InvalidBucketName": BAD_ARGUMENT,
    "InvalidURI": BAD_ARGUMENT,
    "KeyTooLongError": BAD_ARGUMENT,
    "MethodNotAllowed": BAD_ARGUMENT,
}
"""The codes whose meaning depends on nothing else; HEAD answers have only their status."""

MISSING_CODES = ("NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound", "404")
DENIED_CODES = (
    "AccessDenied",
    "AccessDeniedException",
    "AccountProblem",
    "AllAccessDisabled",
    "Forbidden",
    "UnauthorizedAccess",
    "401",
    "403",
)


def redact(text: str) -> str:
    """Return a text of AWS on one short line, without identifiers, addresses and secrets."""
    clean = " ".join(_SECRETS.sub("…", text).split())
    return clean if len(clean) <= _QUOTED_CHARS else f"{clean[:_QUOTED_CHARS]}…"
