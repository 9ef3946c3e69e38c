"""What the model reads: one line that answers, notices, the data in its fence, the next call."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from s3_data_lake_mcp.fence import cell, fenced, row, visible
from s3_data_lake_mcp.models import (
    BucketList,
    DatasetSummary,
    FileMetadata,
    JsonPage,
    Model,
    ObjectList,
    QueryPage,
    TablePage,
)

_MEGABYTE = 1_000_000
_KILOBYTE = 1_000


def next_line(tool: str, arguments: Mapping[str, Any]) -> str:
    """Return the line with a complete follow-up call."""
    call = {"tool": tool, "arguments": arguments}
    return "next: " + visible(json.dumps(call, ensure_ascii=False, separators=(", ", ": ")))


def size(count: int) -> str:
    """Return a number of bytes as people write it."""
    if count >= _MEGABYTE:
        return f"{count / _MEGABYTE:,.1f} MB"
    if count >= _KILOBYTE:
        return f"{count / _KILOBYTE:,.1f} KB"
    return f"{count} bytes"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def render(result: Model, tool: str, follow_up: Mapping[str, Any] | None, *, brief: bool) -> str:
    """Return the text of a result.

    Args:
        result: One of the answers in `models`.
        tool: The tool that answered.
        follow_up: Arguments of the next page's call, if there is one.
        brief: Whether the first line alone is wanted.
    """
    first, body, suggestion = _parts(result)
    if brief:
        return first
    lines = [first]
    lines.extend(f"notice: {visible(text)}" for text in getattr(result, "notices", ()))
    if body:
        lines.extend(fenced(body))
    if follow_up is not None:
        lines.append(next_line(tool, follow_up))
    elif suggestion is not None:
        lines.append(suggestion)
    return "\n".join(lines)


def _parts(  # noqa: PLR0911 - one line for each kind of answer
    result: Model,
) -> tuple[str, Sequence[str], str | None]:
    match result:
        case QueryPage(plan=plan) if plan is not None:
            return _plan(result), [], None
        case TablePage():
            return _table(result)
        case JsonPage():
            return _json(result)
        case BucketList():
            return _buckets(result)
        case ObjectList():
            return _objects(result)
        case DatasetSummary():
            return _summary(result)
        case FileMetadata():
            return _metadata(result)
        case _:
            return type(result).__name__, [result.model_dump_json()], None


def _counted(returned: int, total: int | None, noun: str, by: str, *, truncated: bool) -> str:
    if total is not None and (truncated or total != returned):
        text = f"{returned:,} of {plural(total, noun)}"
    else:
        text = plural(returned, noun)
    if not truncated:
        return text if total is None or total == returned else f"{text}, none follow"
    cut = f", cut by {by}" if by else ""
    return f"{text}{cut}, more follow"


def _cost(result: TablePage | JsonPage) -> str:
    whole = size(result.source.size_bytes)
    return f"read {size(result.scan.bytes_read)} of {whole}"


def _table(result: TablePage) -> tuple[str, Sequence[str], str | None]:
    rows = _counted(
        result.returned_rows,
        result.total_rows,
        "row",
        result.truncated_by,
        truncated=result.truncated,
    )
    first = " · ".join(
        [
            rows,
            visible(result.source.uri),
            plural(len(result.columns), "column"),
            _cost(result),
        ]
    )
    header = row(column.name for column in result.columns)
    return first, [header, *map(row, result.rows)], None


def _plan(result: QueryPage) -> str:
    plan = result.plan
    if plan is None:
        return ""
    groups = "" if plan.row_groups is None else f" · {plural(plan.row_groups, 'row group')}"
    return (
        f"dry run: would read about {size(plan.bytes_estimated)} of {size(plan.bytes_total)} · "
        f"{plural(plan.objects, 'object')}{groups} · {visible(result.source.uri)}"
    )


def _json(result: JsonPage) -> tuple[str, Sequence[str], str | None]:
    if result.layout in {"object", "scalar"}:
        what = f"{result.layout} · {plural(len(result.keys), 'key')}"
        cut = " · shown as an outline, cut by max_bytes" if result.truncated else ""
        body = [] if result.data is None else [cell(result.data)]
        return f"{what} · {visible(result.source.uri)}{cut} · {_cost(result)}", body, None
    records = _counted(
        result.returned_records,
        result.total_records,
        "record",
        result.truncated_by,
        truncated=result.truncated,
    )
    first = f"{records} · {visible(result.source.uri)} · {result.layout} · {_cost(result)}"
    return first, [cell(record) or "null" for record in result.records], None


def _buckets(result: BucketList) -> tuple[str, Sequence[str], str | None]:
    more = ", more follow" if result.next_cursor else ""
    first = f"{plural(result.count, 'bucket')}{more}"
    if not result.buckets:
        return first, [], None
    lines = [row((b.name, b.region, b.creation_date, b.access)) for b in result.buckets]
    return first, [row(("name", "region", "creation_date", "access")), *lines], None


def _objects(result: ObjectList) -> tuple[str, Sequence[str], str | None]:
    folders = f", {plural(len(result.common_prefixes), 'folder')}" if result.common_prefixes else ""
    more = f", cut by {result.truncated_by}, more follow" if result.truncated else ""
    where = visible(f"s3://{result.bucket}/{result.prefix}")
    first = (
        f"{plural(len(result.objects), 'object')}{folders}{more} · {where} · "
        f"{plural(result.keys_scanned, 'key')} scanned"
    )
    lines = list(map(cell, result.common_prefixes))
    if result.objects:
        lines.append(row(("key", "size_bytes", "last_modified", "storage_class", "format")))
        lines.extend(
            row((o.key, o.size_bytes, o.last_modified, o.storage_class, o.format))
            for o in result.objects
        )
    return first, lines, None


def _summary(result: DatasetSummary) -> tuple[str, Sequence[str], str | None]:
    stock = result.inventory
    complete = "" if stock.complete else " (incomplete)"
    first = (
        f"{plural(stock.objects, 'object')}{complete}, {size(stock.bytes)} · "
        f"{plural(len(result.datasets), 'dataset')} · {visible(f's3://{result.bucket}/{result.prefix}')}"
    )
    if result.profile is not None and result.profile.rows is not None:
        first += f" · {plural(result.profile.rows, 'row')} ({result.profile.rows_basis})"
    lines = [
        "format\tobjects\tbytes",
        *(row((name, f.objects, f.bytes)) for name, f in stock.formats.items()),
        "dataset\tformat\tobjects\tbytes\tpartitions\twarnings",
        *(
            row(
                (
                    d.uri,
                    d.format,
                    d.objects,
                    d.bytes,
                    {k: [p.values, p.min, p.max] for k, p in d.partitions.items()} or None,
                    "; ".join([*d.warnings, *d.schema_drift]) or None,
                )
            )
            for d in result.datasets
        ),
    ]
    if result.profile is not None:
        lines.extend(_profile_lines(result))
    return first, lines, None


def _profile_lines(result: DatasetSummary) -> list[str]:
    if result.profile is None:
        return []
    names = "column type nulls distinct min max mean stddev p05 p25 p50 p75 p95 top basis"
    lines = [names.replace(" ", "\t")]
    for column in result.profile.columns:
        marks = column.quantiles
        quantiles = (
            (marks.p05, marks.p25, marks.p50, marks.p75, marks.p95) if marks else (None,) * 5
        )
        top = [[t.value, t.count] for t in column.top] or None
        lines.append(
            row(
                (
                    column.name,
                    column.type,
                    column.nulls,
                    column.distinct,
                    column.min,
                    column.max,
                    column.mean,
                    column.stddev,
                    *quantiles,
                    top,
                    column.basis,
                )
            )
        )
    return lines


def _metadata(result: FileMetadata) -> tuple[str, Sequence[str], str | None]:
    rows = "" if result.total_rows is None else f" · {plural(result.total_rows, 'row')}"
    archived = " · archived" if result.archived else ""
    first = (
        f"{visible(result.source.uri)} · {result.detected_format or 'unknown format'} · "
        f"{size(result.source.size_bytes)}{rows} · {result.storage_class}{archived}"
    )
    facts = result.model_dump(
        mode="json",
        by_alias=True,
        exclude={"notices", "scan", "columns", "suggested_calls"},
    )
    lines = [
        f"{name}\t{cell(value)}" for name, value in facts.items() if value not in (None, "", {})
    ]
    if result.columns:
        lines.append(row(f"{c.name}: {c.type}" for c in result.columns))
    suggestion = None
    if result.suggested_calls:
        call = result.suggested_calls[0]
        suggestion = next_line(call.tool, call.arguments)
    return first, lines, suggestion
