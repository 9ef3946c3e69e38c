"""Repairs that come with errors: they are tried, and what else is wrong is mended as well."""

import contextlib
from collections.abc import Callable
from typing import Any

from s3_data_lake_mcp.errors import DeadlineExceededError, LakeError, LimitExceededError
from s3_data_lake_mcp.jobs.workplace import Arguments
from s3_data_lake_mcp.storage import ScanMeter

type Run = Callable[[str, Arguments, ScanMeter], dict[str, Any]]

_MOST_MENDED = 5
_MOST_SECONDS = 1.0
_MOST_BYTES = 8 << 20
"""An error must not cost what its repair does: of a large object, names and types are tried."""

_NAMES = {"bucket_name": "bucket", "object_key": "key"}
"""What arguments of tools are called in jobs, where that is another name."""


def prove(exc: LakeError, run: Run, name: str, arguments: Arguments, meter: ScanMeter) -> None:
    """Leave in an error of a job a repair that works, or none; one for another tool stays."""
    if exc.repair is None or exc.repair_tool:
        return
    repair, exc.repair = exc.repair, None
    mine = little_of(meter)
    for _ in range(_MOST_MENDED):
        tried = {**arguments, **{_NAMES.get(name, name): to for name, to in repair.items()}}
        try:
            with contextlib.suppress(DeadlineExceededError):
                attempt(run, name, tried, mine)
        except LakeError as again:
            if again.repair is None or again.repair_tool:
                return
            repair = {**repair, **again.repair}
        else:
            exc.repair = repair
            return


def little_of(meter: ScanMeter) -> ScanMeter:
    """Return a meter that bounds what is only tried."""
    return ScanMeter(
        timeout_seconds=min(_MOST_SECONDS, meter.remaining_seconds),
        max_bytes=min(_MOST_BYTES, meter.remaining_bytes),
    )


def attempt(run: Run, name: str, tried: Arguments, meter: ScanMeter) -> dict[str, Any]:
    """Plan a call, and run it if that reads little.

    Raises:
        DeadlineExceededError: If it is cut short: it has failed at nothing.
        LakeError: What it fails with.
    """
    if tried.get("sql") or tried.get("where") or tried.get("filter_column"):
        kind = {} if "sql" in tried else {"format": "parquet"}
        planned = {**tried, **kind, "dry_run": True}
        plan = run("query", planned, meter)["plan"]
        if plan["bytes_estimated"] > _MOST_BYTES:
            raise meter.overdue()
    # An offset fails at nothing, and would be read up to.
    beginning = {"offset": 0} if "offset" in tried else {}
    try:
        return run(name, {**tried, **beginning}, meter)
    except LimitExceededError as exc:
        if exc.repair is not None and exc.repair.keys() == {"basis"}:
            # An exact profile says beforehand that it would read more; a sample knows the names.
            return attempt(run, name, {**tried, **exc.repair}, meter)
        if meter.remaining_bytes:
            raise
        raise meter.overdue() from exc
