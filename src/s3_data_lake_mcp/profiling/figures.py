"""What was measured of a column, the contract's JSON of it, and what is worth a sentence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pyarrow import types

from s3_data_lake_mcp.profiling import Basis, Json
from s3_data_lake_mcp.profiling.aggregates import LONGEST_TEXT, TOP, ProfiledColumn
from s3_data_lake_mcp.profiling.bins import Bins
from s3_data_lake_mcp.wire import json_value

_QUANTILE_NAMES = ("p05", "p25", "p50", "p75", "p95")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FEW_VALUES = 6
_FAR_IQRS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that was measured of one column; values are ready for JSON.

    `top` holds up to six values and counts, most frequent first. `bin_counts` maps the number of
    a bin to its count: -1 is all below the first, `bins.count` all from the last one's end on.
    """

    column: ProfiledColumn
    rows: int
    present: int
    nan: int = 0
    infinite: int = 0
    distinct: int | None = None
    distinct_exact: bool = True
    low: object = None
    high: object = None
    mean: object = None
    stddev: object = None
    quantiles: Sequence[object] = ()
    quantiles_exact: bool = True
    top: Sequence[tuple[object, int]] = ()
    top_exact: bool = True
    bins: Bins | None = None
    bin_counts: Mapping[int, int] | None = None
    longest: int = 0
    blank: int = 0

    @property
    def nulls(self) -> int:
        """Rows without a value."""
        return self.rows - self.present

    def as_json(self, basis: Basis) -> Json:
        """Return the contract's column."""
        five = len(self.quantiles) == len(_QUANTILE_NAMES)
        return {
            "name": self.column.name,
            "type": str(self.column.type),
            "nulls": self.nulls,
            "null_fraction": self.nulls / self.rows if self.rows else None,
            "distinct": self.distinct,
            "min": unsigned(self.low),
            "max": unsigned(self.high),
            "mean": unsigned(_held(self.mean)),
            "stddev": _held(self.stddev),
            "quantiles": dict(zip(_QUANTILE_NAMES, map(unsigned, self.quantiles), strict=True))
            if five
            else None,
            "top": self._top_json(),
            "histogram": self._histogram_json(),
            "basis": basis,
        }

    def _top_json(self) -> list[Json]:
        # Of many values that come once, none is more frequent than the others.
        if len(self.top) > TOP and self.top[0][1] == 1:
            return []
        return [{"value": unsigned(value), "count": count} for value, count in self.top[:TOP]]

    def _histogram_json(self) -> list[Json]:
        bins, counted = self.bins, self.bin_counts
        if bins is None and self.quantiles and len(self.top) == 1 and not self.infinite:
            ((value, count),) = self.top
            return [{"from": unsigned(value), "to": unsigned(value), "count": count}]
        if bins is None or not counted:
            return []
        edge = [_edge(self.column, place) for place in bins.edges()]
        if edge[-1] is None:
            edge[-1] = self.high
        shown: list[Json] = [
            {"from": edge[number], "to": edge[number + 1], "count": counted.get(number, 0)}
            for number in range(bins.count)
        ]
        # What lies beyond the bins of a plan, or on their end, belongs to the outermost ones.
        if above := counted.get(bins.count, 0):
            end = edge[-1] if _reaches(edge[-1], self.high) else self.high
            shown[-1] |= {"to": end, "count": counted.get(bins.count - 1, 0) + above}
        if below := counted.get(-1, 0):
            shown[0] |= {"from": self.low, "count": counted.get(0, 0) + below}
        return shown


def unsigned(value: object) -> object:
    """Return a value, 0.0 for -0.0: they are equal, and which of them is told is chance."""
    return 0.0 if isinstance(value, float) and value == 0 else value


def _held(number: object) -> object:
    """Return a mean or deviation of finite numbers; None if it is more than a double holds."""
    return number if isinstance(number, int | float) and math.isfinite(number) else None


def _reaches(edge: object, high: object) -> bool:
    """Whether the highest value lies on the last edge, as far as doubles can tell."""
    if isinstance(high, str):
        try:
            high = float(high)
        except ValueError:
            return edge == high
    if not isinstance(edge, int | float) or not isinstance(high, int | float):
        return edge == high
    return high <= edge or abs(high - edge) <= 1e-9 * max(abs(high), abs(edge))


def _edge(column: ProfiledColumn, place: float) -> object:
    if column.kind != "moment":
        return json_value(unsigned(place))
    try:
        if types.is_date(column.type):
            return (date(1970, 1, 1) + timedelta(days=int(place))).isoformat()
        moment = _EPOCH + timedelta(microseconds=int(place))
        zone = UTC if getattr(column.type, "tz", None) else None
        return moment.replace(tzinfo=zone).isoformat()
    except OverflowError:
        # The last bin may end behind the year 9999.
        return None


def findings(figures: Figures) -> list[str]:
    """Return what is odd or telling about a column, a few words each."""
    rows, present, distinct = figures.rows, figures.present, figures.distinct
    if rows == 0:
        return []
    if present == 0:
        return ["null in every row"]
    if figures.column.kind == "opaque":
        return [f"only nulls are counted of {str(figures.column.type).partition('<')[0]}"]
    said: list[str] = []
    if distinct == 1 and present - figures.nan == rows > 1:
        said.append("the same value in every row")
    if distinct == rows > TOP and figures.distinct_exact and figures.column.kind != "float":
        said.append("unique in every row: it looks like a key")
    return said + _value_findings(figures)


def _value_findings(figures: Figures) -> list[str]:
    """Return what is odd about single values of a column."""
    said: list[str] = []
    if figures.nan:
        said.append(f"{figures.nan:,} NaN, left out of its figures")
    if figures.infinite:
        said.append(f"{figures.infinite:,} infinite, left out of mean, stddev and histogram")
    sums = figures.mean, figures.stddev
    if any(one is not None and _held(one) is None for one in sums):
        said.append("too large for mean or stddev, which are null")
    if figures.blank:
        said.append(f"{figures.blank:,} blank texts, which are not null")
    if figures.longest > LONGEST_TEXT:
        said.append(f"texts of up to {figures.longest:,} characters")
    if far := _far_out(figures):
        said.append(far)
    return said


def _far_out(figures: Figures) -> str:
    """Name an end that lies more than three interquartile ranges away from the middle half."""
    ends = (figures.low, figures.high, *figures.quantiles)
    if figures.column.kind not in {"number", "float"} or len(ends) != len(_QUANTILE_NAMES) + 2:
        return ""
    if (figures.distinct or 0) <= _FEW_VALUES:
        return ""
    low, high, _, p25, _, p75, _ = (float(str(end)) for end in ends)
    if p75 <= p25:
        return ""
    span = _FAR_IQRS * (p75 - p25)
    far = [f"{figures.low} (min)"] if low < p25 - span else []
    far += [f"{figures.high} (max)"] if high > p75 + span else []
    return f"outliers: {' and '.join(far)} far from the middle half" if far else ""
