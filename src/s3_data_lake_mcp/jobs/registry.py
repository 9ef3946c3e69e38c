"""The jobs by their names; this module is what a worker process preloads."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from s3_data_lake_mcp.errors import LakeError, NotFoundError
from s3_data_lake_mcp.jobs.analysis import answer_query, metadata, summary
from s3_data_lake_mcp.jobs.proving import attempt, little_of, prove
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

_PAGED = frozenset({"query", "read_csv", "read_json", "read_parquet"})
"""The jobs that answer a page: to run one once more costs little."""

_OF_MANY = frozenset({"query", "read_parquet", "summary"})
"""The jobs that take a prefix or glob."""


def run(
    name: str, workplace: Workplace, arguments: Arguments, meter: ScanMeter, report: Report
) -> dict[str, Any]:
    """Run a job by its name; what is missing is told with the nearest names that exist."""

    def run_job(name: str, arguments: Arguments, meter: ScanMeter) -> dict[str, Any]:
        try:
            return JOBS[name](workplace, arguments, meter, report)
        except NotFoundError as exc:
            raise _in_sql(explain_missing(workplace.store, exc, meter), arguments) from exc

    try:
        if arguments.get("trial"):
            return attempt(run_job, name, arguments, little_of(meter))
        return run_job(name, arguments, meter)
    except LakeError as exc:
        repair, repair_tool = exc.repair, exc.repair_tool
        if name in _OF_MANY and isinstance(exc, NotFoundError) and repair and "prefix" in repair:
            _in_sql(_of_many(exc, str(repair["prefix"])), arguments)
        if name in _PAGED:
            prove(exc, run_job, name, arguments, meter)
        if exc.repair is None and repair_tool:
            exc.repair, exc.repair_tool = repair, repair_tool
        raise


def _of_many(exc: NotFoundError, prefix: str) -> NotFoundError:
    """Let the call read the folder that was meant, in place of listing it.

    A folder of another year or part is none that was meant.
    """
    meant = prefix + "/".join(exc.key.split("/")[prefix.count("/") :])
    if _numbers(meant) == _numbers(exc.key):
        exc.repair, exc.repair_tool = {"bucket_name": exc.bucket, "object_key": meant}, ""
    return exc


def _numbers(key: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"[0-9]+", key)]


def _in_sql(exc: NotFoundError, arguments: Arguments) -> NotFoundError:
    """Turn the repair of an object that only the SQL names into a repaired SQL."""
    sql, repair = arguments.get("sql", ""), exc.repair
    is_data = exc.bucket == arguments.get("bucket") and exc.key in {"", arguments.get("key")}
    if not sql or repair is None or exc.repair_tool or is_data:
        return exc
    found = f"{repair.get('bucket_name', exc.bucket)}/{repair.get('object_key', exc.key)}"
    missing = re.compile(f"(s3[an]?://){re.escape(f'{exc.bucket}/{exc.key}')}", re.IGNORECASE)
    fixed = missing.sub(lambda uri: uri[1] + found, sql)
    exc.repair = {"sql": fixed} if fixed != sql and not {"'", '"'} & set(found) else None
    return exc
