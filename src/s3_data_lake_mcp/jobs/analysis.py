"""Analysis jobs: SQL, summaries, metadata."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from s3_data_lake_mcp.cursors import count_in
from s3_data_lake_mcp.engines import Filter, Query, QueryResult
from s3_data_lake_mcp.errors import InvalidArgumentError, NotFoundError
from s3_data_lake_mcp.jobs import opening
from s3_data_lake_mcp.jobs.workplace import Arguments, Report, Workplace
from s3_data_lake_mcp.pages import clipped_text, kept_within, table_page
from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.profiling.summary import summarize
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter

_PARTS = 6
"""Share of a result that its sources, its SQL, or the columns of its plan may take."""

_NOW = ("latest", "current", "newest", "head", "null", "none")
"""What is given for a version by who wants the current one; `null` may also be one."""

_FARTHEST = 1 << 62
"""Rows that can be skipped: more than there are anywhere, and a number that the engine takes."""


def answer_query(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> dict[str, Any]:
    """Answer SQL or the simple form."""
    paging = opening.paging(a)
    at = paging.position
    offset = count_in(at, "row", "a query") if "row" in at else a.get("offset", 0)
    asked = Query(
        bucket=a["bucket"],
        key=a["key"],
        max_rows=a["max_rows"],
        sql=a.get("sql", ""),
        where=a.get("where", ""),
        filter=_filter(a),
        columns=tuple(a["columns"]),
        offset=min(offset, _FARTHEST),
        dry_run=a.get("dry_run", False),
        identity=str(paging.identity.get("sources", "")),
        format=a.get("format", ""),
    )
    result = w.engine.run(asked, meter, report)
    share = w.settings.max_result_bytes // _PARTS
    sources = kept_within([info.as_json() for info in result.sources], share)
    plan, unplanned = _plan(result, share)
    envelope = {
        "source": _whole_source(a, result),
        "format": result.format,
        "offset": offset,
        "total_rows": result.total_rows,
        "notices": [*result.notices, *_behind(offset, result), *unplanned],
        "scan": meter.as_json(),
        "sources": sources,
        "sources_total": result.sources_total,
        "sql": clipped_text(result.sql, share),
        "plan": plan,
        **({"parquet": result.details["parquet"]} if asked.format == "parquet" else {}),
    }
    onward = replace(paging, identity={"sources": result.identity})
    page = table_page(
        result.table,
        a["max_rows"],
        envelope,
        w.settings,
        lambda n: replace(onward, position={"row": offset + n}).encode(),
    )
    return page | ({"truncated": True, "truncated_by": "max_bytes"} if unplanned else {})


def _plan(result: QueryResult, room: int) -> tuple[Mapping[str, object] | None, list[str]]:
    """Return the plan with as many columns as fit, and what is said of the others."""
    if result.plan is None:
        return None, []
    columns: Any = result.plan["columns"]
    kept = kept_within(columns, room)
    if len(kept) == len(columns):
        return result.plan, []
    said = f"The plan names the first {len(kept):,} of {len(columns):,} columns: no more fit."
    return {**result.plan, "columns": kept}, [said]


def _behind(offset: int, result: QueryResult) -> Iterator[str]:
    if result.table.num_rows or result.plan is not None:
        return
    if result.total_rows is None:
        yield f"offset {offset:,} is behind the last row."
    elif offset > result.total_rows:
        yield f"offset {offset:,} is behind the last of {result.total_rows:,} rows."


def _filter(a: Arguments) -> Filter | None:
    if not a.get("filter_column"):
        return None
    return Filter(column=a["filter_column"], operator=a["filter_operator"], value=a["filter_value"])


def _whole_source(a: Arguments, result: QueryResult) -> dict[str, Any]:
    if result.whole is not None:
        return result.whole.as_json()
    ref = ObjectRef(bucket=a["bucket"], key=a["key"])
    return ObjectInfo(ref=ref, size_bytes=0, etag="").as_json()


def summary(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> dict[str, Any]:
    """Summarize a prefix, glob or object."""
    answer = summarize(
        w.store,
        w.engine,
        a["bucket"],
        a["prefix"],
        columns=tuple(a["columns"]),
        basis=a["basis"],
        settings=w.settings,
        meter=meter,
        progress=report,
    )
    return answer | {"scan": meter.as_json()}


def metadata(w: Workplace, a: Arguments, meter: ScanMeter, _r: Report) -> dict[str, Any]:
    """Describe one object."""
    ref = ObjectRef(bucket=a["bucket"], key=opening.key(a), version_id=a["version_id"])
    try:
        return describe_object(w.store, ref, w.settings, meter) | {"scan": meter.as_json()}
    except (NotFoundError, InvalidArgumentError) as exc:
        if ref.version_id.lower() in _NOW:
            exc.hint = "Leave version_id out for the current version."
            exc.repair, exc.repair_tool = {"version_id": ""}, ""
        raise
