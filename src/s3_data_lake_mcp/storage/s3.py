"""An object store over S3: names and the allow-list are checked here, before any request.

The AWS SDK is loaded by the first request, not when this module is imported.
"""

import contextlib
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    CredentialsExpiredError,
    InvalidArgumentError,
    LakeError,
    ObjectArchivedError,
    StoreError,
)
from s3_data_lake_mcp.globs import BucketMap, Kind
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import (
    BucketProbe,
    ListedBucket,
    ListPage,
    ObjectHead,
    ObjectInfo,
    ObjectRef,
    ScanMeter,
)
from s3_data_lake_mcp.storage.access import AllowList
from s3_data_lake_mcp.storage.s3_answers import (
    list_page,
    listed_bucket,
    object_head,
    require_field,
)
from s3_data_lake_mcp.storage.s3_names import check_bucket, check_ref, check_text

if TYPE_CHECKING:
    from s3_data_lake_mcp.storage.s3_body import S3Ranges
    from s3_data_lake_mcp.storage.s3_calls import S3Calls

_BUCKETS_PER_PAGE = 1000
_KEYS_PER_PAGE = 1000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_OWNERS = Kind(
    setting="S3_DATA_LAKE_EXPECTED_BUCKET_OWNER",
    value=re.compile(r"\d{12}"),
    form="account-id",
)


class S3Store:
    """Reads objects and listings of S3, or of a store with its API; safe for many threads.

    Of the settings, it heeds `allowed`, `requester_pays` and `expected_bucket_owner`.

    Raises:
        InvalidArgumentError: If one of these settings cannot be read.
    """

    def __init__(self, factory: ClientFactory, settings: Settings) -> None:
        self.allowed = AllowList(settings.allowed)
        self._factory = factory
        self._payer = {"RequestPayer": "requester"} if settings.requester_pays else {}
        self._owners = BucketMap(settings.expected_bucket_owner, _OWNERS)
        self._lock = threading.Lock()
        self._made: S3Ranges | None = None

    @property
    def _ranges(self) -> "S3Ranges":
        with self._lock:
            if self._made is None:
                from s3_data_lake_mcp.storage.s3_body import S3Ranges  # noqa: PLC0415 - the SDK
                from s3_data_lake_mcp.storage.s3_calls import S3Calls  # noqa: PLC0415 - as above

                self._made = S3Ranges(S3Calls(self._factory, self._payer, self._owners))
            return self._made

    @property
    def _calls(self) -> "S3Calls":
        return self._ranges.calls

    def _admit(self, ref: ObjectRef) -> None:
        check_ref(ref)
        self.allowed.require(ref.bucket, ref.key)

    def warm(self) -> None:
        """Load the SDK and make the client of the configured region; sends nothing."""
        self._calls.warm()

    def get_head(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the object's identity and its first `length` bytes, in one request."""
        return self._open(ref, length, meter, tail=False)

    def get_tail(self, ref: ObjectRef, length: int, meter: ScanMeter) -> tuple[ObjectInfo, bytes]:
        """Return the object's identity and its last `length` bytes, in one request."""
        return self._open(ref, length, meter, tail=True)

    def _open(
        self, ref: ObjectRef, length: int, meter: ScanMeter, *, tail: bool
    ) -> tuple[ObjectInfo, bytes]:
        self._admit(ref)
        if length <= 0:
            return self.head(ref, meter).info, b""
        try:
            return self._ranges.open(ref, length, meter, tail=tail)
        except ObjectArchivedError as exc:
            self._add_restore(ref, exc, meter)
            raise

    def _add_restore(self, ref: ObjectRef, exc: ObjectArchivedError, meter: ScanMeter) -> None:
        """Say in the hint if a restore is under way."""
        try:
            head = self.head(ref, meter)
        except LakeError:
            return
        if head.is_being_restored:
            exc.hint = "A restore is under way; call again when it is done (up to 48 hours)."

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return exactly the bytes `[start, stop)` of the version that `info` identifies."""
        self._admit(info.ref)
        return self._ranges.read(info, start, stop, meter) if start < stop else b""

    def head(self, ref: ObjectRef, meter: ScanMeter) -> ObjectHead:
        """Return what a HEAD request tells."""
        self._admit(ref)
        try:
            answer = self._calls.ask_object("head_object", ref, meter, ChecksumMode="ENABLED")
        except (AccessDeniedError, CredentialsExpiredError) as exc:
            self._raise_reason(ref, meter)
            if isinstance(exc, AccessDeniedError):
                raise
            message = f"{ref} can be read, but S3 does not take the request of its HEAD"
            raise InvalidArgumentError(message, hint="Check version_id.") from exc
        return object_head(ref, answer)

    def _raise_reason(self, ref: ObjectRef, meter: ScanMeter) -> None:
        """Raise what a GET of one byte says: a refused HEAD has no text."""
        try:
            self._ranges.open(ref, 1, meter, tail=False)
        except ObjectArchivedError:
            return

    def list_page(  # noqa: PLR0913 - the arguments of ListObjectsV2
        self,
        bucket: str,
        prefix: str,
        meter: ScanMeter,
        *,
        delimiter: str = "",
        start_after: str = "",
        token: str = "",
        max_keys: int = _KEYS_PER_PAGE,
    ) -> ListPage:
        """Return one page of keys below `prefix`, in key order, allowed keys only."""
        check_bucket(bucket)
        for text, name in ((prefix, "prefix"), (delimiter, "delimiter"), (start_after, "key")):
            check_text(bucket, text, name)
        self.allowed.require_listing(bucket, prefix)
        most = max(1, min(max_keys, _KEYS_PER_PAGE))
        asked = {"Prefix": prefix, "Delimiter": delimiter}
        if token:
            return self._page(bucket, meter, asked | {"ContinuationToken": token}, most)
        # XML has no control characters, and not all stores encode what they repeat of a request.
        begin = _CONTROL.split(start_after, maxsplit=1)[0]
        page = self._page(bucket, meter, asked | {"StartAfter": begin}, most)
        if begin == start_after:
            return page
        left = _behind(page, start_after)
        while left.next_token and not (left.objects or left.common_prefixes):
            page = self._page(bucket, meter, asked | {"ContinuationToken": left.next_token}, most)
            left = _behind(page, start_after)
        return left

    def _page(
        self, bucket: str, meter: ScanMeter, asked: Mapping[str, str], max_keys: int
    ) -> ListPage:
        answer = self._calls.ask(
            "list_objects_v2",
            bucket,
            meter,
            MaxKeys=max_keys,
            **{name: value for name, value in asked.items() if value},
            **self._payer,
        )
        page = list_page(bucket, answer, asked.get("ContinuationToken", ""))
        return ListPage(
            objects=tuple(o for o in page.objects if self.allowed.permits(bucket, o.key)),
            common_prefixes=tuple(
                p for p in page.common_prefixes if self.allowed.permits_folder(bucket, p)
            ),
            next_token=page.next_token,
        )

    def list_buckets(self, meter: ScanMeter) -> tuple[ListedBucket, ...]:
        """Return the allowed buckets of the account, and those that `roles` names in full."""
        found: list[ListedBucket] = []
        token = ""
        while True:
            more = {"ContinuationToken": token} if token else {}
            answer = self._calls.ask(
                "list_buckets", "", meter, MaxBuckets=_BUCKETS_PER_PAGE, **more
            )
            require_field(answer, "Buckets", "The account's buckets")
            found.extend(listed_bucket(entry) for entry in answer["Buckets"])
            token = answer.get("ContinuationToken") or ""
            if not token:
                break
        for bucket in found:
            self._calls.note_region(bucket.name, bucket.region)
        # The account does not list another account's buckets, which a role reads.
        others = set(self._factory.roles.named()) - {bucket.name for bucket in found}
        found.extend(ListedBucket(name=name) for name in sorted(others))
        return tuple(bucket for bucket in found if self.allowed.permits_bucket(bucket.name))

    def probe_bucket(self, bucket: str, meter: ScanMeter, *, access: bool = True) -> BucketProbe:
        """Return a bucket's region and, if `access`, whether listing it works.

        Both come from one LIST request where S3 tells the region with it, as AWS does.
        """
        check_bucket(bucket)
        self.allowed.require_bucket(bucket)
        state = self._probe_access(bucket, meter) if access else "unknown"
        calls = self._calls
        if not calls.region_of(bucket):
            # A refusal tells the region too.
            with contextlib.suppress(StoreError, InvalidArgumentError):
                calls.ask("head_bucket", bucket, meter)
        return BucketProbe(region=calls.region_of(bucket), access=state)

    def _probe_access(
        self, bucket: str, meter: ScanMeter
    ) -> Literal["readable", "denied", "unknown"]:
        try:
            self.list_page(bucket, self.allowed.prefixes(bucket)[0], meter, max_keys=1)
        except AccessDeniedError:
            return "denied"
        except (StoreError, InvalidArgumentError):
            return "unknown"
        return "readable"

    def get_tags(self, ref: ObjectRef, meter: ScanMeter) -> Mapping[str, str]:
        """Return the object's tags."""
        self._admit(ref)
        answer = self._calls.ask_object("get_object_tagging", ref, meter)
        require_field(answer, "TagSet", str(ref))
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def is_versioned(self, bucket: str, meter: ScanMeter) -> bool:
        """Return whether versioning of the bucket is enabled."""
        check_bucket(bucket)
        self.allowed.require_bucket(bucket)
        answer = self._calls.ask("get_bucket_versioning", bucket, meter)
        return bool(answer.get("Status") == "Enabled")


def _behind(page: ListPage, key: str) -> ListPage:
    """Return what a page has behind a key; a folder that the key is in goes on behind it."""
    return ListPage(
        objects=tuple(one for one in page.objects if one.key > key),
        common_prefixes=tuple(p for p in page.common_prefixes if p > key or key.startswith(p)),
        next_token=page.next_token,
    )
