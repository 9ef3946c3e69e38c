"""The promises of `ObjectStore`, on every implementation: in memory, on moto, on rclone."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    NotFoundError,
    ObjectChangedError,
)
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from support import rclone
from support.stores import Shelf, memory_shelf, s3_shelf

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RCLONE_BUCKET = "shelf"
DIGITS = b"0123456789"
ODD_KEYS = [
    "a b.csv",
    "a+b.csv",
    "a%20b.csv",
    "a%2Fb.csv",
    "ü/ñ/日本.csv",
    "emoji 🦆.csv",
    "quote\"'`.csv",
    "a&b=c;d,e@f$g!h(i).csv",
    "semi;colon?query#fragment.csv",
    "back\\slash.csv",
    "tab\there.csv",
    "<xml>&amp;.csv",
    "dots/.hidden/...csv",
    "star*[glob]?.csv",
    "~tilde/{brace}.csv",
]


@pytest.fixture(scope="module")
def rclone_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of rclone's S3 server, over an empty folder with one bucket."""
    program = rclone.rclone_program()
    if program is None:
        pytest.skip("rclone is not installed")
    root = tmp_path_factory.mktemp("rclone") / "buckets"
    (root / RCLONE_BUCKET).mkdir(parents=True)
    with rclone.serve_s3(program, root) as endpoint:
        yield endpoint


@pytest.fixture
def rclone_client(
    aws_env: None, rclone_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[S3Client]":
    """Return a client of rclone's S3 server, where the AWS chain now points."""
    del aws_env
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", rclone_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", rclone.ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", rclone.SECRET_KEY)
    client = boto3.session.Session().client(
        "s3", config=Config(request_checksum_calculation="when_required")
    )
    yield client
    for entry in client.list_objects_v2(Bucket=RCLONE_BUCKET).get("Contents", []):
        client.delete_object(Bucket=RCLONE_BUCKET, Key=entry["Key"])
    client.close()


@pytest.fixture(params=["memory", "moto", "rclone"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    """Return each kind of store, with a bucket and a way to fill it."""
    if request.param == "memory":
        return memory_shelf()
    if request.param == "moto":
        return s3_shelf(request.getfixturevalue("s3"), request.getfixturevalue("bucket"))
    return s3_shelf(request.getfixturevalue("rclone_client"), RCLONE_BUCKET)


@pytest.fixture
def digits(shelf: Shelf) -> ObjectRef:
    """Return an object of ten known bytes."""
    return shelf.put("digits.txt", DIGITS)


@pytest.mark.parametrize("length", [1, 4, 10, 4_000])
def test_a_head_is_the_first_bytes_and_the_identity(
    shelf: Shelf, digits: ObjectRef, length: int
) -> None:
    """`get_head` needs one request for size, ETag and bytes; fewer if the object is smaller."""
    used = shelf.meter()
    info, data = shelf.store.get_head(digits, length, used)
    assert data == DIGITS[:length]
    assert (info.size_bytes, info.ref) == (10, digits)
    assert info.etag
    assert '"' not in info.etag
    assert info.last_modified is not None
    assert info.last_modified.utcoffset() is not None
    assert (used.requests, used.bytes_read) == (1, len(data))


@pytest.mark.parametrize("length", [1, 4, 10, 4_000])
def test_a_tail_is_the_last_bytes_and_the_identity(
    shelf: Shelf, digits: ObjectRef, length: int
) -> None:
    """`get_tail` tells the same identity as `get_head`, with the other end."""
    info, data = shelf.store.get_tail(digits, length, shelf.meter())
    assert data == DIGITS[-length:]
    assert info == shelf.store.get_head(digits, 1, shelf.meter())[0]


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (0, 1), (9, 10), (3, 7), (5, 5)], ids=str)
def test_a_range_is_half_open(shelf: Shelf, digits: ObjectRef, start: int, stop: int) -> None:
    """`get_range` returns the bytes `[start, stop)`."""
    info, _ = shelf.store.get_head(digits, 1, shelf.meter())
    used = shelf.meter()
    assert shelf.store.get_range(info, start, stop, used) == DIGITS[start:stop]
    assert used.bytes_read == stop - start


def test_an_empty_object_has_an_identity_and_no_bytes(shelf: Shelf) -> None:
    """Neither end of an empty object is an error."""
    ref = shelf.put("empty", b"")
    for read in (shelf.store.get_head, shelf.store.get_tail):
        info, data = read(ref, 100, shelf.meter())
        assert (info.size_bytes, data) == (0, b"")
        assert info.etag


def test_an_overwritten_object_is_not_mixed(shelf: Shelf, digits: ObjectRef) -> None:
    """A range of a version that was overwritten is `ObjectChangedError`."""
    info, _ = shelf.store.get_head(digits, 1, shelf.meter())
    shelf.put("digits.txt", b"abcdefghij")
    with pytest.raises(ObjectChangedError) as caught:
        shelf.store.get_range(info, 0, 5, shelf.meter())
    assert caught.value.hint


@pytest.mark.parametrize("bucket_exists", [True, False], ids=["key", "bucket"])
def test_what_is_missing_is_not_found(shelf: Shelf, digits: ObjectRef, bucket_exists: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Reads and heads of what is not there say so, with the bucket."""
    ref = ObjectRef(bucket=digits.bucket if bucket_exists else "nosuchbucket", key="nope.csv")
    for read in (
        lambda: shelf.store.get_head(ref, 10, shelf.meter()),
        lambda: shelf.store.get_tail(ref, 10, shelf.meter()),
        lambda: shelf.store.head(ref, shelf.meter()),
    ):
        with pytest.raises(NotFoundError) as caught:
            read()
        assert caught.value.bucket == ref.bucket


def test_a_listing_of_no_bucket_is_not_found(shelf: Shelf) -> None:
    """A missing bucket is not an empty one."""
    with pytest.raises(NotFoundError) as caught:
        shelf.store.list_page("nosuchbucket", "", shelf.meter())
    assert (caught.value.bucket, caught.value.key) == ("nosuchbucket", "")


def test_odd_keys_come_out_exactly(shelf: Shelf, request: pytest.FixtureRequest) -> None:
    """Every key is listed and read as it is, without decoding or normalising."""
    keys = ODD_KEYS
    if "rclone" in request.node.name:
        # rclone keeps objects as files: its own encoding of file names changes these.
        keys = [key for key in keys if not set(key) & set("\\\t")]
    for at, key in enumerate(keys):
        shelf.put(key, str(at).encode())
    listed = shelf.store.list_page(shelf.bucket, "", shelf.meter()).objects
    assert sorted(o.key for o in listed) == sorted(keys)
    for at, key in enumerate(keys):
        ref = shelf.ref(key)
        assert shelf.store.get_head(ref, 10, shelf.meter())[1] == str(at).encode()
        assert shelf.store.head(ref, shelf.meter()).info.size_bytes == len(str(at))


def test_keys_are_not_normalised(shelf: Shelf, request: pytest.FixtureRequest) -> None:
    """`..`, `//` and a leading slash are letters of a key like any other."""
    if "rclone" in request.node.name:
        pytest.skip("rclone keeps objects as files, which cannot have such names")
    keys = ["/lead.csv", "a//b.csv", "a/../b.csv", "a/./b.csv", "b.csv"]
    for key in keys:
        shelf.put(key, key.encode())
    for key in keys:
        assert shelf.store.get_head(shelf.ref(key), 50, shelf.meter())[1] == key.encode()
    listed = shelf.store.list_page(shelf.bucket, "", shelf.meter()).objects
    assert [o.key for o in listed] == sorted(keys)


def test_a_listing_is_paged_in_key_order(shelf: Shelf) -> None:
    """Pages follow each other without gap or overlap, and the last one says that it is."""
    keys = [f"part-{n:02}.csv" for n in range(7)]
    for key in keys:
        shelf.put(key, b"xy")
    found: list[str] = []
    token, pages = "", 0
    while True:
        page = shelf.store.list_page(shelf.bucket, "", shelf.meter(), token=token, max_keys=3)
        assert len(page.objects) <= 3
        found += [o.key for o in page.objects]
        assert {o.size_bytes for o in page.objects} == {2}
        token, pages = page.next_token, pages + 1
        if not token:
            break
    assert found == keys
    assert pages == 3


def test_a_listing_starts_after_a_key(shelf: Shelf) -> None:
    """`start_after` need not exist, and is itself left out."""
    for key in ("a", "b", "c"):
        shelf.put(key, b"x")
    for after, rest in (("a", ["b", "c"]), ("aa", ["b", "c"]), ("c", [])):
        page = shelf.store.list_page(shelf.bucket, "", shelf.meter(), start_after=after)
        assert [o.key for o in page.objects] == rest


def test_a_delimiter_folds_what_is_below(shelf: Shelf) -> None:
    """Keys behind the delimiter are common prefixes, below the prefix only."""
    for key in ("a/1", "a/2", "b/c/1", "d"):
        shelf.put(key, b"x")
    top = shelf.store.list_page(shelf.bucket, "", shelf.meter(), delimiter="/")
    assert (top.common_prefixes, [o.key for o in top.objects]) == (("a/", "b/"), ["d"])
    below = shelf.store.list_page(shelf.bucket, "b/", shelf.meter(), delimiter="/")
    assert (below.common_prefixes, below.objects) == (("b/c/",), ())


def test_listed_and_read_identity_agree(shelf: Shelf, digits: ObjectRef) -> None:
    """ETag and size of the listing are those that a read pins."""
    (listed,) = shelf.store.list_page(shelf.bucket, digits.key, shelf.meter()).objects
    info, _ = shelf.store.get_head(digits, 1, shelf.meter())
    assert (listed.etag, listed.size_bytes) == (info.etag, info.size_bytes)
    assert listed.last_modified.utcoffset() is not None
    assert shelf.store.head(digits, shelf.meter()).info.etag == info.etag


def test_the_bucket_is_listed_and_readable(shelf: Shelf, digits: ObjectRef) -> None:
    """The bucket is among the account's, and its probe says that it can be listed."""
    del digits
    assert shelf.bucket in {bucket.name for bucket in shelf.store.list_buckets(shelf.meter())}
    assert shelf.store.probe_bucket(shelf.bucket, shelf.meter()).access == "readable"
    unasked = shelf.store.probe_bucket(shelf.bucket, shelf.meter(), access=False)
    assert unasked.access == "unknown"


def test_a_probe_never_raises_for_what_is_missing(shelf: Shelf) -> None:
    """A bucket that is not there is `unknown`."""
    assert shelf.store.probe_bucket("nosuchbucket", shelf.meter()).access == "unknown"


def test_versioning_is_off_unless_enabled(shelf: Shelf, digits: ObjectRef) -> None:
    """A plain bucket keeps no versions."""
    del digits
    assert shelf.store.is_versioned(shelf.bucket, shelf.meter()) is False


def test_an_object_without_tags_has_none(
    shelf: Shelf, digits: ObjectRef, request: pytest.FixtureRequest
) -> None:
    """No tags are an empty mapping."""
    if "rclone" in request.node.name:
        pytest.skip("rclone answers 500 to GetObjectTagging")
    assert dict(shelf.store.get_tags(digits, shelf.meter())) == {}


def test_each_request_is_counted(shelf: Shelf, digits: ObjectRef) -> None:
    """Reads, heads and listings count one request each."""
    used = shelf.meter()
    info, _ = shelf.store.get_head(digits, 4, used)
    shelf.store.get_range(info, 4, 8, used)
    shelf.store.head(digits, used)
    shelf.store.list_page(shelf.bucket, "", used)
    assert (used.requests, used.bytes_read) == (4, 8)


def test_a_call_past_its_deadline_sends_nothing(shelf: Shelf, digits: ObjectRef) -> None:
    """A spent deadline stops the call before the request."""
    spent = ScanMeter(timeout_seconds=-1)
    with pytest.raises(DeadlineExceededError):
        shelf.store.get_head(digits, 4, spent)
    assert spent.requests == 0


def test_two_hundred_parallel_ranges_are_slices(shelf: Shelf) -> None:
    """One handle serves many threads: each range is that slice of the body."""
    body = random.Random(3).randbytes(400_000)  # noqa: S311 - test data
    ref = shelf.put("big.bin", body)
    used = shelf.meter()
    info, _ = shelf.store.get_head(ref, 1, used)
    dice = random.Random(5)  # noqa: S311 - test data
    cuts = [sorted(dice.sample(range(len(body)), 2)) for _ in range(200)]
    with ThreadPoolExecutor(32) as pool:
        parts = list(pool.map(lambda cut: shelf.store.get_range(info, cut[0], cut[1], used), cuts))
    assert parts == [body[start:stop] for start, stop in cuts]
    assert used.requests == 201
    assert used.bytes_read == 1 + sum(stop - start for start, stop in cuts)
