"""Ranges of immutable bytes: what every object store promises.

A store hands out ranges of one version of an object. Ranges are half-open, `[start, stop)`. ETags
carry no quotes. Every request and byte is counted on the caller's `ScanMeter`, which also carries
the deadline, the byte budget and the cancellation of the call. Stores are safe for many threads.

Where to find what is beside the promises:

- `s3`, `s3_…`: the store; `layered`, `rangecache`: stores over other ones
- `access`: the allow-list
- `reader`, `pinned`, `readahead`, `shortreads`, `copies`, `copied`: reading one version
- `scope`, `filesystem`, `setahead`: what the SQL engine sees of it, and what it is going to
- `keys`, `lookup`, `nearest`: keys, prefixes and globs; what one names; what it may have meant
- `fanout`, `listing_pieces`, `levels`, `glob_folders`: long listings
- `meter`: what a call costs, and what it may cost
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from s3_data_lake_mcp.errors import ObjectChangedError
from s3_data_lake_mcp.fence import scrub
from s3_data_lake_mcp.storage.meter import ScanMeter

__all__ = [
    "BucketProbe",
    "ListPage",
    "ListedBucket",
    "ListedObject",
    "ObjectHead",
    "ObjectInfo",
    "ObjectRef",
    "ObjectStore",
    "ScanMeter",
    "check_versions",
    "deleted",
    "is_archived",
]

_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """Names an object, or one version of it."""

    bucket: str
    key: str
    version_id: str = ""

    @property
    def uri(self) -> str:
        """The object's `s3://` URI, the key taken literally."""
        return f"s3://{self.bucket}/{self.key}"

    def __str__(self) -> str:
        return self.uri


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """One version of an object, as the answer that opened it described it."""

    ref: ObjectRef
    size_bytes: int
    etag: str
    version_id: str = ""
    last_modified: datetime | None = None
    content_type: str = ""
    content_encoding: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the `source` part of an answer."""
        return {
            "uri": scrub(self.ref.uri),
            "etag": self.etag,
            "version_id": self.version_id,
            "size_bytes": self.size_bytes,
            "last_modified": self.last_modified.isoformat() if self.last_modified else "",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectHead:
    """All that a HEAD request tells of an object."""

    info: ObjectInfo
    storage_class: str = "STANDARD"
    archive_status: str = ""
    restore: str = ""
    encryption: str = ""
    kms_key_id: str = ""
    customer_key_algorithm: str = ""
    user_metadata: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_restored(self) -> bool:
        """Whether an archived object has a copy that can be read."""
        return 'ongoing-request="false"' in self.restore

    @property
    def is_being_restored(self) -> bool:
        """Whether a restore is under way."""
        return 'ongoing-request="true"' in self.restore


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedObject:
    """One key of a listing."""

    key: str
    size_bytes: int
    etag: str
    last_modified: datetime
    storage_class: str = "STANDARD"

    def info(self, bucket: str) -> ObjectInfo:
        """Return the version that was listed, as far as a listing tells of it."""
        return ObjectInfo(
            ref=ObjectRef(bucket=bucket, key=self.key),
            size_bytes=self.size_bytes,
            etag=self.etag,
            last_modified=self.last_modified,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """One page of a listing; `next_token` is empty on the last one."""

    objects: tuple[ListedObject, ...]
    common_prefixes: tuple[str, ...] = ()
    next_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedBucket:
    """One bucket of the account; `region` is empty where the listing does not say."""

    name: str
    creation_date: datetime | None = None
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketProbe:
    """Where a bucket is, and whether its objects can be listed; `region` is empty if unknown."""

    region: str
    access: Literal["readable", "denied", "unknown"]


def is_archived(storage_class: str) -> bool:
    """Whether objects of a class cannot be read before they are restored."""
    return storage_class in _ARCHIVES


def check_versions(infos: Iterable[ObjectInfo]) -> None:
    """Raise if two of these are different versions of one object; one without an ETag fits all.

    Raises:
        ObjectChangedError: If they are.
    """
    met: dict[ObjectRef, str] = {}
    for info in infos:
        if info.etag and met.setdefault(info.ref, info.etag) != info.etag:
            message = f"{info.ref} changed while it was being read"
            raise ObjectChangedError(message, hint="Call again.")


def deleted(ref: ObjectRef, when: str) -> ObjectChangedError:
    """Return the error of an object that was there before."""
    beside = {"bucket_name": ref.bucket, "prefix": ref.key[: ref.key.rfind("/") + 1]}
    hint = "list_s3_objects shows what is there now."
    return ObjectChangedError(
        f"{ref} was deleted {when}", hint=hint, repair=beside, repair_tool="list_s3_objects"
    )


class ObjectStore(Protocol):
    """Reads objects and listings; never writes.

    Every method may raise the `StoreError`s, `NotAllowedError` for what the server's allow-list
    refuses (checked on the literal bucket and key), and the meter's errors.
    """

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the object's identity and its first `length` bytes (fewer if it is smaller)."""
        ...

    def get_tail(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the object's identity and its last `length` bytes (fewer if it is smaller)."""
        ...

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return exactly the bytes `[start, stop)` of the version that `info` identifies.

        Raises:
            ObjectChangedError: If that version is no longer there.
        """
        ...

    def head(self, ref: ObjectRef, meter: ScanMeter) -> ObjectHead:
        """Return what a HEAD request tells."""
        ...

    def list_page(  # noqa: PLR0913 - the arguments of ListObjectsV2
        self,
        bucket: str,
        prefix: str,
        meter: ScanMeter,
        *,
        delimiter: str = "",
        start_after: str = "",
        token: str = "",
        max_keys: int = 1000,
    ) -> ListPage:
        """Return one page of keys below `prefix`, in key order, allowed keys only."""
        ...

    def list_buckets(self, meter: ScanMeter) -> tuple[ListedBucket, ...]:
        """Return the allowed buckets of the account."""
        ...

    def probe_bucket(self, bucket: str, meter: ScanMeter, *, access: bool = True) -> BucketProbe:
        """Return a bucket's region and, if `access`, whether listing it works.

        Never raises for what S3 refuses.
        """
        ...

    def get_tags(self, ref: ObjectRef, meter: ScanMeter) -> Mapping[str, str]:
        """Return the object's tags."""
        ...

    def is_versioned(self, bucket: str, meter: ScanMeter) -> bool:
        """Return whether versioning of the bucket is enabled."""
        ...
