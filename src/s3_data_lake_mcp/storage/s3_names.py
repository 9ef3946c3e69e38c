"""Names of buckets, keys and versions, checked before anything is sent."""

import re
from functools import lru_cache

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.storage import ObjectRef

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_ACCOUNT = re.compile(r"(?<=:)\d{12}(?=:)")
_KEY_BYTES = 1024
_SPECIAL = (
    (re.compile(r"arn:.*", re.IGNORECASE | re.DOTALL), "an ARN"),
    (re.compile(r".*\.mrap"), "a multi-region access point"),
    (re.compile(r".*--x-s3"), "a directory bucket"),
    (re.compile(r".*(-s3alias|--ol-s3)"), "an access point"),
)


@lru_cache(maxsize=256)
def check_bucket(bucket: str) -> None:
    """Refuse what is no name of a general purpose bucket.

    Raises:
        InvalidArgumentError: Also for ARNs, access points and directory buckets: the SDK would
            send their requests to other hosts.
    """
    for pattern, kind in _SPECIAL:
        if pattern.fullmatch(bucket):
            # One that names an account is not repeated.
            message = f"{_ACCOUNT.sub('…', bucket)!r} is {kind}, which this server does not read"
            raise InvalidArgumentError(message, hint="Give the name of a general purpose bucket.")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket or _ADDRESS.fullmatch(bucket):
        message = f"{bucket!r} is not a bucket's name"
        hint = "A name has 3 to 63 lower-case letters, digits, dots and hyphens."
        raise InvalidArgumentError(message, hint=hint)


def check_ref(ref: ObjectRef) -> None:
    """Refuse what no object can be called.

    Raises:
        InvalidArgumentError: If bucket, key or version cannot be.
    """
    check_bucket(ref.bucket)
    if not ref.key:
        message = f"s3://{ref.bucket}/ names no object"
        raise InvalidArgumentError(message, hint="Give the object's key.")
    check_text(ref.bucket, ref.key, "key")
    if ref.version_id:
        check_text(ref.bucket, ref.version_id, "version")


def check_text(bucket: str, text: str, name: str) -> None:
    """Refuse a key, prefix or version that S3 cannot hold.

    Raises:
        InvalidArgumentError: If it is longer than 1,024 bytes or no Unicode text.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as exc:
        message = f"The {name} for s3://{bucket} is not Unicode text"
        raise InvalidArgumentError(message, hint="Remove its lone surrogates.") from exc
    if size > _KEY_BYTES:
        message = f"The {name} for s3://{bucket} has {size:,} bytes, more than S3's {_KEY_BYTES:,}"
        raise InvalidArgumentError(message, hint=f"Check the {name}.")
