"""The buckets that may be read, with regions and access looked up side by side."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    DeadlineExceededError,
    InvalidArgumentError,
)
from s3_data_lake_mcp.models.discovery import Bucket
from s3_data_lake_mcp.storage import BucketProbe, ListedBucket, ObjectStore, ScanMeter

_PROBES = 16
"""Most buckets that are looked at at the same time."""

_ENTRY_BYTES = 160
"""What a bucket takes beside its name, its region not yet known."""

_ENVELOPE_BYTES = 1_024
"""What an answer needs beside its buckets: count, notices, cursor, cost, fence, the next call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBuckets:
    """One page of buckets; `last` is the last one's name."""

    buckets: list[Bucket]
    last: str
    more: bool
    notices: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSearch:
    """Which buckets, what to find out, how many, in how many bytes, and behind which name."""

    name_contains: str = ""
    check_access: bool = True
    max_buckets: int = 100
    room_bytes: int = 64 << 10
    start_after: str = ""


def survey_buckets(
    store: ObjectStore, allowed_names: tuple[str, ...], meter: ScanMeter, search: BucketSearch
) -> FoundBuckets:
    """Return the next buckets, by name.

    Args:
        store: Where the buckets are.
        allowed_names: Buckets that the allow-list names in full: the answer where the permission
            to list buckets is missing.
        meter: Counts and bounds the requests.
        search: What is asked.

    Raises:
        AccessDeniedError: If buckets may not be listed and the allow-list names none.
    """
    notices: list[str] = []
    try:
        listed = store.list_buckets(meter)
    except AccessDeniedError:
        if not allowed_names:
            raise
        listed = tuple(ListedBucket(name=name) for name in allowed_names)
        notices.append(
            "The permission to list buckets (s3:ListAllMyBuckets) is missing: these are the "
            "buckets of S3_DATA_LAKE_ALLOWED."
        )
    wanted = search.name_contains.lower()
    names = sorted(
        (bucket for bucket in listed if wanted in bucket.name.lower()),
        key=lambda bucket: bucket.name,
    )
    rest = [bucket for bucket in names if bucket.name > search.start_after]
    page = _that_fit(rest[: search.max_buckets], search.room_bytes - _ENVELOPE_BYTES)
    if len(page) < min(len(rest), search.max_buckets):
        notices.append(f"Only {len(page):,} buckets fit; next_cursor goes on behind them.")
    buckets, late = _probed(store, page, meter, access=search.check_access)
    if late:
        notices.append(
            f"{late:,} of {len(page):,} buckets did not answer in time: their access is unknown."
        )
    return FoundBuckets(
        buckets=buckets,
        last=page[-1].name if page else "",
        more=len(rest) > len(page),
        notices=notices,
    )


def _that_fit(buckets: list[ListedBucket], room: int) -> list[ListedBucket]:
    for count, bucket in enumerate(buckets):
        room -= len(bucket.name) + _ENTRY_BYTES
        if room < 0:
            return buckets[: max(count, 1)]
    return buckets


def _probed(
    store: ObjectStore, page: list[ListedBucket], meter: ScanMeter, *, access: bool
) -> tuple[list[Bucket], int]:
    """Return the buckets, and how many of them were not looked at ahead of the deadline."""

    def probe(bucket: ListedBucket) -> BucketProbe:
        if bucket.region and not access:
            return BucketProbe(region=bucket.region, access="unknown")
        try:
            return store.probe_bucket(bucket.name, meter, access=access)
        except InvalidArgumentError:
            # Old buckets have names that are none by the rules of today, and no request is made of.
            return BucketProbe(region=bucket.region, access="unknown")

    pool = ThreadPoolExecutor(_PROBES, thread_name_prefix="s3-probe")
    try:
        probes = [pool.submit(probe, bucket) for bucket in page]
        wait(probes, timeout=max(0.0, meter.spare_seconds()))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    found = [_settled(one) for one in probes]
    meter.check()
    if None in found:
        # Nobody waits for what is still asked: it is not asked again.
        meter.cancel()
    return [
        Bucket(
            name=bucket.name,
            region=(told.region if told else "") or bucket.region,
            creation_date=bucket.creation_date.isoformat() if bucket.creation_date else "",
            access=told.access if told and access else "unknown",
        )
        for bucket, told in zip(page, found, strict=True)
    ], found.count(None)


def _settled(probe: Future[BucketProbe]) -> BucketProbe | None:
    """Return what a probe found; None if it took too long."""
    if not probe.done() or probe.cancelled():
        return None
    try:
        return probe.result()
    except DeadlineExceededError:
        return None
