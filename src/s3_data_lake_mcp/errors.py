"""Every error an agent can see, in one tree.

LakeError
├── RequestError            change the arguments
│   ├── InvalidArgumentError      invalid_argument
│   ├── UnknownColumnError        unknown_column
│   ├── SqlError                  sql_error
│   ├── NotReadOnlyError          not_read_only
│   └── NotAllowedError           not_allowed
├── StoreError              what S3 answered
│   ├── NotFoundError             not_found
│   ├── AccessDeniedError         access_denied
│   ├── NoCredentialsError        no_credentials
│   ├── CredentialsExpiredError   credentials_expired
│   ├── WrongRegionError          wrong_region
│   ├── ObjectArchivedError       object_archived
│   ├── KmsDeniedError            kms_denied
│   ├── ObjectChangedError        object_changed        (retryable)
│   └── StoreUnavailableError     store_unavailable     (retryable)
├── FormatError             the bytes are not what they claim
│   ├── UnsupportedFormatError    unsupported_format
│   └── MalformedDataError        malformed_data
├── LimitExceededError            limit_exceeded        ask for less
├── DeadlineExceededError         timeout
└── InternalError                 internal_error        a bug: no input may cause it
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar


class LakeError(Exception):
    """Base of every expected failure.

    The message names its subject first and ends without a full stop. `hint` is the next step.
    `repair` holds the arguments which, put over those of the failed call, make a call that would
    work; `repair_tool` names another tool if that one is the answer.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        repair: Mapping[str, object] | None = None,
        repair_tool: str = "",
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.repair = dict(repair) if repair is not None else None
        self.repair_tool = repair_tool

    @property
    def sentences(self) -> str:
        """What happened and the next step, for use in a notice."""
        return f"{self}. {self.hint}".rstrip()


class RequestError(LakeError):
    """The arguments must change."""


class InvalidArgumentError(RequestError):
    """An argument is unknown, of the wrong type, out of range or contradicts another."""

    code = "invalid_argument"


class UnknownColumnError(RequestError):
    """A named column does not exist."""

    code = "unknown_column"


class SqlError(RequestError):
    """SQL that does not parse, bind or run."""

    code = "sql_error"


class NotReadOnlyError(RequestError):
    """SQL that parses but is anything else than one read-only query."""

    code = "not_read_only"


class NotAllowedError(RequestError):
    """The server's own policy refuses it."""

    code = "not_allowed"


class StoreError(LakeError):
    """The object store refused or failed."""


class NotFoundError(StoreError):
    """No such bucket, key or version.

    `bucket` and `key` say what is missing (an empty key: the bucket), so that the nearest existing
    names can be looked up.
    """

    code = "not_found"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        repair: Mapping[str, object] | None = None,
        repair_tool: str = "",
        bucket: str = "",
        key: str = "",
    ) -> None:
        super().__init__(message, hint=hint, repair=repair, repair_tool=repair_tool)
        self.bucket = bucket
        self.key = key


class AccessDeniedError(StoreError):
    """The credentials lack a permission."""

    code = "access_denied"


class NoCredentialsError(StoreError):
    """The standard chain found no credentials."""

    code = "no_credentials"


class CredentialsExpiredError(StoreError):
    """The credentials have expired."""

    code = "credentials_expired"


class WrongRegionError(StoreError):
    """The bucket is in another region and following it failed."""

    code = "wrong_region"


class ObjectArchivedError(StoreError):
    """The object is in an archive class and must be restored first."""

    code = "object_archived"


class KmsDeniedError(StoreError):
    """The object's KMS key may not be used."""

    code = "kms_denied"


class ObjectChangedError(StoreError):
    """The object was overwritten or deleted while it was being read."""

    code = "object_changed"
    retryable = True


class StoreUnavailableError(StoreError):
    """The store did not answer, or kept failing."""

    code = "store_unavailable"
    retryable = True


class FormatError(LakeError):
    """The bytes are not what they claim to be."""


class UnsupportedFormatError(FormatError):
    """A format that the tool does not read."""

    code = "unsupported_format"


class MalformedDataError(FormatError):
    """Bytes that the format's rules refuse."""

    code = "malformed_data"


class LimitExceededError(LakeError):
    """A limit of the server was reached: rows, bytes, depth, memory, places."""

    code = "limit_exceeded"


class DeadlineExceededError(LakeError):
    """The call ran out of time."""

    code = "timeout"


class InternalError(LakeError):
    """A bug in the server."""

    code = "internal_error"


def _leaves(cls: type[LakeError]) -> Iterator[type[LakeError]]:
    for child in cls.__subclasses__():
        yield child
        yield from _leaves(child)


def error_from(code: str, message: str, **fields: Any) -> LakeError:  # noqa: ANN401 - of a kind each
    """Rebuild an error from its code and its own fields, as they come back from a worker."""
    classes = {cls.code: cls for cls in _leaves(LakeError) if "code" in vars(cls)}
    return classes.get(code, InternalError)(message, **fields)
