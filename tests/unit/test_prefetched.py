"""Ranges that a query is going to read: asked for ahead, as many as may be held, each once."""

import random
import threading

import pytest

from s3_data_lake_mcp.storage import readahead
from s3_data_lake_mcp.storage.readahead import Prefetched
from support.downloads import settle

PIECE = 4096
BODY = random.Random(3).randbytes(100 * PIECE)  # noqa: S311 - test data


class Source:
    """Bytes that note what is asked of them, and hand nothing out before they may."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.open = threading.Event()
        self.open.set()

    def fetch(self, start: int, stop: int) -> bytes:
        """Return a range."""
        self.asked.append((start, stop))
        assert self.open.wait(10)
        return BODY[start:stop]


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    """Return a source of which ten pieces may be held."""
    monkeypatch.setattr(readahead, "HELD_BYTES", 10 * PIECE)
    return Source()


def prefetched(source: Source, *ranges: tuple[int, int]) -> Prefetched:
    """Return ranges on their way."""
    return Prefetched(source.fetch, ranges, len(BODY), piece_bytes=PIECE)


def test_no_more_is_asked_for_than_may_be_held(source: Source) -> None:
    """What was taken makes room, and all of it comes once."""
    made = prefetched(source, (0, len(BODY)))
    settle()
    assert len(source.asked) == 10
    read = [made.read(at, at + PIECE) for at in range(0, len(BODY), PIECE)]
    assert b"".join(part or b"" for part in read) == BODY
    assert sorted(source.asked) == [(at, at + PIECE) for at in range(0, len(BODY), PIECE)]


def test_who_is_ahead_of_what_is_held_does_not_wait_for_it(source: Source) -> None:
    """A range that is not yet its turn is asked for at once, and not again later."""
    made = prefetched(source, (0, len(BODY)))
    last = len(BODY) - PIECE
    assert made.read(last, len(BODY)) == BODY[last:]
    for at in range(0, last, PIECE):
        assert made.read(at, at + PIECE) == BODY[at : at + PIECE]
    assert len(source.asked) == len(set(source.asked)) == 100


def test_what_was_taken_is_on_its_way_no_more(source: Source) -> None:
    """Of more than may be held; of less, all stays until the end."""
    made = prefetched(source, (0, len(BODY)))
    assert made.read(0, PIECE) == BODY[:PIECE]
    assert made.read(0, PIECE) is None
    assert made.read(PIECE // 2, 2 * PIECE) is None
    small = prefetched(source, (0, 5 * PIECE))
    for _ in range(3):
        assert small.read(0, 3 * PIECE) == BODY[: 3 * PIECE]


def test_ranges_with_gaps_are_read_in_parts(source: Source) -> None:
    """Over the borders of pieces, but not over a gap."""
    gap = 50 * PIECE
    made = prefetched(source, (0, 3 * PIECE), (gap, gap + 2 * PIECE))
    assert made.read(100, 2 * PIECE + 7) == BODY[100 : 2 * PIECE + 7]
    assert made.read(gap + 1, gap + 2 * PIECE) == BODY[gap + 1 : gap + 2 * PIECE]
    assert made.read(2 * PIECE, 4 * PIECE) is None
    assert made.read(2 * PIECE, gap + PIECE) is None
    assert made.read(gap - PIECE, gap + PIECE) is None
    assert made.read(len(BODY) - 9, len(BODY)) is None


def test_what_was_not_yet_asked_for_when_it_ends_never_is(source: Source) -> None:
    """Of all that waits for a thread, nothing is sent."""
    source.open.clear()
    made = prefetched(source, (0, len(BODY)))
    made.close()
    source.open.set()
    settle()
    assert len(source.asked) <= 10
    assert made.read(0, PIECE) is None


def test_many_threads_read_exactly(source: Source) -> None:
    """Each piece is fetched once, whoever comes for it first."""
    made = prefetched(source, (0, len(BODY)))
    exact: list[bool] = []

    def read(first: int) -> None:
        places = range(first * PIECE, len(BODY), 8 * PIECE)
        exact.extend(made.read(at, at + PIECE) == BODY[at : at + PIECE] for at in places)

    threads = [threading.Thread(target=read, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert exact == [True] * 100
    assert len(source.asked) == 100
