"""The aggregates of a profile over all rows: fields of SQL, named `<what>_<position>`.

What is left out of a figure is null before it is aggregated: for every aggregate with a filter the
engine copies what all of them are computed of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
from pyarrow import types

from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.profiling.bins import Bins

type Kind = Literal["number", "float", "text", "moment", "plain", "opaque"]
"""What can be computed: `plain` has an order (booleans, times), `opaque` can only be null."""

MEASURED = frozenset({"number", "float", "moment"})
"""Kinds of columns that have quantiles and a histogram."""

LUCK = "luck"
"""A random number of each row."""

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TOP = 5
MOST_COUNTED_VALUES = 20_000
"""Up to this many distinct values, the most frequent ones are found by counting them all."""

BEHIND_BLANKS = "!"
"""Blank texts are smaller."""

LONGEST_TEXT = 200
_SUMMED_DIGITS = 28
"""Of longer decimals, the engine's sums overflow."""

_EPOCH = "DATE '1970-01-01'"


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
    def identifier(self) -> str:
        """The name as an SQL identifier."""
        return identifier(self.name)

    @property
    def quoted(self) -> str:
        """The column's values in SQL."""
        # Identifiers and enumerations come as text; as themselves they have no length.
        return f"CAST({self.identifier} AS VARCHAR)" if self.kind == "text" else self.identifier

    @property
    def sources(self) -> Iterator[str]:
        """What is selected for it: values as `v_`, those that are numbers `n_`, finite ones `f_`.

        Which of them are told apart depends on its kind.
        """
        name, at = self.identifier, self.position
        yield f"{self.quoted} AS v_{at}"
        if self.kind == "float":
            yield f"CASE WHEN NOT isnan({name}) THEN {name} END AS n_{at}"
        if self.kind in {"float", "moment"}:
            coarse = f"CAST({name} AS TIMESTAMPTZ)" if self._is_fine else name
            yield f"CASE WHEN isfinite({coarse}) THEN {name} END AS f_{at}"

    @property
    def ordered(self) -> str:
        """The values that have an order."""
        return f"{'n' if self.kind == 'float' else 'v'}_{self.position}"

    @property
    def finite(self) -> str:
        """The values that are numbers, or moments, with an end."""
        return f"{'f' if self.kind in {'float', 'moment'} else 'v'}_{self.position}"

    @property
    def coarse(self) -> str:
        """The finite values as what the engine has functions for."""
        return f"CAST({self.finite} AS TIMESTAMPTZ)" if self._is_fine else self.finite

    @property
    def _is_fine(self) -> bool:
        # Of nanoseconds with a zone the engine knows no more than their order.
        return types.is_timestamp(self.type) and self.type.unit == "ns" and bool(self.type.tz)


def kind_of(data_type: pa.DataType) -> Kind:
    """Return what can be computed of an Arrow type."""
    kind = data_type.value_type if types.is_dictionary(data_type) else data_type
    found: Kind = "opaque"
    if types.is_floating(kind):
        found = "float"
    elif types.is_integer(kind) or types.is_decimal(kind):
        found = "number"
    elif types.is_string(kind) or types.is_large_string(kind):
        found = "text"
    elif types.is_date(kind) or types.is_timestamp(kind):
        found = "moment"
    elif types.is_boolean(kind) or types.is_time(kind):
        found = "plain"
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What needs to be known of a column before its histogram and top values can be counted.

    `count_all` counts every value, of which there must be few; else only the `candidates`. The
    deviation is computed of differences to `center`, about the mean: of large numbers that lie
    close together, the digits would be lost. Quantiles are estimated of a random `share` of the
    values, which must be many. Blank texts are counted if `blanks`; else the smallest text tells
    whether there may be any.
    """

    bins: Bins | None = None
    center: float | None = None
    count_all: bool = False
    candidates: tuple[object, ...] = ()
    share: float = 1.0
    blanks: bool = True


def measures(column: ProfiledColumn, *, small: bool, plan: Plan | None) -> list[str]:
    """Return the fields that need no earlier result, of a column whose values are not counted.

    Args:
        column: What to profile.
        small: Whether distinct counts and quantiles are exact, which keeps all values in memory.
        plan: What is counted beside them. None if the plan is to be made of these fields.
    """
    at, kind = column.position, column.kind
    fields = [f"count(v_{at}) AS present_{at}"]
    if kind == "opaque":
        return fields
    if kind == "float":
        fields += [f"count(n_{at}) AS numbers_{at}", f"count(f_{at}) AS finite_{at}"]
    if kind in {"number", "float"}:
        fields.append(f"{_mean(column)} AS mean_{at}")
        fields += [deviation(column, plan)] if plan is not None else []
    if kind in MEASURED:
        fields.append(quantiles(column, 1.0 if plan is None else plan.share, small=small))
    if kind in {"float", "moment"} and plan is None:
        fields += [
            f"{place_of(column, f'{what}({column.coarse})')} AS {what}place_{at}"
            for what in ("min", "max")
        ]
    distinct = "count(DISTINCT " if small else "approx_count_distinct("
    fields.append(f"{distinct}{column.ordered}) AS distinct_{at}")
    fields += [f"{what}({column.ordered}) AS {what}_{at}" for what in ("min", "max")]
    if kind == "text":
        fields.append(f"max(length(v_{at})) AS longest_{at}")
        fields += [blanks(column)] if plan is None or plan.blanks else []
    return fields


def blanks(column: ProfiledColumn) -> str:
    """Return the field that counts blank texts."""
    at = column.position
    return f"count(CASE WHEN {is_blank(f'v_{at}')} THEN 1 END) AS blank_{at}"


def _mean(column: ProfiledColumn) -> str:
    kind = column.type
    if types.is_decimal(kind) and kind.precision > _SUMMED_DIGITS:
        return f"favg(CAST({column.finite} AS DOUBLE))"
    return f"{'favg' if column.kind == 'float' else 'avg'}({column.finite})"


def is_blank(text: str) -> str:
    """Return whether there is nothing but white space in a text."""
    # Only what begins with a space or a control character needs to be trimmed.
    return f"{text} < '{BEHIND_BLANKS}' AND trim({text}, ' \t\n\r\v\f') = ''"


def deviation(column: ProfiledColumn, plan: Plan) -> str:
    """Return the field that tells how far a column's values lie from the plan's center."""
    near = f" - ({plan.center!r})" if plan.center is not None else ""
    number = f"CAST({column.finite} AS DOUBLE){near}"
    return f"stddev_samp({number}) AS stddev_{column.position}"


def quantiles(column: ProfiledColumn, share: float, *, small: bool) -> str:
    """Return the field of quantiles, estimated of a share of the values or exact."""
    at, points = column.position, f"[{', '.join(map(str, QUANTILES))}]"
    number = f"CAST({column.finite} AS DOUBLE)"
    if small:
        # Interpolation between two dates would be no date.
        moment = column.kind == "moment"
        exactly = f"disc({column.finite}" if moment else f"cont({number}"
        return f"quantile_{exactly}, {points}) AS quantiles_{at}"
    value = column.coarse if column.kind == "moment" else number
    if share < 1:
        value = f"CASE WHEN {LUCK} < {share!r} THEN {value} END"
    return f"approx_quantile({value}, {points}) AS quantiles_{at}"


def place_of(column: ProfiledColumn, value: str) -> str:
    """Return where a finite value is on the axis of its histogram."""
    if column.kind == "float":
        return value
    if types.is_date(column.type):
        return f"(CAST({value} AS DATE) - {_EPOCH})"
    return f"epoch_us({value})"
