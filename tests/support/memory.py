"""An object store in memory, which passes the contract of stores."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from s3_data_lake_mcp.errors import NotFoundError, ObjectArchivedError, ObjectChangedError
from s3_data_lake_mcp.storage import (
    BucketProbe,
    ListedBucket,
    ListedObject,
    ListPage,
    ObjectHead,
    ObjectInfo,
    ObjectRef,
    ScanMeter,
    is_archived,
)


def spend(meter: ScanMeter, size: int) -> None:
    """Claim bytes that are here already, and count them.

    Raises:
        LimitExceededError: If the scan budget allows only some of them.
    """
    while size > 0:
        claimed = meter.claim_bytes(size)
        meter.count_bytes(claimed, claimed)
        size -= claimed


class MemoryStore:
    """Keeps whole objects in a dictionary; every read counts as one request."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], tuple[ObjectInfo, bytes]] = {}
        self._heads: dict[tuple[str, str], ObjectHead] = {}
        self._tags: dict[tuple[str, str], Mapping[str, str]] = {}
        self._keys: dict[str, list[str]] = {}

    def create_bucket(self, bucket: str) -> None:
        """Make a bucket without objects."""
        self._keys.setdefault(bucket, [])

    def put(  # noqa: PLR0913 - what a PUT can set
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "",
        content_encoding: str = "",
        last_modified: datetime = datetime(2026, 1, 1, tzinfo=UTC),
        head: ObjectHead | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectRef:
        """Store an object, as a test's set-up would; all but `info` of `head` is kept."""
        ref = ObjectRef(bucket=bucket, key=key)
        info = ObjectInfo(
            ref=ref,
            size_bytes=len(body),
            etag=hashlib.md5(body, usedforsecurity=False).hexdigest(),
            last_modified=last_modified,
            content_type=content_type,
            content_encoding=content_encoding,
        )
        if (bucket, key) not in self._objects:
            keys = self._keys.setdefault(bucket, [])
            # S3 orders keys by their UTF-8 bytes, which is the order of their code points.
            keys.insert(bisect_left(keys, key), key)
        self._objects[bucket, key] = (info, body)
        self._heads[bucket, key] = replace(head, info=info) if head else ObjectHead(info=info)
        self._tags[bucket, key] = tags or {}
        return ref

    def _find(self, ref: ObjectRef) -> tuple[ObjectInfo, bytes]:
        try:
            return self._objects[ref.bucket, ref.key]
        except KeyError:
            raise NotFoundError(f"{ref} does not exist", bucket=ref.bucket, key=ref.key) from None

    def _read(self, ref: ObjectRef) -> tuple[ObjectInfo, bytes]:
        found = self._find(ref)
        head = self._heads[ref.bucket, ref.key]
        if is_archived(head.storage_class) and not head.is_restored:
            message = f"{ref} is archived ({head.storage_class})"
            raise ObjectArchivedError(message, hint="Restore it first.")
        return found

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the first bytes."""
        meter.count_request()
        info, body = self._read(ref)
        spend(meter, len(body[:length]))
        return info, body[:length]

    def get_tail(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the last bytes."""
        meter.count_request()
        info, body = self._read(ref)
        tail = body[max(0, len(body) - length) :]
        spend(meter, len(tail))
        return info, tail

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return the bytes `[start, stop)` of the pinned version."""
        meter.count_request()
        current, body = self._find(info.ref)
        if current.etag != info.etag:
            message = f"{info.ref} changed while it was being read"
            raise ObjectChangedError(message, hint="Call again.")
        spend(meter, len(body[start:stop]))
        return body[start:stop]

    def head(self, ref: ObjectRef, meter: ScanMeter) -> ObjectHead:
        """Return what a HEAD request tells."""
        meter.count_request()
        self._find(ref)
        return self._heads[ref.bucket, ref.key]

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
        """Return one page of keys, in UTF-8 order, as S3 does."""
        meter.count_request()
        if bucket not in self._keys:
            raise NotFoundError(f"s3://{bucket} does not exist", bucket=bucket)
        keys, after = self._keys[bucket], token or start_after
        found: list[ListedObject] = []
        prefixes: list[str] = []
        last = ""
        for key in keys[max(bisect_left(keys, prefix), bisect_right(keys, after)) :]:
            if not key.startswith(prefix):
                break
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            folder = key[: cut + len(delimiter)] if cut >= 0 else ""
            if folder and (folder in prefixes[-1:] or after.startswith(folder)):
                last = key
                continue
            if len(found) + len(prefixes) >= max_keys:
                return ListPage(
                    objects=tuple(found), common_prefixes=tuple(prefixes), next_token=last
                )
            last = key
            if folder:
                prefixes.append(folder)
            else:
                found.append(self._listed(bucket, key))
        return ListPage(objects=tuple(found), common_prefixes=tuple(prefixes))

    def _listed(self, bucket: str, key: str) -> ListedObject:
        info, _ = self._objects[bucket, key]
        return ListedObject(
            key=key,
            size_bytes=info.size_bytes,
            etag=info.etag,
            last_modified=info.last_modified or datetime(2026, 1, 1, tzinfo=UTC),
            storage_class=self._heads[bucket, key].storage_class,
        )

    def list_buckets(self, meter: ScanMeter) -> tuple[ListedBucket, ...]:
        """Return the buckets."""
        meter.count_request()
        return tuple(ListedBucket(name=name) for name in sorted(self._keys))

    def probe_bucket(self, bucket: str, meter: ScanMeter, *, access: bool = True) -> BucketProbe:
        """Return that the bucket is readable."""
        meter.count_request()
        known = bucket in self._keys
        return BucketProbe(region="", access="readable" if known and access else "unknown")

    def get_tags(self, ref: ObjectRef, meter: ScanMeter) -> Mapping[str, str]:
        """Return the tags."""
        meter.count_request()
        self._find(ref)
        return self._tags[ref.bucket, ref.key]

    def is_versioned(self, bucket: str, meter: ScanMeter) -> bool:
        """Return False: an object in memory has one version."""
        del bucket
        meter.count_request()
        return False
