"""Sends requests to S3: counted, under the deadline, tried again, in the bucket's region."""

import contextlib
import random
import re
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from s3_data_lake_mcp.aws import ClientFactory, Lease
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.globs import BucketMap
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3_codes import Step
from s3_data_lake_mcp.storage.s3_errors import (
    FAILURES,
    Asked,
    headers_of,
    next_step,
    translate,
)

_TRIES = 4
_FIRST_DELAY_SECONDS = 0.4
_RENEWALS = 2
_OF_OBJECTS = {"get_object", "head_object"}
_REGIONS_KEPT = 10_000
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")
_REGION_HEADER = "x-amz-bucket-region"


class Patience:
    """How often one read is tried again: a few times, with full jitter, under the deadline."""

    def __init__(self, meter: ScanMeter) -> None:
        self.meter = meter
        self._failed = 0

    def again(self) -> bool:
        """Wait, and return whether to try once more."""
        self._failed += 1
        ceiling = _FIRST_DELAY_SECONDS * 2 ** (self._failed - 1)
        delay = random.uniform(0, ceiling)  # noqa: S311 - jitter
        if self._failed >= _TRIES or delay >= self.meter.remaining_seconds or self.meter.cancelled:
            return False
        time.sleep(delay)
        return True


class S3Calls:
    """One place for all requests; safe for many threads.

    `payer` are the parameters of a requester that pays, `owners` the accounts that must own the
    buckets.
    """

    def __init__(self, factory: ClientFactory, payer: Mapping[str, str], owners: BucketMap) -> None:
        self._factory = factory
        self._payer = dict(payer)
        self._owners = owners
        self._regions: dict[str, str] = {}

    def warm(self) -> None:
        """Make the client of the configured region; sends nothing.

        What is wrong with the configuration is told by the first request.
        """
        with contextlib.suppress(*FAILURES, LakeError):
            self._factory.client_for("")

    def region_of(self, bucket: str) -> str:
        """Return the region that S3 has told for a bucket, or for the account if it is empty.

        Empty if it has not yet.
        """
        return self._regions.get(bucket, "")

    def note_region(self, bucket: str, region: str) -> None:
        """Remember a bucket's region, so that its requests go there at once."""
        if not _REGION.fullmatch(region):
            return
        if len(self._regions) >= _REGIONS_KEPT:
            self._regions.clear()
        self._regions[bucket] = region

    def object_request(self, operation: str, ref: ObjectRef, **parameters: object) -> Asked:
        """Return the request for an object, or for the version that is named."""
        version = {"VersionId": ref.version_id} if ref.version_id else {}
        named = {**self._bucket(ref.bucket), "Key": ref.key, **version, **self._payer}
        return Asked(
            operation=operation,
            bucket=ref.bucket,
            key=ref.key,
            version_id=ref.version_id,
            parameters={**named, **parameters},
        )

    def _bucket(self, bucket: str) -> dict[str, str]:
        """Return the parameters that name a bucket, and the account that must own it."""
        owner = self._owners.of(bucket)
        return {"Bucket": bucket, "ExpectedBucketOwner": owner} if owner else {"Bucket": bucket}

    def ask_object(
        self, operation: str, ref: ObjectRef, meter: ScanMeter, **parameters: object
    ) -> Mapping[str, Any]:
        """Send a request about an object that has no body."""
        return self.send(self.object_request(operation, ref, **parameters), Patience(meter))

    def ask(
        self, operation: str, bucket: str, meter: ScanMeter, **parameters: object
    ) -> Mapping[str, Any]:
        """Send a request about a bucket, or about the account if `bucket` is empty."""
        named = self._bucket(bucket) if bucket else {}
        asked = Asked(operation=operation, bucket=bucket, parameters={**named, **parameters})
        return self.send(asked, Patience(meter))

    def send(self, asked: Asked, patience: Patience) -> Mapping[str, Any]:
        """Send a request and return the answer; a failure is tried again where that can help.

        Raises:
            LakeError: What the answer means in the contract's words.
        """
        began = time.monotonic()
        renewals = 0
        seen: set[str] = set()
        while True:
            lease: Lease | None = None
            try:
                lease = self._factory.client_for(asked.bucket, self.region_of(asked.bucket))
                patience.meter.count_request()
                client = lease.objects if asked.operation in _OF_OBJECTS else lease.client
                answer = getattr(client, asked.operation)(**asked.parameters)
            except FAILURES as exc:
                step = next_step(exc)
                if step is Step.RETRY:
                    if patience.again():
                        continue
                    patience.meter.check()
                if step is Step.RENEW:
                    renewals += 1
                    if self._factory.renew(lease, since=began) and renewals < _RENEWALS:
                        continue
                if (
                    step is Step.FOLLOW
                    and lease
                    and self._follow(exc, asked, lease, seen, patience)
                ):
                    continue
                self._learn(asked.bucket, headers_of(exc))
                raise translate(exc, asked) from exc
            self._learn(asked.bucket, answer["ResponseMetadata"].get("HTTPHeaders", {}))
            return answer  # type: ignore[no-any-return] # getattr knows no types

    def _learn(self, bucket: str, headers: Mapping[str, str]) -> None:
        if region := headers.get(_REGION_HEADER, ""):
            self.note_region(bucket, region)

    def _follow(
        self, exc: Exception, asked: Asked, lease: Lease, seen: set[str], patience: Patience
    ) -> bool:
        """Find out where the bucket is; return whether it is a region not yet tried."""
        seen.add(lease.region)
        region = _told_region(exc) or self._ask_region(asked, lease, patience)
        if not _REGION.fullmatch(region) or region in seen:
            return False
        self.note_region(asked.bucket, region)
        return True

    def _ask_region(self, asked: Asked, lease: Lease, patience: Patience) -> str:
        if asked.operation == "head_bucket" or not asked.bucket:
            return ""
        patience.meter.count_request()
        try:
            answer = lease.client.head_bucket(**self._bucket(asked.bucket))
        except FAILURES as exc:
            return _told_region(exc)
        return answer["ResponseMetadata"]["HTTPHeaders"].get(_REGION_HEADER, "")


def _told_region(exc: Exception) -> str:
    if not isinstance(exc, ClientError):
        return ""
    error: Mapping[str, Any] = exc.response.get("Error", {})
    return headers_of(exc).get(_REGION_HEADER, "") or str(error.get("Region", ""))
