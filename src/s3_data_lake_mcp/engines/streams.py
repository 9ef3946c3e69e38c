"""Objects that must be decoded before the engine can read them, as streams of bounded memory.

The engine needs the size of a plain file, and of a decoded one nobody knows it. Of a compressed one
it reads until the end that the stream itself marks. So what is decoded is wrapped again, as a zstd
frame of raw blocks, which costs a copy: of gzip the engine would take a fourth as much at a time.
"""

import codecs
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from s3_data_lake_mcp.engines.opening import Opened
from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.storage import ObjectRef
from s3_data_lake_mcp.storage.scope import modified_of

_BATCH_CHARS = 256 << 10
_UNKNOWN_BYTES = 1 << 50
WRAPPING = "'zstd'"
"""The compression that the engine is told of what is decoded."""

_FRAME_BEGIN = b"\x28\xb5\x2f\xfd\0\x38"
"""Magic number, no optional field, a window of 128 KiB (RFC 8878, 3.1.1)."""

_FRAME_END = b"\x01\0\0"
_RAW_BYTES = 128 << 10


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


def line_batches(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield lines as bytes, many at once."""
    batch: list[str] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if size > _BATCH_CHARS:
            yield "".join(batch).encode("utf-8", "replace")
            batch, size = [], 0
    yield "".join(batch).encode("utf-8", "replace")


class DecodedStream:
    """A readable whose bytes are made as they are read, anew by each handle.

    `make` returns the decoded blocks from the beginning on; `identity` is what the bytes depend
    on. `source` is the object that all of them are made of, which may begin to come before.
    """

    def __init__(
        self,
        make: Callable[[], Iterator[bytes]],
        identity: str,
        source: Opened | None = None,
    ) -> None:
        self._make = make
        self._identity = identity
        self._source = source

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
        return _Tape(lambda: _wrapped(self._make)).read

    def begin(self) -> None:
        """Fetch the first megabytes before they are read."""
        if self._source is not None:
            self._source.begin()

    def close(self) -> None:
        """Let go of what was fetched before it was read."""
        if self._source is not None:
            self._source.forget()

    def release(self) -> None:
        """Do nothing: each handle owns what it fetched, as it needs it."""

    expect_all = release


def _wrapped(make: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    """Yield a zstd frame of raw blocks (RFC 8878, 3.1.1.2): nothing is compressed.

    Nothing is made before it is read: the engine opens an object more often than that.
    """
    yield _FRAME_BEGIN
    for block in make():
        view = memoryview(block)
        parts = [view[at : at + _RAW_BYTES] for at in range(0, len(block), _RAW_BYTES)]
        yield b"".join(one for part in parts for one in (_raw_header(len(part)), part))
    yield _FRAME_END


def _raw_header(size: int) -> bytes:
    return (size << 3).to_bytes(3, "little")


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
