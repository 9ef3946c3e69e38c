"""Samples: some rows of an object or of many, from places all over them, for few requests."""

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pyarrow as pa

from s3_data_lake_mcp.errors import LakeError, UnsupportedFormatError
from s3_data_lake_mcp.loaders import LoadResult, RowNotice
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression
from s3_data_lake_mcp.loaders.csv import CsvRequest, sniff
from s3_data_lake_mcp.loaders.csv_shape import whole_lines
from s3_data_lake_mcp.loaders.json import json_layout
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.loaders.parquet_open import needs_key, open_footer
from s3_data_lake_mcp.loaders.text import load_text
from s3_data_lake_mcp.profiling import tried
from s3_data_lake_mcp.profiling.joining import joined
from s3_data_lake_mcp.profiling.partitions import partitions_of, with_partitions
from s3_data_lake_mcp.profiling.sample_figures import comparable, dated
from s3_data_lake_mcp.profiling.sample_ranges import (
    RANGE_BYTES,
    RANGES,
    TextLayout,
    spread_ranges,
    whole_records,
)
from s3_data_lake_mcp.profiling.sample_rows import spread_rows
from s3_data_lake_mcp.storage import ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, TAIL_BYTES, ObjectReader

_MOST_OBJECTS = 8
MOST_ROWS = 20_000
_WHOLE_BYTES = 2 << 20
"""Text up to this size is read whole: it costs no more than its ranges."""

_FIRST_RECORDS = 100
_ALL_ROWS = 1_000_000
"""Rows of a text that is bounded by its bytes."""

_THREADS = 8
_LEAST_RANGES = 2
_AHEAD = 5
_FIRST = "the beginning of the object, not all over it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows of one or many objects, in parts that come from places apart.

    `whole` says that they are all rows there are. `where` says in a few words where they come
    from. `total_rows` is exact, or None where only a full read would tell. `size_bytes` are those
    of the text, which was decompressed if it is `packed`. `stored` names the types of columns that
    the file stores in another type than the table's. `locked` are the encrypted columns, which it
    lacks. `counted` are notices about single rows of one object.
    """

    table: pa.Table
    parts: tuple[int, ...]
    where: str
    whole: bool = False
    total_rows: int | None = None
    size_bytes: int = 0
    packed: bool = False
    notices: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    stored: Mapping[str, str] = field(default_factory=dict)
    locked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """Draws samples within one call, of text in ranges of `range_bytes`.

    Of Parquet that has all of `columns`, only those are read, if there are any.
    """

    store: ObjectStore
    meter: ScanMeter
    max_decoded_bytes: int
    range_bytes: int = RANGE_BYTES
    columns: Sequence[str] = ()

    def draw(self, refs: Sequence[ObjectRef], name: str, seed: str, *, total: int = 0) -> Sample:
        """Return a sample of these objects, which have one format, out of `total` like them.

        Raises:
            UnsupportedFormatError: If the format is none that is read.
            LakeError: If no object can be read.
        """
        if len(refs) == 1 >= total:
            return self._one(refs[0], name, seed, self.meter.remaining_bytes, share=1)
        partitions = partitions_of([ref.key for ref in refs])
        # The fewer bytes may be read, the fewer objects are opened.
        opening = TAIL_BYTES if name == "parquet" else HEAD_BYTES
        most = min(_MOST_OBJECTS, max(1, self.meter.remaining_bytes // (2 * opening)))
        chosen = _chosen(len(refs), seed, most)
        affordable = self.meter.remaining_bytes // len(chosen)

        def draw_one(at: int) -> Sample | LakeError:
            ref, share = refs[at], len(chosen)
            found = tried(lambda: self._one(ref, name, seed + ref.key, affordable, share=share))
            if isinstance(found, LakeError):
                self.meter.check()
                return found
            table = with_partitions(found.table, partitions, at)
            counted = tuple(f"{ref}: {notice}" for notice in found.counted)
            return replace(found, table=table, counted=counted)

        with ThreadPoolExecutor(_THREADS, thread_name_prefix="sample") as pool:
            found = list(pool.map(draw_one, chosen))
        drawn = [sample for sample in found if isinstance(sample, Sample)]
        if not drawn:
            raise next(failure for failure in found if isinstance(failure, LakeError))
        failed = [str(failure) for failure in found if isinstance(failure, LakeError)]
        # An array without records has no columns either.
        filled = [one.table for one in drawn if one.table.num_rows or name != "json"]
        table = joined(filled or [drawn[0].table], typed=name != "csv")
        locked = tuple(dict.fromkeys(one for sample in drawn for one in sample.locked))
        return Sample(
            table=table.drop_columns([one for one in locked if one in table.column_names]),
            parts=tuple(part for sample in drawn for part in sample.parts),
            where=f"{len(drawn):,} of {max(total, len(refs)):,} objects",
            whole=len(drawn) == max(total, len(refs)) and all(sample.whole for sample in drawn),
            notices=tuple(dict.fromkeys([*failed, *(n for s in drawn for n in s.notices)])),
            counted=tuple(notice for sample in drawn for notice in sample.counted),
            stored={name: kind for each in drawn for name, kind in each.stored.items()},
            locked=locked,
        )

    def _one(self, ref: ObjectRef, name: str, seed: str, affordable: int, *, share: int) -> Sample:
        rows = max(_FIRST_RECORDS, MOST_ROWS // share)
        if name == "parquet":
            return self._parquet(ref, seed, rows, share=share)
        if name not in {"csv", "json"}:
            message = f"{ref} has a format that is not sampled: {name}"
            raise UnsupportedFormatError(
                message, hint="Profiles are made of CSV, JSON and Parquet."
            )
        source = ObjectReader.open_head(self.store, ref, self.meter)
        # Readers fetch ahead, in blocks that grow: up to five times what is asked of them.
        limit = min(_WHOLE_BYTES // share, affordable // _AHEAD)
        if detect_compression(source.read_range(0, HEAD_BYTES)):
            return self._beginning(source, name, rows, limit)
        if source.size_bytes <= max(HEAD_BYTES, min(_WHOLE_BYTES // share, affordable)):
            loaded = self._load(source, name, _ALL_ROWS)
            return _sample_of(loaded, "the whole object", source.size_bytes, whole=_ended(loaded))
        layout = self._layout(source, name)
        if layout is None:
            return self._beginning(source, name, rows, limit)
        room = (affordable - HEAD_BYTES) // self.range_bytes
        count = min(max(_LEAST_RANGES, RANGES // share), room)
        return self._ranges(source, name, layout, seed, count)

    def _layout(self, source: ObjectReader, name: str) -> TextLayout | None:
        if name == "json":
            kind, encoding = json_layout(source, max_decoded_bytes=self.max_decoded_bytes)
            return TextLayout(start=0, encoding=encoding) if kind == "lines" else None
        shape = sniff(source, CsvRequest(max_rows=0))
        dialect = shape.dialect
        return TextLayout(
            start=shape.start,
            encoding=dialect.encoding,
            delimiter=dialect.delimiter,
            quote=dialect.quote,
            escape=dialect.escape,
            width=len(shape.names),
        )

    def _ranges(
        self, source: ObjectReader, name: str, layout: TextLayout, seed: str, count: int
    ) -> Sample:
        size = source.size_bytes
        enough = count >= _LEAST_RANGES
        length = self.range_bytes
        places = spread_ranges(size, HEAD_BYTES, seed, count=count, length=length) if enough else []
        unit = layout.unit
        places = [(a - (a - layout.start) % unit, b - (b - layout.start) % unit) for a, b in places]
        head = source.read_range(0, HEAD_BYTES)
        bodies = source.read_ranges(places)
        title = head[: layout.start]
        kept = [whole_records(head[layout.start :], layout, first=True, last=False)]
        kept += [
            whole_records(body, layout, first=False, last=stop >= size)
            for body, (_, stop) in zip(bodies, places, strict=True)
        ]
        loaded = self._load(source.holding(title, *kept), name, _ALL_ROWS)
        where = f"{count + 1} ranges of the object" if places else _FIRST
        newline = "\n".encode(layout.encoding)
        return replace(
            _sample_of(loaded, where, sum(len(part) for part in kept)),
            # Where one range's rows end is known by its lines, as far as no field holds a newline.
            parts=tuple(part.count(newline) for part in kept if part),
        )

    def _beginning(self, source: ObjectReader, name: str, rows: int, limit: int) -> Sample:
        """Take the first records: the only ones that can be had without those before them."""
        compression = detect_compression(source.read_range(0, HEAD_BYTES))
        if compression:
            text = b""
            blocks = decoded_blocks(source, compression, max_decoded_bytes=self.max_decoded_bytes)
            for block in blocks:
                text += block
                if len(text) >= limit:
                    break
            whole = len(text) < limit
            layout = None if whole else self._layout(source.holding(text), name)
            if whole or layout:
                body = whole_lines(text, layout.encoding) if layout else text
                loaded = self._load(source.holding(body), name, _ALL_ROWS, torn=not whole)
                found = _sample_of(loaded, _FIRST, len(body), whole=whole and _ended(loaded))
                return replace(found, packed=True)
        first = self._load(source, name, _FIRST_RECORDS)
        if _ended(first):
            return _sample_of(first, "the whole object", source.size_bytes, whole=True)
        byte = first.resume(_FIRST_RECORDS).get("byte")
        used = max(byte if isinstance(byte, int) else 0, _FIRST_RECORDS)
        fit = min(rows, _FIRST_RECORDS * limit // used)
        loaded = first if fit <= _FIRST_RECORDS else self._load(source, name, fit)
        found = _sample_of(loaded, _FIRST, used * max(1, fit // _FIRST_RECORDS))
        return replace(found, packed=bool(compression))

    def _parquet(self, ref: ObjectRef, seed: str, rows: int, *, share: int) -> Sample:
        source = ObjectReader.open_tail(self.store, ref, self.meter)
        footer = open_footer(source)
        parts, where = spread_rows(footer, rows, seed, share=share)
        loaded = ParquetLoader().load_parts(source, parts, self.columns)
        table = comparable(loaded)
        locked = tuple(footer.names[at] for at in sorted(footer.locked))
        pairs = zip(loaded.schema, table.schema, strict=True)
        return Sample(
            table=table,
            stored={one.name: str(one.type) for one, other in pairs if one.type != other.type},
            locked=locked,
            notices=(str(needs_key(str(ref), locked, ())) + ".",) if locked else (),
            parts=tuple(part.take for part in parts),
            where=where,
            whole=table.num_rows == footer.num_rows,
            total_rows=footer.num_rows,
        )

    def _load(
        self, source: ObjectReader, name: str, rows: int, *, torn: bool = False
    ) -> LoadResult:
        loaded = load_text(source, name, rows, self.max_decoded_bytes, torn=torn)
        return loaded if name == "csv" else replace(loaded, table=dated(loaded.table))


def _chosen(count: int, seed: str, most: int) -> list[int]:
    """Return the places of the first, the last and some between, the same for the same seed."""
    if count <= most:
        return list(range(count))
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    if most == 1:
        return [chance.randrange(count)]
    return [0, *sorted(chance.sample(range(1, count - 1), most - 2)), count - 1]


def _ended(loaded: LoadResult) -> bool:
    return loaded.total_rows is not None and loaded.total_rows <= loaded.table.num_rows


def _sample_of(loaded: LoadResult, where: str, size_bytes: int, *, whole: bool = False) -> Sample:
    table = loaded.table
    told = loaded.told(table.num_rows)
    return Sample(
        table=table,
        parts=(table.num_rows,),
        where=where,
        whole=whole,
        total_rows=loaded.total_rows if whole else None,
        size_bytes=size_bytes,
        notices=(*loaded.notices, *(str(one) for one in told if not one.lines)),
        # Lines of parts have other numbers in the object.
        counted=tuple(str(one if whole else RowNotice(one.said)) for one in told if one.lines),
    )
