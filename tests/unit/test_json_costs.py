"""What pages of big JSON objects cost: requests and bytes, by cursor and by offset."""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType

import pytest

from s3_data_lake_mcp.engines.json_stream import record_line
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.loaders.json import JsonLoader, JsonRequest, JsonResult
from s3_data_lake_mcp.loaders.json_open import FIRST_BYTES
from s3_data_lake_mcp.loaders.json_scan import check_depth
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.lazy import LazyStore, Pattern
from support.memory import MemoryStore

PAD = b"x" * 700


def record(number: int) -> bytes:
    """Return an object of 732 bytes."""
    return b'{"id": %9d, "text": "%b"}' % (number, PAD)


ARRAY = LazyStore(
    "x.json",
    Pattern(
        head=b"[\n" + record(0),
        record=lambda i: b",\n" + record(i + 1),
        count=700_000,
        tail=b"]\n",
    ),
)
LINES = LazyStore("x.jsonl", Pattern(record=lambda i: record(i) + b"\n", count=1_400_000))
UNNAMED = LazyStore("x.json", Pattern(record=lambda i: record(i) + b"\n", count=1_400_000))
ALL = pytest.mark.parametrize("store", [ARRAY, LINES, UNNAMED], ids=["array", "lines", "unnamed"])


def ids(page: JsonResult) -> list[object]:
    """Return the numbers of the records."""
    return [r["id"] for r in page.records if isinstance(r, dict)]


def first_page(store: LazyStore, meter: ScanMeter, *, offset: int = 0) -> JsonResult:
    """Read a hundred records as a job does."""
    source = ObjectReader.open_head(store, store.ref, meter, length=FIRST_BYTES)
    return JsonLoader().read(source, JsonRequest(max_records=100, offset=offset))


@ALL
def test_the_first_page_is_one_request(store: LazyStore) -> None:
    """A hundred records of half a gigabyte cost one request of 256 KiB."""
    meter = ScanMeter()
    assert ids(first_page(store, meter)) == list(range(101))
    assert (meter.requests, meter.bytes_read) == (1, FIRST_BYTES)


@ALL
def test_the_next_page_is_one_request(store: LazyStore) -> None:
    """Going on fetches about as much as the page before took, and no head."""
    page = first_page(store, ScanMeter())
    info, _ = store.get_head(store.ref, 1, ScanMeter())
    meter = ScanMeter()
    request = JsonRequest(max_records=100, position=page.resume(100))
    following = JsonLoader().read(ObjectReader(store, info, meter), request)
    assert ids(following) == list(range(100, 201))
    assert meter.requests == 1
    assert meter.bytes_read < 100_000
    assert following.offset == 100


def test_records_beyond_the_head_are_a_second_request() -> None:
    """Records of 5 KB do not fit one request, but two of half a megabyte together."""
    wide = LazyStore(
        "x.json",
        Pattern(head=b"[0", record=lambda _: b',"%b"' % (b"y" * 4997), count=9999, tail=b"]"),
    )
    meter = ScanMeter()
    assert len(first_page(wide, meter).records) == 101
    assert meter.requests == 2
    assert meter.bytes_read <= 600_000


@ALL
def test_offset_reads_what_is_before_it(store: LazyStore) -> None:
    """Skipping ten thousand records reads them, in few requests, and at most as much again."""
    meter = ScanMeter()
    page = first_page(store, meter, offset=10_000)
    assert ids(page) == list(range(10_000, 10_101))
    skipped = 10_100 * 732
    assert skipped < meter.bytes_read < 2.5 * skipped
    assert meter.requests <= 8


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("offset", [8_000, 59_990])
def test_offset_is_exact_across_blocks(offset: int, *, lines: bool) -> None:
    """Numbers that a block's end cuts in two are passed over whole."""
    numbers = [str(n) for n in range(10**6, 10**6 + 60_000)]
    body = "   " + ("\n".join(numbers) if lines else f"[{','.join(numbers)}]")
    store = MemoryStore()
    ref = store.put("lake", "x.jsonl" if lines else "x.json", body.encode())
    source = ObjectReader.open_head(store, ref, ScanMeter())
    page = JsonLoader().read(source, JsonRequest(max_records=20, offset=offset))
    assert list(page.records)[:10] == list(range(10**6 + offset, 10**6 + offset + 10))


def calls_of(work: Callable[[], object]) -> Counter[str]:
    """Return how often each function is called."""
    found: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found[frame.f_code.co_name] += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def test_the_levels_of_a_long_value_are_counted_without_a_call_for_each_part() -> None:
    """A document of many records has as many parts."""
    value = {"items": [{"at": [at, {"x": [at]}]} for at in range(1_000)]}
    calls = calls_of(lambda: check_depth(value, 6, "x"))
    assert calls.total() < 10
    with pytest.raises(LimitExceededError):
        check_depth(value, 5, "x")


def test_a_long_flat_record_is_written_once() -> None:
    """It is written anew only where it nests too deep for the engine."""
    value = {"items": [{"at": at} for at in range(1_000)]}
    assert calls_of(lambda: record_line(value, {}, set()))["encode"] == 1
