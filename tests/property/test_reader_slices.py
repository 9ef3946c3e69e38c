"""Reads are slices of the body, whatever is kept, however they are cut."""

from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader
from support.memory import MemoryStore

BODIES = st.binary(max_size=300).map(lambda unit: unit * 400)
PLACES = st.integers(0, 130_000)
RANGES = st.tuples(PLACES, PLACES)


def opened(body: bytes, kept: int, *, tail: bool) -> ObjectReader:
    """Open a body by its first or last bytes."""
    store = MemoryStore()
    ref = store.put("b", "k", body)
    by = ObjectReader.open_tail if tail else ObjectReader.open_head
    return by(store, ref, ScanMeter(), length=kept)


@given(BODIES, PLACES, st.booleans(), st.lists(RANGES, max_size=4), st.lists(RANGES, max_size=4))
def test_ranges_are_slices(
    body: bytes,
    kept: int,
    tail: bool,  # noqa: FBT001 - drawn
    before: list[tuple[int, int]],
    ranges: list[tuple[int, int]],
) -> None:
    """Each range is the body's slice, in at most one request each."""
    source = opened(body, kept, tail=tail)
    source.prefetch(before)
    assert source.meter.requests <= 1 + len(before)
    found = source.read_ranges(ranges)
    assert found == [body[start:stop] for start, stop in ranges]
    assert source.meter.requests <= 1 + len(before) + len(ranges)


@given(BODIES, PLACES, st.booleans(), RANGES, PLACES)
def test_blocks_join_to_the_slice(
    body: bytes,
    kept: int,
    tail: bool,  # noqa: FBT001 - drawn
    place: tuple[int, int],
    expected: int,
) -> None:
    """Blocks are the slice in order, none of them empty, each byte read at most once."""
    source = opened(body, kept, tail=tail)
    start, stop = place
    blocks = list(source.blocks(start, stop, expected_bytes=expected))
    assert all(blocks)
    assert b"".join(blocks) == body[start:stop]
    assert source.meter.bytes_read <= min(kept, len(body)) + max(0, stop - start)
    assert source.meter.requests <= 3 + max(0, stop - start) // HEAD_BYTES
