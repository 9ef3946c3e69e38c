"""Bins of a histogram: where they start, and how wide they are."""

import math
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
from pyarrow import types

_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Equal bins `[start + i*width, start + (i+1)*width)`, the last one up to `stop`, if given.

    Moments are counted in microseconds since 1970 (dates: in days).
    """

    start: float | int
    width: float | int
    count: int
    stop: float | int | None = None

    def edges(self) -> list[float | int]:
        """Return where the bins start, and where the last one ends.

        Sums of widths end in noise that says nothing: it is cut off, the outermost edges excepted.
        """
        plain = [self.start + self.width * at for at in range(self.count + 1)]
        if self.stop is not None:
            plain[-1] = self.stop
        if not isinstance(self.width, float):
            return plain
        tidy = [plain[0], *(float(f"{edge:.15g}") for edge in plain[1:-1]), plain[-1]]
        return tidy if all(a < b for a, b in pairwise(tidy)) else plain


_SECONDS = (86_400, 3_600, 60, 1)


def moment_unit(data_type: pa.DataType, span: int) -> int:
    """Return the unit, on the axis of moments, in which edges of bins over a span are whole."""
    if types.is_date(data_type):
        return 1
    return next((s * 10**6 for s in _SECONDS if span >= 2 * _BINS * s * 10**6), 1)


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
        return Bins(start=low, width=span / _BINS, count=_BINS, stop=high)
    # Whole numbers get bins of a whole width, one value each where there are few.
    start = low - low % unit
    reach = (high - start) // unit + 1
    width = -(-reach // _BINS)
    return Bins(start=start, width=width * unit, count=-(-reach // width))
