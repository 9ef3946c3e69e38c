"""An object store in memory: for unit and property tests, and for docs."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from s3_data_lake_mcp.errors import NotFoundError, ObjectChangedError
from s3_data_lake_mcp.storage import (
    BucketProbe,
    ListedBucket,
    ListedObject,
    ListPage,
    ObjectHead,
    ObjectInfo,
    ObjectRef,
    ScanMeter,
)


class MemoryStore:
    """Keeps whole objects in a dictionary; every read counts as one request."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], tuple[ObjectInfo, bytes]] = {}

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes,
        *,
        content_type: str = "",
        content_encoding: str = "",
    ) -> ObjectRef:
        """Store an object, as a test's set-up would."""
        ref = ObjectRef(bucket=bucket, key=key)
        info = ObjectInfo(
            ref=ref,
            size_bytes=len(body),
            etag=hashlib.md5(body, usedforsecurity=False).hexdigest(),
            last_modified=datetime(2026, 1, 1, tzinfo=UTC),
            content_type=content_type,
            content_encoding=content_encoding,
        )
        self._objects[bucket, key] = (info, body)
        return ref

    def _find(self, ref: ObjectRef) -> tuple[ObjectInfo, bytes]:
        try:
            return self._objects[ref.bucket, ref.key]
        except KeyError:
            message = f"{ref} does not exist"
            raise NotFoundError(message, bucket=ref.bucket, key=ref.key) from None

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the first bytes."""
        meter.count_request()
        info, body = self._find(ref)
        meter.count_bytes(len(body[:length]))
        return info, body[:length]

    def get_tail(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the identity and the last bytes."""
        meter.count_request()
        info, body = self._find(ref)
        tail = body[max(0, len(body) - length) :]
        meter.count_bytes(len(tail))
        return info, tail

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return the bytes `[start, stop)` of the pinned version."""
        meter.count_request()
        current, body = self._find(info.ref)
        if current.etag != info.etag:
            message = f"{info.ref} changed while it was being read"
            raise ObjectChangedError(message, hint="Call again.")
        meter.count_bytes(len(body[start:stop]))
        return body[start:stop]

    def head(self, ref: ObjectRef, meter: ScanMeter) -> ObjectHead:
        """Return what a HEAD request tells."""
        meter.count_request()
        return ObjectHead(info=self._find(ref)[0])

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
        keys = sorted((k for b, k in self._objects if b == bucket), key=lambda k: k.encode())
        if not keys:
            message = f"s3://{bucket} does not exist"
            raise NotFoundError(message, bucket=bucket)
        after = (token or start_after).encode()
        found: list[ListedObject] = []
        prefixes: list[str] = []
        last = ""
        for key in keys:
            if not key.startswith(prefix) or (after and key.encode() <= after):
                continue
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            folder = key[: cut + len(delimiter)] if cut >= 0 else ""
            if folder and (folder in prefixes or (after and after.startswith(folder.encode()))):
                last = key
                continue
            if len(found) + len(prefixes) >= max_keys:
                return ListPage(
                    objects=tuple(found), common_prefixes=tuple(prefixes), next_token=last
                )
            last = key
            if folder:
                prefixes.append(folder)
                continue
            info, body = self._objects[bucket, key]
            found.append(
                ListedObject(
                    key=key,
                    size_bytes=len(body),
                    etag=info.etag,
                    last_modified=info.last_modified or datetime(2026, 1, 1, tzinfo=UTC),
                )
            )
        return ListPage(objects=tuple(found), common_prefixes=tuple(prefixes))

    def list_buckets(self, meter: ScanMeter) -> tuple[ListedBucket, ...]:
        """Return the buckets that hold objects."""
        meter.count_request()
        return tuple(ListedBucket(name=name) for name in sorted({b for b, _ in self._objects}))

    def probe_bucket(self, bucket: str, meter: ScanMeter, *, access: bool = True) -> BucketProbe:
        """Return that the bucket is readable."""
        meter.count_request()
        known = any(b == bucket for b, _ in self._objects)
        return BucketProbe(region="", access="readable" if known and access else "unknown")

    def get_tags(self, ref: ObjectRef, meter: ScanMeter) -> Mapping[str, str]:
        """Return no tags."""
        meter.count_request()
        self._find(ref)
        return {}

    def is_versioned(self, bucket: str, meter: ScanMeter) -> bool:
        """Return False: an object in memory has one version."""
        del bucket
        meter.count_request()
        return False
