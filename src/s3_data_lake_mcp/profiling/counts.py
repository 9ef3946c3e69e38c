"""The SELECTs of a profile: aggregates over all rows, and beside them the counts of values.

The rows are read once and handed on to all of them. The engine does that without keeping them as
long as each is a group-by.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyarrow import types

from s3_data_lake_mcp.engines import Written
from s3_data_lake_mcp.profiling.aggregates import (
    LUCK,
    MEASURED,
    TOP,
    Plan,
    ProfiledColumn,
    deviation,
    is_blank,
    measures,
    place_of,
)
from s3_data_lake_mcp.profiling.bins import Bins

TALLY_PARTS = ("keys", "values")
_ROWS = "lake_rows"
_BIGINTS = range(-(1 << 63), 1 << 63)


@dataclass(slots=True)
class Selection:
    """What one SELECT computes in one row.

    `rows` is the table of all rows. `written` tells of which columns the text is at hand: few texts
    are counted before they are cast.
    """

    rows: str
    written: Mapping[str, Written] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    fields: list[str] = field(default_factory=list)
    tallies: list[str] = field(default_factory=list)
    params: list[object] = field(default_factory=list)

    def add_measures(self, column: ProfiledColumn, plan: Plan | None, *, small: bool) -> None:
        """Measure a column, in the same pass as what its plan counts."""
        if plan is None or not plan.count_all:
            self.add_fields(column, *measures(column, small=small, plan=plan))
        if plan is not None:
            self.add_counts(column, plan)

    def add_counts(self, column: ProfiledColumn, plan: Plan) -> None:
        """Count bins and values as a plan allows."""
        if plan.count_all:
            written = self.written.get(column.name)
            if written is None:
                self.add_fields(column)
            else:
                self.sources[f"{written.text} AS t_{column.position}"] = None
            self.tallies.append(_tally(column, written))
            return
        if plan.bins:
            self.add_fields(column, _bin_field(column, plan.bins))
        if plan.candidates:
            self.add_fields(column)
            self.tallies.append(_candidates(column, len(plan.candidates)))
            self.params += plan.candidates

    def add_deviation(self, column: ProfiledColumn, plan: Plan) -> None:
        """Measure how far a column's values lie from their mean, which the plan knows."""
        if plan.center is not None and not plan.count_all:
            self.add_fields(column, deviation(column, plan))

    def add_fields(self, column: ProfiledColumn, *fields: str) -> None:
        """Compute fields of a column's values."""
        self.sources |= dict.fromkeys(column.sources)
        self.fields += fields

    def sql(self, *, grouped: bool) -> str:
        """Return the SELECT over all rows.

        If they are `grouped`, all rows are a group; then there is none without a row.
        """
        table = "texts" if self.written else self.rows
        # Only quoted identifiers and numbers of our own go in.
        rows = f"SELECT {', '.join([*self.sources, f'random() AS {LUCK}'])} FROM {table}"  # noqa: S608 - quoted names, and our own
        # The engine would drop a constant.
        group = f" GROUP BY {LUCK} < 0" if grouped else ""
        fields = ", ".join(["count(*) AS rows", *self.fields])
        parts = [f"SELECT {fields} FROM {_ROWS}{group}", *self.tallies]  # noqa: S608 - as above
        kept = " MATERIALIZED" if self.tallies else ""
        return f"WITH {_ROWS} AS{kept} ({rows}) FROM {', '.join(f'({part})' for part in parts)}"


def _counted(column: ProfiledColumn, where: str = "") -> str:
    value = f"v_{column.position}"
    return f"(SELECT {value} AS k, count(*) AS n FROM {_ROWS}{where} GROUP BY ALL)"  # noqa: S608 - as above


def _counted_texts(column: ProfiledColumn, written: Written) -> str:
    """Return the SELECT of values and how often they come, of which several texts may be one."""
    texts = f"SELECT t_{column.position} AS t, count(*) AS m FROM {_ROWS} GROUP BY ALL"  # noqa: S608 - as above
    values = f"{written.value}(t) AS k, CAST(sum(m) AS BIGINT) AS n"
    return f"(SELECT {values} FROM ({texts}) GROUP BY ALL)"  # noqa: S608 - as above


def _tally(column: ProfiledColumn, written: Written | None) -> str:
    """Return the SELECT of what the counts of all values tell, and for quantiles of them all."""
    at = column.position
    there = "k IS NOT NULL" + (" AND NOT isnan(k)" if column.kind == "float" else "")
    present = f" FILTER (WHERE {there})"
    fields = [
        _total("present", "k IS NOT NULL", at),
        f"count(k){present} AS counted_{at}",
        *(f"{what}(k){present} AS {what}_{at}" for what in ("min", "max")),
        f"{_TOP}{present} AS top_{at}",
    ]
    if column.kind == "float":
        fields += [_total("numbers", there, at), _total("finite", "isfinite(k)", at)]
    if column.kind == "text":
        fields += [f"max(length(k)) AS longest_{at}", _total("blank", is_blank("k"), at)]
    if column.kind in MEASURED:
        pairs = zip(TALLY_PARTS, "kn", strict=True)
        fields += [f"list({what}){present} AS {part}_{at}" for part, what in pairs]
    counted = _counted(column) if written is None else _counted_texts(column, written)
    return f"SELECT {', '.join(fields)} FROM {counted}"  # noqa: S608 - as above


_TOP = f"min({{'n': -n, 'v': k}}, {TOP + 1})"
"""The most frequent values, one more than are shown, and their counts."""


def _total(what: str, where: str, at: int) -> str:
    return f"coalesce(CAST(sum(n) FILTER (WHERE {where}) AS BIGINT), 0) AS {what}_{at}"


def _candidates(column: ProfiledColumn, count: int) -> str:
    """Return the SELECT of the most frequent of the values that parameters name."""
    # Of a list the engine would make a join.
    where = f" WHERE {' OR '.join([f'v_{column.position} = ?'] * count)}"
    return f"SELECT {_TOP} AS top_{column.position} FROM {_counted(column, where)}"  # noqa: S608 - as above


def _bin_field(column: ProfiledColumn, bins: Bins) -> str:
    """Return the field of counts: of what lies below the bins, in each of them, and above."""
    edges = bins.edges()
    value = place_of(column, column.coarse) if column.kind == "moment" else column.finite
    if any(isinstance(edge, float) for edge in edges):
        # The engine's bins end with their edges. An exponent makes a double of a literal.
        ends = [repr(math.nextafter(edge, -math.inf)) for edge in edges]
        kind, ends = "DOUBLE", [end if "e" in end else f"{end}e0" for end in ends]
    else:
        ends = [str(edge - 1) for edge in edges]
        near = column.kind == "moment" or types.is_signed_integer(column.type)
        near = near and all(edge - 1 in _BIGINTS for edge in edges)
        kind = "BIGINT" if near else "HUGEINT"
    counts = f"histogram(CAST({value} AS {kind}), CAST([{', '.join(ends)}] AS {kind}[]))"
    return f"map_values({counts}) AS bins_{column.position}"
