"""What the counts of all values of a column tell: quantiles and a histogram, exactly."""

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pyarrow as pa
from pyarrow import types

from s3_data_lake_mcp.profiling.aggregates import LONGEST_TEXT, QUANTILES, ProfiledColumn
from s3_data_lake_mcp.profiling.bins import Bins, bins_between, moment_unit
from s3_data_lake_mcp.profiling.frames import places_of
from s3_data_lake_mcp.wire import Clipper, json_rows

_ENDLESS = (1 << 63) - 1
"""Where the engine puts moments without an end."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Quantiles, ready for JSON, and a histogram."""

    quantiles: list[object]
    bins: Bins | None
    bin_counts: dict[int, int] | None


def tally_of(column: ProfiledColumn, keys: "pa.Array[Any]", counts: "pa.Array[Any]") -> Tally:
    """Return what the values of a numeric column, or one of moments, and their counts tell.

    Quantiles of numbers are interpolated, those of moments are values (SQL's `percentile_cont` and
    `percentile_disc`).
    """
    moments = column.kind == "moment"
    places: list[Any] = (places_of(keys, column) if moments else keys).to_pylist()
    if types.is_decimal(column.type):
        places = [float(place) for place in places]
    endless = _ENDLESS if moments else math.inf
    ranked = sorted((place, at) for at, place in enumerate(places) if abs(place) < endless)
    if not ranked:
        return Tally([], None, {})
    rows: list[Any] = counts.to_pylist()
    numbers = [place for place, _ in ranked]
    weights = [rows[at] for _, at in ranked]
    until = list(accumulate(weights))
    if moments:
        taken = keys.take(pa.array([ranked[_at(until, _nth(q, until[-1]))][1] for q in QUANTILES]))
        quantiles = [row[0] for row in json_rows(pa.table({"v": taken}), Clipper(LONGEST_TEXT))]
    else:
        quantiles = [_between(numbers, until, q) for q in QUANTILES]
    low, high = numbers[0], numbers[-1]
    unit = moment_unit(column.type, int(high - low)) if moments else 1
    bins = bins_between(low, high, unit=unit)
    bin_counts: Counter[int] = Counter()
    if bins is not None:
        for place, weight in zip(numbers, weights, strict=True):
            whole = isinstance(place, int) and isinstance(bins.width, int)
            distance = place - bins.start
            number = distance // bins.width if whole else distance / bins.width
            bin_counts[min(bins.count, math.floor(number))] += weight
    return Tally(quantiles, bins, dict(bin_counts))


def _at(until: list[int], rank: int) -> int:
    """Return the position of the value that the row of a rank has."""
    return bisect_right(until, rank)


def _nth(q: float, rows: int) -> int:
    return max(0, math.ceil(q * rows) - 1)


def _between(numbers: list[float | int], until: list[int], q: float) -> float:
    rank = q * (until[-1] - 1)
    below = math.floor(rank)
    low = float(numbers[_at(until, below)])
    high = float(numbers[_at(until, math.ceil(rank))])
    return low + (high - low) * (rank - below)
