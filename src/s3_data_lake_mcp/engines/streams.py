"""Objects that must be decoded before the engine can read them, as streams of bounded memory.

The engine needs the size of a plain file, and of a decoded one nobody knows it. Of a gzip file it
reads until the end that the stream itself marks. So what is decoded is wrapped as gzip again, in
stored blocks, which costs a copy and a checksum.
"""

import codecs
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import datetime

from isal import isal_zlib

from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.storage import ObjectRef
from s3_data_lake_mcp.storage.scope import modified_of

_UNKNOWN_BYTES = 1 << 50
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_STORED_BYTES = 0xFFFF
_LAST_STORED = b"\x01\0\0\xff\xff"


def in_utf8(
    blocks: Iterator[bytes], encoding: str, subject: ObjectRef, hint: str
) -> Iterator[bytes]:
    """Yield text in UTF-8.

    Raises:
        MalformedDataError: If it is not text of the encoding.
    """
    if encoding in {"utf-8", "ascii"}:
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in blocks:
            yield decoder.decode(block).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as exc:
        message = f"{subject} is not valid {encoding} throughout"
        raise MalformedDataError(message, hint=hint) from exc


class DecodedStream:
    """A readable whose bytes are made as they are read, anew by each handle.

    Args:
        make: Returns the decoded blocks from the beginning on.
        identity: What the bytes depend on.
    """

    def __init__(self, make: Callable[[], Iterator[bytes]], identity: str) -> None:
        self._make = make
        self._identity = identity

    @property
    def size_bytes(self) -> int:
        """More than any stream holds."""
        return _UNKNOWN_BYTES

    @property
    def modified(self) -> datetime:
        """A time derived from the identity."""
        return modified_of(self._identity)

    @property
    def block_bytes(self) -> int:
        """More than is ever read at once."""
        return _UNKNOWN_BYTES

    def open(self) -> Callable[[int, int], bytes]:
        """Return a function that reads in order; going back begins anew."""
        return _Tape(lambda: _stored(self._make())).read

    def release(self) -> None:
        """Do nothing: each handle owns what it fetched, as it needs it."""

    close = expect_all = release


def _stored(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a gzip file of stored blocks (RFC 1951, 3.2.4): zlib takes ten times as long."""
    checksum = size = 0
    yield _GZIP_HEADER
    for block in blocks:
        checksum = isal_zlib.crc32(block, checksum)
        size += len(block)
        view = memoryview(block)
        parts = [view[at : at + _STORED_BYTES] for at in range(0, len(block), _STORED_BYTES)]
        yield b"".join(one for part in parts for one in (_stored_header(len(part)), part))
    yield _LAST_STORED + struct.pack("<II", checksum, size & 0xFFFFFFFF)


def _stored_header(size: int) -> bytes:
    return struct.pack("<BHH", 0, size, size ^ _STORED_BYTES)


class _Tape:
    """Reads forward through blocks; safe for many threads that take turns."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._rewind()

    def _rewind(self) -> None:
        self._blocks = self._make()
        self._start = 0
        self._held = bytearray()

    def read(self, start: int, stop: int) -> bytes:
        with self._lock:
            if start < self._start:
                self._rewind()
            while self._start + len(self._held) < stop:
                self._forget(start)
                block = next(self._blocks, None)
                if block is None:
                    break
                self._held += block
            self._forget(start)
            at = start - self._start
            with memoryview(self._held) as held:
                return bytes(held[at : at + stop - start])

    def _forget(self, before: int) -> None:
        """Drop what lies before a position; nobody reads in the other direction."""
        drop = min(before - self._start, len(self._held))
        if drop > 0:
            del self._held[:drop]
            self._start += drop
