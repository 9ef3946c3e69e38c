"""The jobs by their names; this module is what a worker process preloads."""

from collections.abc import Callable, Mapping
from typing import Any

from s3_data_lake_mcp.errors import NotFoundError
from s3_data_lake_mcp.jobs.analysis import answer_query, metadata, summary
from s3_data_lake_mcp.jobs.reading import frame, read_csv, read_json, read_parquet
from s3_data_lake_mcp.jobs.workplace import Arguments, Report, Workplace
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.nearest import explain_missing

type Job = Callable[[Workplace, Arguments, ScanMeter, Report], dict[str, Any]]


def ping(_w: Workplace, _a: Arguments, _m: ScanMeter, _r: Report) -> dict[str, Any]:
    """Answer that the worker is ready."""
    return {}


JOBS: Mapping[str, Job] = {
    "ping": ping,
    "read_csv": read_csv,
    "read_json": read_json,
    "read_parquet": read_parquet,
    "query": answer_query,
    "summary": summary,
    "metadata": metadata,
    "frame": frame,
}


def run(
    name: str, workplace: Workplace, arguments: Arguments, meter: ScanMeter, report: Report
) -> dict[str, Any]:
    """Run a job by its name; what is missing is told with the nearest names that exist."""
    try:
        return JOBS[name](workplace, arguments, meter, report)
    except NotFoundError as exc:
        raise explain_missing(workplace.store, exc, meter) from exc
