"""This server's jobs in one process, called directly: what MCP and the workers cost is the rest."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from protocol import NotSupportedError, Operation, Request, serve
from queries import Query

from s3_data_lake_mcp.jobs.registry import run
from s3_data_lake_mcp.jobs.workplace import build_workplace
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter

_SETTINGS = Settings()
_WORKPLACE = build_workplace(_SETTINGS)
_READERS = {"csv": "read_csv", "json": "read_json", "jsonl": "read_json", "parquet": "read_parquet"}
_BASIS = {"profile": "exact", "footer": "footer", "sample": "sample"}


def _job(name: str, request: Request, arguments: Mapping[str, Any]) -> dict[str, Any]:
    meter = ScanMeter(timeout_seconds=_SETTINGS.timeout_seconds, max_bytes=_SETTINGS.max_scan_bytes)
    paging = {"tool": name, "arguments": {}, "identity": {}, "position": {}}
    place = {"bucket": request["bucket"], "paging": paging}
    return run(name, _WORKPLACE, {**place, **arguments}, meter, lambda _done, _total: None)


def page(request: Request) -> dict[str, Any]:
    """Read a page."""
    if request.get("via") == "cursor":
        message = "cursors are the server's"
        raise NotSupportedError(message)
    arguments = {"key": request["key"], "offset": request["offset"]}
    name = _READERS[request["format"]]
    if name == "read_json":
        arguments |= {"max_records": request["rows"], "path": ""}
        return {"records": _job(name, request, arguments)["records"]}
    arguments |= {"max_rows": request["rows"], "columns": [], "where": ""}
    arguments |= {"delimiter": "", "encoding": "", "has_header": "auto"}
    answer = _job(name, request, arguments)
    return {"columns": [column["name"] for column in answer["columns"]], "rows": answer["rows"]}


def query(request: Request) -> dict[str, Any]:
    """Answer SQL."""
    sql = Query.from_json(request["query"]).sql("data", request.get("words", ""))
    arguments = {"key": request["key"], "sql": sql, "columns": [], "max_rows": 1_000}
    answer = _job("query", request, arguments)
    return {"columns": [column["name"] for column in answer["columns"]], "rows": answer["rows"]}


def profile(request: Request) -> dict[str, Any]:
    """Profile an object."""
    basis = _BASIS[request["op"]]
    arguments = {"prefix": request["key"], "columns": [], "basis": basis}
    told = _job("summary", request, arguments)["profile"]
    return {"rows": told["rows"], "columns": {column["name"]: column for column in told["columns"]}}


if __name__ == "__main__":
    operations: Mapping[str, Operation] = {
        "page": page,
        "query": query,
        "profile": profile,
        "footer": profile,
        "sample": profile,
    }
    serve(operations, {"s3-data-lake-mcp": version("s3-data-lake-mcp")})
