"""Ranges of a Parquet object: all that is wanted is covered, and every read gets its own bytes."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.loaders.parquet_ranges import (
    _MERGED_BYTES,
    Chunk,
    ChunkFile,
    ChunkGroup,
    bridged,
    first_bytes,
    joined,
)
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore
from support.parquet_files import dice

BODY = dice(7).randbytes(3 << 20)
MIB = 1 << 20
RANGES = st.lists(st.tuples(st.integers(0, 200 * MIB), st.integers(1, 9 * MIB)), max_size=20).map(
    lambda pairs: sorted((start, start + size) for start, size in pairs)
)


def covers(ranges: list[tuple[int, int]], wanted: list[tuple[int, int]]) -> bool:
    """Whether each wanted byte lies in the ranges."""
    for start, stop in wanted:
        at = start
        for left, right in ranges:
            if left <= at < right:
                at = right
        if at < stop:
            return False
    return True


@settings(deadline=None)
@given(RANGES, st.integers(1, 6))
def test_what_is_wanted_is_covered_in_few_requests(
    wanted: list[tuple[int, int]], requests: int
) -> None:
    """Ranges cover all of it, in order, without overlap, in at most so many requests.

    Ranges that are very far apart are not joined: the bytes between would cost more.
    """
    near = joined(wanted)
    assert covers(near, wanted)
    found = bridged(near, requests) if near else []
    assert covers(found, wanted)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    assert len(found) <= requests or near[-1][1] - near[0][0] > _MERGED_BYTES


@settings(deadline=None)
@given(RANGES)
def test_no_byte_beyond_the_ends_is_fetched(wanted: list[tuple[int, int]]) -> None:
    """What is fetched lies between what is wanted; far ranges are left apart if there is room."""
    near = joined(wanted)
    if near:
        found = bridged(near, len(near))
        assert sum(b - a for a, b in found) == sum(b - a for a, b in near)
        assert (found[0][0], found[-1][1]) == (near[0][0], near[-1][1])


def test_too_many_bytes_are_not_bridged() -> None:
    """Over hundreds of megabytes of what nobody needs, more requests are the better choice."""
    apart = [(i << 28, (i << 28) + 1_000) for i in range(9)]
    assert bridged(apart, 4) == apart


@settings(deadline=None)
@given(st.integers(0, 10**9), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 3, allow_nan=False))
def test_beginnings_lie_within_their_chunk(
    size: int, dictionary: float, share: float, ratio: float
) -> None:
    """The beginning of a chunk holds its dictionary, and never more than the chunk."""
    known = int(size * dictionary)
    assert known <= first_bytes(size, known, share, ratio) <= size


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 400_000), st.integers(0, 300_000)), min_size=1, max_size=8),
    st.sampled_from([True, False]),
    st.randoms(use_true_random=False),
)
def test_each_read_gets_its_bytes(
    shapes: list[tuple[int, int]], whole: object, chance: random.Random
) -> None:
    """Whatever is fetched ahead or dropped, a read returns the object's bytes."""
    store = MemoryStore()
    source = ObjectReader.open_tail(store, store.put("b", "k", BODY), ScanMeter(), length=1_000)
    chunks: list[Chunk] = []
    at = 4
    for size, gap in shapes:
        chunks.append(Chunk(start=at, stop=at + size, first_bytes=chance.randint(1, size)))
        at += size + gap
    file = ChunkFile(source, [ChunkGroup(chunks, whole=bool(whole))])
    for chunk in chunks:
        place = chunk.start
        while place < chunk.stop:
            size = chance.randint(1, chunk.stop - place)
            file.seek(place)
            assert file.read(size) == BODY[place : place + size]
            place += size
    for _ in range(9):
        place = chance.randrange(len(BODY))
        file.seek(place)
        assert file.read(500) == BODY[place : place + 500]
