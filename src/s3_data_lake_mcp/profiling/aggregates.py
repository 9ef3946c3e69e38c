"""The SQL of a profile: one SELECT of aggregates for all columns, and one for what needs their result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from pyarrow import types

type Kind = Literal["number", "float", "text", "moment", "plain", "opaque"]
"""What can be computed: `plain` has an order (booleans, times), `opaque` can only be null."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP = 5
BINS = 10
MOST_COUNTED_VALUES = 10_000
"""Up to this many distinct values, the most frequent ones are found by counting them all."""

_CANDIDATES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfiledColumn:
    """One column and what can be computed of it."""

    name: str
    type: pa.DataType
    position: int

    @property
    def kind(self) -> Kind:
        """What can be computed."""
        return kind_of(self.type)

    @property
    def quoted(self) -> str:
        """The name as an SQL identifier."""
        return '"' + self.name.replace('"', '""') + '"'


def kind_of(data_type: pa.DataType) -> Kind:
    """Return what can be computed of an Arrow type."""
    if types.is_dictionary(data_type):
        return kind_of(data_type.value_type)
    if types.is_floating(data_type):
        return "float"
    if types.is_integer(data_type) or types.is_decimal(data_type):
        return "number"
    if types.is_string(data_type) or types.is_large_string(data_type):
        return "text"
    if types.is_date(data_type) or types.is_timestamp(data_type):
        return "moment"
    if types.is_boolean(data_type) or types.is_time(data_type):
        return "plain"
    return "opaque"


def first_pass(columns: Sequence[ProfiledColumn], *, small: bool) -> str:
    """Return the SELECT of all that needs no earlier result; one row, fields `<what>_<position>`.

    Args:
        columns: What to profile.
        small: Whether distinct counts and quantiles are exact; else approximate.
    """
    fields = ["count(*) AS rows"]
    for column in columns:
        fields.extend(_fields(column, small=small))
    return select_of(fields)


def _fields(column: ProfiledColumn, *, small: bool) -> list[str]:
    name, at, kind = column.quoted, column.position, column.kind
    fields = [f"count({name}) AS present_{at}"]
    if kind == "opaque":
        return fields
    ordered, finite = "", ""
    if kind == "float":
        ordered = f" FILTER (WHERE NOT isnan({name}))"
        finite = f" FILTER (WHERE isfinite({name}))"
        fields.append(f"count(*) FILTER (WHERE isnan({name})) AS nan_{at}")
        fields.append(f"count(*) FILTER (WHERE isinf({name})) AS inf_{at}")
    distinct = f"count(DISTINCT {name})" if small else f"approx_count_distinct({name})"
    fields += [
        f"min({name}){ordered} AS min_{at}",
        f"max({name}){ordered} AS max_{at}",
        f"{distinct}{ordered} AS distinct_{at}",
        f"approx_top_k({name}, {_CANDIDATES}){ordered} AS likely_{at}",
    ]
    if kind in {"number", "float"}:
        mean = f"favg({name})" if kind == "float" else f"avg({name})"
        fields.append(f"{mean}{finite} AS mean_{at}")
        fields.append(f"stddev_samp(CAST({name} AS DOUBLE)){finite} AS stddev_{at}")
    if kind in {"number", "float", "moment"}:
        fields.append(f"{_quantile(name, kind, small=small)}{finite} AS quantiles_{at}")
    if kind == "text":
        fields += [
            f"min(length({name})) AS shortest_{at}",
            f"max(length({name})) AS longest_{at}",
            f"count(*) FILTER (WHERE trim({name}) = '') AS blank_{at}",
        ]
    return fields


def _quantile(name: str, kind: Kind, *, small: bool) -> str:
    points = f"[{', '.join(map(str, QUANTILES))}]"
    if kind == "moment":
        # Interpolation between two dates would be no date.
        function = "quantile_disc" if small else "approx_quantile"
        return f"{function}({name}, {points})"
    number = f"CAST({name} AS DOUBLE)"
    return f"quantile_cont({number}, {points})" if small else f"approx_quantile({number}, {points})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Equal bins `[start + i*width, start + (i+1)*width)`, the last one closed.

    Moments are counted in microseconds since 1970 (dates: in days).
    """

    start: float | int
    width: float | int
    count: int

    def edge(self, at: int) -> float | int:
        """Return where bin `at` starts."""
        return self.start + self.width * at


def bins_between(low: float, high: float, *, whole: bool) -> Bins | None:
    """Return the bins between two finite values; None if they are equal or too far apart."""
    span = high - low
    if span <= 0 or span == float("inf"):
        return None
    if not whole:
        return Bins(start=low, width=span / BINS, count=BINS)
    # Whole numbers get bins of a whole width, one value each where there are few.
    width = -(-(int(span) + 1) // BINS)
    return Bins(start=low, width=width, count=-(-(int(span) + 1) // width))


def bin_field(column: ProfiledColumn, bins: Bins) -> str:
    """Return the field `bins_<position>`: a map from the number of a bin to its count."""
    name = column.quoted
    if types.is_date(column.type):
        value = f"(CAST({name} AS DATE) - DATE '1970-01-01')"
    elif types.is_timestamp(column.type):
        value = f"epoch_us({name})"
    elif types.is_integer(column.type):
        value = f"CAST({name} AS HUGEINT)"
    else:
        value = f"CAST({name} AS DOUBLE)"
    finite = f" FILTER (WHERE isfinite({name}))" if column.kind == "float" else ""
    place = f"floor(({value} - ({bins.start!r})) / {bins.width!r})"
    if isinstance(bins.start, int):
        place = f"(({value} - ({bins.start})) // {bins.width})"
    number = f"CAST(greatest(0, least({bins.count - 1}, {place})) AS INTEGER)"
    return f"histogram({number}){finite} AS bins_{column.position}"


def top_field(column: ProfiledColumn, *, candidates: int = 0) -> str:
    """Return the field `top_<position>`: entries of values and their exact counts.

    Args:
        column: The column.
        candidates: How many parameters name the only values to count; 0 counts all values, of
            which there must be few.
    """
    name = column.quoted
    ordered = f" FILTER (WHERE NOT isnan({name}))" if column.kind == "float" else ""
    if candidates:
        wanted = ", ".join("?" * candidates)
        ordered = f" FILTER (WHERE {name} IN ({wanted}))"
    entries = f"map_entries(histogram({name}){ordered})"
    counts = f"list_reverse_sort(list_transform({entries}, lambda e: e.value))"
    return (
        f"list_filter({entries}, lambda e: e.value >= coalesce({counts}[{TOP}], 0)) "
        f"AS top_{column.position}"
    )


def select_of(fields: Sequence[str]) -> str:
    """Return the SELECT of these fields over all rows."""
    return f"SELECT {', '.join(fields)} FROM data"  # noqa: S608 - only quoted identifiers go in
