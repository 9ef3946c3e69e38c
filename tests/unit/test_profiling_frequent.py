"""The most frequent values of columns with very many, and what is said where none were counted."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.profiling.aggregates import MOST_COUNTED_VALUES, Plan, ProfiledColumn
from s3_data_lake_mcp.profiling.exact import Measured, measure
from s3_data_lake_mcp.profiling.figures import findings
from s3_data_lake_mcp.profiling.plans import plans_of
from s3_data_lake_mcp.profiling.sample import Sample
from s3_data_lake_mcp.profiling.sample_figures import figures_of
from support.tables import table_session

_ROWS = MOST_COUNTED_VALUES * 2
_PLACES = [0 if at % 10 == 0 else 1 if at % 7 == 0 else at for at in range(_ROWS)]
_START = datetime(2026, 1, 1, tzinfo=UTC)
_VALUES: dict[str, "pa.Array[Any]"] = {
    "int": pa.array([None if at % 11 == 0 else place for at, place in enumerate(_PLACES)]),
    "float": pa.array([None if at % 9 == 0 else place / 4 for at, place in enumerate(_PLACES)]),
    "nan": pa.array(
        [float("nan") if at % 9 == 0 else place / 4 for at, place in enumerate(_PLACES)]
    ),
    "text": pa.array([f"x{place}" for place in _PLACES]),
    "decimal": pa.array([Decimal(place) / 100 for place in _PLACES], pa.decimal128(12, 2)),
    "moment": pa.array([_START + timedelta(seconds=place) for place in _PLACES]),
    "fine": pa.array(_PLACES, pa.timestamp("ns", "UTC")),
    "time": pa.array(_PLACES, pa.time64("us")),
    "code": pa.array([f"x{place}" for place in _PLACES]).dictionary_encode(),
}


def _columns(table: pa.Table) -> list[ProfiledColumn]:
    return [
        ProfiledColumn(name=field.name, type=field.type, position=at)
        for at, field in enumerate(table.schema)
    ]


def _said(measured: Measured) -> str:
    return " ".join(measured.notices)


@pytest.mark.parametrize("kind", _VALUES)
def test_of_very_many_values_the_most_frequent_are_counted(kind: str) -> None:
    """An exact profile tells the same of a column as one of all rows in a sample."""
    table = pa.table({"x": _VALUES[kind]})
    measured = measure(table_session(table), _columns(table), small=True)
    (figures,), (sampled,) = measured.figures, figures_of(table, _columns(table))
    assert figures.as_json("exact")["top"] == sampled.as_json("exact")["top"]
    counts = Counter(table.column("x").drop_null().to_pylist())
    if kind == "nan":
        counts = Counter(value for value in counts.elements() if value == value)  # noqa: PLR0124 - NaN
    assert [n for _, n in figures.top] == [n for _, n in counts.most_common(6)]
    assert not measured.notices


def test_many_columns_are_counted_by_batches() -> None:
    """One scan serves several columns, and those of keys need none."""
    table = pa.table({f"c{at}": _VALUES["int"] for at in range(9)} | {"id": range(_ROWS)})
    session = table_session(table)
    measured = measure(session, _columns(table), small=True)
    assert all(figures.top for figures in measured.figures[:-1])
    assert measured.figures[-1].as_json("exact")["top"] == []
    assert sum("MATERIALIZED" in sql for sql in session.statements) == 2


def test_what_was_not_counted_is_not_shown_as_exact() -> None:
    """Without memory for it, and in many rows, the most frequent values are not all known."""
    table = pa.table({"x": _VALUES["int"]})
    session = table_session(table)
    session.refused = "MATERIALIZED"
    assert "top of x (not all values were counted)" in _said(
        measure(session, _columns(table), small=True)
    )
    assert "top of x (not all" in _said(measure(session, _columns(table), small=False))


@pytest.mark.parametrize(("candidates", "told"), [("abcde", 0), ("abcdu", 1), ("abcdeu", 0)])
def test_counts_may_prove_that_nothing_is_more_frequent(candidates: str, told: int) -> None:
    """What is left over can be less than the least that is shown."""
    table = pa.table({"x": [*("abcde" * 6), *"uvw"]})
    plans = {0: Plan(candidates=tuple(candidates))}
    measured = measure(table_session(table), _columns(table), small=False, plans=plans)
    assert _said(measured).count("top of x") == told


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize(
    "plans", [None, {0: Plan(count_all=True)}, {0: Plan()}, {0: Plan(blanks=False)}]
)
def test_blank_texts_are_spaces_of_any_kind(small: bool, plans: dict[int, Plan] | None) -> None:  # noqa: FBT001
    """Tabs and line ends are blank as well, in any number of rows, and by every basis."""
    table = pa.table({"x": ["a", "", " ", "\t", " \r\n", " b", "!", None, "\v\f"]})
    measured = measure(table_session(table), _columns(table), small=small, plans=plans)
    (sampled,) = figures_of(table, _columns(table))
    assert measured.figures[0].blank == sampled.blank == 5
    assert "5 blank texts, which are not null" in findings(sampled)


@pytest.mark.parametrize(("first", "statements"), [("!", 1), (" b", 2), ("", 2)])
def test_blank_texts_that_no_sample_showed_are_counted_if_there_may_be_any(
    first: str, statements: int
) -> None:
    """The smallest text tells: blank ones begin with a space or less, and so do some others."""
    table = pa.table({"x": ["a", "b", None, first], "y": ["a", "b", None, "c"]})
    session = table_session(table)
    plans = {0: Plan(blanks=False), 1: Plan(blanks=False)}
    (x, y) = measure(session, _columns(table), small=False, plans=plans).figures
    assert (x.blank, y.blank) == (first == "", 0)
    assert len(session.statements) == statements


def test_a_plan_counts_blank_texts_where_a_sample_shows_any() -> None:
    """Nothing that begins with a space: then the smallest text of all is to tell."""
    table = pa.table({"x": [f"{at} " for at in range(9)], "y": [" a", *"bcdefghi"]})
    sample = Sample(table=table, parts=(9,), where="", size_bytes=9)
    plans = plans_of(sample, _columns(table), 9)
    assert [plans[at].blanks for at in (0, 1)] == [False, True]


@pytest.mark.parametrize(("room", "again"), [(2_000_000, True), (1_999_999, False)])
def test_what_cannot_be_read_twice_is_counted_at_once(room: int, again: bool) -> None:  # noqa: FBT001
    """No second pass is left to need: blanks are counted, and quantiles are of all values."""
    table = pa.table({"x": ["a", "b"], "n": [1, 2]})
    sample = Sample(table=table, parts=(2,), where="", size_bytes=2)
    x, n = plans_of(sample, _columns(table), 1_000_000, room).values()
    assert (x.blanks, n.share == 1) == (not again, not again)


def test_all_columns_with_estimates_are_named() -> None:
    """What is not named is said to be exact."""
    table = pa.table({f"c{at}": [at, None, 3] for at in range(30)})
    plans = {at: Plan() for at in range(30)}
    said = _said(measure(table_session(table), _columns(table), small=False, plans=plans))
    for at in range(30):
        assert f"c{at}," in said or f"c{at} (" in said
    assert "more" not in said
