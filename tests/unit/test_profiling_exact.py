"""Exact profiles: the figures are those that pandas computes from the same values."""

import math
import re
import statistics
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3_data_lake_mcp.profiling.aggregates import MOST_COUNTED_VALUES, Plan, ProfiledColumn
from s3_data_lake_mcp.profiling.bins import Bins
from s3_data_lake_mcp.profiling.exact import Measured, measure
from s3_data_lake_mcp.profiling.figures import findings
from s3_data_lake_mcp.profiling.squeeze import LONGEST_NOTICE
from support.tables import table_session


def _columns(table: pa.Table) -> list[ProfiledColumn]:
    return [
        ProfiledColumn(name=field.name, type=field.type, position=at)
        for at, field in enumerate(table.schema)
    ]


def _measured(table: pa.Table, *, small: bool = True, **more: Any) -> Measured:
    return measure(table_session(table), _columns(table), small=small, **more)


def _profile(table: pa.Table, *, small: bool = True, **more: Any) -> dict[str, dict[str, Any]]:
    return {
        figures.column.name: figures.as_json("exact")
        for figures in _measured(table, small=small, **more).figures
    }


def _one(values: "pa.Array[Any]", **more: Any) -> dict[str, Any]:
    return _profile(pa.table({"x": values}), **more)["x"]


_numbers = st.lists(
    st.one_of(st.none(), st.floats(-1e12, 1e12, allow_subnormal=False)), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(_numbers)
def test_numbers_are_those_of_pandas(values: list[float | None]) -> None:
    """Counts, ends, mean, deviation and quantiles of doubles equal those of pandas."""
    found = _one(pa.array(values, pa.float64()))
    known = pd.Series(values, dtype="float64")
    assert found["nulls"] == known.isna().sum()
    assert found["distinct"] == known.nunique()
    if known.count() == 0:
        assert found["min"] is found["max"] is found["mean"] is None
        return
    assert (found["min"], found["max"]) == (known.min(), known.max())
    assert found["mean"] == pytest.approx(known.mean(), rel=1e-9, abs=1e-3)
    if known.count() > 1:
        assert found["stddev"] == pytest.approx(known.std(), rel=1e-6, abs=1e-3)
    expected = known.quantile([0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
    assert list(found["quantiles"].values()) == pytest.approx(expected, rel=1e-9, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(_numbers)
def test_a_histogram_holds_every_value_once(values: list[float | None]) -> None:
    """Bins are as `numpy.histogram` counts them between their own edges, the last one closed."""
    bins = _one(pa.array(values, pa.float64()))["histogram"]
    present = [v for v in values if v is not None]
    assert all(a["to"] == b["from"] for a, b in pairwise(bins))
    assert sum(b["count"] for b in bins) == len(present)


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int64(), pa.uint64(), pa.float32(), pa.decimal128(12, 2), pa.int16()]
)
def test_every_type_of_number(kind: pa.DataType) -> None:
    """A column of numbers has mean, quantiles and a histogram, whatever their type."""
    numbers = [1, 5, 5, 7, None, 100]
    values = [Decimal(n) if n is not None and pa.types.is_decimal(kind) else n for n in numbers]
    found = _one(pa.array(values, kind))
    assert found["type"] == str(kind)
    assert found["mean"] == pytest.approx(23.6)
    assert found["stddev"] == pytest.approx(np.std([1, 5, 5, 7, 100], ddof=1))
    assert found["quantiles"]["p50"] == 5
    assert float(found["max"]) == 100
    assert sum(b["count"] for b in found["histogram"]) == 5
    assert found["top"][0]["count"] == 2


def test_integers_beyond_doubles_keep_their_digits() -> None:
    """Smallest and largest values of 64 bits are digits, and the histogram still adds up."""
    found = _one(pa.array([-(2**63), 0, 2**63 - 1], pa.int64()))
    assert (found["min"], found["max"]) == ("-9223372036854775808", "9223372036854775807")
    assert sum(b["count"] for b in found["histogram"]) == 3


def test_whole_numbers_get_whole_bins() -> None:
    """Few whole numbers have a bin each, many have bins of a whole width."""
    few = _one(pa.array([1, 2, 2, 4]))["histogram"]
    assert [(b["from"], b["count"]) for b in few] == [(1, 1), (2, 2), (3, 0), (4, 1)]
    many = _one(pa.array(list(range(1_000))))["histogram"]
    assert [(b["from"], b["to"], b["count"]) for b in many[:2]] == [(0, 100, 100), (100, 200, 100)]


def test_nan_and_infinity_are_counted_apart() -> None:
    """NaN is no value, infinity no number to average: both are named, neither spoils a figure."""
    measured = _measured(pa.table({"x": [1.0, 3.0, math.nan, math.inf, None]}))
    found = measured.figures[0].as_json("exact")
    assert (found["nulls"], found["mean"], found["min"]) == (1, 2.0, 1.0)
    assert found["max"] == "Infinity"
    assert findings(measured.figures[0]) == [
        "1 NaN, left out of its figures",
        "1 infinite, left out of mean, stddev and histogram",
    ]


def test_moments_have_quantiles_and_bins() -> None:
    """Dates and timestamps have an order, an axis and no mean."""
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(100)]
    zoned = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(100)]
    found = _profile(pa.table({"day": days, "at": zoned}))
    assert (found["day"]["min"], found["day"]["max"]) == ("2026-01-01", "2026-04-10")
    assert found["day"]["quantiles"]["p50"] == "2026-02-19"
    assert found["day"]["mean"] is None
    assert found["day"]["histogram"][0] == {"from": "2026-01-01", "to": "2026-01-11", "count": 10}
    assert found["at"]["min"] == "2026-01-01T00:00:00+00:00"
    assert sum(b["count"] for b in found["at"]["histogram"]) == 100


def test_top_values_come_by_count_then_value() -> None:
    """The five most frequent values, ties in order; none where no value repeats."""
    found = _one(pa.array([*"bbbaaaccdeff", None]))
    assert [(t["value"], t["count"]) for t in found["top"]] == [
        ("a", 3),
        ("b", 3),
        ("c", 2),
        ("f", 2),
        ("d", 1),
    ]
    assert _one(pa.array([*"abcdefgh"]))["top"] == []


def test_long_texts_are_cut_and_counted() -> None:
    """A long text is clipped in the contract's way, and its length is a finding."""
    measured = _measured(pa.table({"x": ["a" * 500, "b", " ", ""]}))
    found: Any = measured.figures[0].as_json("exact")
    assert found["top"][2]["value"] == "a" * 200 + "…(+300 chars)"
    assert findings(measured.figures[0]) == [
        "2 blank texts, which are not null",
        "texts of up to 500 characters",
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([None, None], ["null in every row"]),
        ([7] * 9, ["the same value in every row"]),
        ([5.0, 5.0, math.nan], ["1 NaN, left out of its figures"]),
        ([f"k{i}" for i in range(9)], ["unique in every row: it looks like a key"]),
        ([*range(10), *range(10), 5_000], ["outliers: 5000 (max) far from the middle half"]),
        ([1, 2], []),
        ([], []),
    ],
)
def test_findings(values: list[Any], said: list[str]) -> None:
    """What is odd about a column is said in a few words, and only then."""
    measured = _measured(pa.table({"x": pa.array(values, pa.string() if not values else None)}))
    assert findings(measured.figures[0]) == said


def test_types_without_an_order_have_counts_alone() -> None:
    """Lists, structs, maps and binaries are counted, and nothing is invented for them."""
    table = pa.table({"l": [[1], None], "s": [{"a": 1}, {"a": 2}], "b": [b"x", b"y"]})
    for found in _profile(table).values():
        assert found["nulls"] in (0, 1)
        assert found["distinct"] is found["min"] is found["quantiles"] is None


def test_estimates_are_close_and_named() -> None:
    """Over many rows distinct counts and quantiles are estimates within the documented error."""
    rng = np.random.default_rng(7)
    values = rng.normal(100, 15, 200_000)
    codes = rng.integers(0, 30_000, 200_000)
    measured = _measured(pa.table({"x": pa.array(values), "code": pa.array(codes)}), small=False)
    found: dict[str, Any] = {f.column.name: f.as_json("exact") for f in measured.figures}
    assert found["code"]["distinct"] == pytest.approx(len(np.unique(codes)), rel=0.1)
    for name, share in (("p05", 0.05), ("p50", 0.5), ("p95", 0.95)):
        rank = float((values <= found["x"]["quantiles"][name]).mean())
        assert rank == pytest.approx(share, abs=0.01)
    assert found["x"]["mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert any("Estimates: distinct of x, code" in notice for notice in measured.notices)


def test_quantiles_of_a_share_are_as_close_and_all_else_is_exact() -> None:
    """A random share of the values has their quantiles; it touches no other figure."""
    values = np.random.default_rng(7).lognormal(3, 2, 400_000)
    table = pa.table(
        {"x": pa.array(values), "at": pa.array((values * 1e6).astype("datetime64[us]"))}
    )
    session = table_session(table)
    plans = {at: Plan(share=0.3, center=30.0) for at in (0, 1)}
    found = measure(session, _columns(table), small=False, plans=plans)
    assert len(session.statements) == 1
    shared, whole = (
        [f.as_json("exact") for f in measured.figures]
        for measured in (found, _measured(table, small=False))
    )
    for one, other in zip(shared, whole, strict=True):
        for name, share in (("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p95", 0.95)):
            quantile: Any = cast("Any", one["quantiles"])[name]
            if isinstance(quantile, str):
                quantile = np.datetime64(quantile).astype("int64") / 1e6
            assert float((values <= quantile).mean()) == pytest.approx(share, abs=0.01)
        for name in ("nulls", "distinct", "min", "max"):
            assert one[name] == other[name]
        assert one["stddev"] == (other["stddev"] and pytest.approx(other["stddev"], rel=1e-12))
    assert any("quantiles of x, at (t-digest" in notice for notice in found.notices)


def test_quantiles_of_too_small_a_share_are_made_anew() -> None:
    """Where a sample expected more values than there are, all of them are looked at."""
    values = np.arange(1_000.0)
    session = table_session(
        pa.table({"x": pa.array([*values, *[None] * 9_000]), "y": [1] * 10_000})
    )
    columns = [
        ProfiledColumn(name=n, type=session.schema.field(n).type, position=i)
        for i, n in enumerate("xy")
    ]
    plans = {0: Plan(share=0.001), 1: Plan(count_all=True)}
    (x, y) = measure(session, columns, small=False, plans=plans).figures
    assert len(session.statements) == 2
    for name, share in (("p05", 50), ("p50", 500), ("p95", 950)):
        assert cast("Any", x.as_json("exact"))["quantiles"][name] == pytest.approx(share, abs=10)
    assert (x.present, y.present, y.distinct) == (1_000, 10_000, 1)


def test_values_on_the_edges_of_bins_are_in_the_bin_that_they_begin() -> None:
    """Bins hold what lies between the edges just as they are shown, the last one its end too."""
    tenths = [i / 10 for i in range(11)]
    days = [date(2026, 1, 1) + timedelta(days=i) for i in range(0, 110, 10)]
    many = [0.05 + i / 1e6 for i in range(30_000)]
    table = pa.table({"f": tenths, "n": [i * 10 for i in range(11)], "d": days})
    low = (days[0] - date(1970, 1, 1)).days
    bins = {
        0: Bins(start=0.0, width=0.1, count=10, stop=1.0),
        1: Bins(start=0, width=10, count=10),
        2: Bins(start=low, width=10, count=10),
    }
    plans = {at: Plan(bins=each) for at, each in bins.items()}
    for figures in _measured(table, small=False, plans=plans).figures:
        shown = cast("Any", figures.as_json("exact"))["histogram"]
        assert [part["count"] for part in shown] == [1] * 9 + [2], figures.column.name
    (figures,) = _measured(pa.table({"x": many}), small=False).figures
    for part in cast("Any", figures.as_json("exact"))["histogram"][:-1]:
        assert part["count"] == sum(part["from"] <= value < part["to"] for value in many)


def test_rows_are_handed_on_and_not_kept() -> None:
    """All aggregates are of one scan, whose rows the engine does not keep for any of them."""
    table = pa.table({"x": [1.5, 2.5] * 3, "t": [*"abcabc"], "n": [1, 2, 3] * 2})
    session = table_session(table)
    plans = {0: Plan(share=0.5), 1: Plan(count_all=True), 2: Plan(candidates=(1, 2))}
    measure(session, _columns(table), small=False, plans=plans)
    connection = duckdb.connect()
    connection.register("data", table)
    connection.execute("SET enable_profiling = 'no_output'")
    connection.execute(session.statements[0], [1, 2])
    told = connection.get_profiling_information(format="json")
    assert re.findall(r'"(Consumers|Buffered Consumers)": *"(\d+)"', told) == [
        ("Consumers", "3"),
        ("Buffered Consumers", "0"),
    ]


def test_few_values_are_counted_exactly_in_many_rows() -> None:
    """Up to 20,000 distinct values are counted, not estimated, whatever the number of rows."""
    codes = np.random.default_rng(7).integers(0, 19_000, 100_000)
    figures = _measured(pa.table({"code": pa.array(codes)}), small=False).figures[0]
    assert (figures.distinct, figures.distinct_exact) == (len(np.unique(codes)), True)


def test_one_pass_is_enough_where_plans_are_known() -> None:
    """With plans, bins and top values are counted in the same SELECT, what lies outside too."""
    table = pa.table({"x": [0, 5, 12, 18, 25, 99], "t": [*"aabbcd"]})
    session = table_session(table)
    plans = {
        0: Plan(bins=Bins(start=10, width=10, count=2)),
        1: Plan(candidates=("a", "b")),
    }
    measured = measure(session, _columns(table), small=True, plans=plans)
    assert len(session.statements) == 1
    x, t = (cast("Any", figures.as_json("exact")) for figures in measured.figures)
    assert [(b["from"], b["to"], b["count"]) for b in x["histogram"]] == [
        (0, 20, 4),
        (20, 99, 2),
    ]
    assert [(e["value"], e["count"]) for e in t["top"]] == [("a", 2), ("b", 2)]


def test_counted_values_tell_what_else_would_be_measured() -> None:
    """A column whose values are all counted has the figures that a pass of its own would give."""
    table = pa.table(
        {
            "t": ["bb", " ", "", "a", "bb", None],
            "x": [1.5, math.nan, 0.0, 2.0, 2.0, math.inf],
            "i": [(1 << 62) + 1, 1 << 62, None, 1 << 62, None, 3],
            "d": [Decimal("0.10"), Decimal("0.20"), None, Decimal("0.20"), None, None],
            "b": [True, None, False, True, True, True],
        }
    )
    columns = _columns(table)
    plans = {column.position: Plan(count_all=True) for column in columns}
    once = measure(table_session(table), columns, small=False, plans=plans).figures
    twice = measure(table_session(table), columns, small=True).figures
    for one, other in zip(once, twice, strict=True):
        for name in ("low", "high", "distinct", "longest", "blank", "top", "nan", "present"):
            assert getattr(one, name) == getattr(other, name), name
        for name in ("mean", "stddev"):
            known = getattr(other, name)
            assert getattr(one, name) == (known and pytest.approx(known, rel=1e-12)), name


_COUNTED: list[tuple[pa.DataType, Any]] = [
    (pa.int64(), st.integers(-(1 << 62), 1 << 62) | st.integers(0, 9)),
    (pa.float64(), st.floats(-1e9, 1e9, allow_subnormal=False) | st.sampled_from([math.inf, 0.0])),
    (pa.date32(), st.dates()),
    (pa.timestamp("us"), st.datetimes()),
    (pa.decimal128(12, 2), st.decimals(-99999, 99999, places=2)),
]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_tallies_tell_what_the_engine_computes(data: st.DataObject) -> None:
    """Quantiles and bins out of the counts of all values are those that SQL gives, all of them."""
    kind, values = data.draw(st.sampled_from(_COUNTED))
    cells = data.draw(st.lists(st.none() | values, max_size=40))
    table = pa.table({"x": pa.array(cells, kind)})
    (told,) = measure(
        table_session(table), _columns(table), small=False, plans={0: Plan(count_all=True)}
    ).figures
    (known,) = measure(table_session(table), _columns(table), small=True).figures
    assert told.bins == known.bins
    assert told.as_json("exact")["histogram"] == known.as_json("exact")["histogram"]
    assert told.quantiles_exact
    if pa.types.is_temporal(kind):
        assert list(told.quantiles) == list(known.quantiles)
    else:
        assert list(told.quantiles) == pytest.approx(list(cast("Any", known.quantiles)), rel=1e-9)


def test_only_estimates_are_called_so() -> None:
    """The notice names the columns whose figures are estimates, and is none without them."""
    table = pa.table({"few": [1, 2, 2], "many": [1.5, 2.5, 3.5]})
    plans = {0: Plan(count_all=True), 1: Plan()}
    notices = _measured(table, small=False, plans=plans).notices
    assert len(notices) == 1
    assert "few" not in notices[0]
    assert notices[0].count("many") == 3
    assert not _measured(table.select(["few"]), small=False, plans=plans).notices


def test_no_row_is_a_profile_too() -> None:
    """A table of many bytes may still have no row."""
    measured = _measured(pa.table({"x": pa.array([], pa.int64())}), small=False)
    assert (measured.rows, measured.figures[0].present) == (0, 0)


@pytest.mark.parametrize("values", [[math.inf], [-math.inf, 1.0, math.inf, 3.0]])
def test_the_finite_values_make_the_histogram(values: list[float]) -> None:
    """Infinite values are ends, and in no bin."""
    found = _one(pa.array(values))
    assert found["max"] is not None
    assert sum(part["count"] for part in found["histogram"]) == sum(map(math.isfinite, values))


_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int64(), [_LEAST, 0, _MOST]),
        (pa.uint64(), [0, 5, (1 << 64) - 1]),
        (pa.timestamp("us"), [_LEAST + 10, 0, _MOST - 10]),
    ],
)
@pytest.mark.parametrize("bins", [None, Bins(start=1_000, width=10, count=10)])
def test_values_at_the_ends_of_their_type_are_in_bins(
    kind: pa.DataType, values: list[int], bins: Bins | None
) -> None:
    """No difference overflows, wherever bins of a sample lie: each value is in one."""
    table = pa.table({"x": pa.array(values, kind)})
    plans = {0: Plan(bins=bins)} if bins else None
    (figures,) = _measured(table, small=False, plans=plans).figures
    assert sum((figures.bin_counts or {}).values()) == len(values)


def test_without_memory_for_exact_counts_estimates_are_made() -> None:
    """When all values do not fit into memory, the profile is approximate and says so."""
    table = pa.table({"x": range(30_000)})
    session = table_session(table)
    session.refused = "DISTINCT"
    measured = measure(session, _columns(table), small=True)
    assert measured.figures[0].distinct == pytest.approx(30_000, rel=0.1)
    assert measured.notices


def test_hostile_column_names_are_names() -> None:
    """Quotes, keywords and dots in names stay inside them."""
    names = ['a"b', "select", "x.y", "", "*"]
    table = pa.Table.from_arrays([pa.array([1, 2])] * len(names), names=names)
    assert [f.column.name for f in _measured(table.select([0, 1, 2, 4])).figures] == [
        'a"b',
        "select",
        "x.y",
        "*",
    ]


def test_the_deviation_of_large_numbers_that_lie_close_together() -> None:
    """Identifiers around 10^15 have the deviation of their last digits, to the last digit."""
    numbers = [10**15 + (i * 7919) % 1000 for i in range(5_000)]
    table = pa.table(
        {"x": pa.array(numbers, pa.int64()), "y": [float(number) for number in numbers]}
    )
    exact = statistics.stdev([number - 10**15 for number in numbers])
    for small in (True, False):
        for found in measure(table_session(table), _columns(table), small=small).figures:
            assert found.stddev == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize(
    ("exact", "told"),
    [
        (0, "distinct of all columns (HyperLogLog"),
        (2, "distinct of all columns but exact_0, exact_1 (HyperLogLog"),
        (40, "distinct of 40 of 80 columns, maybe any (HyperLogLog"),
    ],
)
def test_estimates_of_many_columns_are_told_within_a_notice(exact: int, told: str) -> None:
    """A list of all of them would be cut off, and what is not named would look exact."""
    many = pa.array(range(MOST_COUNTED_VALUES * 2))
    few = pa.array([1] * len(many))
    columns = {f"measurement_{at}": many for at in range(40)}
    columns |= {f"exact_{at}": few for at in range(exact)}
    (said,) = _measured(pa.table(columns), small=False).notices
    assert told in said
    assert said.count("columns") == 3
    assert len(said) < LONGEST_NOTICE
