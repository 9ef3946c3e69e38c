"""S3's answers, as the SDK parses them, taken apart into the store's values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from s3_data_lake_mcp.aws.listings import LISTED
from s3_data_lake_mcp.aws.timestamps import read_timestamp
from s3_data_lake_mcp.errors import StoreUnavailableError
from s3_data_lake_mcp.storage import (
    ListedBucket,
    ListedObject,
    ListPage,
    ObjectHead,
    ObjectInfo,
    ObjectRef,
)

type Answer = Mapping[str, Any]

NO_ETAG = "the answer has no ETag"
_WHOLE = 200
_PARTIAL = 206
_MOST_BYTES = (1 << 63) - 1
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class BadAnswerError(Exception):
    """An answer that breaks off or is not what was asked; trying again can help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which bytes an answer holds, of how many."""

    start: int
    stop: int
    size: int


def span_of(answer: Answer) -> Span:
    """Return which bytes an answer says that it holds.

    A store that ignores ranges answers 200 with all of them; some answer 200 with a range.

    Raises:
        BadAnswerError: If it does not say so, or contradicts itself.
    """
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    length = answer.get("ContentLength")
    told = answer.get("ContentRange") or ""
    if status == _WHOLE and not told and length is not None:
        return Span(start=0, stop=length, size=length)
    found = _CONTENT_RANGE.fullmatch(told)
    if status not in {_WHOLE, _PARTIAL} or found is None:
        raise BadAnswerError(f"a range was answered with status {status} and no Content-Range")
    # HTTP's last byte is inclusive (RFC 9110, section 14.4).
    span = Span(start=int(found[1]), stop=int(found[2]) + 1, size=int(found[3]))
    if not span.start < span.stop <= span.size or length not in {None, span.stop - span.start}:
        raise BadAnswerError("Content-Range and Content-Length of the answer contradict each other")
    return span


def require_span(span: Span, wanted: Span) -> None:
    """Refuse other bytes than were asked for.

    Raises:
        BadAnswerError: If the spans differ.
    """
    if span != wanted:
        raise BadAnswerError("the answer holds other bytes than were asked for")


def bare_etag(answer: Answer) -> str:
    """Return an answer's ETag without its quotes."""
    return str(answer.get("ETag") or "").strip('"')


def object_info(ref: ObjectRef, answer: Answer, size: int) -> ObjectInfo:
    """Return the identity that an answer's headers tell.

    Raises:
        BadAnswerError: If there is no ETag: then nothing could be pinned.
    """
    etag = bare_etag(answer)
    if not etag:
        raise BadAnswerError(NO_ETAG)
    modified: datetime | None = answer.get("LastModified")
    return ObjectInfo(
        ref=ref,
        size_bytes=size,
        etag=etag,
        version_id=answer.get("VersionId") or "",
        last_modified=modified.astimezone(UTC) if modified else None,
        content_type=answer.get("ContentType") or "",
        content_encoding=answer.get("ContentEncoding") or "",
    )


def object_head(ref: ObjectRef, answer: Answer) -> ObjectHead:
    """Return all that the answer to a HEAD tells.

    Raises:
        StoreUnavailableError: If it has no ETag.
    """
    try:
        info = object_info(ref, answer, int(answer.get("ContentLength", 0)))
    except BadAnswerError as exc:
        raise unreadable(ref, exc) from exc
    kms_key = str(answer.get("SSEKMSKeyId") or "")
    return ObjectHead(
        info=info,
        storage_class=answer.get("StorageClass") or "STANDARD",
        archive_status=answer.get("ArchiveStatus") or "",
        restore=answer.get("Restore") or "",
        encryption=answer.get("ServerSideEncryption") or "",
        # An ARN would tell the account.
        kms_key_id=kms_key.partition(":key/")[2] or kms_key.rpartition(":")[2],
        customer_key_algorithm=answer.get("SSECustomerAlgorithm") or "",
        user_metadata=dict(answer.get("Metadata") or {}),
        checksums={
            name.removeprefix("Checksum"): str(value)
            for name, value in answer.items()
            if name.startswith("Checksum")
        },
    )


def require_field(answer: Answer, name: str, subject: str) -> None:
    """Refuse a page that parses but is no answer of S3, such as a captive portal's.

    Raises:
        StoreUnavailableError: If the field is missing that every such answer has.
    """
    if name not in answer:
        hint = "Check the network, the proxy and AWS_ENDPOINT_URL_S3; then call again."
        raise StoreUnavailableError(f"{subject}: the answer is not S3's", hint=hint)


def list_page(bucket: str, answer: Answer, asked_token: str = "") -> ListPage:
    """Return a page of a listing, asked for with a token.

    Raises:
        StoreUnavailableError: If it is no listing, or is said to go on, but not how or where it
            stood already, or if a key lacks what every key has.
    """
    require_field(answer, "IsTruncated", f"s3://{bucket}")
    token = str(answer.get("NextContinuationToken") or "") if answer.get("IsTruncated") else ""
    if answer.get("IsTruncated") and token in {"", asked_token}:
        message = f"s3://{bucket}: the store broke its listing off"
        raise StoreUnavailableError(message, hint="Use a narrower prefix; the store is not S3.")
    try:
        return ListPage(
            objects=_listed(answer),
            common_prefixes=tuple(entry["Prefix"] for entry in answer.get("CommonPrefixes", ())),
            next_token=token,
        )
    except (KeyError, ValueError) as exc:
        message = f"s3://{bucket}: the listing has a key without its name, size or date"
        raise StoreUnavailableError(message, hint="The store is not S3.") from exc


def _listed(answer: Answer) -> tuple[ListedObject, ...]:
    if LISTED in answer:
        return tuple(
            ListedObject(
                key=entry.key,
                size_bytes=int(entry.size),
                etag=entry.etag,
                last_modified=read_timestamp(entry.last_modified),
                storage_class=entry.storage_class or "STANDARD",
            )
            for entry in answer[LISTED]
        )
    return tuple(
        ListedObject(
            key=entry["Key"],
            size_bytes=_size(entry["Size"]),
            etag=bare_etag(entry),
            last_modified=entry["LastModified"].astimezone(UTC),
            storage_class=entry.get("StorageClass") or "STANDARD",
        )
        for entry in answer.get("Contents", ())
    )


def _size(size: int) -> int:
    if not 0 <= size <= _MOST_BYTES:
        raise ValueError("no object has this size")
    return size


def listed_bucket(entry: Answer) -> ListedBucket:
    """Return one bucket of the account's listing."""
    created: datetime | None = entry.get("CreationDate")
    return ListedBucket(
        name=entry["Name"],
        creation_date=created.astimezone(UTC) if created else None,
        region=entry.get("BucketRegion") or "",
    )


def unreadable(ref: ObjectRef, exc: BadAnswerError) -> StoreUnavailableError:
    """Return the error for answers that stayed bad."""
    hint = "Call again in a moment; if it goes on, a proxy or the store breaks ranged reads."
    return StoreUnavailableError(f"{ref}: S3 could not be read: {exc}", hint=hint)
