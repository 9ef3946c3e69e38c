"""Compressed text, decompressed as it streams: bounded blocks, all members, torn ends noticed."""

import bz2
import lzma
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from typing import Any, cast

import zstandard
from isal import isal_zlib

from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError
from s3_data_lake_mcp.storage.reader import ObjectReader

BLOCK_BYTES = 1 << 20
"""Longest block of decoded bytes."""

_SLICE_BYTES = 16 << 10
"""Compressed bytes handed to a decoder at once; each member's end copies what is left of them."""

_ZSTD_SLICE_BYTES = 1 << 10
"""Its decoder cannot bound output: four bytes may make 128 KiB, hence a slice at most 32 MiB."""

_DECODER_BYTES = 256 << 20
"""Most memory that a decoder's window may take; `xz -9` needs 65 MiB."""

_LEAST_TEXT_BYTES = 512
_GZIP_ERROR = cast("type[Exception]", isal_zlib.error)
_BZIP2_BLOCK = b"1AY&SY"
_BZIP2_END = b"\x17\x72\x45\x38\x50\x90"


def _gzip(decoder: Any, data: bytes) -> Iterator[bytes]:  # noqa: ANN401 - an object of C
    while True:
        block = decoder.decompress(data, BLOCK_BYTES)
        data = decoder.unconsumed_tail
        yield block
        # A full block may leave output inside the decoder although all input is taken.
        if decoder.eof or (not data and len(block) < BLOCK_BYTES):
            return


def _bzip2_or_xz(decoder: Any, data: bytes) -> Iterator[bytes]:  # noqa: ANN401 - as above
    while True:
        yield decoder.decompress(data, BLOCK_BYTES)
        data = b""
        if decoder.eof or decoder.needs_input:
            return


def _zstd(decoder: Any, data: bytes) -> Iterator[bytes]:  # noqa: ANN401 - as above
    decoded = decoder.decompress(data)
    for at in range(0, len(decoded), BLOCK_BYTES):
        yield decoded[at : at + BLOCK_BYTES]


_FORMATS: dict[str, tuple[Callable[[], Any], Callable[[Any, bytes], Iterator[bytes]]]] = {
    "gzip": (lambda: isal_zlib.decompressobj(wbits=16 + isal_zlib.MAX_WBITS), _gzip),
    "bzip2": (bz2.BZ2Decompressor, _bzip2_or_xz),
    "xz": (lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_DECODER_BYTES), _bzip2_or_xz),
    "zstd": (
        lambda: zstandard.ZstdDecompressor(max_window_size=_DECODER_BYTES).decompressobj(),
        _zstd,
    ),
}
"""What makes a decoder of one gzip member, bzip2 or xz stream, or zstd frame, and what uses it."""

_PADDED = ("gzip", "xz")
"""Formats whose files may be filled up with zero bytes (gzip on tapes, xz by its specification)."""


def detect_compression(head: bytes) -> str:
    """Return `""`, `"gzip"`, `"bzip2"`, `"xz"` or `"zstd"`, judged by the first bytes alone.

    A key's suffix and Content-Encoding only announce: clients that store text decoded leave both
    behind, so they cannot overrule the bytes. A head shorter than a magic number is plain.
    """
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] in (_BZIP2_BLOCK, _BZIP2_END):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    # 0x184D2A50..5F are skippable frames (RFC 8878, section 3.1.2); seekable files begin with one.
    skippable = head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50  # noqa: PLR2004 - the magic
    return "zstd" if skippable or head.startswith(b"\x28\xb5\x2f\xfd") else ""


def decoded_blocks(
    source: ObjectReader,
    compression: str,
    *,
    max_decoded_bytes: int,
    start: int = 0,
    expected_bytes: int = 0,
) -> Generator[bytes]:
    """Yield the object's text from its decoded byte `start` on, fetching no more than is taken.

    Plain objects come as their reader's own blocks, which take `expected_bytes`. Decoded blocks are
    at most `BLOCK_BYTES` long; a compressed object is decoded from its beginning whatever `start`
    is.

    Raises:
        MalformedDataError: If the compressed data is torn, damaged or followed by other bytes.
        LimitExceededError: If it decodes to more than `max_decoded_bytes`.
    """
    if not compression:
        yield from source.blocks(start, expected_bytes=expected_bytes)
        return
    size, skip = 0, start
    for block in _members(source, compression):
        size += len(block)
        if size > max_decoded_bytes:
            message = f"{source.ref} decompresses to more than {max_decoded_bytes:,} bytes"
            raise LimitExceededError(
                message, hint="Read an earlier page, or raise S3_DATA_LAKE_MAX_DECODED_BYTES."
            )
        if skip < len(block):
            yield block[skip:]
        skip = max(0, skip - len(block))


def first_text(blocks: Iterator[bytes]) -> bytes:
    """Take the first blocks, 512 bytes or more if there are as many: a member may be short."""
    text = b""
    while len(text) < _LEAST_TEXT_BYTES and (block := next(blocks, b"")):
        text += block
    return text


def _slices(source: ObjectReader, size: int) -> Iterator[bytes]:
    for block in source.blocks():
        source.meter.check()
        yield from (block[at : at + size] for at in range(0, len(block), size))


def _members(source: ObjectReader, compression: str) -> Iterator[bytes]:
    size = _ZSTD_SLICE_BYTES if compression == "zstd" else _SLICE_BYTES
    slices = _slices(source, size)
    make, decode = _FORMATS[compression]
    first = True
    for piece in slices:
        rest = piece
        while rest := rest if first or compression not in _PADDED else rest.lstrip(b"\0"):
            decoder = make()
            for data in chain([rest], slices):
                yield from _decode(source, compression, decode(decoder, data))
                source.meter.check()
                if decoder.eof:
                    break
            else:
                message = f"{source.ref} has {compression} data that ends too early: it is cut off"
                raise MalformedDataError(message, hint="Upload the object again, whole.")
            first, rest = False, decoder.unused_data


def _decode(source: ObjectReader, compression: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from filter(None, blocks)
    except (_GZIP_ERROR, OSError, lzma.LZMAError, zstandard.ZstdError, EOFError) as exc:
        reason = str(exc)
        if "emory" in reason:
            message = f"{source.ref} needs more than {_DECODER_BYTES:,} bytes to decompress"
            raise LimitExceededError(
                message, hint="Compress it with a smaller window or dictionary."
            ) from exc
        message = f"{source.ref} has {compression} data that is damaged: {reason}"
        raise MalformedDataError(message, hint="Upload the object again.") from exc
