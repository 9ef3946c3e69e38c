"""What worker processes do: one function a job, plain values in, a whole answer out.

This module and what it imports is loaded in worker processes only.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from s3_data_lake_mcp import pages, wire
from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.budget import fitting
from s3_data_lake_mcp.engines import Filter, Query, QueryResult
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.errors import InvalidArgumentError, NotFoundError, ObjectChangedError
from s3_data_lake_mcp.fence import cell
from s3_data_lake_mcp.loaders import LoadRequest, LoadResult
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.json import JsonLoader, JsonRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.pages import Paging, scan_json, source_json, table_page
from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.profiling.summary import summarize
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.listing import is_glob
from s3_data_lake_mcp.storage.nearest import explain_missing
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.storage.s3 import S3Store

type Arguments = Mapping[str, Any]
type Report = Callable[[int, int], None]

FOOTER_BYTES = 128 << 10
"""First request of a Parquet read: holds the footer of most files whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a worker keeps from job to job: its store, with warm connections, and its engine."""

    settings: Settings
    store: ObjectStore
    engine: DuckDbEngine


def build_workplace(settings: Settings) -> Workplace:
    """Make a worker's own store and engine."""
    store = S3Store(ClientFactory(settings), settings)
    return Workplace(settings=settings, store=store, engine=DuckDbEngine(store, settings))


def run(
    name: str, workplace: Workplace, arguments: Arguments, meter: ScanMeter, report: Report
) -> dict[str, Any]:
    """Run a job by its name; what is missing is told with the nearest names that exist."""
    try:
        return _JOBS[name](workplace, arguments, meter, report)
    except NotFoundError as exc:
        raise explain_missing(workplace.store, exc, meter) from exc


def ping(_w: Workplace, _a: Arguments, _m: ScanMeter, _r: Report) -> dict[str, Any]:
    """Answer that the worker is ready."""
    return {}


def read_csv(w: Workplace, a: Arguments, meter: ScanMeter, _r: Report) -> dict[str, Any]:
    """Read a page of delimited text."""
    paging = _paging(a)
    source = _open_head(w, a, meter, paging)
    request = CsvRequest(
        **_load_fields(w, a, paging),
        delimiter=a["delimiter"],
        encoding=a["encoding"],
        has_header=a["has_header"],
    )
    return _table_answer(w, a, "csv", source, CsvLoader().load(source, request))


def read_json(w: Workplace, a: Arguments, meter: ScanMeter, _r: Report) -> dict[str, Any]:
    """Read a page of JSON records, or a document."""
    paging = _paging(a)
    source = _open_head(w, a, meter, paging)
    request = JsonRequest(
        max_records=a["max_records"],
        offset=a["offset"],
        path=a["path"],
        position=paging.position or None,
        max_decoded_bytes=w.settings.max_decoded_bytes,
        max_outline_bytes=w.settings.max_result_bytes // 2,
    )
    result = JsonLoader().read(source, request)
    clipper = wire.Clipper(w.settings.max_cell_chars)
    room = w.settings.max_result_bytes
    records = [wire.json_value(value, clipper) for value in result.records[: a["max_records"]]]
    page = {
        "source": source_json(source.info),
        "format": "json",
        "layout": result.layout,
        "keys": [wire.json_value(key, clipper) for key in result.keys],
        "records": [],
        "data": wire.json_value(result.data, clipper),
        "returned_records": len(records),
        "offset": result.offset,
        "total_records": result.total_records,
        "truncated": result.truncated,
        "truncated_by": "max_bytes" if result.truncated else "",
        "next_cursor": "",
        "notices": [*result.notices, *clipper.notices()],
        "scan": scan_json(meter),
    }
    room -= pages.overhead(page, "")
    kept = fitting(records, cell, room)
    if records and kept == 0:
        kept, records[0] = 1, pages.squeezed_value(result.records[0], room, w.settings)
    more = len(result.records) > a["max_records"]
    cut = kept < len(records)
    if cut or more:
        page |= {
            "truncated": True,
            "truncated_by": "max_bytes" if cut else "max_records",
            "next_cursor": paging.cursor(_identity(source.info), result.resume(kept)),
        }
    return page | {"records": records[:kept], "returned_records": kept}


def read_parquet(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> dict[str, Any]:
    """Read a page of one Parquet object, or of a dataset of many through the engine."""
    paging = _paging(a)
    key = a["key"]
    if a["where"] or key.endswith("/") or is_glob(key):
        return _read_parquet_dataset(w, a, meter, report)
    source = ObjectReader.open_tail(w.store, _ref(a), meter, length=FOOTER_BYTES)
    _check_unchanged(source.info, paging)
    request = LoadRequest(**_load_fields(w, a, paging))
    return _table_answer(w, a, "parquet", source, ParquetLoader().load(source, request))


def _read_parquet_dataset(
    w: Workplace, a: Arguments, meter: ScanMeter, report: Report
) -> dict[str, Any]:
    answer = _query(w, a | {"format": "parquet"}, meter, report)
    for name in ("sources", "sources_total", "sql", "plan"):
        answer.pop(name)
    return answer


def query(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> dict[str, Any]:
    """Answer SQL or the simple form."""
    return _query(w, a, meter, report)


def _query(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> dict[str, Any]:
    paging = _paging(a)
    offset = int(paging.position.get("row", a.get("offset", 0)))
    asked = Query(
        bucket=a["bucket"],
        key=a["key"],
        max_rows=a["max_rows"],
        sql=a.get("sql", ""),
        where=a.get("where", ""),
        filter=_filter(a),
        columns=tuple(a["columns"]),
        offset=offset,
        dry_run=a.get("dry_run", False),
        identity=str(paging.identity.get("sources", "")),
        format=a.get("format", ""),
    )
    result = w.engine.run(asked, meter, report)
    sources = [source_json(info) for info in result.sources]
    envelope = {
        "source": _whole_source(a, result),
        "format": result.format,
        "offset": offset,
        "total_rows": result.total_rows,
        "notices": list(result.notices),
        "scan": scan_json(meter),
        "sources": sources,
        "sources_total": result.sources_total,
        "sql": result.sql,
        "plan": result.plan,
        **({"parquet": result.details["parquet"]} if a.get("format") == "parquet" else {}),
    }
    identity = {"sources": result.identity}
    return table_page(
        result.table,
        a["max_rows"],
        envelope,
        w.settings,
        lambda n: paging.cursor(identity, {"row": offset + n}),
    )


def _filter(a: Arguments) -> Filter | None:
    if not a.get("filter_column"):
        return None
    return Filter(column=a["filter_column"], operator=a["filter_operator"], value=a["filter_value"])


def _whole_source(a: Arguments, result: QueryResult) -> dict[str, Any]:
    if result.whole is not None:
        return source_json(result.whole)
    ref = ObjectRef(bucket=a["bucket"], key=a["key"])
    return source_json(ObjectInfo(ref=ref, size_bytes=0, etag=""))


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
    return answer | {"scan": scan_json(meter)}


def metadata(w: Workplace, a: Arguments, meter: ScanMeter, _r: Report) -> dict[str, Any]:
    """Describe one object."""
    ref = ObjectRef(bucket=a["bucket"], key=_key(a), version_id=a["version_id"])
    return describe_object(w.store, ref, w.settings, meter) | {"scan": scan_json(meter)}


def frame(w: Workplace, a: Arguments, meter: ScanMeter, _r: Report) -> dict[str, Any]:
    """Load an object whole, as Arrow's stream format."""
    from s3_data_lake_mcp.loaders.formats import detect_format_by_name  # noqa: PLC0415

    name, _ = detect_format_by_name(a["key"])
    request = {"max_rows": a["max_rows"], "columns": tuple(a["columns"])}
    if name == "parquet":
        source = ObjectReader.open_tail(w.store, _ref(a), meter, length=FOOTER_BYTES)
        result = ParquetLoader().load(source, LoadRequest(**request))
    else:
        source = ObjectReader.open_head(w.store, _ref(a), meter)
        loader = JsonLoader() if name == "json" else CsvLoader()
        asked = LoadRequest(**request) if name == "json" else CsvRequest(**request)
        result = loader.load(source, asked)
    table = result.table.slice(0, a["max_rows"])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"ipc": sink.getvalue()}


def _paging(a: Arguments) -> Paging:
    return Paging(bucket=a["bucket"], key=a["key"], **a["paging"])


def _key(a: Arguments) -> str:
    if not a["key"]:
        message = f"s3://{a['bucket']} is a bucket, not an object"
        raise InvalidArgumentError(
            message,
            hint="Give object_key; list_s3_objects shows the keys.",
            repair={"bucket_name": a["bucket"]},
            repair_tool="list_s3_objects",
        )
    return str(a["key"])


def _ref(a: Arguments) -> ObjectRef:
    return ObjectRef(bucket=a["bucket"], key=_key(a))


def _load_fields(w: Workplace, a: Arguments, paging: Paging) -> dict[str, Any]:
    return {
        "max_rows": a["max_rows"],
        "columns": tuple(a["columns"]),
        "offset": a["offset"],
        "position": paging.position or None,
        "max_decoded_bytes": w.settings.max_decoded_bytes,
    }


def _identity(info: ObjectInfo) -> dict[str, Any]:
    modified = info.last_modified.timestamp() if info.last_modified else 0
    return {"e": info.etag, "s": info.size_bytes, "v": info.version_id, "m": modified}


def _open_head(w: Workplace, a: Arguments, meter: ScanMeter, paging: Paging) -> ObjectReader:
    """Open by the first bytes; a cursor knows the version, so there nothing is fetched."""
    ref = _ref(a)
    pinned = paging.identity
    if not pinned:
        return ObjectReader.open_head(w.store, ref, meter)
    info = ObjectInfo(
        ref=ref,
        size_bytes=int(pinned["s"]),
        etag=str(pinned["e"]),
        version_id=str(pinned["v"]),
        last_modified=datetime.fromtimestamp(float(pinned["m"]), UTC) if pinned["m"] else None,
    )
    return ObjectReader(w.store, info, meter)


def _check_unchanged(info: ObjectInfo, paging: Paging) -> None:
    if paging.identity and paging.identity.get("e") != info.etag:
        message = f"{info.ref} has changed since the cursor was made"
        raise ObjectChangedError(message, hint="Start again without a cursor.")


def _table_answer(
    w: Workplace, a: Arguments, name: str, source: ObjectReader, result: LoadResult
) -> dict[str, Any]:
    paging = _paging(a)
    envelope = {
        "source": source_json(source.info),
        "format": name,
        "offset": result.offset,
        "total_rows": result.total_rows,
        "notices": list(result.notices),
        "scan": scan_json(source.meter),
        **result.details,
    }
    identity = _identity(source.info)
    return table_page(
        result.table,
        a["max_rows"],
        envelope,
        w.settings,
        lambda n: paging.cursor(identity, result.resume(n)),
    )


_JOBS: Mapping[str, Callable[[Workplace, Arguments, ScanMeter, Report], dict[str, Any]]] = {
    job.__name__: job
    for job in (ping, read_csv, read_json, read_parquet, query, summary, metadata, frame)
}
