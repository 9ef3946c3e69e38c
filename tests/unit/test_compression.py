"""Compressed text: every format streams, is bounded, and never ends early unnoticed."""

import bz2
import gzip
import hashlib
import lzma
from collections.abc import Callable

import pytest
import zstandard

from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError
from s3_data_lake_mcp.loaders.compression import (
    BLOCK_BYTES,
    decoded_blocks,
    detect_compression,
)
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": _zstd,
}
ALL = pytest.mark.parametrize("compression", COMPRESS)


def reader(body: bytes, key: str = "data", *, encoding: str = "") -> ObjectReader:
    """Open a stored body by its head, as a job does."""
    store = MemoryStore()
    ref = store.put("lake", key, body, content_encoding=encoding)
    return ObjectReader.open_head(store, ref, ScanMeter())


def noise(size: int) -> bytes:
    """Return bytes that do not compress, always the same."""
    return hashlib.shake_128(b"noise").digest(size)


def decoded(
    source: ObjectReader, compression: str, *, limit: int = 1 << 30, start: int = 0
) -> bytes:
    """Decode the whole object."""
    return b"".join(decoded_blocks(source, compression, max_decoded_bytes=limit, start=start))


@ALL
@pytest.mark.parametrize("size", [0, 1, 70_000, 3 * BLOCK_BYTES + 5])
def test_round_trip(compression: str, size: int) -> None:
    """What was compressed comes back, at sizes around the block's."""
    text = noise(size // 2) + bytes(size - size // 2)
    source = reader(COMPRESS[compression](text))
    assert decoded(source, compression) == text


@ALL
def test_bytes_decide(compression: str) -> None:
    """The magic number tells the format."""
    body = COMPRESS[compression](b"a,b\n" * 99)
    assert detect_compression(body[:64]) == compression


def test_names_do_not_decide() -> None:
    """Text that is stored decoded is read, though key and Content-Encoding announce gzip."""
    source = reader(b"a,b\n1,2\n", "data.csv.gz", encoding="gzip")
    assert CsvLoader().load(source, CsvRequest(max_rows=9)).table.to_pylist() == [{"a": 1, "b": 2}]


@pytest.mark.parametrize("head", [b"", b"\x1f\x8b", b"BZh9 is a word", b"Px*M\x18", b"(\xb5/"])
def test_text_is_plain(head: bytes) -> None:
    """Text that merely begins like a magic number is not taken for compressed."""
    assert detect_compression(head) == ""


@ALL
def test_members_follow_one_another(compression: str) -> None:
    """Files joined by `cat`, as log shippers do, are read to their end."""
    body = b"".join(COMPRESS[compression](b"%d\n" % n) for n in range(2000))
    assert decoded(reader(body), compression) == b"".join(b"%d\n" % n for n in range(2000))


@ALL
@pytest.mark.parametrize("cut", [1, 4, 2000])
def test_torn_end_is_named(compression: str, cut: int) -> None:
    """An upload that broke off is malformed, not short."""
    body = COMPRESS[compression](noise(100_000))
    with pytest.raises(MalformedDataError, match="ends too early"):
        decoded(reader(body[:-cut]), compression)


@ALL
def test_torn_second_member_is_named(compression: str) -> None:
    """The last member must be whole, too."""
    body = COMPRESS[compression](b"one") + COMPRESS[compression](b"two" * 50)[:-3]
    with pytest.raises(MalformedDataError, match="ends too early"):
        decoded(reader(body), compression)


@ALL
def test_flipped_bytes_are_noticed(compression: str) -> None:
    """Checksums are checked."""
    body = bytearray(COMPRESS[compression](noise(50_000)))
    body[25_000] ^= 0xFF
    with pytest.raises(MalformedDataError, match=r"damaged|ends too early"):
        decoded(reader(bytes(body)), compression)


@ALL
def test_trailing_garbage_is_refused(compression: str) -> None:
    """Bytes that belong to no member are not dropped in silence."""
    body = COMPRESS[compression](b"text") + b"and some more text"
    with pytest.raises(MalformedDataError):
        decoded(reader(body), compression)


@pytest.mark.parametrize("compression", ["gzip", "xz"])
def test_zero_padding_is_fine(compression: str) -> None:
    """Zero bytes after the last member are padding."""
    body = COMPRESS[compression](b"text") + bytes(100_000)
    assert decoded(reader(body), compression) == b"text"


@ALL
def test_bomb_is_stopped_in_bounded_blocks(compression: str) -> None:
    """A small object that decodes to very much stops at the budget, one block at a time."""
    source = reader(COMPRESS[compression](bytes(40 << 20)))
    sizes: list[int] = []
    with pytest.raises(LimitExceededError, match="decompresses to more than 8,388,608"):
        sizes.extend(
            len(block) for block in decoded_blocks(source, compression, max_decoded_bytes=8 << 20)
        )
    assert sum(sizes) <= 8 << 20
    assert max(sizes) <= BLOCK_BYTES


def test_budget_may_be_met_exactly() -> None:
    """The budget is inclusive."""
    assert decoded(reader(gzip.compress(b"12345")), "gzip", limit=5) == b"12345"


@ALL
def test_start_skips_decoded_bytes(compression: str) -> None:
    """`start` counts decoded bytes."""
    text = noise(200_000)
    source = reader(COMPRESS[compression](text))
    assert decoded(source, compression, start=123_456) == text[123_456:]
    assert decoded(source, compression, start=200_000) == b""


def test_plain_starts_anywhere() -> None:
    """A plain object is read from `start` on, without what is before it."""
    source = reader(bytes(1 << 20) + b"tail")
    before = source.meter.bytes_read
    assert decoded(source, "", start=1 << 20) == b"tail"
    assert source.meter.bytes_read - before == 4


@ALL
def test_little_is_fetched_for_little(compression: str) -> None:
    """The first decoded block costs nothing beyond the head that opened the object."""
    source = reader(COMPRESS[compression](noise(4 << 20)))
    blocks = decoded_blocks(source, compression, max_decoded_bytes=1 << 30)
    if compression == "bzip2":  # decodes in units of 900 kB
        next(blocks)
        assert source.meter.bytes_read < 2 << 20
        return
    next(blocks)
    assert (source.meter.requests, source.meter.bytes_read) == (1, 64 << 10)


def test_zstd_skippable_frame() -> None:
    """Seekable zstd files, which begin or end with a skippable frame, are read."""
    skippable = b"\x5e\x2a\x4d\x18\x04\x00\x00\x00abcd"
    body = skippable + _zstd(b"text") + skippable
    assert detect_compression(body) == "zstd"
    assert decoded(reader(body), "zstd") == b"text"


def test_window_is_bounded() -> None:
    """A stream that demands a huge window is refused, not obeyed."""
    parameters = zstandard.ZstdCompressionParameters(window_log=30, write_content_size=0)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = compressor.compress(b"text") + compressor.flush()
    with pytest.raises(LimitExceededError, match="needs more than"):
        decoded(reader(body), "zstd")
