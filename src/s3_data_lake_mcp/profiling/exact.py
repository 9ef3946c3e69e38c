"""Profiles by aggregates over all rows of a table, in two streaming passes and bounded memory."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import pyarrow as pa
from pyarrow import types

from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.profiling import Basis, Json
from s3_data_lake_mcp.profiling.aggregates import (
    MOST_COUNTED_VALUES,
    TOP,
    Bins,
    ProfiledColumn,
    bin_field,
    bins_between,
    first_pass,
    select_of,
    top_field,
)
from s3_data_lake_mcp.wire import json_value

_LONGEST_TEXT = 200
_QUANTILE_NAMES = ("p05", "p25", "p50", "p75", "p95")
_APPROXIMATE = (
    "Distinct counts over 10,000 are estimates (HyperLogLog, usually within 5 %), and quantiles "
    "are approximate (t-digest, within 1 % of the rank); all other figures are exact"
)


class TableSession(Protocol):
    """Runs trusted SQL over the table `data`."""

    def execute(self, sql: str, params: Sequence[object] = ()) -> pa.Table:
        """Return the rows of one SELECT."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What aggregates told: rows, the contract's columns, and what else is worth a sentence."""

    rows: int
    columns: list[Json]
    approximate: bool
    findings: list[str] = field(default_factory=list)


def measure(
    session: TableSession,
    columns: Sequence[ProfiledColumn],
    *,
    small: bool,
    basis: Basis,
) -> Measured:
    """Profile columns by two SELECTs over all rows of `data`.

    Args:
        session: Where `data` is.
        columns: What to profile.
        small: Whether distinct counts and quantiles are to be exact, which keeps all values in
            memory. If they do not fit, they are approximate after all.
        basis: What the figures are called.
    """
    try:
        first = _row(session.execute(first_pass(columns, small=small)))
    except LimitExceededError:
        if not small:
            raise
        small = False
        first = _row(session.execute(first_pass(columns, small=False)))
    second = _second(session, columns, first)
    rows = _whole(first["rows"])
    profiled = [_column_json(column, first, second, basis) for column in columns]
    findings = [
        finding for column in columns for finding in _findings(column, first, rows, small=small)
    ]
    return Measured(
        rows=rows,
        columns=profiled,
        approximate=not small,
        findings=[*([] if small else [_APPROXIMATE]), *findings],
    )


def _row(table: pa.Table) -> dict[str, object]:
    return {name: table.column(name)[0].as_py() for name in table.column_names}


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _second(
    session: TableSession, columns: Sequence[ProfiledColumn], first: Mapping[str, object]
) -> dict[str, object]:
    fields: list[str] = []
    params: list[object] = []
    bins: dict[str, object] = {}
    for column in columns:
        at = column.position
        if found := _bins(column, first):
            fields.append(bin_field(column, found))
            bins[f"edges_{at}"] = found
        distinct = _whole(first.get(f"distinct_{at}"))
        likely = first.get(f"likely_{at}")
        if column.kind == "opaque" or not isinstance(likely, list):
            continue
        if distinct <= MOST_COUNTED_VALUES:
            fields.append(top_field(column))
        elif distinct < _whole(first[f"present_{at}"]) / 2:
            fields.append(top_field(column, candidates=len(likely)))
            params.extend(likely)
    if not fields:
        return bins
    return bins | _row(session.execute(select_of(fields), params))


def _bins(column: ProfiledColumn, first: Mapping[str, object]) -> Bins | None:
    if column.kind not in {"number", "float", "moment"}:
        return None
    low = _axis(first[f"min_{column.position}"])
    high = _axis(first[f"max_{column.position}"])
    if low is None or high is None:
        return None
    whole = isinstance(low, int) and isinstance(high, int)
    return bins_between(low, high, whole=whole)


def _axis(value: object) -> float | int | None:
    """Return a value's place on the axis of the histogram; None where it has none."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value
    number = float(value)  # type: ignore[arg-type] - a float or a Decimal
    return number if math.isfinite(number) else None


def _column_json(
    column: ProfiledColumn,
    first: Mapping[str, object],
    second: Mapping[str, object],
    basis: Basis,
) -> Json:
    at, rows = column.position, _whole(first["rows"])
    missing = _whole(first.get(f"nan_{at}"))
    nulls = rows - _whole(first[f"present_{at}"])
    known = column.kind != "opaque"
    quantiles = first.get(f"quantiles_{at}")
    return {
        "name": column.name,
        "type": str(column.type),
        "nulls": nulls,
        "null_fraction": nulls / rows if rows else None,
        "distinct": _distinct(first, at, rows - nulls - missing) if known else None,
        "min": _value(first.get(f"min_{at}")),
        "max": _value(first.get(f"max_{at}")),
        "mean": _value(first.get(f"mean_{at}")),
        "stddev": _value(first.get(f"stddev_{at}")),
        "quantiles": {
            name: _value(value) for name, value in zip(_QUANTILE_NAMES, quantiles, strict=True)
        }
        if isinstance(quantiles, list) and len(quantiles) == len(_QUANTILE_NAMES)
        else None,
        "top": _top(second.get(f"top_{at}")),
        "histogram": _histogram(column, second),
        "basis": basis,
    }


def _distinct(first: Mapping[str, object], at: int, present: int) -> int:
    # An estimate may lie above what is possible.
    return min(_whole(first.get(f"distinct_{at}")), present)


def _value(value: object) -> object:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"{value[:_LONGEST_TEXT]}…(+{len(value) - _LONGEST_TEXT} chars)"
    return json_value(value)


def _top(entries: object) -> list[Json]:
    if not isinstance(entries, list):
        return []
    pairs = sorted(
        ((entry["key"], entry["value"]) for entry in entries),
        key=lambda pair: (-pair[1], str(pair[0])),
    )
    if pairs and pairs[0][1] == 1 and len(pairs) > TOP:
        return []
    return [{"value": _value(value), "count": count} for value, count in pairs[:TOP]]


def _histogram(column: ProfiledColumn, second: Mapping[str, object]) -> list[Json]:
    bins, counted = second.get(f"edges_{column.position}"), second.get(f"bins_{column.position}")
    if not isinstance(bins, Bins) or counted is None:
        return []
    counts = dict(counted)  # type: ignore[call-overload] - Arrow gives a map as pairs
    return [
        {
            "from": _edge(column, bins.edge(number)),
            "to": _edge(column, bins.edge(number + 1)),
            "count": counts.get(number, 0),
        }
        for number in range(bins.count)
    ]


def _edge(column: ProfiledColumn, place: float) -> object:
    if not types.is_date(column.type) and not types.is_timestamp(column.type):
        return json_value(place)
    try:
        if types.is_date(column.type):
            return (date(1970, 1, 1) + timedelta(days=int(place))).isoformat()
        zone = UTC if column.type.tz else None
        return (
            (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(place)))
            .replace(tzinfo=zone)
            .isoformat()
        )
    except OverflowError:
        # The last bin may end behind the year 9999.
        return None


def _findings(
    column: ProfiledColumn, first: Mapping[str, object], rows: int, *, small: bool
) -> list[str]:
    at, name = column.position, column.name
    present = _whole(first[f"present_{at}"])
    if rows == 0:
        return []
    if present == 0:
        return [f"Column {name} is null in every row"]
    said: list[str] = []
    distinct = _whole(first.get(f"distinct_{at}"))
    if distinct == 1 and present == rows > 1:
        said.append(f"Column {name} has the same value in every row")
    if small and distinct == rows > TOP and column.kind != "float":
        said.append(f"Column {name} is unique in every row: it looks like a key")
    if nan := _whole(first.get(f"nan_{at}")):
        said.append(f"Column {name} holds {nan:,} NaN; its figures leave them out")
    if inf := _whole(first.get(f"inf_{at}")):
        said.append(
            f"Column {name} holds {inf:,} infinite values; mean, stddev, quantiles and histogram "
            "leave them out"
        )
    if blank := _whole(first.get(f"blank_{at}")):
        said.append(f"Column {name} is blank (empty or spaces, not null) in {blank:,} rows")
    if (longest := _whole(first.get(f"longest_{at}"))) > _LONGEST_TEXT:
        shortest = _whole(first.get(f"shortest_{at}"))
        said.append(f"Text in column {name} is {shortest:,} to {longest:,} characters long")
    return said
