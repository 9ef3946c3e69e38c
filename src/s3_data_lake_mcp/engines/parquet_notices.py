"""What is said of columns of Parquet that SQL has otherwise than the objects."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from s3_data_lake_mcp.engines.guard_text import quoted
from s3_data_lake_mcp.engines.stored_types import is_wide
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter

_NAMED = 5
_DECIMAL_DIGITS = 38
_DOUBLE_DIGITS = 15
_DOUBLE_BITS = 53
_FLOAT_BITS = 24
_SPARK = b"org.apache.spark.version"

type Leaves = Sequence[pa.DataType]
type Place = tuple[ParquetFooter, int]


def computed_notices(stored: Sequence[tuple[str, pa.DataType | None]]) -> Iterator[str]:
    """Say what SQL computes with in place of types that the engine does not have."""
    kinds = [(quoted(name), kind) for name, kind in stored if kind is not None]
    if wide := [name for name, kind in kinds if is_wide(kind)]:
        yield (
            f"Decimals of more than 38 digits are doubles in SQL: {first_of(wide, _NAMED)}. "
            "read_parquet_from_s3 without where shows all digits."
        )
    if spans := [f"{name} ({kind.unit})" for name, kind in kinds if pa.types.is_duration(kind)]:
        listed = first_of(spans, _NAMED)
        yield f"Durations are integers of their unit in SQL expressions: {listed}."


def legacy_notices(footers: Sequence[ParquetFooter]) -> Iterator[str]:
    """Say which timestamps lose digits: those of INT96 have nanoseconds, but for Spark's."""
    found = dict.fromkeys(
        quoted(footer.names[at])
        for footer in footers
        if footer.legacy and _SPARK not in (footer.metadata.metadata or {})
        for at in sorted(footer.legacy)
    )
    if found:
        yield (
            f"Timestamps of INT96 are cut to microseconds in SQL: {first_of(list(found), _NAMED)}. "
            "read_parquet('s3://…', int96_as='timestamp_ns') keeps all digits, of 1678 to 2261."
        )


def mixed_notices(footers: Sequence[ParquetFooter], mixed: Collection[str]) -> Iterator[str]:
    """Say which columns mean something else because they have other types in other objects.

    Args:
        footers: Those of the objects.
        mixed: The columns with several types, in lower case.
    """
    columns = [(said, _by_path(kinds), places) for said, kinds, places in _found(footers, mixed)]
    if rounded := [said for said, leaves, places in columns if _rounds(leaves, places)]:
        yield (
            "Numbers may be rounded, for objects have them in types that no one type holds "
            f"exactly: {first_of(rounded, _NAMED)}. A query of the objects of one type has all "
            "digits."
        )
    if zoned := [said for said, leaves, _ in columns if any(map(_take_zone, leaves.values()))]:
        yield f"What has no zone is taken as UTC beside what has one: {first_of(zoned, _NAMED)}."
    if spans := [said for said, leaves, _ in columns if any(map(_lose_unit, leaves.values()))]:
        yield (
            "Durations are plain numbers of their unit beside other types or units: "
            f"{first_of(spans, _NAMED)}. Query the objects of each type on their own."
        )


def _found(
    footers: Sequence[ParquetFooter], mixed: Collection[str]
) -> Iterator[tuple[str, Leaves, Sequence[Place]]]:
    """Yield columns as they are called in a notice, with their types, and where they are."""
    found: dict[str, list[Place]] = {}
    for footer in footers if mixed else ():
        for at, name in enumerate(footer.names):
            if name.lower() in mixed:
                found.setdefault(name.lower(), []).append((footer, at))
    for places in found.values():
        kinds = list(dict.fromkeys(footer.schema.field(at).type for footer, at in places))
        first, at = places[0]
        yield f"{quoted(first.names[at])} ({' and '.join(map(str, kinds))})", kinds, places


def _take_zone(leaves: Leaves) -> bool:
    stamps = [kind for kind in leaves if pa.types.is_timestamp(kind)]
    zoned = sum(1 for kind in stamps if kind.tz)
    return 0 < zoned < len(stamps) + sum(map(pa.types.is_date, leaves))


def _lose_unit(leaves: Leaves) -> bool:
    return len(set(leaves)) > 1 and any(map(pa.types.is_duration, leaves))


def _by_path(kinds: Sequence[pa.DataType]) -> dict[tuple[object, ...], list[pa.DataType]]:
    found: dict[tuple[object, ...], list[pa.DataType]] = {}
    for kind in kinds:
        for path, leaf in _leaves(kind):
            found.setdefault(path, []).append(leaf)
    return found


def _rounds(numbers: Mapping[tuple[object, ...], Leaves], places: Sequence[Place]) -> bool:
    return any(
        _lose_digits(leaves)
        or (_mixes(leaves) and any(_passes(*place, _bits(path, leaves)) for place in places))
        for path, leaves in numbers.items()
    )


def _leaves(
    kind: pa.DataType, path: tuple[object, ...] = ()
) -> Iterator[tuple[tuple[object, ...], pa.DataType]]:
    """Yield the types inside of a type, each with the way there."""
    if not pa.types.is_nested(kind):
        yield path, kind
        return
    for at in range(kind.num_fields):
        field = kind.field(at)
        name = field.name.lower() if pa.types.is_struct(kind) else at
        yield from _leaves(field.type, (*path, name))


def _lose_digits(kinds: Iterable[pa.DataType]) -> bool:
    """Whether decimals are read with fewer digits than some of them have."""
    decimals = {(k.precision, k.scale) for k in kinds if pa.types.is_decimal(k)}
    if any(map(pa.types.is_floating, kinds)):
        return any(precision > _DOUBLE_DIGITS for precision, _ in decimals)
    whole = max((precision - scale for precision, scale in decimals), default=0)
    return whole + max((scale for _, scale in decimals), default=0) > _DECIMAL_DIGITS


def _mixes(kinds: Iterable[pa.DataType]) -> bool:
    return any(map(pa.types.is_floating, kinds)) and any(map(pa.types.is_integer, kinds))


def _bits(path: Sequence[object], kinds: Iterable[pa.DataType]) -> int:
    """Return the bits of integers that are not rounded; inside of others floats stay floats."""
    return _DOUBLE_BITS if not path or pa.float64() in kinds else _FLOAT_BITS


def _passes(footer: ParquetFooter, at: int, bits: int) -> bool:
    """Whether a column may hold longer integers, by all that its statistics tell."""
    groups = map(footer.metadata.row_group, range(footer.metadata.num_row_groups))
    chunks = [group.column(leaf) for group in groups for leaf in footer.leaves[at]]
    whole = [chunk for chunk in chunks if chunk.physical_type in {"INT32", "INT64"}]
    return any(_ends_beyond(chunk, 1 << bits) for chunk in whole)


def _ends_beyond(chunk: pq.ColumnChunkMetaData, most: int) -> bool:
    told = chunk.statistics
    if told is not None and told.has_min_max:
        return any(isinstance(one, int) and abs(one) > most for one in (told.min, told.max))
    nulls = told.null_count if told is not None else 0
    return chunk.physical_type == "INT64" and chunk.num_values != nulls
