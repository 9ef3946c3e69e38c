"""Reads over a store that misbehaves: exact bytes or a named error, in time, never wrong bytes."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    LimitExceededError,
    ObjectChangedError,
    StoreUnavailableError,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy, Kind
from support.stores import open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BODY = random.Random(7).randbytes(300_000)  # noqa: S311 - test data
DEADLINE_SECONDS = 40.0
SHORT_SECONDS = 1.2
SOON_SECONDS = 6.0
"""Long enough for a busy machine; four tries that each wait for their answer take two more."""

PASSING: list[tuple[Kind, dict[str, Any]]] = [
    ("answer", {"status": 503, "code": "SlowDown"}),
    ("answer", {"status": 500, "code": "InternalError"}),
    ("answer", {"status": 502}),
    ("answer", {"status": 400, "code": "RequestTimeout"}),
    ("reset", {}),
    ("reset_mid", {}),
    ("truncate", {}),
    ("truncate", {"after": 0}),
    ("short_length", {}),
    ("long_length", {}),
    ("stall", {"seconds": 10.0}),
    ("latency", {"seconds": 10.0}),
    ("wrong_range", {}),
    ("shifted_range", {}),
    ("no_etag", {}),
    ("html", {}),
    ("chunked_cut", {}),
]
"""Faults that another try overcomes."""

IDS = [f"{kind}-{'-'.join(map(str, more.values()))}".rstrip("-") for kind, more in PASSING]


@pytest.fixture
def ref(s3: "S3Client", bucket: str) -> ObjectRef:
    """Return an object that is there."""
    s3.put_object(Bucket=bucket, Key="data.bin", Body=BODY)
    return ObjectRef(bucket=bucket, key="data.bin")


@pytest.fixture
def info(impatient_store: S3Store, ref: ObjectRef, fault_proxy: FaultProxy) -> ObjectInfo:
    """Return the object's identity, the proxy still behaving."""
    found, _ = impatient_store.get_head(ref, 10, meter())
    fault_proxy.clear()
    return found


def meter(seconds: float = DEADLINE_SECONDS) -> ScanMeter:
    """Return a meter with a short deadline."""
    return ScanMeter(timeout_seconds=seconds)


@pytest.mark.parametrize(("kind", "more"), PASSING, ids=IDS)
def test_a_range_survives_a_fault(
    impatient_store: S3Store,
    info: ObjectInfo,
    fault_proxy: FaultProxy,
    kind: Kind,
    more: dict[str, Any],
) -> None:
    """A pinned range comes out whole and exact after one fault."""
    fault_proxy.inject(kind, times=1, **more)
    used = meter()
    assert impatient_store.get_range(info, 1_000, 250_000, used) == BODY[1_000:250_000]
    assert used.requests == len(fault_proxy.seen) == 2


@pytest.mark.parametrize("tail", [False, True], ids=["head", "tail"])
@pytest.mark.parametrize(("kind", "more"), PASSING, ids=IDS)
def test_an_opening_read_survives_a_fault(
    impatient_store: S3Store,
    ref: ObjectRef,
    fault_proxy: FaultProxy,
    kind: Kind,
    more: dict[str, Any],
    tail: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The first and the last bytes come out exact after one fault, with the right size."""
    fault_proxy.inject(kind, times=1, **more)
    used = meter()
    read = impatient_store.get_tail if tail else impatient_store.get_head
    info, data = read(ref, 200_000, used)
    assert (info.size_bytes, data) == (len(BODY), BODY[-200_000:] if tail else BODY[:200_000])
    assert used.requests == len(fault_proxy.seen)


@pytest.mark.parametrize(("kind", "more"), PASSING, ids=IDS)
def test_a_fault_that_stays_is_named_in_time(
    impatient_store: S3Store,
    info: ObjectInfo,
    fault_proxy: FaultProxy,
    kind: Kind,
    more: dict[str, Any],
) -> None:
    """A store that never works is `store_unavailable` or `timeout`, soon, after few requests."""
    fault_proxy.inject(kind, **more)
    began = time.monotonic()
    used = meter(SHORT_SECONDS)
    with pytest.raises((StoreUnavailableError, DeadlineExceededError)) as caught:
        impatient_store.get_range(info, 1_000, 250_000, used)
    assert caught.value.hint
    assert time.monotonic() - began < SOON_SECONDS
    assert used.requests == len(fault_proxy.seen) <= 4


def test_a_body_is_resumed_behind_its_last_whole_piece(
    impatient_store: S3Store, s3: "S3Client", ref: ObjectRef, fault_proxy: FaultProxy
) -> None:
    """After a reset at most one piece of 4 MB is asked for again, of the same version."""
    piece, size = 4 << 20, 5 << 20
    body = BODY * (size // len(BODY) + 1)
    s3.put_object(Bucket=ref.bucket, Key=ref.key, Body=body)
    info, _ = impatient_store.get_head(ref, 10, meter())
    fault_proxy.clear()
    fault_proxy.inject("reset_mid", times=1, after=piece + 100_000)
    assert impatient_store.get_range(info, 0, size, meter()) == body[:size]
    ranges = [seen.headers["range"] for seen in fault_proxy.seen]
    assert ranges == [f"bytes=0-{size - 1}", f"bytes={piece}-{size - 1}"]
    assert {seen.headers["if-match"] for seen in fault_proxy.seen} == {f'"{info.etag}"'}


def test_a_resumed_read_counts_each_byte_once(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """What arrived before a body broke off is neither fetched nor counted again."""
    fault_proxy.inject("truncate", times=2, after=50_000)
    used = meter()
    impatient_store.get_range(info, 0, 300_000, used)
    assert (used.requests, used.bytes_read) == (3, 300_000)


@pytest.mark.parametrize("seconds", [0.05, 0.4])
def test_a_trickling_server_does_not_outlive_the_deadline(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy, seconds: float
) -> None:
    """Bytes that come, but far too slowly, end in `timeout` soon after the deadline."""
    fault_proxy.inject("trickle", seconds=seconds)
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        impatient_store.get_range(info, 0, 300_000, meter(1.5))
    assert 1.4 < time.monotonic() - began < SOON_SECONDS


def test_a_stall_ends_at_the_deadline(info: ObjectInfo, fault_proxy: FaultProxy) -> None:
    """A body that stops is given up at the deadline, not a read timeout later."""
    patient = open_store(Settings())
    fault_proxy.inject("stall", seconds=12, after=1_000)
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        patient.get_range(info, 0, 300_000, meter(0.6))
    assert time.monotonic() - began < SOON_SECONDS


def test_a_cancelled_read_stops(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """A call that was cancelled reads no further byte and sends no request."""
    used = meter()
    used.cancel()
    with pytest.raises(DeadlineExceededError):
        impatient_store.get_range(info, 0, 300_000, used)
    assert fault_proxy.seen == []


def test_a_chunked_answer_is_read_whole(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """An answer without a length is held to its Content-Range."""
    fault_proxy.inject("chunked", times=1)
    assert impatient_store.get_range(info, 0, 300_000, meter()) == BODY


def test_a_whole_body_that_was_asked_for_is_taken(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """A store that ignores ranges serves reads of whole objects."""
    fault_proxy.inject("wrong_range")
    assert impatient_store.get_range(info, 0, 300_000, meter()) == BODY
    assert impatient_store.get_head(info.ref, 400_000, meter())[1] == BODY
    assert impatient_store.get_tail(info.ref, 400_000, meter())[1] == BODY


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "etag_change"},
        {"kind": "answer", "status": 412, "code": "PreconditionFailed"},
        {"kind": "answer", "status": 404, "code": "NoSuchKey"},
        {"kind": "answer", "status": 416, "code": "InvalidRange"},
    ],
    ids=["etag", "412", "404", "416"],
)
def test_another_version_in_the_middle_is_object_changed(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy, fault: dict[str, Any]
) -> None:
    """An object that is overwritten or deleted while it is read is never mixed with its past."""
    fault_proxy.inject(**fault)
    with pytest.raises(ObjectChangedError) as caught:
        impatient_store.get_range(info, 0, 300_000, meter())
    assert caught.value.hint


def test_a_deletion_in_the_middle_does_not_ask_for_the_same_again(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """The object is gone: what comes next is a look at what is there now."""
    fault_proxy.inject("answer", status=404, code="NoSuchKey")
    with pytest.raises(ObjectChangedError) as caught:
        impatient_store.get_range(info, 0, 300_000, meter())
    assert "was deleted" in str(caught.value)
    assert caught.value.repair_tool == "list_s3_objects"


def test_an_overwrite_between_resumes_is_object_changed(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy, s3: "S3Client"
) -> None:
    """The real thing: half of the old version, then there is a new one."""
    fault_proxy.inject("truncate", times=1)
    fault_proxy.inject("latency", seconds=0)
    s3.put_object(Bucket=info.ref.bucket, Key=info.ref.key, Body=BODY[::-1])
    with pytest.raises(ObjectChangedError):
        impatient_store.get_range(info, 0, 300_000, meter())


def test_the_byte_budget_stops_a_read(impatient_store: S3Store, info: ObjectInfo) -> None:
    """A range that would exceed the scan budget is given up on the way."""
    used = ScanMeter(timeout_seconds=DEADLINE_SECONDS, max_bytes=100_000)
    with pytest.raises(LimitExceededError):
        impatient_store.get_range(info, 0, 300_000, used)
    assert used.bytes_read <= 100_000


def test_reads_side_by_side_share_the_budget(impatient_store: S3Store, info: ObjectInfo) -> None:
    """What one is about to read is not left for the others; all of it can be used."""
    used = ScanMeter(timeout_seconds=DEADLINE_SECONDS, max_bytes=100_000)

    def read(start: int) -> int:
        try:
            return len(impatient_store.get_range(info, start, start + 50_000, used))
        except LimitExceededError:
            return 0

    with ThreadPoolExecutor(6) as pool:
        sizes = list(pool.map(read, range(0, 300_000, 50_000)))
    assert sum(sizes) <= used.bytes_read <= 100_000
    used = ScanMeter(timeout_seconds=DEADLINE_SECONDS, max_bytes=100_000)
    assert len(impatient_store.get_range(info, 0, 100_000, used)) == used.bytes_read


def test_a_body_that_breaks_off_takes_no_budget(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """What was claimed and did not come can be read again."""
    fault_proxy.inject("truncate", times=1, after=0)
    used = ScanMeter(timeout_seconds=DEADLINE_SECONDS, max_bytes=50_000)
    assert len(impatient_store.get_range(info, 0, 50_000, used)) == used.bytes_read


def test_listings_survive_faults(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """A listing is tried again after failures."""
    fault_proxy.inject("reset", times=1)
    fault_proxy.inject("latency", times=1, seconds=10)
    fault_proxy.inject("answer", times=1, status=503, code="SlowDown")
    page = impatient_store.list_page(info.ref.bucket, "", meter())
    assert [listed.key for listed in page.objects] == ["data.bin"]


def test_a_page_that_is_no_listing_is_not_an_empty_one(
    impatient_store: S3Store, info: ObjectInfo, fault_proxy: FaultProxy
) -> None:
    """A captive portal's page is an error, not a bucket without objects or tags."""
    fault_proxy.inject("html")
    with pytest.raises(StoreUnavailableError):
        impatient_store.list_page(info.ref.bucket, "", meter())
    with pytest.raises(StoreUnavailableError):
        impatient_store.list_buckets(meter())
    with pytest.raises(StoreUnavailableError):
        impatient_store.get_tags(info.ref, meter())
