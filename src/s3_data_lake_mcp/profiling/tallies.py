"""Figures of all values of a column, exactly: of rows, or of values counted."""

import decimal
import math
import operator
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as arrow_compute
from pyarrow import types

from s3_data_lake_mcp.profiling.aggregates import LONGEST_TEXT, QUANTILES, ProfiledColumn
from s3_data_lake_mcp.profiling.bins import Bins, bins_between
from s3_data_lake_mcp.wire import Clipper, json_rows

type Values = Any
"""An Arrow array, or numbers of numpy: their stubs know too little of them."""

pc: Values = arrow_compute
_DIGITS = 120
"""Sums of decimals may be longer than one of them."""

_ENDLESS = (1 << 63) - 1
_ENDLESS_DAY = (1 << 31) - 1
"""Where the engine puts moments without an end."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Quantiles, ready for JSON, a histogram, and of numbers mean and deviation."""

    quantiles: list[object]
    bins: Bins | None
    bin_counts: dict[int, int] | None
    mean: object = None
    stddev: object = None


def tally_of(column: ProfiledColumn, keys: Values, counts: Values) -> Tally:
    """Return what the values of a numeric column, or one of moments, and their counts tell.

    Quantiles of numbers are interpolated, those of moments are values (SQL's `percentile_cont` and
    `percentile_disc`).
    """
    known = pc.and_(keys.is_valid(), _has_end(column, keys))
    keys, counts = keys.filter(known), counts.filter(known)
    # In order, for the last digit of a sum depends on it, and groups come in any.
    order = pc.array_sort_indices(keys)
    keys, counts = keys.take(order), counts.take(order)
    until: Values = pc.cumulative_sum(counts.cast(pa.int64())).to_numpy()
    told = _tally(column, keys, until)
    if column.kind == "moment" or not len(keys):
        return told
    mean, stddev = mean_and_deviation(keys.to_pylist(), counts.to_pylist())
    return replace(told, mean=mean, stddev=stddev)


def mean_and_deviation(values: Sequence[Any], counts: Sequence[int]) -> tuple[float, float | None]:
    """Return both of values, at least one, that come so many times each."""
    rows = sum(counts)
    with decimal.localcontext(prec=_DIGITS):
        if isinstance(values[0], float):
            mean = math.fsum(v * (n / rows) for v, n in zip(values, counts, strict=True))
        else:
            mean = float(sum(map(operator.mul, values, counts)) / rows)
        # Of large numbers that lie close together, the digits would be lost.
        away = [float(value - values[0]) for value in values]
    shift = math.fsum(map(operator.mul, away, counts)) / rows
    squares = math.fsum(n * (d - shift) * (d - shift) for d, n in zip(away, counts, strict=True))
    return mean, math.sqrt(squares / (rows - 1)) if rows > 1 else None


def tally_rows(column: ProfiledColumn, values: Values) -> Tally:
    """Return what the values of rows tell, none of them null."""
    values = values.filter(_has_end(column, values))
    return _tally(column, values.take(pc.array_sort_indices(values)), range(1, len(values) + 1))


def places_of(values: Values, column: ProfiledColumn) -> Values:
    """Return moments as numbers on the axis of their histogram: microseconds, or days."""
    if types.is_date(column.type):
        return values.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
    zone = getattr(values.type, "tz", None)
    return values.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())


def _has_end(column: ProfiledColumn, values: Values) -> Values:
    if column.kind == "moment":
        endless = _ENDLESS_DAY if types.is_date(column.type) else _ENDLESS
        places = places_of(values, column)
        return pc.and_(pc.less(places, endless), pc.greater(places, -endless))
    if types.is_floating(values.type):
        return pc.is_finite(values)
    return values.is_valid()


def _tally(column: ProfiledColumn, ordered: Values, until: Sequence[int]) -> Tally:
    """Return what values in order tell, `until` each of which are so many rows."""
    if not len(ordered):
        return Tally([], None, {})
    moments = column.kind == "moment"
    places = _numbers(places_of(ordered, column) if moments else ordered)
    rows = int(until[-1])
    if moments:
        ranks = (max(0, math.ceil(q * rows) - 1) for q in QUANTILES)
        taken = ordered.take(pa.array([bisect_right(until, rank) for rank in ranks]))
        quantiles = [row[0] for row in json_rows(pa.table({"v": taken}), Clipper(LONGEST_TEXT))]
    else:
        quantiles = [_between(places, until, q) for q in QUANTILES]
    low, high = _plain(places[0]), _plain(places[-1])
    bins = bins_between(low, high, column.type)
    return Tally(quantiles, bins, _counted(bins, places, until) if bins else {})


def _numbers(values: Values) -> Values:
    """Return values as a sequence of numbers; whole ones stay whole, decimals become doubles."""
    if types.is_decimal(values.type):
        return [float(value) for value in values.to_pylist()]
    return values.to_numpy(zero_copy_only=False)


def _plain(number: Values) -> Any:  # noqa: ANN401 - an int or a float
    return number.item() if hasattr(number, "item") else number


def _counted(bins: Bins, places: Values, until: Sequence[int]) -> dict[int, int]:
    """Count the rows between the edges just as they are shown."""
    ends = [bisect_left(places, edge) for edge in bins.edges()[1:-1]]
    below = [0, *(int(until[end - 1]) if end else 0 for end in ends), int(until[-1])]
    counts = (after - before for before, after in pairwise(below))
    return {at: count for at, count in enumerate(counts) if count}


def _between(numbers: Values, until: Sequence[int], q: float) -> float:
    rank = q * (int(until[-1]) - 1)
    below = math.floor(rank)
    low = float(numbers[bisect_right(until, below)])
    high = float(numbers[bisect_right(until, math.ceil(rank))])
    return low + (high - low) * (rank - below)
