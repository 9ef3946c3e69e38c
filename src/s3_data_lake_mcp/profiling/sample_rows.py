"""Which rows of a Parquet object make a sample: its beginning, its end, and places between."""

import random
from collections.abc import Sequence
from itertools import pairwise

from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter
from s3_data_lake_mcp.loaders.parquet_plan import GroupRows

_PLACES = 5
_ENTERED_BYTES = 32 << 20
"""Bytes of row groups that are read to their ends: rows in the middle cost all those before."""


def spread_rows(
    footer: ParquetFooter, rows: int, seed: str, *, share: int
) -> tuple[list[GroupRows], str]:
    """Return the places of some `rows` in all, and in a few words where they are.

    The more objects share the sample, the fewer places each has; `seed` is what chance follows.
    """
    counts = footer.group_rows
    filled = [at for at, count in enumerate(counts) if count]
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    places = max(1, _PLACES // share)
    chosen = [filled[at] for at in _spread(len(filled), places, chance)]
    deep = max(1, places // max(1, len(chosen)))
    if sum(_stored_bytes(footer, at) for at in chosen) > _ENTERED_BYTES // share:
        deep = 1
    each = max(1, rows // max(1, len(chosen) * deep))
    parts = [part for at in chosen for part in _parts(at, counts[at], each, deep, chance)]
    return parts, _where(len(parts), len(chosen), len(counts))


def _spread(count: int, places: int, chance: random.Random) -> list[int]:
    """Return the first and the last of `count` things, and one of each stretch between."""
    if count <= places:
        return list(range(count))
    if places == 1:
        return [chance.randrange(count)]
    within, inner_places = count - 2, places - 2
    ends = [1 + within * at // inner_places for at in range(inner_places + 1) if inner_places]
    inner = [chance.randrange(a, b) for a, b in pairwise(ends)]
    return [0, *inner, count - 1]


def _parts(
    index: int, rows: int, each: int, deep: int, chance: random.Random
) -> Sequence[GroupRows]:
    """Return the places within one row group; only its beginning where `deep` is 1."""
    if rows <= each * deep or deep == 1:
        return [GroupRows(index=index, rows=rows, skip=0, take=min(rows, each * deep))]
    slots = [slot * each for slot in _spread(rows // each, deep, chance)]
    return [
        GroupRows(index=index, rows=rows, skip=skip, take=each)
        for skip in [*slots[:-1], rows - each]
    ]


def _stored_bytes(footer: ParquetFooter, group: int) -> int:
    row_group = footer.metadata.row_group(group)
    # pyarrow ends the process when it is asked about a chunk that is encrypted.
    readable = set(range(row_group.num_columns)) - footer.encrypted
    return sum(row_group.column(leaf).total_compressed_size for leaf in readable)


def _where(parts: int, chosen: int, groups: int) -> str:
    if parts > chosen:
        return f"{parts:,} places in {chosen:,} of {groups:,} row groups"
    if groups == 1:
        return "the beginning of its only row group, not all over it"
    return f"the beginnings of {chosen:,} of {groups:,} row groups"
