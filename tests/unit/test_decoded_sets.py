"""What is decoded comes in few requests, ahead of who reads it, and is kept for the next query."""

import gzip
import random
import threading
from collections.abc import Iterator

import pytest
import zstandard

from s3_data_lake_mcp.engines.opening import Opened, Stores
from s3_data_lake_mcp.engines.streams import DecodedStream
from s3_data_lake_mcp.loaders.compression import decoded_blocks
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.reader import PART_BYTES
from support.engine import BUCKET, Desk
from support.memory import MemoryStore

MANY = 70
LISTING = 1
DICE = random.Random(7)  # noqa: S311 - no secrets
SUM = "SELECT sum(n) FROM data"
LARGEST = "SELECT max(n) FROM data"


def csv_text(rows: int) -> str:
    """Return rows that hardly compress."""
    return "n,t\n" + "".join(f"{at},{DICE.getrandbits(256):064x}\n" for at in range(rows))


def json_lines(rows: int) -> str:
    """Return the same as records."""
    return "".join(f'{{"n":{at},"t":"{DICE.getrandbits(256):064x}"}}\n' for at in range(rows))


def filled(name: str, body: bytes) -> Desk:
    """Return an engine with many objects alike."""
    desk = Desk()
    for at in range(MANY):
        desk.put(f"set/{at:03}.{name}", body)
    return desk


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("csv.gz", gzip.compress(csv_text(3_000).encode(), 1)),
        ("jsonl.gz", gzip.compress(json_lines(3_000).encode(), 1)),
    ],
)
def test_a_short_packed_object_of_a_set_is_one_request_and_none_again(
    name: str, body: bytes
) -> None:
    """Whether it was looked at, or taken to be like its neighbour."""
    assert len(body) > 100_000
    desk = filled(name, body)
    assert desk.value("set/", SUM) == MANY * sum(range(3_000))
    assert (desk.meter.requests, desk.meter.bytes_read) == (LISTING + MANY, MANY * len(body))
    assert desk.value("set/", LARGEST) == 2_999
    assert desk.meter.requests == LISTING


@pytest.mark.parametrize("name", ["csv.gz", "csv"])
def test_a_longer_one_is_fetched_whole_behind_its_head(name: str) -> None:
    """The head is asked for to find the layout, and all of it to be decoded."""
    text = csv_text(20_000)
    body = gzip.compress(text.encode(), 1) if name == "csv.gz" else text.encode("utf-16")
    assert len(body) > 800_000
    desk = Desk()
    for at in range(6):
        desk.put(f"set/{at}.{name}", body)
    assert desk.value("set/", SUM) == 6 * sum(range(20_000))
    assert desk.meter.requests == LISTING + 2 * 6
    assert desk.value("set/", LARGEST) == 19_999
    assert desk.meter.requests == LISTING


def test_heads_of_records_are_fetched_side_by_side() -> None:
    """Not a part of each, and the rest of one after the other."""
    desk = Desk()
    text = json_lines(20_000)
    for at in range(6):
        desk.put(f"set/{at}.jsonl", text)
    desk.run("set/", "SELECT n FROM data", dry_run=True)
    assert desk.meter.requests == LISTING + 6


class SlowStore(MemoryStore):
    """Answers ranges when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.asked = threading.Semaphore(0)

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return a range later."""
        self.asked.release()
        self.gate.wait(10)
        return super().get_range(info, start, stop, meter)


@pytest.fixture
def slow() -> Iterator[SlowStore]:
    """Return a store that lets all pass in the end."""
    store = SlowStore()
    yield store
    store.gate.set()


def opened(
    store: MemoryStore, body: bytes, meter: ScanMeter | None = None
) -> tuple[Opened, DecodedStream]:
    """Return an object, and what the engine reads of it."""
    store.put(BUCKET, "x.gz", body)
    info, _ = store.get_head(ObjectRef(bucket=BUCKET, key="x.gz"), 1, ScanMeter())
    found = Opened(
        stores=Stores(plain=store, decoded=store, copies=None),
        info=info,
        meter=meter or ScanMeter(),
    )

    def blocks() -> Iterator[bytes]:
        source = found.with_beginning().decoding_reader(brief=False)
        return decoded_blocks(source, "gzip", max_decoded_bytes=1 << 30)

    return found, DecodedStream(blocks, info.etag, found)


def unwrapped(stream: DecodedStream) -> bytes:
    """Return the text as the engine gets it."""
    frame = stream.open()(0, stream.size_bytes)
    return zstandard.ZstdDecompressor().decompressobj().decompress(frame)


def test_what_is_begun_comes_before_it_is_read(slow: SlowStore) -> None:
    """Once, however often it is begun; who reads it asks for no more."""
    text = csv_text(500).encode()
    found, stream = opened(slow, gzip.compress(text, 1))
    stream.begin()
    stream.begin()
    assert slow.asked.acquire(timeout=10)
    slow.gate.set()
    assert unwrapped(stream) == text
    assert found.meter.requests == 1
    assert found.begun is None


def test_nothing_is_fetched_for_a_handle_that_nobody_reads() -> None:
    """The engine opens an object more often than it reads it."""
    found, stream = opened(MemoryStore(), gzip.compress(csv_text(10).encode()))
    stream.open()
    assert found.meter.requests == 0


def test_what_is_begun_is_let_go_when_it_is_closed(slow: SlowStore) -> None:
    """Nothing of it is held, and it can be read all the same."""
    text = csv_text(100).encode()
    found, stream = opened(slow, gzip.compress(text))
    stream.begin()
    stream.close()
    assert found.begun is None
    slow.gate.set()
    assert unwrapped(stream) == text


def test_no_more_than_a_part_is_begun(slow: SlowStore) -> None:
    """A long object takes a few megabytes before it is read."""
    slow.gate.set()
    found, stream = opened(slow, DICE.randbytes(PART_BYTES + (1 << 20)))
    stream.begin()
    assert found.begun is not None
    assert len(found.begun.result()) == PART_BYTES
    assert (found.meter.requests, found.meter.bytes_read) == (1, PART_BYTES)


def test_of_a_small_budget_something_is_left() -> None:
    """The first megabytes may hold much more than the query takes."""
    meter = ScanMeter(max_bytes=100_000)
    found, stream = opened(MemoryStore(), DICE.randbytes(90_000), meter)
    stream.begin()
    assert found.begun is not None
    assert len(found.begun.result()) == 50_000
