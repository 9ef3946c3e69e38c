"""The file system that the SQL engine sees: a scope, read-only, exact, few requests."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.errors import NotAllowedError, ObjectChangedError
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.filesystem import LakeFileSystem
from s3_data_lake_mcp.storage.pinned import WHOLE_BYTES, Access, PinnedObject
from s3_data_lake_mcp.storage.readahead import BLOCK_BYTES, HELD_BYTES, ReadAhead
from s3_data_lake_mcp.storage.scope import Scope, SurpriseError, modified_of
from support.memory import MemoryStore

PATH = "s3://lake/a.csv"


def pattern(size: int) -> bytes:
    """Return bytes that tell their position."""
    return (b"".join(i.to_bytes(4, "big") for i in range(size // 4 + 1)))[:size]


class Place:
    """A file system over a store in memory with one object."""

    def __init__(self, body: bytes, access: Access = "scan", **options: bytes | int) -> None:
        self.store = MemoryStore()
        self.store.put("lake", "a.csv", body)
        self.meter = ScanMeter()
        self.info = self.head()
        self.files = LakeFileSystem()
        self.scope = Scope(self.meter)
        self.object = PinnedObject(self.store, self.info, self.meter, access=access, **options)  # type: ignore[arg-type] # names with their own types
        self.scope.add(PATH, self.object)
        self.files.scope = self.scope

    def head(self) -> ObjectInfo:
        """Return what is there now."""
        return self.store.head(ObjectRef(bucket="lake", key="a.csv"), ScanMeter()).info


@pytest.mark.parametrize("access", ["scan", "columns"])
@pytest.mark.parametrize("size", [1, 1000, WHOLE_BYTES, WHOLE_BYTES + 1, 20_000_003])
def test_what_is_read_is_what_is_there(access: Access, size: int) -> None:
    """Any sequence of seeks and reads returns the object's bytes."""
    body = pattern(size)
    place = Place(body, access, head=body[:100])
    with place.files.open(PATH) as file:
        for start in (0, size // 2, max(0, size - 8), 3):
            file.seek(start)
            assert file.read(5_000_000) == body[start : start + 5_000_000]
            assert file.tell() == max(start, min(size, start + 5_000_000))
        assert file.seek(-1, io.SEEK_END) == size - 1
        assert file.read() == body[-1:]


def test_threads_share_a_handle() -> None:
    """Each thread's position is its own: the engine seeks and reads in two calls."""
    body = pattern(12_000_000)
    place = Place(body)
    barrier = threading.Barrier(8)

    def check(number: int) -> bool:
        for turn in range(20):
            start = (number * 977_771 + turn * 599_999) % (len(body) - 1000)
            file.seek(start)
            barrier.wait()
            if file.read(1000) != body[start : start + 1000]:
                return False
        return True

    with place.files.open(PATH) as file, ThreadPoolExecutor(8) as pool:
        assert all(pool.map(check, range(8)))


@pytest.mark.parametrize(("size", "requests"), [(900_000, 1), (3_000_000, 3), (WHOLE_BYTES, 4)])
def test_a_small_object_comes_whole_in_a_few_requests(size: int, requests: int) -> None:
    """All of it is on its way, side by side, with the first read."""
    place = Place(pattern(size))
    with place.files.open(PATH) as file:
        file.seek(0)
        assert file.read(size) == pattern(size)
    assert place.meter.requests == requests
    assert place.meter.bytes_read == size


def test_a_small_object_is_fetched_once() -> None:
    """What fits is fetched whole, once, whoever reads what of it."""
    place = Place(pattern(900_000))
    for start in (800_000, 0, 899_000):
        with place.files.open(PATH) as file, place.files.open(PATH) as other:
            file.seek(start)
            file.read(500)
            other.read(10)
    # Handles that are closed let go of the bytes; those three times two shared each time.
    assert place.meter.requests == 3


def test_what_is_here_is_not_fetched_again() -> None:
    """The first bytes, which came with the opening, cost nothing more."""
    body = pattern(1000)
    place = Place(body, head=body)
    with place.files.open(PATH) as file:
        assert file.read() == body
    assert place.meter.requests == 0


def test_a_footer_costs_one_request() -> None:
    """Of a large columnar object, the end is fetched once for all reads of the footer."""
    body = pattern(30_000_000)
    place = Place(body, "columns")
    with place.files.open(PATH) as file:
        file.seek(len(body) - 8)
        file.read(8)
        file.seek(len(body) - 20_000)
        assert file.read(19_000) == body[-20_000:-1000]
    assert place.meter.requests == 1


def test_columns_are_read_exactly() -> None:
    """A range of a columnar object costs its own bytes."""
    place = Place(pattern(30_000_000), "columns", tail=b"x")
    with place.files.open(PATH) as file:
        file.seek(5_000_000)
        file.read(700_000)
    assert (place.meter.requests, place.meter.bytes_read) == (1, 700_000)


def test_skipped_bytes_are_not_seen() -> None:
    """A view of an object begins behind the bytes that it skips."""
    body = pattern(9_000_000)
    place = Place(body, skip=10)
    assert place.files.info(PATH)["size"] == len(body) - 10
    with place.files.open(PATH) as file:
        assert file.read(100) == body[10:110]


def test_a_changed_object_is_an_error_that_is_kept() -> None:
    """No byte of another version is handed out, and the scope knows the reason."""
    place = Place(pattern(60_000_000))
    with place.files.open(PATH) as file:
        file.read(100)
        place.store.put("lake", "a.csv", b"other")
        file.seek(59_000_000)
        with pytest.raises(ObjectChangedError):
            file.read(100)
    assert isinstance(place.scope.failure, ObjectChangedError)


def test_a_failed_scope_reads_no_more() -> None:
    """After the first failure every read fails with it."""
    place = Place(pattern(100))
    place.scope.fail(ObjectChangedError("gone"))
    with place.files.open(PATH) as file, pytest.raises(ObjectChangedError, match="gone"):
        file.read(10)


def test_other_paths_are_refused() -> None:
    """A path or pattern that is not in the scope cannot be opened, found or matched."""
    place = Place(b"x")
    other = "s3://lake/b.csv"
    for look in (place.files.open, place.files.glob, place.files.info, place.files.modified):
        with pytest.raises(NotAllowedError):
            look(other)
    assert not place.files.exists(other)
    assert not place.files.isfile(other)
    assert not place.files.isdir("s3://lake")


def test_without_a_scope_nothing_is_read() -> None:
    """Between queries there is nothing to read."""
    place = Place(b"x")
    place.files.scope = None
    with pytest.raises(NotAllowedError):
        place.files.open(PATH)


@pytest.mark.parametrize("mode", ["wb", "ab", "r+b", "w", "r", "xb"])
def test_nothing_is_opened_to_be_written(mode: str) -> None:
    """Only reading bytes is a mode, for objects of the scope too."""
    place = Place(b"x")
    with pytest.raises(NotAllowedError, match="read-only"):
        place.files.open(PATH, mode)


@pytest.mark.parametrize(
    "name",
    [
        *("mkdir", "makedirs", "mkdirs", "rmdir", "rm", "rm_file", "delete", "touch"),
        *("mv", "move", "rename", "copy", "cp", "cp_file", "put", "put_file", "upload"),
        *("pipe", "pipe_file", "write_text", "write_bytes", "get", "download", "ls", "find"),
        *("walk", "du", "cat_file", "get_file", "start_transaction", "sign"),
    ],
)
def test_every_change_is_refused(name: str) -> None:
    """What would change, list or copy anything is refused."""
    place = Place(b"x")
    with pytest.raises(NotAllowedError):
        getattr(place.files, name)(PATH, PATH)


def test_a_pattern_stands_for_its_paths_alone() -> None:
    """Keys are never matched anew: glob characters in a key are themselves."""
    place = Place(b"x")
    odd = "s3://lake/a*.csv"
    place.scope.add(odd, place.object)
    place.scope.add_set("s3://lake/.set/*", [PATH, odd])
    assert place.files.glob(odd) == [odd]
    assert place.files.glob("s3://lake/.set/*") == [PATH, odd]


def test_time_tells_versions_apart() -> None:
    """Versions written within the same second have different times, each always the same."""
    assert modified_of("a") == modified_of("a") != modified_of("b")


def test_a_surprise_is_kept_as_it_is() -> None:
    """What a check of the first bytes raises reaches the scope."""

    def check(_: bytes) -> None:
        raise SurpriseError(PATH)

    place = Place(b"x" * 100)
    looked_at = PinnedObject(place.store, place.info, place.meter, access="scan", check=check)
    place.scope.add(PATH, looked_at)
    with place.files.open(PATH) as file, pytest.raises(SurpriseError):
        file.read(10)
    assert isinstance(place.scope.failure, SurpriseError)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 30 * BLOCK_BYTES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5 * BLOCK_BYTES)), max_size=8),
)
def test_reading_ahead_returns_the_bytes(size: int, reads: list[tuple[float, int]]) -> None:
    """Whatever is read in whatever order, it is the object's bytes, and the memory is bounded."""

    def fetch(start: int, stop: int) -> bytes:
        return bytes([start // BLOCK_BYTES % 251]) * (stop - start)

    ahead = ReadAhead(fetch, size)
    for where, length in reads:
        start = min(size - 1, int(where * size))
        stop = min(size, start + length)
        data = ahead.read(start, stop)
        assert len(data) == stop - start
        for at in {start, (start + stop) // 2, stop - 1}:
            assert data[at - start] == at // BLOCK_BYTES % 251
        assert len(ahead._blocks) * BLOCK_BYTES <= HELD_BYTES
    ahead.close()


def test_reading_in_order_fetches_each_byte_once() -> None:
    """A scan costs the object's bytes, however the engine's blocks lie."""
    size = 40 * BLOCK_BYTES + 17
    fetched: list[tuple[int, int]] = []

    def fetch(start: int, stop: int) -> bytes:
        fetched.append((start, stop))
        return bytes(stop - start)

    ahead = ReadAhead(fetch, size)
    for start in range(0, size, 1_500_000):
        ahead.read(start, min(size, start + 1_500_000))
    assert sum(stop - start for start, stop in fetched) == size
