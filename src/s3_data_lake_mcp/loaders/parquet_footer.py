"""What a Parquet object's footer tells of it, without reading any data."""

from dataclasses import asdict
from typing import Any

from s3_data_lake_mcp.loaders.parquet_open import ParquetFooter, open_footer
from s3_data_lake_mcp.loaders.parquet_statistics import column_statistics
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.wire import Clipper, column_specs

_SHOWN_CHARS = 500
_SHOWN_KEYS = 50
_SHOWN_COLUMNS = 200
_BLOBS = ("ARROW:schema", "pandas", "org.apache.spark.sql.parquet.row.metadata", "iceberg.schema")


def describe_parquet(source: ObjectReader) -> dict[str, Any]:
    """Describe a Parquet object; costs nothing if `source` was opened by a tail with the footer.

    Returns:
        `columns` and `total_rows` as in a result, `notices`, and `parquet`: `num_rows`,
        `num_row_groups`, `created_by`, `format_version`, `compression`, `encrypted`,
        `encrypted_columns`, `row_group_rows` and `row_group_bytes` (`{min, max}` each),
        `compressed_bytes`, `uncompressed_bytes`, `footer_bytes`, `sorting_columns`, `page_index`,
        `bloom_filters` (names of columns), `statistics` (`{name, nulls, min, max, exact,
        compressed_bytes, uncompressed_bytes}` by column) and `key_value_metadata` (long values
        clipped, copies of the schema left out).

    Raises:
        MalformedDataError: If there is no footer, or it is damaged.
        UnsupportedFormatError: If it is encrypted.
        LimitExceededError: If there are too many columns.
    """
    footer = open_footer(source)
    key_values, clipped = _key_values(footer)
    notices = [*footer.notices, *clipped]
    if len(footer.names) > _SHOWN_COLUMNS:
        notices.append(f"Statistics are shown for the first {_SHOWN_COLUMNS:,} columns.")
    return {
        "columns": [
            spec | {"name": name}
            for spec, name in zip(column_specs(footer.schema), footer.names, strict=True)
        ],
        "total_rows": footer.num_rows,
        "notices": notices,
        "parquet": {
            "num_rows": footer.num_rows,
            "num_row_groups": footer.metadata.num_row_groups,
            "created_by": footer.created_by,
            "format_version": footer.metadata.format_version,
            "compression": footer.compression,
            "encrypted": bool(footer.encrypted),
            "encrypted_columns": _columns_with(footer, footer.encrypted),
            **_sizes(footer),
            "footer_bytes": len(footer.data),
            "sorting_columns": _sorting(footer),
            "page_index": _has_page_index(footer),
            "bloom_filters": _columns_with(footer, _bloomed(footer)),
            "statistics": [
                {name: told for name, told in asdict(column).items() if name != "type"}
                for column in column_statistics(footer, _SHOWN_COLUMNS)
            ],
            "key_value_metadata": key_values,
        },
    }


def _sizes(footer: ParquetFooter) -> dict[str, Any]:
    rows = footer.group_rows
    sizes, plain = (
        [
            sum(max(0, chunk.get("column", {}).get(kind, 0)) for chunk in group.get("chunks", ()))
            for group in footer.fields.row_groups
        ]
        for kind in ("compressed_bytes", "uncompressed_bytes")
    )
    return {
        "row_group_rows": {"min": min(rows, default=0), "max": max(rows, default=0)},
        "row_group_bytes": {"min": min(sizes, default=0), "max": max(sizes, default=0)},
        "compressed_bytes": sum(sizes),
        "uncompressed_bytes": sum(plain),
    }


def _columns_with(footer: ParquetFooter, leaves: frozenset[int]) -> list[str]:
    pairs = zip(footer.names, footer.leaves, strict=True)
    return [name for name, own in pairs if not leaves.isdisjoint(own)]


def _bloomed(footer: ParquetFooter) -> frozenset[int]:
    return frozenset(
        leaf
        for group in footer.fields.row_groups
        for leaf, chunk in enumerate(group.get("chunks", ()))
        if "bloom_filter" in chunk.get("column", {})
    )


def _has_page_index(footer: ParquetFooter) -> bool:
    chunks = [c for group in footer.fields.row_groups for c in group.get("chunks", ())]
    return bool(chunks) and all("offset_index" in chunk for chunk in chunks)


def _sorting(footer: ParquetFooter) -> list[dict[str, Any]]:
    """Return the order of the rows, if all row groups have the same."""
    orders = [group.get("sorting", []) for group in footer.fields.row_groups]
    if not orders or any(order != orders[0] for order in orders):
        return []
    names = {
        leaf: name for name, own in zip(footer.names, footer.leaves, strict=True) for leaf in own
    }
    return [
        {
            "name": names.get(column.get("column", -1), ""),
            "descending": column.get("descending", False),
            "nulls_first": column.get("nulls_first", False),
        }
        for column in orders[0]
    ]


def _key_values(footer: ParquetFooter) -> tuple[dict[str, str], list[str]]:
    clipper = Clipper(_SHOWN_CHARS)
    pairs = [(pair.get("key", ""), pair.get("value", "")) for pair in footer.fields.key_values]
    shown = {clipper.text(k): clipper.text(v) for k, v in pairs if k not in _BLOBS}
    said = [f"key_value_metadata: {notice}" for notice in clipper.notices()]
    if len(shown) > _SHOWN_KEYS:
        said.append(
            f"key_value_metadata: only the first {_SHOWN_KEYS} of {len(shown):,} are shown."
        )
    return dict(list(shown.items())[:_SHOWN_KEYS]), said
