"""Short reads that follow each other: what lies between comes with them, and the next of it."""

import random
import threading

import pyarrow as pa
import pytest

from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.readahead import BLOCK_BYTES
from s3_data_lake_mcp.storage.shortreads import NearReads
from support.downloads import settle
from support.engine import Desk
from support.parquet_files import parquet_bytes

BODY = random.Random(5).randbytes(24 << 20)  # noqa: S311 - test data
SHORT = 1_000


class Source:
    """Bytes that note what is asked of them."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def fetch(self, start: int, stop: int) -> bytes:
        """Return a range."""
        self.asked.append((start, stop))
        return BODY[start:stop]


def read_all(near: NearReads, source: Source, places: range) -> int:
    """Read at places, on their own where that must be; return how often it must."""
    alone = 0
    for at in places:
        data = near.read(at, at + SHORT)
        if data is None:
            alone += 1
            data = source.fetch(at, at + SHORT)
        assert data == BODY[at : at + SHORT]
    settle()
    return alone


@pytest.mark.parametrize("stride", [SHORT, 5_000, 100_000])
def test_short_reads_that_follow_each_other_come_together(stride: int) -> None:
    """But for the first few, and those over a border; nothing comes twice."""
    source = Source()
    near = NearReads(source.fetch, len(BODY))
    assert read_all(near, source, range(0, len(BODY) - SHORT, stride)) <= 20
    assert len(source.asked) <= 40
    assert max(stop - start for start, stop in source.asked) == BLOCK_BYTES
    assert sum(stop - start for start, stop in source.asked) <= len(BODY) + 20 * SHORT


@pytest.mark.parametrize("reads", [5, 20, 80])
def test_about_as_much_is_fetched_as_was_read(reads: int) -> None:
    """Who stops early has not fetched much in vain."""
    source = Source()
    near = NearReads(source.fetch, len(BODY))
    read_all(near, source, range(0, reads * 50_000, 50_000))
    fetched = sum(stop - start for start, stop in source.asked)
    assert fetched < 4 * reads * 50_000 + (1 << 20)


def test_little_of_a_budget_is_spent_on_what_nobody_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between short reads may lie a hundred times as much: a query ended for it that had fitted."""
    monkeypatch.setattr("s3_data_lake_mcp.engines.prefetch.HELD_BYTES", 0)
    wide = [BODY[at : at + 3_000] for at in range(0, 8_000 * 3_000, 3_000)]
    body = parquet_bytes(
        pa.table({"a": range(8_000), "b": wide}), row_group_size=20, use_dictionary=False
    )
    desk = Desk()
    desk.put("w.parquet", body)
    meter = ScanMeter(max_bytes=80 << 20)
    sql = "SELECT sum(a % 7) AS s FROM data WHERE a > 0"
    assert desk.rows("w.parquet", sql, meter=meter) == [{"s": sum(a % 7 for a in range(8_000))}]
    assert meter.bytes_read < len(body) / 2


def test_reads_far_from_each_other_and_long_ones_are_left_alone() -> None:
    """Each is a request of its own, as it was."""
    source = Source()
    near = NearReads(source.fetch, len(BODY))
    assert read_all(near, source, range(0, len(BODY) - SHORT, 200_000)) == len(source.asked)
    assert all(near.read(at, at + BLOCK_BYTES) is None for at in range(0, 8 << 20, BLOCK_BYTES))


def test_reads_at_several_places_in_turn_come_together_at_each() -> None:
    """As those of page indexes and of pages do."""
    source = Source()
    near = NearReads(source.fetch, len(BODY))
    alone = 0
    for at in range(0, 4 << 20, 4_000):
        for place in (at, at + (8 << 20), at + (16 << 20)):
            data = near.read(place, place + SHORT)
            alone += data is None
            assert data in (None, BODY[place : place + SHORT])
    assert alone <= 30


def test_many_threads_read_exactly() -> None:
    """Whoever comes first, in whatever order."""
    source = Source()
    near = NearReads(source.fetch, len(BODY) - 77)
    exact: list[bool] = []

    def read(first: int) -> None:
        for at in range(first * 3_000, len(BODY) - 5_000, 24_000):
            data = near.read(at, at + SHORT)
            exact.append(data is None or data == BODY[at : at + SHORT])

    threads = [threading.Thread(target=read, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(exact) >= 8 * 1_000
    assert all(exact)
    near.close()
    assert max(stop for _, stop in source.asked) <= len(BODY) - 77
