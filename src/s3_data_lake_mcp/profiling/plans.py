"""From a sample to a plan: the bins and values to count, so that one pass over all rows will do."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as arrow_compute
from pyarrow import types

from s3_data_lake_mcp.profiling.aggregates import (
    BEHIND_BLANKS,
    MEASURED,
    MOST_COUNTED_VALUES,
    Plan,
    ProfiledColumn,
    kind_of,
)
from s3_data_lake_mcp.profiling.bins import bins_between
from s3_data_lake_mcp.profiling.sample import Sample
from s3_data_lake_mcp.profiling.tallies import places_of

pc: Any = arrow_compute  # its stubs know too little of it

_CANDIDATES = 10
_LEAST_SHARE = 0.005
_LEAST_COUNT = 5
_DRAWN_VALUES = 1 << 17
"""So many random values have all quantiles within half a percent of the rank (DKW inequality)."""


def plans_of(
    sample: Sample,
    columns: Sequence[ProfiledColumn],
    size_bytes: int,
    room_bytes: float = math.inf,
) -> dict[int, Plan]:
    """Return a plan for each column by its position.

    Values are counted in full only where parts of the sample that lie apart hold the same ones: a
    column that is sorted or clustered has few values in each part and many in all.

    `size_bytes` are all that is to be profiled, `room_bytes` what may be read: if that is not
    enough for a second time, the sample foretells nothing that a second pass would have to
    mend.
    """
    scale = size_bytes / sample.size_bytes if sample.size_bytes else 0.0
    found = {column.position: _plan(sample, column, scale) for column in columns}
    if 2 * size_bytes <= room_bytes:
        return found
    return {at: replace(plan, share=1.0, blanks=True) for at, plan in found.items()}


def _plan(sample: Sample, column: ProfiledColumn, scale: float) -> Plan:
    if column.kind == "opaque":
        return Plan()
    known = column.name in sample.table.column_names
    values: Any = sample.table.column(column.name) if known else pa.nulls(0)
    if values.null_count == len(values):
        # There can't be many.
        return Plan(count_all=True)
    kinds = {kind_of(values.type), column.kind}
    if "opaque" in kinds:
        return Plan()
    count_all, candidates = _frequent(values, sample.parts, column)
    if len(kinds) > 1 and not kinds <= {"number", "float"}:
        return Plan(count_all=count_all)
    return Plan(
        bins=_bins(values, column),
        center=_center(values, column),
        count_all=count_all,
        candidates=candidates,
        share=_share(scale * (len(values) - values.null_count)),
        blanks=column.kind != "text" or _has_blanks(values),
    )


def _has_blanks(values: Any) -> bool:  # noqa: ANN401 - of pyarrow's
    low = pc.min(values).as_py()
    return low is not None and str(low) < BEHIND_BLANKS


def _share(present: float) -> float:
    """Return the share of so many values that is enough to estimate quantiles."""
    return round(_DRAWN_VALUES / present, 6) if present > 2 * _DRAWN_VALUES else 1.0


def _bins(values: Any, column: ProfiledColumn) -> Any:  # noqa: ANN401 - of pyarrow's
    if column.kind not in MEASURED:
        return None
    moments = column.kind == "moment"
    known = values.combine_chunks().drop_null()
    places = places_of(known, column) if moments else known
    if types.is_floating(places.type):
        places = places.filter(pc.is_finite(places))
    ends = pc.min_max(places)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low is None:
        return None
    if not (moments or (types.is_integer(column.type) and isinstance(low, int))):
        low, high = float(low), float(high)
    return bins_between(low, high, column.type)


def _center(values: Any, column: ProfiledColumn) -> float | None:  # noqa: ANN401 - of pyarrow's
    if column.kind not in {"number", "float"}:
        return None
    numbers = values.drop_null().cast(pa.float64(), safe=False)
    mean = pc.mean(numbers.filter(pc.is_finite(numbers))).as_py()
    return mean if mean is not None and math.isfinite(mean) else None


def _frequent(
    values: Any,  # noqa: ANN401 - of pyarrow's
    parts: Sequence[int],
    column: ProfiledColumn,
) -> tuple[bool, tuple[object, ...]]:
    coded: Any = values.combine_chunks().dictionary_encode()
    codes = coded.indices
    if not len(coded.dictionary):
        return True, ()
    within = [codes[:0]]
    start = 0
    for rows in parts:
        within.append(codes.slice(start, rows).unique())
        start += rows
    tallied: Any = pa.concat_arrays(within).drop_null().value_counts()
    if _estimated(len(coded.dictionary), tallied.field("counts")) <= MOST_COUNTED_VALUES:
        return True, ()
    if column.kind == "moment" and types.is_timestamp(values.type) and values.type.unit == "ns":
        # Nanoseconds have no Python value to bind.
        return False, ()
    counted: Any = codes.drop_null().value_counts()
    least = max(_LEAST_COUNT, _LEAST_SHARE * len(codes))
    frequent = counted.filter(pc.greater_equal(counted.field("counts"), least)).to_pylist()
    ranked = sorted(frequent, key=lambda entry: -entry["counts"])[:_CANDIDATES]
    return False, tuple(coded.dictionary[entry["values"]].as_py() for entry in ranked)


def _estimated(distinct: int, parts_of_values: Any) -> float:  # noqa: ANN401 - of pyarrow's
    """Estimate a column's distinct values by in how many parts each sampled one is.

    The estimator is Chao2 (A. Chao, Biometrics 43, 1987), a lower bound for uneven distributions.
    """
    once = pc.sum(pc.equal(parts_of_values, 1)).as_py() or 0
    twice = pc.sum(pc.equal(parts_of_values, 2)).as_py() or 0
    if once and twice < _LEAST_COUNT:
        return float(distinct) if once <= _LEAST_COUNT else float("inf")
    return distinct + once * once / (2 * twice) if once else float(distinct)
