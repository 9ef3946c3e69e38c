"""Profiles by aggregates over all rows of a table, streaming and in bounded memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from s3_data_lake_mcp.engines import TableSession
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.profiling.aggregates import (
    BEHIND_BLANKS,
    LONGEST_TEXT,
    MEASURED,
    MOST_COUNTED_VALUES,
    TOP,
    Plan,
    ProfiledColumn,
    blanks,
    quantiles,
)
from s3_data_lake_mcp.profiling.bins import bins_between
from s3_data_lake_mcp.profiling.counts import TALLY_PARTS, Selection
from s3_data_lake_mcp.profiling.figures import Figures
from s3_data_lake_mcp.profiling.frequent import most_frequent
from s3_data_lake_mcp.profiling.tallies import Tally, tally_of
from s3_data_lake_mcp.wire import Clipper, json_rows

_LEAST_DRAWN = 50_000
"""So many random values have all quantiles within one percent of the rank (DKW inequality)."""

_NAMED_CHARS = 300
_BATCH = 64
_SMALL_BATCH = 32
"""Columns of one SELECT: planning takes time with their square, a scan takes time by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What aggregates told: the rows, the figures of each column, and what to know of them."""

    rows: int
    figures: list[Figures]
    notices: list[str] = field(default_factory=list)


def measure(
    session: TableSession,
    columns: Sequence[ProfiledColumn],
    *,
    small: bool,
    plans: Mapping[int, Plan] | None = None,
) -> Measured:
    """Profile columns by SELECTs over all rows of `data`.

    Args:
        session: Where `data` is.
        columns: What to profile.
        small: Whether distinct counts and quantiles are to be exact, which keeps all values in
            memory. If they do not fit, they are approximate after all.
        plans: By position, how to count values and bins in the first pass already. Without it a
            second pass counts them, knowing smallest and largest values and distinct counts.
    """

    def add_measures(chosen: Selection, column: ProfiledColumn) -> None:
        plan = None if plans is None else plans[column.position]
        chosen.add_measures(column, plan, small=small)

    def add_counts(chosen: Selection, column: ProfiledColumn) -> None:
        chosen.add_counts(column, known[column.position])
        chosen.add_deviation(column, known[column.position])

    def add_missing(chosen: Selection, column: ProfiledColumn) -> None:
        if _is_thin(column, known[column.position], first):
            chosen.add_fields(column, quantiles(column, 1.0, small=False))
        if _may_be_blank(column, first):
            chosen.add_fields(column, blanks(column))

    plans = plans or _plans_of_few(session, columns, small=small)
    try:
        first = _passed(session, columns, add_measures, small=small)
    except LimitExceededError:
        if not small:
            raise
        small = False
        first = _passed(session, columns, add_measures, small=small)
    known = plans if plans is not None else {c.position: _plan(c, first) for c in columns}
    if plans is None:
        first |= _passed(session, columns, add_counts, small=small)
        if small:
            first |= most_frequent(session, [c for c in columns if _is_varied(c, first)])
    else:
        # There may be fewer values than a sample made expect, or others.
        first |= _passed(session, columns, add_missing, small=small)
    rows = _whole(first["rows"])
    figures = [_figures(c, first, known[c.position], small=small) for c in columns]
    said = _estimates(figures)
    return Measured(rows=rows, figures=figures, notices=[said] if said else [])


def _plans_of_few(
    session: TableSession, columns: Sequence[ProfiledColumn], *, small: bool
) -> dict[int, Plan] | None:
    """Return plans to count all values, if there are no more rows: their counts tell everything."""
    if not small:
        return None
    count = session.execute(f"SELECT count(*) FROM {session.rows}")  # noqa: S608 - our own
    if count.column(0)[0].as_py() > MOST_COUNTED_VALUES:
        return None
    return {column.position: Plan(count_all=column.kind != "opaque") for column in columns}


def _is_varied(column: ProfiledColumn, row: Mapping[str, object]) -> bool:
    """Whether a column has too many values for a map of their counts, and some more than once."""
    at = column.position
    numbers = _whole(row.get(f"numbers_{at}", row[f"present_{at}"]))
    return MOST_COUNTED_VALUES < _whole(row.get(f"distinct_{at}")) < numbers


def _estimates(figures: Sequence[Figures]) -> str:
    """Say which figures are estimates, and how good they are."""
    said = []
    if counted := [one for one in figures if not one.distinct_exact and one.distinct]:
        said.append(f"distinct of {_names(counted, figures)} (HyperLogLog, within about 10 %)")
    if ranked := [one for one in figures if not one.quantiles_exact and one.quantiles]:
        said.append(f"quantiles of {_names(ranked, figures)} (t-digest, within 1 % of the rank)")
    if partly := [one for one in figures if not one.top_exact]:
        said.append(f"top of {_names(partly, figures)} (not all values were counted)")
    return f"Estimates: {', '.join(said)}; all other figures are exact." if said else ""


def _names(some: Sequence[Figures], figures: Sequence[Figures]) -> str:
    """Name some columns, or all others, or say how many: what is not named is taken for exact."""
    names = [one.column.name for one in some]
    others = [one.column.name for one in figures if one.column.name not in {*names}]
    for before, told in (("", names), ("all columns but ", others)):
        # A longer notice may be clipped in an answer.
        if told and len(listed := ", ".join(told)) <= _NAMED_CHARS:
            return before + listed
    return f"{len(names):,} of {len(figures):,} columns, maybe any" if others else "all columns"


def _passed(
    session: TableSession,
    columns: Sequence[ProfiledColumn],
    add: Callable[[Selection, ProfiledColumn], None],
    *,
    small: bool,
) -> dict[str, object]:
    """Return the fields of all columns that `add` adds to a selection of some of them."""
    found: dict[str, object] = {}
    for batch in batched(columns, _SMALL_BATCH if small else _BATCH):
        chosen = Selection(session.rows, session.written)
        for column in batch:
            add(chosen, column)
        if chosen.sources:
            found |= _row(session, chosen, batch)
    return found


def _is_thin(column: ProfiledColumn, plan: Plan, first: Mapping[str, object]) -> bool:
    """Whether quantiles are of fewer random values than there should be, and there are more."""
    at = column.position
    values = _whole(first.get(f"finite_{at}", first[f"present_{at}"]))
    return plan.share < 1 and f"quantiles_{at}" in first and plan.share * values < _LEAST_DRAWN


def _may_be_blank(column: ProfiledColumn, first: Mapping[str, object]) -> bool:
    """Whether there may be blank texts that were not counted."""
    at = column.position
    low = first.get(f"min_{at}")
    uncounted = column.kind == "text" and f"blank_{at}" not in first
    return uncounted and low is not None and str(low) < BEHIND_BLANKS


def _flat(lists: Any) -> Any:  # noqa: ANN401 - of pyarrow's, whose stubs know no lists
    return lists.combine_chunks().flatten()


def _row(
    session: TableSession, chosen: Selection, columns: Sequence[ProfiledColumn]
) -> dict[str, object]:
    """Return the fields of a selection by their names, and what tallies tell."""
    table = session.execute(chosen.sql(grouped=True), chosen.params)
    if not table.num_rows:
        table = session.execute(chosen.sql(grouped=False), chosen.params)
    tallies: dict[str, object] = {}
    for column in columns:
        names = [f"{part}_{column.position}" for part in TALLY_PARTS]
        if set(names) <= set(table.column_names):
            keys, counts = (_flat(table.column(name)) for name in names)
            # Values that widened their column meanwhile are measured anew.
            if keys.type == column.type:
                tallies[f"told_{column.position}"] = tally_of(column, keys, counts)
            table = table.drop_columns(names)
    values = json_rows(table, Clipper(LONGEST_TEXT))
    return dict(zip(table.column_names, values[0], strict=True)) | tallies


def _whole(value: object) -> int:
    # Integers beyond a double's come as digits.
    return int(value) if isinstance(value, int | str) else 0


def _plan(column: ProfiledColumn, first: Mapping[str, object]) -> Plan:
    at = column.position
    if column.kind == "opaque":
        return Plan()
    few = _whole(first.get(f"distinct_{at}")) <= MOST_COUNTED_VALUES
    place = "place" if column.kind in {"moment", "float"} else ""
    low = _axis(column, first.get(f"min{place}_{at}"))
    high = _axis(column, first.get(f"max{place}_{at}"))
    mean = first.get(f"mean_{at}")
    center = float(mean) if isinstance(mean, int | float) else None
    if low is None or high is None:
        return Plan(count_all=few, center=center)
    return Plan(bins=bins_between(low, high, column.type), count_all=few, center=center)


def _axis(column: ProfiledColumn, value: object) -> float | int | None:
    """Return a value's place on the axis of the histogram; None where it has none."""
    if column.kind not in MEASURED or value is None:
        return None
    if isinstance(value, int) and column.kind != "float":
        return value
    text = str(value)
    if column.kind != "float" and text.removeprefix("-").isdigit():
        return int(text)
    return float(text)


def _figures(
    column: ProfiledColumn, row: Mapping[str, object], plan: Plan, *, small: bool
) -> Figures:
    at = column.position
    present = _whole(row[f"present_{at}"])
    numbers = _whole(row.get(f"numbers_{at}", present))
    points, top, bins = (row.get(f"{what}_{at}") for what in ("quantiles", "top", "bins"))
    told = row.get(f"told_{at}")
    if not isinstance(told, Tally):
        told = Tally(
            quantiles=points if isinstance(points, list) else [],
            bins=plan.bins,
            bin_counts={bin_: _whole(count) for bin_, count in enumerate(bins, -1)}
            if isinstance(bins, list)
            else None,
            mean=row.get(f"mean_{at}"),
            stddev=row.get(f"stddev_{at}"),
        )
    distinct, counted = None, row.get(f"counted_{at}")
    if counted is not None:
        distinct = _whole(counted)
    elif column.kind != "opaque":
        # An estimate may lie above what is possible.
        distinct = min(_whole(row.get(f"distinct_{at}")), numbers)
    ranked = [(entry["v"], -_whole(entry["n"])) for entry in top] if isinstance(top, list) else []
    # What was not counted is no more frequent than all of it together.
    rest = numbers - sum(count for _, count in ranked)
    least = ranked[TOP - 1][1] if len(ranked) >= TOP else 0
    unique = small and distinct == numbers
    return Figures(
        column=column,
        rows=_whole(row["rows"]),
        present=present,
        nan=present - numbers,
        infinite=numbers - _whole(row.get(f"finite_{at}", numbers)),
        distinct=distinct,
        distinct_exact=small or counted is not None,
        low=row.get(f"min_{at}"),
        high=row.get(f"max_{at}"),
        mean=told.mean,
        stddev=told.stddev,
        quantiles=told.quantiles,
        quantiles_exact=small or f"told_{at}" in row,
        top=ranked,
        top_exact=distinct is None
        or counted is not None
        or unique
        or rest <= least
        or (small and isinstance(top, list)),
        bins=told.bins,
        bin_counts=told.bin_counts,
        longest=_whole(row.get(f"longest_{at}")),
        blank=_whole(row.get(f"blank_{at}")),
    )
