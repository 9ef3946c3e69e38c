"""The summary of a prefix: inventory, data sets and, for one of them, a profile."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from s3_data_lake_mcp.engines import Engine
from s3_data_lake_mcp.errors import (
    AccessDeniedError,
    FormatError,
    InvalidArgumentError,
    KmsDeniedError,
    LimitExceededError,
    ObjectArchivedError,
    SqlError,
)
from s3_data_lake_mcp.fence import plural, scrub_all
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.drift import (
    MOST_DATASETS,
    Drift,
    compare_schemas,
    is_comparable,
)
from s3_data_lake_mcp.profiling.fit import fit
from s3_data_lake_mcp.profiling.groups import Group
from s3_data_lake_mcp.profiling.listed import AsListed
from s3_data_lake_mcp.profiling.profile import Profiled, Profiler
from s3_data_lake_mcp.profiling.stock import Stock, take_stock
from s3_data_lake_mcp.profiling.subject import find_subject, named_wrongly
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectStore, ScanMeter

_DRIFT_SHARE_OF_TIME = 0.2
_AGED_DATASETS = 3
_TOLERATED = (
    FormatError,
    AccessDeniedError,
    KmsDeniedError,
    ObjectArchivedError,
    LimitExceededError,
    SqlError,
)
"""What keeps a profile from being made, but not an inventory from being right."""


def summarize(  # noqa: PLR0913 - the arguments of the tool, and what it works with
    store: ObjectStore,
    engine: Engine,
    bucket: str,
    prefix: str,
    *,
    columns: Sequence[str],
    basis: str,
    settings: Settings,
    meter: ScanMeter,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Return the contract's answer, without `scan`.

    An object with the key `prefix` wins. `progress` is told of keys looked at, then of bytes
    read and to read.

    Raises:
        NotFoundError: If nothing is there.
        UnknownColumnError: If a column is not there.
        InvalidArgumentError: If the basis does not fit the format.
        LimitExceededError: If the basis was named and does not fit the budget.
    """
    stock = take_stock(store, bucket, prefix, meter, progress)
    datasets, aged = _datasets(store, stock, meter)
    profiler = Profiler(
        store=store, engine=engine, settings=settings, meter=meter, progress=progress
    )
    profiled, notices = _profile(profiler, stock, columns, basis)
    answer: Json = {
        "bucket": bucket,
        "prefix": prefix,
        "inventory": stock.inventory.as_json(),
        "datasets": datasets,
        "profile": None
        if profiled is None
        else {
            "rows": profiled.rows,
            "rows_basis": profiled.rows_basis,
            "columns": profiled.columns,
            "duplicates_note": profiled.duplicates_note,
        },
        "notices": [*stock.notices, *notices, *aged],
    }
    clean: Any = scrub_all(answer)
    return fit(clean, settings.max_result_bytes)


def _datasets(store: ObjectStore, stock: Stock, meter: ScanMeter) -> tuple[list[Json], list[str]]:
    """Return the data sets with the drift of their schemas, and notices of that and their age."""
    datasets = stock.grouper.datasets()
    groups = stock.grouper.groups()
    if stock.kind == "glob" and len(groups) == 1 and groups[0].objects > 1:
        # A prefix would select what the glob leaves out, too.
        datasets[0]["uri"] = stock.uri
    said: list[str] = []
    if meter.remaining_seconds > _DRIFT_SHARE_OF_TIME * meter.timeout_seconds:
        formats = [str(one["format"]) for one in datasets]
        asked = list(zip(groups, formats, strict=True))
        drifts = compare_schemas(store, stock.bucket, asked, meter)
        said = _partly(asked, drifts)
        for one, drift in zip(datasets, drifts, strict=True):
            warnings: Any = one["warnings"]
            one["schema_drift"] = list(drift.changes)
            one["warnings"] = [*warnings, *drift.warnings]
    elif any(
        is_comparable(group, str(one["format"]))
        for group, one in zip(groups, datasets, strict=True)
    ):
        said = ["Schema drift was not looked for: the listing took too long."]
    ages = stock.grouper.freshness(datetime.now(UTC))
    aged = [f"{one['name']}: {age}." for one, age in zip(datasets, ages, strict=True) if age]
    return datasets, [*said, *aged[:_AGED_DATASETS]]


def _partly(groups: Sequence[tuple[Group, str]], drifts: Sequence[Drift]) -> list[str]:
    """Say where drift may have been missed: among objects, and data sets, not looked at."""
    pairs = [(g, d) for (g, name), d in zip(groups, drifts, strict=True) if is_comparable(g, name)]
    said = []
    if some := [drift.compared for group, drift in pairs if 0 < drift.compared < group.objects]:
        most = plural(max(some), "object")
        said.append(
            f"Schema drift was looked for in up to {most} of a dataset, from all over it: others "
            "may differ."
        )
    if (skipped := len(pairs) - MOST_DATASETS) > 0:
        said.append(f"Schema drift was not looked for in the {skipped:,} smallest datasets.")
    return said


def _profile(
    profiler: Profiler, stock: Stock, columns: Sequence[str], basis: str
) -> tuple[Profiled | None, list[str]]:
    """Return the profile and notices; None with the reason where none can be made."""
    try:
        subject, reason = find_subject(profiler.store, stock, profiler.meter)
        if subject is None:
            return None, [reason] if reason else []
        as_listed = AsListed(profiler.store, subject.infos).as_store()
        profiler = replace(profiler, store=as_listed)
        try:
            found = profiler.profile(subject, columns, basis)
        except (FormatError, InvalidArgumentError) as exc:
            other = named_wrongly(profiler.store, stock, subject, profiler.meter, exc)
            if other is None:
                raise
            reason = f"The name says {subject.format}, but the content is {other.format}."
            found = profiler.profile(other, columns, basis)
    except _TOLERATED as exc:
        if isinstance(exc, LimitExceededError) and basis != "auto":
            raise
        profiler.meter.check()
        return None, [f"No profile: {exc.sentences}"]
    return found, [*([reason] if reason else []), *found.notices]
