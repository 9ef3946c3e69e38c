"""The benchmarks' S3 stand-in keeps the promises that the figures rest on."""

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BED = Path(__file__).parents[2] / "benchmarks" / "bed.py"
_BODY = bytes(range(256)) * 40
_KEYS = sorted(f"many/{n % 7}/{n:04d}.txt" for n in range(1_234))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a stand-in over a small directory."""
    root = tmp_path_factory.mktemp("bed")
    (root / "lake").mkdir()
    (root / "denied-lake").mkdir()
    (root / "lake" / "a b+c.bin").write_bytes(_BODY)
    (root / "lake" / "empty").write_bytes(b"")
    (root / "lake" / "big.bin").write_bytes(bytes(3_000_000))
    lines = "".join(f"{key}\t7\n" for key in _KEYS)
    (root / "lake" / ".keys.tsv").write_text(lines)
    command = [sys.executable, str(_BED), "--root", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def s3(endpoint: str) -> "S3Client":
    """A client of the stand-in, whose counts start at nothing."""
    _control(endpoint, "POST", "/__profile?latency_ms=0&rate_mb=0")
    _control(endpoint, "POST", "/__reset")
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="bed",
        aws_secret_access_key="bed",  # noqa: S106 - the stand-in ignores signatures
        config=Config(retries={"total_max_attempts": 1}),
    )


def _control(endpoint: str, method: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
    connection.request(method, path)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def _stats(endpoint: str) -> dict[str, Any]:
    return _control(endpoint, "GET", "/__stats")


def _status(caught: pytest.ExceptionInfo[ClientError]) -> int:
    return int(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.mark.parametrize(
    ("wanted", "expected", "content_range"),
    [
        ("bytes=0-9", _BODY[:10], "bytes 0-9/10240"),
        ("bytes=10000-", _BODY[10_000:], "bytes 10000-10239/10240"),
        ("bytes=10000-99999", _BODY[10_000:], "bytes 10000-10239/10240"),
        ("bytes=-100", _BODY[-100:], "bytes 10140-10239/10240"),
        ("bytes=-99999", _BODY, "bytes 0-10239/10240"),
    ],
)
def test_a_range_is_answered_exactly(
    s3: "S3Client", wanted: str, expected: bytes, content_range: str
) -> None:
    """206 with the bytes of the range and its place."""
    answer = s3.get_object(Bucket="lake", Key="a b+c.bin", Range=wanted)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"] == content_range
    assert answer["Body"].read() == expected


def test_a_range_behind_the_end_is_refused(s3: "S3Client") -> None:
    """416, also for any range of an empty object."""
    for key, wanted in (("a b+c.bin", "bytes=10240-"), ("empty", "bytes=0-9")):
        with pytest.raises(ClientError) as caught:
            s3.get_object(Bucket="lake", Key=key, Range=wanted)
        assert _status(caught) == 416


def test_an_object_has_one_etag_however_it_is_asked_for(s3: "S3Client") -> None:
    """LIST, HEAD and GET agree on ETag and size."""
    key = "a b+c.bin"
    listed = s3.list_objects_v2(Bucket="lake", Prefix=key)["Contents"][0]
    head = s3.head_object(Bucket="lake", Key=key)
    got = s3.get_object(Bucket="lake", Key=key)
    assert listed["ETag"] == head["ETag"] == got["ETag"]
    assert listed["Size"] == head["ContentLength"] == got["ContentLength"] == len(_BODY)


def test_conditions_are_kept(s3: "S3Client") -> None:
    """If-Match with another ETag is 412, If-None-Match with this one 304."""
    etag = s3.head_object(Bucket="lake", Key="a b+c.bin")["ETag"]
    assert s3.get_object(Bucket="lake", Key="a b+c.bin", IfMatch=etag)["Body"].read() == _BODY
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="lake", Key="a b+c.bin", IfMatch='"other"')
    assert _status(caught) == 412
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="lake", Key="a b+c.bin", IfNoneMatch=etag)
    assert _status(caught) == 304


def test_an_alias_is_an_object_that_no_cache_has_seen(s3: "S3Client") -> None:
    """`run-N/key` has the bytes of `key` and an ETag of its own; it is listed below its prefix."""
    plain = s3.get_object(Bucket="lake", Key="a b+c.bin")
    alias = s3.get_object(Bucket="lake", Key="run-3/a b+c.bin")
    assert alias["Body"].read() == _BODY
    assert alias["ETag"] != plain["ETag"]
    listed = s3.list_objects_v2(Bucket="lake", Prefix="run-3/a ")["Contents"]
    assert [(item["Key"], item["ETag"]) for item in listed] == [("run-3/a b+c.bin", alias["ETag"])]


def _all_keys(s3: "S3Client", **arguments: object) -> list[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="lake", **arguments)  # type: ignore[arg-type]  # a subset of the arguments, by name
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def test_listing_pages_hold_every_key_once_in_order(endpoint: str, s3: "S3Client") -> None:
    """1,234 keys are two pages of at most 1,000; smaller pages give the same keys."""
    assert _all_keys(s3, Prefix="many/") == _KEYS
    assert _stats(endpoint)["requests"] == {"ListObjectsV2": 2}
    assert _all_keys(s3, Prefix="many/", PaginationConfig={"PageSize": 100}) == _KEYS
    assert _all_keys(s3, Prefix="many/", StartAfter=_KEYS[1_000]) == _KEYS[1_001:]


@pytest.mark.parametrize("page_size", [1, 2, 3, 1_000])
def test_common_prefixes_come_once_each(s3: "S3Client", page_size: int) -> None:
    """A delimiter rolls keys up, also where a page ends at a common prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="lake", Prefix="many/", Delimiter="/", PaginationConfig={"PageSize": page_size}
    )
    prefixes = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
    assert prefixes == [f"many/{n}/" for n in range(7)]


def test_buckets_are_listed_and_refused(s3: "S3Client") -> None:
    """Folders are buckets; `denied-` refuses with 403, an unknown one is 404."""
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert names == ["denied-lake", "lake"]
    assert s3.head_bucket(Bucket="lake")["BucketRegion"] == "us-east-1"
    for name, status in (("denied-lake", 403), ("no-lake", 404)):
        with pytest.raises(ClientError) as caught:
            s3.head_bucket(Bucket=name)
        assert _status(caught) == status


def test_requests_and_bytes_are_counted_exactly(endpoint: str, s3: "S3Client") -> None:
    """Every request by its kind, every byte of a body, none of a HEAD."""
    s3.head_object(Bucket="lake", Key="big.bin")
    s3.get_object(Bucket="lake", Key="big.bin")["Body"].read()
    s3.get_object(Bucket="lake", Key="big.bin", Range="bytes=5-104")["Body"].read()
    stats = _stats(endpoint)
    assert stats["requests"] == {"HeadObject": 1, "GetObject": 2}
    assert stats["bytes_out"] == 3_000_100
    assert stats["in_flight"] == 0


def test_an_aborted_answer_counts_what_was_sent(endpoint: str, s3: "S3Client") -> None:
    """Closing after the first bytes is counted as such, not as the whole object."""
    _control(endpoint, "POST", "/__profile?latency_ms=0&rate_mb=5")
    body = s3.get_object(Bucket="lake", Key="big.bin")["Body"]
    body.read(1_000)
    body.close()
    deadline = time.monotonic() + 5
    while (stats := _stats(endpoint))["in_flight"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert stats["aborted"] == 1
    assert 1_000 <= stats["bytes_out"] < 3_000_000


def _fetch(endpoint: str, path: str, headers: Mapping[str, str]) -> float:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
    began = time.perf_counter()
    connection.request("GET", path, headers=dict(headers))
    connection.getresponse().read()
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def test_latency_and_bandwidth_are_held(endpoint: str, s3: "S3Client") -> None:
    """50 ms and 3 MB at 5 MB/s take 0.65 s, and side by side connections don't share."""
    del s3
    _control(endpoint, "POST", "/__profile?latency_ms=50&rate_mb=5")
    assert _fetch(endpoint, "/lake/empty", {}) >= 0.05
    seconds: list[float] = []
    threads = [
        threading.Thread(target=lambda: seconds.append(_fetch(endpoint, "/lake/big.bin", {})))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # If they shared, they would take 4.8 s.
    assert all(0.55 <= second < 4 for second in seconds)
    assert _stats(endpoint)["peak_in_flight"] == 8


def test_what_it_cannot_do_is_refused(endpoint: str, s3: "S3Client") -> None:
    """A write is 405, a subresource that it lacks 501."""
    del endpoint
    with pytest.raises(ClientError) as caught:
        s3.delete_object(Bucket="lake", Key="big.bin")
    assert _status(caught) == 405
    with pytest.raises(ClientError) as caught:
        s3.get_object_acl(Bucket="lake", Key="big.bin")
    assert _status(caught) == 501
