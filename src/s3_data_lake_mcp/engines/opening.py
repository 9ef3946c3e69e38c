"""Opening objects by one request each, or as they are remembered."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from s3_data_lake_mcp.engines.facts import Facts, Memory, same_version
from s3_data_lake_mcp.errors import MalformedDataError, UnsupportedFormatError
from s3_data_lake_mcp.loaders.compression import (
    BLOCK_BYTES,
    decoded_blocks,
    detect_compression,
    first_text,
)
from s3_data_lake_mcp.loaders.formats import (
    READ_TOOLS,
    detect_format,
    format_of,
    strip_compression,
)
from s3_data_lake_mcp.storage import ObjectHead, ObjectInfo, ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.copied import CopiedReader
from s3_data_lake_mcp.storage.copies import Copies
from s3_data_lake_mcp.storage.pinned import (
    WHOLE_BYTES,
    WHOLE_COLUMNAR_BYTES,
    Access,
    PinnedObject,
)
from s3_data_lake_mcp.storage.readahead import download_threads
from s3_data_lake_mcp.storage.reader import PART_BYTES, ObjectReader

if TYPE_CHECKING:
    from concurrent.futures import Future

    from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter

HEAD_BYTES = 1 << 20
"""First request of a text: most objects under it are there whole."""

_PACKED_HEAD_BYTES = 128 << 10
"""First request of what is compressed by its name: up to twice as much, all of it comes."""

_REPEATED_SHARE = 4
"""A shorter part of a beginning is fetched again with the rest: one range serves the next query."""

_SHARE = 2
"""One part in so many of a small budget is for the first request."""

TAIL_BYTES = 512 << 10
"""First request of a columnar object: holds footer and Bloom filters of most files of 1 GB."""

_TRIED_AS_CSV = ("text", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The store, as it is and behind a cache, for what the engine itself does not cache.

    `decoded` is for objects that are decoded before the engine sees them. Of these, and of those
    too long for memory, `copies` are kept where a folder is configured.
    """

    plain: ObjectStore
    decoded: ObjectStore
    copies: Copies | None


@dataclass(slots=True, kw_only=True)
class Opened:
    """One version of an object, the bytes of it that came with its opening, and what is known.

    `facts` live as long as the version is remembered; who writes one names it. `memory` keeps its
    first or last bytes among them while there is room. A parsed `footer` that is too long for that
    lives as long as the call, if it takes no more bytes than `footer_room`.
    """

    stores: Stores
    info: ObjectInfo
    meter: ScanMeter
    head: bytes = b""
    tail: bytes = b""
    facts: Facts = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    footer: "ParquetFooter | None" = None
    footer_room: int = 0
    begun: "Future[bytes] | None" = None

    @property
    def format(self) -> str:
        """The format that is known once the object was opened."""
        return str(self.facts["format"])

    def reader(self) -> ObjectReader:
        """Return a reader that has the bytes that are here."""
        store = self.stores.plain
        return ObjectReader(store, self.info, self.meter, head=self.head, tail=self.tail)

    def pinned(
        self,
        access: Access,
        *,
        skip: int = 0,
        check: Callable[[bytes], None] | None = None,
        look: Callable[[int, bytes], None] | None = None,
        keep: bool = False,
    ) -> PinnedObject:
        """Return it as the engine's file system reads it; see `PinnedObject`."""
        return PinnedObject(
            self.stores.plain,
            self.info,
            self.meter,
            access=access,
            head=self.head,
            tail=self.tail,
            skip=skip,
            check=check,
            look=look,
            copies=self.stores.copies,
            keep=keep,
        )

    def decoding_reader(self, *, brief: bool) -> ObjectReader:
        """Return a reader for what is decoded before the engine sees it."""
        store, info, copies = self.stores.decoded, self.info, self._copies()
        if copies is None or brief:
            return ObjectReader(store, info, self.meter, head=self.head)
        return CopiedReader(store, info, self.meter, copies, head=self.head)

    def _copies(self) -> Copies | None:
        """Return where a copy of what is decoded may be, or be made.

        Of a small object none is, for a table may have a hundred thousand of them; nor of one of
        which only the first records are read.
        """
        return self.stores.copies if self.info.size_bytes > WHOLE_BYTES else None

    def begin(self) -> None:
        """Begin to fetch what `with_beginning` returns; it is kept until then, or `forget`."""
        if self.begun is None and self._copies() is None:
            self.begun = download_threads().submit(self._beginning)

    def forget(self) -> None:
        """Let go of what `begin` fetched."""
        begun, self.begun = self.begun, None
        if begun is not None:
            begun.cancel()

    def with_beginning(self) -> "Opened":
        """Return it with its first megabytes, of which all is going to be decoded."""
        if self._copies() is not None:
            return self
        begun, self.begun = self.begun, None
        return replace(self, head=self._beginning() if begun is None else begun.result())

    def _beginning(self) -> bytes:
        stop = min(self.info.size_bytes, PART_BYTES, self.meter.remaining_bytes // _SHARE)
        head = self.head if len(self.head) * _REPEATED_SHARE >= stop else b""
        if len(head) >= stop:
            return head
        return head + self.stores.decoded.get_range(self.info, len(head), stop, self.meter)

    def need_head(self, length: int = HEAD_BYTES) -> bytes:
        """Return the first bytes, fetched if they are not here, fewer of them on a small budget."""
        size, store, key = self.info.size_bytes, self.stores.plain, self.info.ref.key.lower()
        if strip_compression(key) != key:
            store = self.stores.decoded
            whole = size <= 2 * _PACKED_HEAD_BYTES
            length = size if whole else min(length, _PACKED_HEAD_BYTES)
        wanted = min(length, size, _affordable(self.meter))
        if len(self.head) < wanted:
            reader = ObjectReader(store, self.info, self.meter, head=self.head)
            self.head = reader.read_range(0, wanted)
        return self.head

    def text_head(self, compression: str, size: int) -> bytes:
        """Return the first bytes, decompressed, of an object whose head is here."""
        if not compression:
            return self.head[:size]
        blocks = decoded_blocks(self.reader(), compression, max_decoded_bytes=size + BLOCK_BYTES)
        found = b""
        while len(found) < size and (block := next(blocks, b"")):
            found += block
        return found[:size]

    def need_tail(self) -> bytes:
        """Return the last bytes, fetched if they are not here; all of a small object."""
        if not self.tail and self.info.size_bytes:
            size = self.info.size_bytes
            whole = size <= WHOLE_COLUMNAR_BYTES
            self.tail = self.reader().read_range(0 if whole else max(0, size - TAIL_BYTES), size)
        return self.tail


class Opener:
    """Opens objects for one call.

    If it is `hopeful`, what was seen before may be opened as if it had not changed. Whether
    that is so is asked meanwhile: nothing may be answered before `confirms` has told.
    """

    def __init__(
        self, stores: Stores, memory: Memory, meter: ScanMeter, *, hopeful: bool = False
    ) -> None:
        self.store = stores.plain
        self._stores = stores
        self.memory = memory
        self.meter = meter
        self._hopeful = hopeful
        self._hopes: list[tuple[ObjectInfo, Future[ObjectHead]]] = []

    def confirms(self) -> bool:
        """Return whether all is as it was when it was seen; waits until that is known.

        Raises:
            LakeError: What asking for one of the objects met.
        """
        return all(head.result().info == seen for seen, head in self._hopes)

    def refutes(self) -> bool:
        """Return whether it is known already that something is not."""
        told = [(seen, head) for seen, head in self._hopes if head.done()]
        return any(head.exception() or head.result().info != seen for seen, head in told)

    def open(self, ref: ObjectRef) -> Opened:
        """Open an object: if it was seen before, by asking whether it is still the same.

        Raises:
            UnsupportedFormatError: If it is of a format that no query reads.
            MalformedDataError: If it is empty.
        """
        seen = self.memory.recall(ref)
        # Of a version whose first opening failed, too little is known.
        if seen is not None and self._hopeful and "format" in self.memory.facts(seen):
            self._hopes.append((seen, download_threads().submit(self.store.head, ref, self.meter)))
            return self._opened(seen)
        if seen is not None:
            info = self.store.head(ref, self.meter).info
            if same_version(info, seen) and "format" in self.memory.facts(info):
                return self._opened(info)
        if format_of(ref.key) == "parquet":
            info, tail = self.store.get_tail(ref, TAIL_BYTES, self.meter)
            opened = replace(self._opened(info), tail=tail)
        else:
            info, head = self.store.get_head(ref, _affordable(self.meter), self.meter)
            opened = replace(self._opened(info), head=head)
            self.memory.keep(info, "head", head)
        if not info.size_bytes:
            message = f"{ref} is empty"
            raise MalformedDataError(message, hint="An object without a byte has no columns.")
        opened.facts["format"] = _format(opened)
        return opened

    def listed(self, info: ObjectInfo, name: str) -> Opened:
        """Open an object of a listing, of a known format; no request is sent."""
        self.memory.facts(info)["format"] = name
        return self._opened(info)

    def _opened(self, info: ObjectInfo) -> Opened:
        known = self.memory.facts(info)
        return Opened(
            stores=self._stores,
            info=info,
            meter=self.meter,
            head=known.get("head", b""),
            tail=known.get("tail", b""),
            facts=known,
            memory=self.memory,
        )


def _affordable(meter: ScanMeter) -> int:
    """Return how much of a text is read before it is known what the query needs."""
    return min(HEAD_BYTES, max(1, meter.remaining_bytes // _SHARE))


def _format(opened: Opened) -> str:
    if opened.tail:
        # Whatever it is, its name says Parquet: what is wrong with its footer is said later.
        return "parquet"
    found, _ = detect_format(opened.info, _plain_head(opened))
    if found == "parquet":
        size = opened.info.size_bytes
        opened.tail = opened.reader().read_range(max(0, size - TAIL_BYTES), size)
        opened.head = b""
    name = "csv" if found in _TRIED_AS_CSV else found
    if name not in READ_TOOLS:
        message = f"{opened.info.ref} is of the format {found}, which cannot be queried"
        raise UnsupportedFormatError(
            message, hint="CSV, TSV, JSON, JSON Lines and Parquet can be queried."
        )
    return name


def _plain_head(opened: Opened) -> bytes:
    compression = detect_compression(opened.head)
    if not compression:
        return opened.head
    return first_text(decoded_blocks(opened.reader(), compression, max_decoded_bytes=1 << 30))
