"""Summaries and metadata as the model reads them."""

from collections.abc import Sequence

from s3_data_lake_mcp.fence import cell, plural, row, visible
from s3_data_lake_mcp.loaders.formats import READ_TOOLS
from s3_data_lake_mcp.models.analysis import Bin, Dataset, DatasetSummary, FileMetadata, Profile
from s3_data_lake_mcp.tools.words import next_line, size

_SIX_DIGITS = 1e6
_WHOLE = 1e16


def summary(result: DatasetSummary) -> tuple[str, Sequence[str], str | None]:
    """Return first line, body and suggestion of a summary."""
    stock = result.inventory
    complete = "" if stock.complete else " (incomplete)"
    first = (
        f"{plural(stock.objects, 'object')}{complete}, {size(stock.bytes)} · "
        f"{plural(len(result.datasets), 'dataset')} · "
        f"{visible(f's3://{result.bucket}/{result.prefix}')}"
    )
    profile = result.profile
    if profile is not None and profile.rows is not None:
        first += f" · {plural(profile.rows, 'row')} ({profile.rows_basis})"
    lines = [
        row(("modified", stock.first_modified, stock.last_modified)),
        *(
            row((name, plural(f.objects, "object"), size(f.bytes)))
            for name, f in stock.formats.items()
        ),
    ]
    if stock.objects > 1 and stock.largest:
        lines.append(
            row(("largest", *(f"{one.key} {size(one.size_bytes)}" for one in stock.largest[:3])))
        )
    if stock.objects > 1:
        lines.append(
            row(("dataset", "format", "objects", "bytes", "partitions", "drift", "warnings"))
        )
        lines.extend(_dataset_line(dataset) for dataset in result.datasets)
    if profile is not None:
        lines.extend(_profile_lines(profile))
    return first, lines, _narrower(result) if profile is None else None


def _narrower(result: DatasetSummary) -> str | None:
    """Return the call that profiles the largest of several datasets.

    Where the listing took too long, that takes as long again: then an object of it.
    """
    complete = result.inventory.complete
    table = next((one for one in result.datasets if one.format in READ_TOOLS), None)
    if table is None or (complete and len(result.datasets) == 1):
        return None
    prefix = table.uri.removeprefix(f"s3://{result.bucket}/") if complete else table.example_key
    return next_line("get_dataset_summary", {"bucket_name": result.bucket, "prefix": prefix})


def _dataset_line(dataset: Dataset) -> str:
    partitions = {k: [p.values, p.min, p.max] for k, p in dataset.partitions.items()}
    return row(
        (
            dataset.uri,
            dataset.format,
            dataset.objects,
            dataset.bytes,
            partitions or None,
            "; ".join(dataset.schema_drift) or None,
            "; ".join(dataset.warnings) or None,
        )
    )


def _profile_lines(profile: Profile) -> list[str]:
    names = "column type nulls distinct min max mean stddev p05 p25 p50 p75 p95 top histogram basis"
    lines = [names.replace(" ", "\t")]
    for column in profile.columns:
        marks = column.quantiles
        five = (marks.p05, marks.p25, marks.p50, marks.p75, marks.p95) if marks else (None,) * 5
        lines.append(
            row(
                (
                    column.name,
                    column.type,
                    column.nulls,
                    column.distinct,
                    column.min,
                    column.max,
                    *map(_short, (column.mean, column.stddev, *five)),
                    [[t.value, t.count] for t in column.top] or None,
                    _bins(column.histogram),
                    column.basis,
                )
            )
        )
    if profile.duplicates_note:
        lines.append(visible(profile.duplicates_note))
    return lines


def _short(value: object) -> object:
    """Return a number with as many digits as say something; the structure holds all of them.

    Those in front of the point do: ids and seconds since 1970 differ in their last ones.
    """
    if not isinstance(value, float):
        return value
    return round(value) if _SIX_DIGITS <= abs(value) < _WHOLE else float(f"{value:.6g}")


def _bins(bins: Sequence[Bin]) -> str | None:
    """Return a histogram as its first and last edge and the counts of its bins."""
    if not bins:
        return None
    counts = " ".join(str(one.count) for one in bins)
    return f"{_short(bins[0].from_)}..{_short(bins[-1].to)}: {counts}"


def metadata(result: FileMetadata) -> tuple[str, Sequence[str], str | None]:
    """Return first line, body and suggestion of an object's metadata."""
    rows = "" if result.total_rows is None else f" · {plural(result.total_rows, 'row')}"
    archived = " · archived" if result.archived else ""
    first = (
        f"{visible(result.source.uri)} · {result.detected_format or 'unknown format'} · "
        f"{size(result.source.size_bytes)}{rows} · {result.storage_class}{archived}"
    )
    facts = result.model_dump(
        mode="json",
        by_alias=True,
        exclude={
            "notices": True,
            "scan": True,
            "columns": True,
            "suggested_calls": True,
            "storage_class": True,
            "total_rows": True,
            "source": {"uri", "size_bytes"},
            "csv": {"columns"},
        },
    )
    statistics = (facts["parquet"] or {}).pop("statistics", [])
    lines = [
        f"{name}\t{cell(_told(value))}"
        for name, value in facts.items()
        if _told(value) not in (None, "", {}, [])
    ]
    if statistics:
        lines.append(row(statistics[0]))
        lines.extend(row(one.values()) for one in statistics)
    if result.columns:
        lines.append(row(f"{c.name}: {c.type}" for c in result.columns))
    suggestion = None
    if result.suggested_calls:
        call = result.suggested_calls[0]
        suggestion = next_line(call.tool, call.arguments)
    return first, lines, suggestion


def _told(value: object) -> object:
    """Return a part of an answer without what is empty in it."""
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if v not in (None, "", {}, [])}
    return value
