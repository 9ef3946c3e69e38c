"""Columns of Parquet sets whose objects have numbers that no one type of the engine holds."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from s3_data_lake_mcp.engines.guard_text import quoted
from s3_data_lake_mcp.fence import first_of
from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter

_NAMED = 5
_DECIMAL_DIGITS = 38
_DOUBLE_DIGITS = 15
_DOUBLE_BITS = 53
_FLOAT_BITS = 24


def rounded_notices(footers: Sequence[ParquetFooter]) -> list[str]:
    """Say which columns are rounded because they have other types in other objects."""
    found: dict[str, tuple[str, list[tuple[ParquetFooter, int]]]] = {}
    for footer in footers:
        for at, name in enumerate(footer.names):
            found.setdefault(name.lower(), (name, []))[1].append((footer, at))
    said = []
    for name, places in found.values():
        kinds = list(dict.fromkeys(footer.schema.types[at] for footer, at in places))
        if len(kinds) > 1 and _rounds(kinds, places):
            said.append(f"{quoted(name)} ({' and '.join(map(str, kinds))})")
    if not said:
        return []
    notice = (
        "Numbers may be rounded, for objects have them in types that no one type holds exactly: "
        f"{first_of(said, _NAMED)}. A query of the objects of one type has all digits."
    )
    return [notice]


def _rounds(kinds: Sequence[pa.DataType], places: Sequence[tuple[ParquetFooter, int]]) -> bool:
    numbers: dict[tuple[object, ...], list[pa.DataType]] = {}
    for kind in kinds:
        for path, leaf in _leaves(kind):
            numbers.setdefault(path, []).append(leaf)
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
