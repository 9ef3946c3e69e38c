"""Which bytes of a Parquet object to fetch, and how: few requests, side by side, few bytes.

The first rows of a row group need only the beginning of each column chunk: its dictionary, whose
size the footer tells, and a page or some. So those beginnings are fetched in one wave; should
pyarrow ask for more, the next wave fetches more of all of them. Beginnings that lie near each other
are fetched together, so that the first wave takes few requests.
"""

import io
import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from s3_data_lake_mcp.storage.reader import ObjectReader

_PAGE_REQUESTS = 6
"""Requests that a page of one row group takes, the footer's included."""

_WAVE_REQUESTS = 4

PAGE_BYTES = 1_088 << 10
"""What a page may take: writers end a page at 1 MiB, some when they are beyond it."""

_NEAR_BYTES = 128 << 10
_MERGED_BYTES = 192 << 20
"""More than this is not fetched to save requests: 60 beginnings then come 4 times as fast."""

_FLIGHT_BYTES = 64 << 20
"""Bytes in flight at a time; the store needs them twice, so a worker stays below 350 MB."""

_KEPT_BYTES = 128 << 20
_STEP_BYTES = 8 << 20
_SIDE_BYTES = 512 << 10
_SMALLEST_PAGE_BYTES = 64 << 10

type Range = tuple[int, int]


class RangeFile(io.RawIOBase):
    """An object as the file that pyarrow wants."""

    def __init__(self, source: ObjectReader) -> None:
        self._source = source
        self._at = 0

    def native(self) -> "pa.PythonFile":
        """Return it as a file of pyarrow's."""
        return pa.PythonFile(self, mode="r")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be positioned."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size_bytes}
        self._at = base[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        end = self._source.size_bytes
        data = self._fetch(self._at, end if size < 0 else min(end, self._at + size))
        self._at += len(data)
        return data

    def _fetch(self, start: int, stop: int) -> bytes:
        return self._source.read_range(start, stop) if start < stop else b""


@dataclass(slots=True)
class Chunk:
    """One column chunk, `[start, stop)`, and what of it is here: `data`, from `at` on.

    `first_bytes` is what its first rows are likely to take.
    """

    start: int
    stop: int
    first_bytes: int
    at: int = field(init=False)
    data: bytes | memoryview = b""
    read_to: int = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.read_to = self.start

    @property
    def end(self) -> int:
        """Where what is here ends."""
        return self.at + len(self.data)


def first_bytes(size: int, dictionary: int, share: float, ratio: float) -> int:
    """Return how much of a column chunk its first rows are likely to take.

    Args:
        size: Bytes of the chunk.
        dictionary: Bytes of its dictionary page.
        share: Share of the row group's rows that are needed, from the first row on.
        ratio: Compressed to uncompressed size.
    """
    body = size - dictionary
    page = max(_SMALLEST_PAGE_BYTES, int(PAGE_BYTES * min(1.0, ratio)))
    likely = dictionary + min(body, int(body * share) + page)
    return size if likely * 4 > size * 3 else likely


def joined(wanted: Sequence[Range]) -> list[Range]:
    """Return the ranges that cover `wanted`, near ones joined, overlapping ones too."""
    ranges: list[Range] = []
    for start, stop in sorted(wanted):
        if ranges and start - ranges[-1][1] <= _NEAR_BYTES:
            ranges[-1] = ranges[-1][0], max(stop, ranges[-1][1])
        else:
            ranges.append((start, stop))
    return ranges


def bridged(ranges: Sequence[Range], requests: int) -> list[Range]:
    """Return at most `requests` ranges that cover sorted `ranges`, the longest as short as can be.

    What lies between is fetched for nothing, so they stay as they are if that would be too much.
    If there are fewer ranges than requests, the long ones are cut, to come side by side.
    """
    if len(ranges) <= requests:
        return _cut(ranges, requests)
    shortest = max(stop - start for start, stop in ranges)
    longest = ranges[-1][1] - ranges[0][0]
    while longest - shortest > _NEAR_BYTES:
        middle = (shortest + longest) // 2
        if len(_packed(ranges, middle)) <= requests:
            longest = middle
        else:
            shortest = middle
    found = _packed(ranges, longest)
    if sum(stop - start for start, stop in found) > _MERGED_BYTES:
        return list(ranges)
    return _cut(found, requests)


def _packed(ranges: Sequence[Range], longest: int) -> list[Range]:
    """Join ranges from left to right, as long as the result is no longer than `longest`."""
    found: list[Range] = []
    for start, stop in ranges:
        if found and stop - found[-1][0] <= longest:
            found[-1] = found[-1][0], stop
        else:
            found.append((start, stop))
    return found


def _cut(ranges: Sequence[Range], requests: int) -> list[Range]:
    """Cut the longest ranges in equal parts until there are enough to come side by side."""
    sizes = [stop - start for start, stop in ranges]
    parts = [1] * len(ranges)
    while sum(parts) < requests:
        longest = max(range(len(ranges)), key=lambda at: sizes[at] / parts[at])
        if sizes[longest] < 2 * _SIDE_BYTES * parts[longest]:
            break
        parts[longest] += 1
    return [
        (start + size * part // count, start + size * (part + 1) // count)
        for (start, _), size, count in zip(ranges, sizes, parts, strict=True)
        for part in range(count)
    ]


@dataclass(slots=True)
class ChunkGroup:
    """The column chunks of one row group, or of some small ones, that will be read.

    `whole` says that their `first_bytes` are likely to be all that is needed of them.
    """

    chunks: list[Chunk]
    whole: bool
    row_groups: int = 1

    @property
    def forgetful(self) -> bool:
        """Whether there is too much to keep what was read already."""
        return sum(chunk.stop - chunk.start for chunk in self.chunks) > _KEPT_BYTES

    @property
    def step(self) -> int:
        """How much further a chunk is fetched in a wave behind the first."""
        return max(PAGE_BYTES, min(_STEP_BYTES, _FLIGHT_BYTES // max(1, len(self.chunks))))


class ChunkFile(RangeFile):
    """An object as pyarrow's file, its column chunks fetched in waves; safe for many threads."""

    def __init__(self, source: ObjectReader, groups: Sequence[ChunkGroup]) -> None:
        super().__init__(source)
        self._lock = threading.Lock()
        self._places = sorted(
            ((chunk.start, i, chunk) for i, group in enumerate(groups) for chunk in group.chunks),
            key=lambda place: place[:2],
        )
        self._groups = groups

    def _fetch(self, start: int, stop: int) -> bytes:
        with self._lock:
            at = bisect_right(self._places, start, key=lambda place: place[0]) - 1
            if at < 0:
                return super()._fetch(start, stop)
            _, group, chunk = self._places[at]
            if start < chunk.at or stop > chunk.stop:
                return super()._fetch(start, stop)
            if stop > chunk.end:
                self._wave(self._groups[group], chunk, stop)
            if not chunk.at <= start <= stop <= chunk.end:  # chunks of a damaged object may overlap
                return super()._fetch(start, stop)
            chunk.read_to = max(chunk.read_to, stop)
            return bytes(chunk.data[start - chunk.at : stop - chunk.at])

    def _wave(self, group: ChunkGroup, asked: Chunk, stop: int) -> None:
        """Fetch what a chunk is asked for, and what the others will be asked for next."""
        begun = any(chunk.data for chunk in group.chunks)
        targets = _targets(group, asked, stop, begun=begun)
        needy = [chunk for chunk in group.chunks if targets[id(chunk)] > chunk.end]
        ranges = joined([(chunk.end, targets[id(chunk)]) for chunk in needy])
        if group.whole and not begun:
            left = _PAGE_REQUESTS - self._source.meter.requests
            more = _WAVE_REQUESTS * (group.row_groups - 1)
            ranges = bridged(ranges, max(_WAVE_REQUESTS, left) + more)
        for part in _rounds(ranges):
            longest = max(stop - start for start, stop in part)
            pieces = self._source.read_ranges(part, part_bytes=longest)
            for i, (at, _) in enumerate(part):
                _hand_out(at, pieces[i], needy, targets, forgetful=group.forgetful)
                pieces[i] = b""  # if nobody has a part of it, its memory is needed


def _targets(group: ChunkGroup, asked: Chunk, stop: int, *, begun: bool) -> dict[int, int]:
    """Return up to where each chunk should be here after a wave."""
    if not begun:
        ends = {id(chunk): chunk.start + chunk.first_bytes for chunk in group.chunks}
    else:
        grown = (max(stop, asked.end + group.step) - asked.start) / max(1, asked.first_bytes)
        ends = {id(chunk): _target(chunk, grown, group.step) for chunk in group.chunks}
        ends[id(asked)] = asked.end + group.step
    ends[id(asked)] = max(stop, ends[id(asked)])
    return {id(chunk): min(chunk.stop, ends[id(chunk)]) for chunk in group.chunks}


def _target(chunk: Chunk, grown: float, step: int) -> int:
    """Return where a chunk should end that another one's need reminds of.

    One that was not read yet will need as much more as that one; one that is read already, if it
    is nearly used up.
    """
    if chunk.read_to == chunk.start:
        return chunk.start + int(chunk.first_bytes * grown)
    return chunk.end + step if chunk.end - chunk.read_to < step // 2 else chunk.end


def _rounds(ranges: Sequence[Range]) -> list[list[Range]]:
    """Share ranges out to rounds, so that not too many bytes are in flight."""
    rounds: list[list[Range]] = [[]]
    flight = 0
    for start, stop in ranges:
        if rounds[-1] and flight + stop - start > _FLIGHT_BYTES:
            rounds.append([])
            flight = 0
        rounds[-1].append((start, stop))
        flight += stop - start
    return rounds


def _hand_out(
    at: int, piece: bytes, chunks: Sequence[Chunk], targets: dict[int, int], *, forgetful: bool
) -> None:
    """Give chunks their part of what came; what lies between them is dropped."""
    for chunk in chunks:
        start, stop = chunk.end, min(targets[id(chunk)], at + len(piece))
        if not at <= start < stop:
            continue
        if forgetful and chunk.read_to > chunk.at:
            chunk.data = chunk.data[chunk.read_to - chunk.at :]
            chunk.at = chunk.read_to
        part = memoryview(piece)[start - at : stop - at]
        chunk.data = b"".join((chunk.data, part)) if chunk.data else part
