"""What the model reads: one line that answers, notices, the data in its fence, the next call."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from s3_data_lake_mcp.fence import cell, fenced, plural, row, visible
from s3_data_lake_mcp.models import Model
from s3_data_lake_mcp.models.analysis import DatasetSummary, FileMetadata, Plan, QueryPage
from s3_data_lake_mcp.models.discovery import BucketList, ObjectList
from s3_data_lake_mcp.models.reading import JsonPage, TablePage
from s3_data_lake_mcp.tools import reports
from s3_data_lake_mcp.tools.words import next_line, size

_S3_URI = re.compile(r"(?i)\bs3[an]?://")


def render(result: Model, tool: str, follow_up: Mapping[str, Any] | None, *, brief: bool) -> str:
    """Return the text of a result.

    `follow_up` are the arguments of the next page's call; if `brief`, the first line alone is
    wanted.
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
        case QueryPage(plan=Plan() as plan):
            return _plan(result, plan), [], None
        case TablePage():
            return _table(result)
        case JsonPage():
            return _json(result)
        case BucketList():
            return _buckets(result)
        case ObjectList():
            return _objects(result)
        case DatasetSummary():
            return reports.summary(result)
        case FileMetadata():
            return reports.metadata(result)
        case _:
            return type(result).__name__, [result.model_dump_json()], None


def _counted(returned: int, total: int | None, noun: str, result: TablePage | JsonPage) -> str:
    if total is not None and total != returned:
        text = f"{returned:,} of {plural(total, noun)}"
    else:
        text = plural(returned, noun)
    if result.truncated_by:
        text += f", cut by {result.truncated_by}"
    if result.next_cursor:
        return f"{text}, more follow"
    return text if total is None or total == returned else f"{text}, none follow"


def _cost(result: TablePage | JsonPage) -> str:
    whole = result.source.size_bytes
    if isinstance(result, QueryPage):
        # The source is the table `data`; a join reads more, of which the first are listed.
        if len(result.sources) < result.sources_total and _S3_URI.search(result.sql):
            return f"read {size(result.scan.bytes_read)}"
        whole = max(whole, sum(source.size_bytes for source in result.sources))
    return f"read {size(result.scan.bytes_read)} of {size(whole)}"


def _table(result: TablePage) -> tuple[str, Sequence[str], str | None]:
    rows = _counted(result.returned_rows, result.total_rows, "row", result)
    columns = plural(len(result.columns), "column")
    first = f"{rows} · {visible(result.source.uri)} · {columns} · {_cost(result)}"
    header = row(column.name for column in result.columns)
    return first, [header, *map(row, result.rows)], None


def _plan(result: QueryPage, plan: Plan) -> str:
    groups = "" if plan.row_groups is None else f" · {plural(plan.row_groups, 'row group')}"
    return (
        f"dry run: would read about {size(plan.bytes_estimated)} of {size(plan.bytes_total)} · "
        f"{plural(plan.objects, 'object')}{groups} · {visible(result.source.uri)}"
        f"{f' · columns cut by {result.truncated_by}' if result.truncated else ''}"
    )


def _json(result: JsonPage) -> tuple[str, Sequence[str], str | None]:
    if result.layout in {"object", "scalar"}:
        # Of an outline its last key tells how many more there are.
        whole = isinstance(result.data, dict) and not result.truncated
        what = f"{result.layout} · {plural(len(result.data), 'key')}" if whole else result.layout
        cut = " · shown as an outline, cut by max_bytes" if result.truncated else ""
        body = [] if result.data is None else [cell(result.data)]
        return f"{what} · {visible(result.source.uri)}{cut} · {_cost(result)}", body, None
    records = _counted(result.returned_records, result.total_records, "record", result)
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
    more = f", cut by {result.truncated_by or 'time'}, more follow" if result.truncated else ""
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
