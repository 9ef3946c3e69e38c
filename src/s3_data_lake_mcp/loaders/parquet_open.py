"""The footer of a Parquet object, read and checked before anything relies on it."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.errors import (
    LakeError,
    LimitExceededError,
    MalformedDataError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.loaders import MAX_COLUMNS
from s3_data_lake_mcp.loaders.compression import detect_compression
from s3_data_lake_mcp.loaders.formats import (
    ARE_READ,
    ENCRYPTED_PARQUET,
    NO_KEYS,
    PARQUET,
    READ_TOOLS,
    detect_format,
    encrypted_parquet,
    format_of,
)
from s3_data_lake_mcp.loaders.parquet_intervals import with_intervals
from s3_data_lake_mcp.loaders.parquet_ranges import RangeFile
from s3_data_lake_mcp.loaders.parquet_thrift import (
    CODECS,
    FooterFields,
    parse_beginning,
    parse_footer,
)
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader

_MAX_FOOTER_BYTES = 128 << 20
_MAGIC_BYTES = 8
_SMALLEST_BYTES = 12
_ARROW_SCHEMA = b"ARROW:schema"
_FOREIGN = "The writer's own types (ARROW:schema) cannot be read: columns have those of Parquet."
HINTED_COLUMNS = 20
"""Most columns that a hint, or a call in an error, names."""

REWRITE = "Write the object again, or read another one."
OTHER_READER = "query_csv_data has another reader, which may read it."


@dataclass(frozen=True, kw_only=True)
class ParquetFooter:
    """A footer, checked as far as a reader must trust it.

    `names` are the columns' names, made distinct; `leaves` are the places of each column's stored
    columns (a structure has many); `encrypted` are the stored columns that need a key. `data` are
    the footer's bytes, `compression` the codecs of the first row group.
    """

    subject: str
    size_bytes: int
    data: bytes
    metadata: "pq.FileMetaData"
    schema: "pa.Schema"
    names: tuple[str, ...]
    leaves: tuple[range, ...]
    encrypted: frozenset[int]
    compression: str
    notices: tuple[str, ...]

    @property
    def num_rows(self) -> int:
        """Rows of all row groups."""
        return self.metadata.num_rows

    @cached_property
    def group_rows(self) -> tuple[int, ...]:
        """Rows of each row group."""
        count = self.metadata.num_row_groups
        return tuple(self.metadata.row_group(i).num_rows for i in range(count))

    @cached_property
    def fields(self) -> FooterFields:
        """All that the footer says, chunk by chunk; costs about 15 µs a column chunk."""
        with translating(self.subject, "its footer"):
            return parse_footer(self.data)

    @cached_property
    def locked(self) -> frozenset[int]:
        """The places of the columns that need a key, be it for a part of them."""
        places = enumerate(self.leaves)
        return frozenset(at for at, leaves in places if self.encrypted & set(leaves))

    @cached_property
    def legacy(self) -> frozenset[int]:
        """The places of the columns with legacy timestamps: of nanoseconds, in 96 bits."""
        column = self.metadata.schema.column
        old = {i for i in range(self.metadata.num_columns) if column(i).physical_type == "INT96"}
        return frozenset(at for at, leaves in enumerate(self.leaves) if old.intersection(leaves))

    @property
    def created_by(self) -> str:
        """The program that wrote the object."""
        try:
            return wire.Clipper(200).text(self.metadata.created_by or "")
        except UnicodeDecodeError:
            return ""


@contextmanager
def translating(subject: str, what: str) -> Iterator[None]:
    """Turn whatever pyarrow raises over foreign bytes into an error that names the object."""
    try:
        yield
    except LakeError:
        raise
    except MemoryError as exc:
        message = f"{subject} needs more memory than there is to decode {what}"
        raise LimitExceededError(message, hint="Ask for fewer rows or columns.") from exc
    except (pa.ArrowException, ArithmeticError, LookupError, OSError, TypeError, ValueError) as exc:
        raise _translated(subject, what, exc) from exc


def _translated(subject: str, what: str, exc: Exception) -> LakeError:
    text = str(exc).lower()
    if "encrypt" in text or "decrypt" in text:
        return UnsupportedFormatError(f"{subject} is encrypted Parquet", hint=NO_KEYS)
    if isinstance(exc, pa.ArrowNotImplementedError):
        message = f"{subject} uses a feature of Parquet that cannot be read, in {what}"
        return UnsupportedFormatError(message, hint="Leave such columns out with columns.")
    if "too deeply nested" in text:
        message = f"{subject} has a column that nests deeper than Parquet can be read"
        return LimitExceededError(message, hint="Write it with fewer levels.")
    if "list offsets" in text:
        message = f"{subject} has lists that this reader cannot decode, in {what}"
        return MalformedDataError(message, hint=OTHER_READER)
    message = f"{subject} is damaged: {what} cannot be decoded"
    return MalformedDataError(message, hint=REWRITE)


def needs_key(subject: str, locked: Sequence[str], free: Sequence[str]) -> UnsupportedFormatError:
    """Return the error of who asks for encrypted columns, with those that can be read."""
    names = ", ".join(map(repr, locked[:HINTED_COLUMNS])) or "of it"
    need = f"column {names} needs" if len(locked) == 1 else f"columns {names} need"
    hint = f"Columns that need none: {', '.join(free[:HINTED_COLUMNS])}." if free else NO_KEYS
    repair = {"columns": list(free)} if free else None
    return UnsupportedFormatError(f"{subject} is encrypted: {need} a key", hint=hint, repair=repair)


def open_footer(source: ObjectReader) -> ParquetFooter:
    """Read and check a footer; costs nothing if `source` was opened by a tail that holds it.

    Raises:
        MalformedDataError: If there is none, or it contradicts itself or the object's size.
        UnsupportedFormatError: If it is encrypted.
        LimitExceededError: If there are more than `MAX_COLUMNS` columns.
    """
    subject = str(source.ref)
    data = _footer_bytes(source)
    encrypted, compression = _first_chunks(data, subject)
    with translating(subject, "its footer"):
        metadata, schema, foreign = _parsed(source, data)
        names, renamed = wire.unique_names(schema.names)
    _check_limits(metadata.num_columns, subject)
    leaves = _leaves(schema, metadata.num_columns, subject)
    footer = ParquetFooter(
        subject=subject,
        size_bytes=source.size_bytes,
        data=data,
        metadata=metadata,
        schema=with_intervals(schema, leaves, metadata),
        names=names,
        leaves=leaves,
        encrypted=encrypted,
        compression=compression,
        notices=tuple(filter(None, (renamed, foreign))),
    )
    _check_rows(footer)
    return footer


def _parsed(source: ObjectReader, data: bytes) -> tuple["pq.FileMetaData", "pa.Schema", str]:
    """Return what a footer holds, and what to say of it.

    Writers add their own schema in Arrow's format, with types that this Arrow may not have, such as
    integers of 128 bits: without it the columns have Parquet's types.
    """
    try:
        file = pq.ParquetFile(RangeFile(source).native(), pre_buffer=False)
    except pa.ArrowException:
        before, key, behind = data.rpartition(_ARROW_SCHEMA)
        if not key:
            raise
        plain = before + key.lower() + behind
        whole = PARQUET + plain + struct.pack("<I", len(plain)) + PARQUET
        file = pq.ParquetFile(pa.BufferReader(whole), pre_buffer=False)
        return file.metadata, file.schema_arrow, _FOREIGN
    return file.metadata, file.schema_arrow, ""


def _footer_bytes(source: ObjectReader) -> bytes:
    size = source.size_bytes
    tail = source.read_range(size - _MAGIC_BYTES, size) if size >= _SMALLEST_BYTES else b""
    if tail[4:] == ENCRYPTED_PARQUET:
        raise encrypted_parquet(str(source.ref))
    if tail[4:] != PARQUET:
        raise _not_parquet(source)
    length: int = struct.unpack("<I", tail[:4])[0]
    start = size - _MAGIC_BYTES - length
    if start < 4:  # noqa: PLR2004 - the magic number at the beginning
        message = f"{source.ref} is torn: its footer of {length:,} bytes is longer than the object"
        raise MalformedDataError(message, hint=REWRITE)
    if length > _MAX_FOOTER_BYTES:
        message = f"{source.ref} has a footer of {length:,} bytes, more than can be read"
        raise LimitExceededError(message, hint="Write it with fewer row groups or columns.")
    source.prefetch([(start, size)])
    return source.read_range(start, size - _MAGIC_BYTES)


def _not_parquet(source: ObjectReader) -> LakeError:
    """Say what the object looks like instead."""
    subject = str(source.ref)
    if not source.size_bytes:
        return MalformedDataError(f"{subject} is empty: it has no Parquet footer")
    head = source.read_range(0, HEAD_BYTES)
    if head.startswith(PARQUET):
        message = f"{subject} is torn: it begins like Parquet, but its footer is missing"
        return MalformedDataError(message, hint=REWRITE)
    compression = detect_compression(head)
    name = compression or detect_format(source.info, head)[0]
    message = f"{subject} is not Parquet: " + (
        f"it looks like {name}" if name not in ("unknown", "parquet") else "it has no footer"
    )
    packed = format_of(source.ref.key) if compression else name
    if packed != "parquet" and (tool := READ_TOOLS.get(packed)):
        repair = {"bucket_name": source.ref.bucket, "object_key": source.ref.key}
        return MalformedDataError(message, hint=f"Use {tool}.", repair=repair, repair_tool=tool)
    if compression or name in ("unknown", "parquet", "text"):
        return MalformedDataError(message, hint="get_file_metadata tells the object's format.")
    return UnsupportedFormatError(message, hint=ARE_READ)


def _first_chunks(data: bytes, subject: str) -> tuple[frozenset[int], str]:
    """Return the encrypted stored columns and the codecs of the first row group.

    A column is encrypted in all row groups or in none.
    """
    with translating(subject, "its footer"):
        fields = parse_beginning(data)
    _check_limits(fields.elements // 3, subject)  # a list has three elements to one stored column
    chunks = fields.row_groups[0].get("chunks", []) if fields.row_groups else []
    codecs: dict[str, None] = {}
    for chunk in chunks:
        code = chunk.get("column", {}).get("codec", 0)
        if code not in CODECS:
            message = f"{subject} is damaged: its footer names a codec that does not exist"
            raise MalformedDataError(message, hint=REWRITE)
        codecs[CODECS[code]] = None
    locked = {i for i, c in enumerate(chunks) if "crypto" in c or "encrypted_column" in c}
    return frozenset(locked), ", ".join(codecs)


def _check_limits(columns: int, subject: str) -> None:
    if columns > MAX_COLUMNS:
        message = f"{subject} has more than {MAX_COLUMNS:,} columns"
        raise LimitExceededError(message, hint="Write it with fewer columns, or as long rows.")


def _check_rows(footer: ParquetFooter) -> None:
    counts = footer.group_rows
    if min(counts, default=0) < 0 or sum(counts) != footer.num_rows:
        message = f"{footer.subject} is damaged: its footer contradicts itself on the rows"
        raise MalformedDataError(message, hint=REWRITE)


def _leaves(schema: "pa.Schema", stored: int, subject: str) -> tuple[range, ...]:
    found: list[range] = []
    start = 0
    for field in schema:
        stop = start + _count_leaves(field.type)
        found.append(range(start, stop))
        start = stop
    if start != stored:
        message = f"{subject} has columns that cannot be told apart"
        raise UnsupportedFormatError(message, hint="Write its nested columns another way.")
    return tuple(found)


def _count_leaves(kind: Any) -> int:  # noqa: ANN401 - any Arrow type
    if isinstance(kind, pa.BaseExtensionType):
        return _count_leaves(kind.storage_type)
    if types.is_dictionary(kind):
        return _count_leaves(kind.value_type)
    if not types.is_nested(kind):
        return 1
    return sum(_count_leaves(kind.field(i).type) for i in range(kind.num_fields))
