"""What Arrow computes of sampled rows: figures of each column, and what several say together."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as arrow_compute
from pyarrow import types

from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders.csv_types import guess, typed_column
from s3_data_lake_mcp.profiling.aggregates import (
    LONGEST_TEXT,
    MEASURED,
    TOP,
    ProfiledColumn,
)
from s3_data_lake_mcp.profiling.figures import Figures
from s3_data_lake_mcp.profiling.series import find_series
from s3_data_lake_mcp.profiling.tallies import mean_and_deviation, places_of, tally_rows
from s3_data_lake_mcp.wire import Clipper, json_rows

type Values = Any
"""An Arrow array or scalar, or a pandas series: their stubs know too little of them."""

pc: Values = arrow_compute
_LEAST_ROWS = 30
_MOST_PAIRED = 20
_LEAST_PAIRED = 3
"""Two values always lie on a line."""

_STRONG = 0.9
_DOUBLES = 1 << 53
"""Up to here each integer is a double."""

_STAMP_CHARS = len("2026-01-31T12:00:00")
_NAMED_PAIRS = 5
_MIXED = (0.05, 0.999)
_STEPS = (1, 7)
_DAY = 86_400 * 10**6


@contextlib.contextmanager
def computing(subject: str) -> Iterator[None]:
    """Turn what Arrow refuses to compute of foreign values into an error that names them.

    Raises:
        MalformedDataError: If texts are not valid UTF-8, say.
    """
    try:
        yield
    except pa.ArrowException as exc:
        message = f"{subject} holds values that cannot be computed with: {exc}"
        raise MalformedDataError(message, hint="basis=exact may still work.") from exc


def comparable(table: pa.Table) -> pa.Table:
    """Return a table whose values Arrow can compare: views as texts, identifiers as written."""
    for at, column in enumerate(table.schema):
        if column.type == pa.uuid():
            texts = [None if cell is None else str(cell) for cell in table.column(at).to_pylist()]
            table = table.set_column(at, column.name, pa.array(texts, pa.string()))
        elif types.is_string_view(column.type):
            table = table.set_column(at, column.name, table.column(at).cast(pa.string()))
        elif types.is_binary_view(column.type):
            table = table.set_column(at, column.name, table.column(at).cast(pa.binary()))
    return table


def dated(table: pa.Table) -> pa.Table:
    """Return a table of JSON as SQL reads it: with the dates and times that its texts are."""
    table = table.cast(pa.schema([one.with_type(_elements(one.type)) for one in table.schema]))
    for at, column in enumerate(table.schema):
        if not types.is_string(column.type):
            continue
        cells: list[str | None] = table.column(at).to_pylist()
        values = {cell for cell in cells if cell is not None}
        kind = guess(values)
        # SQL takes no time without seconds out of JSON.
        stamps = types.is_timestamp(kind) and all(len(value) >= _STAMP_CHARS for value in values)
        if stamps or types.is_date(kind) or types.is_time(kind):
            table = table.set_column(at, column.name, typed_column(cells)[0])
    return table


def _elements(kind: Values) -> Values:
    """Return a type whose lists hold what Parquet and SQL call elements, Arrow items."""
    if types.is_list(kind):
        return pa.list_(pa.field("element", _elements(kind.value_type)))
    if types.is_struct(kind):
        return pa.struct([pa.field(one.name, _elements(one.type)) for one in kind])
    return kind


def figures_of(table: pa.Table, columns: Sequence[ProfiledColumn]) -> list[Figures]:
    """Return the figures of a table's rows; all of them are exact for these rows."""
    return [_figures(table.column(c.name).combine_chunks(), c) for c in columns]


def _figures(values: Values, column: ProfiledColumn) -> Figures:
    rows, kind = len(values), column.kind
    if types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if types.is_float16(values.type):
        values = values.cast(pa.float32())
    present = values.drop_null()
    if kind == "opaque":
        return Figures(column=column, rows=rows, present=len(present))
    nan = 0
    if kind == "float":
        numbers = pc.add(present.filter(pc.invert(pc.is_nan(present))), 0.0)
        nan = len(present) - len(numbers)
    else:
        numbers = present
    ends = pc.min_max(numbers)
    blank, longest = _lengths(numbers) if kind == "text" else (0, 0)
    measured = _measured(numbers, column) if kind in MEASURED else {}
    return Figures(
        column=column,
        rows=rows,
        present=len(present),
        nan=nan,
        distinct=pc.count_distinct(numbers).as_py(),
        low=_shown(ends["min"]),
        high=_shown(ends["max"]),
        top=_top(numbers),
        blank=blank,
        longest=longest,
        **measured,
    )


def _shown(value: Values) -> object:
    return _all_shown(pa.array([value], value.type))[0]


def _all_shown(values: Values) -> list[object]:
    rows = json_rows(pa.table({"x": values}), Clipper(LONGEST_TEXT))
    return [row[0] for row in rows]


def _lengths(texts: Values) -> tuple[int, int]:
    """Return how many are blank, and the length of the longest."""
    blank = pc.sum(pc.equal(pc.ascii_trim_whitespace(texts), "")).as_py() or 0
    return blank, pc.max(pc.utf8_length(texts)).as_py() or 0


def _top(values: Values) -> list[tuple[object, int]]:
    """Return the most frequent values, ties in order, one more than are shown."""
    counted = values.value_counts()
    names, counts = counted.field("values"), counted.field("counts")
    table = pa.table({"v": names, "n": counts})
    order = [("n", "descending"), ("v", "ascending")]
    best = table.take(pc.select_k_unstable(table, TOP + 1, order))
    shown: Values = best.column("n").to_pylist()
    return list(zip(_all_shown(best.column("v").combine_chunks()), shown, strict=True))


def _measured(values: Values, column: ProfiledColumn) -> dict[str, Any]:
    """Return mean, deviation, quantiles and bins; moments have no mean."""
    told = tally_rows(column, values)
    found = {"quantiles": told.quantiles, "bins": told.bins, "bin_counts": told.bin_counts}
    if column.kind == "moment":
        return found
    known = values.filter(pc.is_finite(values)) if types.is_floating(values.type) else values
    mean, stddev = _moments_of(known)
    return found | {"infinite": len(values) - len(known), "mean": mean, "stddev": stddev}


def _moments_of(numbers: Values) -> tuple[float | None, float | None]:
    """Return mean and deviation; of what a double cannot hold, from all digits."""
    if not len(numbers):
        return None, None
    spread: Values = pc.stddev(numbers.cast(pa.float64(), safe=False), ddof=1)
    if types.is_floating(numbers.type):
        return pc.mean(numbers).as_py(), spread.as_py()
    values = numbers.to_pylist()
    if types.is_decimal(numbers.type) or max(map(abs, values)) > _DOUBLES:
        return mean_and_deviation(values, [1] * len(values))
    return sum(values) / len(values), spread.as_py()


def shape_of(table: pa.Table, columns: Sequence[ProfiledColumn], *, whole: bool) -> list[str]:
    """Return what several columns, or the kinds of values in one, say together.

    `whole` says that these are all rows there are: gaps in dates mean nothing in a sample.
    """
    said = [text for column in columns if (text := _mixture(table, column))]
    if whole:
        said += [text for column in columns if (text := _gaps(table, column))]
    return said + _pairs(table, columns)


def _mixture(table: pa.Table, column: ProfiledColumn) -> str:
    """Name a column of text most of which is numbers."""
    if column.kind != "text" or types.is_dictionary(column.type):
        return ""
    import pandas as pd  # noqa: PLC0415 - 1.3 s of import that only shapes need

    texts = pd.Series(table.column(column.name).drop_null().to_pylist(), dtype="object")
    if len(texts) < _LEAST_ROWS:
        return ""
    # Leading zeros make codes of digits, which are text on purpose.
    if texts.str.match(r"0\d").any():
        return ""
    numbers = pd.to_numeric(texts, errors="coerce").notna()
    share = float(numbers.mean())
    if not _MIXED[0] < share < _MIXED[1]:
        return ""
    odd = texts[~numbers].value_counts()
    return (
        f"{column.name} mixes types: {min(share, 0.99):.0%} of its texts are numbers, "
        f"others like {str(odd.index[0])[:40]!r} are not"
    )


def _gaps(table: pa.Table, column: ProfiledColumn) -> str:
    """Name the days that are missing in a column of days."""
    if column.kind != "moment":
        return ""
    places: Values = places_of(table.column(column.name).combine_chunks().drop_null(), column)
    if not types.is_date(column.type):
        if pc.any(pc.not_equal(pc.subtract(places, pc.multiply(pc.divide(places, _DAY), _DAY)), 0)):
            return ""
        places = pc.divide(places, _DAY)
    days: Values = places.unique().cast(pa.int32()).cast(pa.date32()).cast(pa.string()).to_pylist()
    series = find_series(days)
    if series is None or series.step not in _STEPS:
        return ""
    if not 0 < series.missing_total <= max(10, series.entries // 20):
        return ""
    more = series.missing_total - len(series.missing)
    named = ", ".join(series.missing[:3])
    return (
        f"{column.name} runs every {series.interval} and misses {series.missing_total:,} of them "
        f"({named}{', …' if more or len(series.missing) > 3 else ''})"  # noqa: PLR2004 - as named
    )


def _pairs(table: pa.Table, columns: Sequence[ProfiledColumn]) -> list[str]:
    """Name pairs of numbers that rise and fall together."""
    numeric = [
        c
        for c in columns
        if c.kind in {"number", "float"} and len(table.column(c.name).unique()) >= _LEAST_PAIRED
    ][:_MOST_PAIRED]
    if len(numeric) < 2 or table.num_rows < _LEAST_ROWS:  # noqa: PLR2004 - a pair
        return []
    import pandas as pd  # noqa: PLC0415 - as above

    frame = pd.DataFrame(
        {
            c.position: table.column(c.name).cast(pa.float64(), safe=False).to_pandas()
            for c in numeric
        }
    )
    related: Values = frame.corr(min_periods=_LEAST_ROWS)
    found = [
        (abs(value), f"{a.name} and {b.name} correlate ({value:.2f})")
        for at, a in enumerate(numeric)
        for b in numeric[at + 1 :]
        if abs(value := float(related.loc[a.position, b.position])) >= _STRONG
    ]
    strongest = sorted(found, key=lambda pair: -pair[0])
    more = len(strongest) - _NAMED_PAIRS
    tail = [f"{more:,} more pairs correlate"] if more > 0 else []
    return [text for _, text in strongest[:_NAMED_PAIRS]] + tail


def repeated_rows(table: pa.Table) -> int | None:
    """Return how many rows repeat an earlier one; None if they hold what cannot be compared."""
    if any(types.is_nested(field.type) for field in table.schema):
        return None
    return table.num_rows - table.group_by(table.column_names).aggregate([]).num_rows
