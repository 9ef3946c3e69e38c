"""Objects that must be decoded before the engine can read them, as streams of bounded memory.

The engine needs the size of a plain file, and of a decoded one nobody knows it. Of a gzip file it
reads until the end that the stream itself marks. So what is decoded is wrapped as gzip again, in
stored blocks, which costs a copy and a checksum.
"""

import codecs
import threading
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime

from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.storage import ObjectRef
from s3_data_lake_mcp.storage.scope import modified_of

_UNKNOWN_BYTES = 1 << 50
_STORED_GZIP = 16 + zlib.MAX_WBITS


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
    packer = zlib.compressobj(0, zlib.DEFLATED, _STORED_GZIP)
    for block in blocks:
        yield packer.compress(block)
    yield packer.flush()


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
            return bytes(self._held[at : at + stop - start])

    def _forget(self, before: int) -> None:
        """Drop what lies before a position; nobody reads in the other direction."""
        drop = min(before - self._start, len(self._held))
        if drop > 0:
            del self._held[:drop]
            self._start += drop
