"""Repairs that come with errors: they are tried, and what else is wrong is mended as well."""

from collections.abc import Callable

from s3_data_lake_mcp.errors import DeadlineExceededError, LakeError, LimitExceededError
from s3_data_lake_mcp.jobs.analysis import answer_query
from s3_data_lake_mcp.jobs.workplace import Arguments, Workplace
from s3_data_lake_mcp.storage import ScanMeter

type Run = Callable[[Arguments, ScanMeter], object]

_MOST_MENDED = 5
_MOST_SECONDS = 1.0
_MOST_BYTES = 8 << 20
"""An error must not cost what its repair does: of a large object, names and types are tried."""

_NAMES = {"bucket_name": "bucket", "object_key": "key"}
"""What arguments of tools are called in jobs, where that is another name."""


def prove(
    exc: LakeError, run: Run, workplace: Workplace, arguments: Arguments, meter: ScanMeter
) -> None:
    """Leave in an error a repair that works, or none; one for another tool stays as it is.

    Args:
        exc: What the job failed with.
        run: Runs it with other arguments.
        workplace: Where it runs.
        arguments: Those that it failed with.
        meter: Bounds the time and bytes that this may take.
    """
    if exc.repair is None or exc.repair_tool:
        return
    repair, exc.repair = exc.repair, None
    mine = ScanMeter(
        timeout_seconds=min(_MOST_SECONDS, meter.remaining_seconds),
        max_bytes=min(_MOST_BYTES, meter.remaining_bytes),
    )
    for _ in range(_MOST_MENDED):
        tried = {**arguments, **{_NAMES.get(name, name): to for name, to in repair.items()}}
        try:
            _try(run, workplace, tried, mine)
        except LakeError as again:
            if again.repair is None or again.repair_tool:
                return
            repair = {**repair, **again.repair}
        else:
            exc.repair = repair
            return


def _try(run: Run, workplace: Workplace, tried: Arguments, meter: ScanMeter) -> None:
    """Plan it, and run it if that reads little; what is cut short has failed at nothing."""
    if tried.get("sql") or tried.get("where") or tried.get("filter_column"):
        kind = {} if "sql" in tried else {"format": "parquet"}
        planned = {**tried, **kind, "dry_run": True}
        plan = answer_query(workplace, planned, meter, lambda *_: None)["plan"]
        if plan["bytes_estimated"] > _MOST_BYTES:
            return
    try:
        run(tried, meter)
    except DeadlineExceededError:
        return
    except LimitExceededError:
        if meter.remaining_bytes:
            raise
