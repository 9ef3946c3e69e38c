"""Bins of a histogram: where they start, and how wide they are."""

import math
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Equal bins `[start + i*width, start + (i+1)*width)`.

    Moments are counted in microseconds since 1970 (dates: in days).
    """

    start: float | int
    width: float | int
    count: int

    def edge(self, at: int) -> float | int:
        """Return where bin `at` starts."""
        return self.start + self.width * at


_SECONDS = (86_400, 3_600, 60, 1)


def moment_unit(data_type: pa.DataType, span: int) -> int:
    """Return the unit, on the axis of moments, in which edges of bins over a span are whole."""
    if types.is_date(data_type):
        return 1
    return next((s * 10**6 for s in _SECONDS if span >= 2 * BINS * s * 10**6), 1)


def bins_between(low: float, high: float, *, unit: int = 1) -> Bins | None:
    """Return the bins between two finite values; None if they are equal or too far apart.

    Args:
        low: Where they start.
        high: Where they end.
        unit: What edges of whole numbers are multiples of.
    """
    span = high - low
    if not 0 < span < math.inf:
        return None
    if not (isinstance(low, int) and isinstance(high, int)):
        return Bins(start=low, width=span / BINS, count=BINS)
    # Whole numbers get bins of a whole width, one value each where there are few.
    start = low - low % unit
    reach = (high - start) // unit + 1
    width = -(-reach // BINS)
    return Bins(start=start, width=width * unit, count=-(-reach // width))
