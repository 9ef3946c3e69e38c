"""Reading jobs: a page of CSV, JSON or Parquet, or a whole object as Arrow."""

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from s3_data_lake_mcp.cursors import Cursor
from s3_data_lake_mcp.engines import Query
from s3_data_lake_mcp.jobs import opening
from s3_data_lake_mcp.jobs.analysis import answer_query
from s3_data_lake_mcp.jobs.workplace import Arguments, Report, Workplace
from s3_data_lake_mcp.loaders import LoadRequest, LoadResult
from s3_data_lake_mcp.loaders.csv import CsvLoader, CsvRequest
from s3_data_lake_mcp.loaders.formats import format_of
from s3_data_lake_mcp.loaders.json import JsonLoader, JsonRequest, JsonResult
from s3_data_lake_mcp.loaders.json_open import FIRST_BYTES
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.pages import page_size, record_page, table_page
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.keys import is_glob
from s3_data_lake_mcp.storage.reader import ObjectReader


def read_csv(w: Workplace, a: Arguments, meter: ScanMeter, _r: Report) -> dict[str, Any]:
    """Read a page of delimited text."""
    paging = opening.paging(a)
    source = opening.open_head(w, a, meter, paging)
    request = CsvRequest(
        **_load_fields(w, a, paging),
        delimiter=a["delimiter"],
        encoding=a["encoding"],
        has_header=a["has_header"],
    )
    return _table_answer(w, a, "csv", source, CsvLoader().load(source, request))


def read_json(w: Workplace, a: Arguments, meter: ScanMeter, _r: Report) -> dict[str, Any]:
    """Read a page of JSON records, or a document."""
    paging = opening.paging(a)
    source = opening.open_head(w, a, meter, paging, length=FIRST_BYTES)
    request = JsonRequest(
        max_records=a["max_records"],
        offset=a["offset"],
        path=a["path"],
        position=paging.position or None,
        max_decoded_bytes=w.settings.max_decoded_bytes,
        max_outline_bytes=w.settings.max_result_bytes // 2,
        page_size=page_size(w.settings),
    )
    result = JsonLoader().read(source, request)
    envelope = {
        "format": "json",
        "layout": result.layout,
        "keys": result.keys,
        "data": result.data,
        "total_records": result.total_records,
        "truncated": result.truncated,
    }
    fill = partial(record_page, result.records, a["max_records"])
    return _answer(w, a, source, result, envelope, fill)


def read_parquet(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> dict[str, Any]:
    """Read a page of one Parquet object, or of a dataset of many through the engine."""
    paging = opening.paging(a)
    key = a["key"]
    if a["where"] or key.endswith("/") or is_glob(key):
        answer = answer_query(w, {**a, "format": "parquet"}, meter, report)
        for name in ("sources", "sources_total", "sql", "plan"):
            answer.pop(name)
        return answer
    source = ObjectReader.open_tail(w.store, opening.ref(a), meter)
    opening.check_unchanged(source.info, paging)
    request = LoadRequest(**_load_fields(w, a, paging))
    return _table_answer(w, a, "parquet", source, ParquetLoader().load(source, request))


def frame(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> dict[str, Any]:
    """Load an object, prefix or glob whole, as Arrow's stream format."""
    is_parquet = format_of(a["key"]) == "parquet" and not is_glob(a["key"])
    table = _whole_parquet(w, a, meter) if is_parquet else _whole_text(w, a, meter, report)
    # A table without columns would grow by a longer slice.
    table = table.slice(0, min(a["max_rows"], table.num_rows))
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"ipc": sink.getvalue()}


def _whole_parquet(w: Workplace, a: Arguments, meter: ScanMeter) -> pa.Table:
    """Read with the file's own Arrow types, some of which the engine does not have."""
    source = ObjectReader.open_tail(w.store, opening.ref(a), meter)
    request = LoadRequest(max_rows=a["max_rows"], columns=tuple(a["columns"]))
    return ParquetLoader().load(source, request).table


def _whole_text(w: Workplace, a: Arguments, meter: ScanMeter, report: Report) -> pa.Table:
    """Read by the engine, which agrees with the loaders and is many times faster."""
    query = Query(
        bucket=a["bucket"], key=a["key"], max_rows=a["max_rows"], columns=tuple(a["columns"])
    )
    return w.engine.run(query, meter, report).table


def _load_fields(w: Workplace, a: Arguments, paging: Cursor) -> dict[str, Any]:
    return {
        "max_rows": a["max_rows"],
        "columns": tuple(a["columns"]),
        "offset": a["offset"],
        "position": paging.position or None,
        "max_decoded_bytes": w.settings.max_decoded_bytes,
        "page_size": page_size(w.settings),
    }


def _table_answer(
    w: Workplace, a: Arguments, name: str, source: ObjectReader, result: LoadResult
) -> dict[str, Any]:
    envelope = {"format": name, "total_rows": result.total_rows, **result.details}
    most = result.table.num_rows - 1 if result.full else a["max_rows"]
    fill = partial(table_page, result.table, most, most_columns=result.loaded)
    return _answer(w, a, source, result, envelope, fill)


def _answer(
    w: Workplace,
    a: Arguments,
    source: ObjectReader,
    result: LoadResult | JsonResult,
    envelope: Mapping[str, object],
    fill: Callable[..., dict[str, Any]],
) -> dict[str, Any]:
    paging, identity = opening.paging(a), opening.identity(source.info)
    known = {
        "source": source.info.as_json(),
        "offset": result.offset,
        "notices": result.notices,
        "scan": source.meter.as_json(),
    }

    def cursor_after(count: int) -> str:
        return replace(paging, identity=identity, position=result.resume(count)).encode()

    return fill({**known, **envelope}, w.settings, cursor_after, result.told)
