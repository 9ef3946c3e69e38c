"""What the footers of Parquet objects say of the columns of a view: names, types and encodings."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.sqltext import names
from s3_data_lake_mcp.engines.tables import distinct
from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter

_SHAPES = b"geo"
"""What tells of columns, beside the schema, that they hold shapes."""


def split_names(footer: ParquetFooter) -> Iterator[str]:
    """Yield columns of fixed length in an encoding that the loader reads, and the engine not."""
    for name, leaves in zip(footer.names, footer.leaves, strict=True):
        for leaf in set(leaves) - footer.encrypted if footer.metadata.num_row_groups else ():
            chunk = footer.metadata.row_group(0).column(leaf)
            is_fixed = chunk.physical_type == "FIXED_LEN_BYTE_ARRAY"
            if is_fixed and "BYTE_STREAM_SPLIT" in chunk.encodings:
                yield name


def aliases_of(footers: Sequence[ParquetFooter]) -> str:
    """Number equal names as the loader does: the engine would in another way."""
    repeated = any(len(set(footer.schema.names)) < len(footer.names) for footer in footers)
    repeated = repeated or bool(numbered_names(footers))
    if not repeated or len({footer.names for footer in footers}) > 1:
        return ""
    return f" AS file({names(distinct(footers[0].names))})"


def numbered_names(footers: Sequence[ParquetFooter]) -> list[str]:
    """Return the names in SQL that differ from those of the read tools, by which case matters."""
    each = dict.fromkeys(footer.names for footer in footers)
    return [new for n in each for old, new in zip(n, distinct(n), strict=True) if new != old]


def exact_types(footers: Sequence[ParquetFooter]) -> dict[tuple[str, str], str]:
    """Return better types for columns, by name in lower case and the type that the engine makes.

    FLOAT of FLOAT and any integers or decimals rounds them; TIMESTAMP_NS has no zone.
    """
    each = {
        (n.lower(), t) for one in footers for n, t in zip(one.names, one.schema.types, strict=True)
    }
    whole = {n for n, t in each if pa.types.is_integer(t) or pa.types.is_decimal(t)}
    zoned = {n for n, t in each if pa.types.is_timestamp(t) and t.tz}
    return {(n, "FLOAT"): "DOUBLE" for n in whole} | {
        (n, "TIMESTAMP_NS"): "TIMESTAMPTZ_NS" for n in zoned
    }


def common_types(footers: Sequence[ParquetFooter]) -> dict[str, pa.DataType | None]:
    """Return the types of columns by name in lower case; None of those that have several."""
    found: dict[str, pa.DataType | None] = {}
    for one in footers:
        for name, kind in zip(distinct(one.names), one.schema.types, strict=True):
            same = found.setdefault(name.lower(), kind) == kind
            found[name.lower()] = kind if same else None
    return found


def one_of_each(members: Sequence[Member], footers: Sequence[ParquetFooter]) -> list[Member]:
    """Return one object of each schema: the engine makes the same types of those alike."""
    found: dict[object, Member] = {}
    for member, footer in zip(members, footers, strict=True):
        # Schemas call themselves equal where columns differ only in what they are inside of.
        _, _, schema = str(footer.metadata.schema).partition("\n")
        shapes = (footer.metadata.metadata or {}).get(_SHAPES)
        found.setdefault((schema, footer.names, shapes), member)
    return list(found.values())
