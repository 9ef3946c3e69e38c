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


def bins_between(low: float, high: float, kind: pa.DataType) -> Bins | None:
    """Return the bins between two finite values; None if they are equal or too far apart.

    Of timestamps, edges are whole in the longest unit that many of the bins have.
    """
    span = high - low
    if not 0 < span < math.inf:
        return None
    if not (isinstance(low, int) and isinstance(high, int)):
        return Bins(start=low, width=span / _BINS, count=_BINS, stop=high)
    # Whole numbers get bins of a whole width, one value each where there are few.
    units = [s * 10**6 for s in _SECONDS] if types.is_timestamp(kind) else []
    unit = next((unit for unit in units if span >= 2 * _BINS * unit), 1)
    start = low - low % unit
    reach = (high - start) // unit + 1
    width = -(-reach // _BINS)
    return Bins(start=start, width=width * unit, count=-(-reach // width))
