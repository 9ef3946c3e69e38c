"""The benchmarks tell a right answer from a wrong one, whoever gives it."""

import importlib.util
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

_PATH = Path(__file__).parents[2] / "benchmarks" / "answers.py"


@pytest.fixture(scope="module")
def answers() -> ModuleType:
    """The comparison, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("bench_answers", _PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("truth", "told"),
    [
        (None, None),
        (None, ""),
        (None, float("nan")),
        (7, "7"),
        (7, 7.0),
        (0.1, "0.1000000000001"),
        (True, "True"),
        ("01234", "01234"),
        ("2026-02-07T20:25:53", "2026-02-07 20:25:53"),
        ("2026-03-01T00:00:00.500Z", "2026-03-01T00:00:00.5+00:00"),
        ("2026-03-01", "2026-03-01T00:00:00"),
        ({"a": [1, None]}, {"a": [1.0, None]}),
    ],
)
def test_the_same_value_in_another_type_is_right(
    answers: ModuleType, truth: object, told: object
) -> None:
    """A side is not blamed for how its format writes a value."""
    assert answers.same(truth, told)


@pytest.mark.parametrize(
    ("truth", "told"),
    [
        ("01234", 1234),
        ("00099", "99"),
        (None, 0),
        (7, None),
        (7, 8),
        (7, "seven"),
        (1.0, 1.0000001),
        (True, False),
        ("2026-02-07T20:25:53", "2026-02-07T20:25:54"),
        ("2026-02-07T20:25:53.001", "2026-02-07T20:25:53"),
        ({"a": 1}, {"b": 1}),
        ([1, 2], [1]),
    ],
)
def test_another_value_is_wrong(answers: ModuleType, truth: object, told: object) -> None:
    """A lost zero, a lost null, a rounded number: nothing of it passes."""
    assert not answers.same(truth, told)


def test_rows_are_held_to_their_order_if_they_have_one(answers: ModuleType) -> None:
    """Groups may come in any order, rows of a page may not."""
    truth = {"columns": ["a", "b"], "rows": [["x", 1], ["y", 2]]}
    told = {"columns": ["a", "b"], "rows": [["y", 2], ["x", 1]]}
    assert answers.check_rows(truth, told, ordered=False) == ""
    assert answers.check_rows(truth, told, ordered=True) == (
        "a: 'y' instead of 'x'; b: 2 instead of 1"
    )


def test_missing_rows_and_columns_are_told(answers: ModuleType) -> None:
    """What is not there is wrong."""
    truth = {"columns": ["a"], "rows": [[1], [2]]}
    short = {"columns": ["a"], "rows": [[1]]}
    other = {"columns": ["b"], "rows": [[1], [2]]}
    assert answers.check_rows(truth, short, ordered=True) == "1 rows instead of 2"
    assert answers.check_rows(truth, other, ordered=True) == "columns ['b']"


def test_a_profile_is_held_to_what_it_tells(answers: ModuleType) -> None:
    """Exact figures must be exact, approximate ones near; figures that are not given pass."""
    column = {"nulls": 3, "min": 1, "max": 9, "mean": 4.5, "distinct": 100}
    truth = {"rows": 1_000, "columns": {"a": column}}

    def check(**figures: object) -> str:
        told = {"rows": 1_000, "columns": {"a": figures}}
        return str(answers.check_profile(truth, told, sampled=False))

    assert check(nulls=3, min=1, max="9", mean=4.5, distinct=110) == ""
    assert check(nulls=4) == "a: 4 nulls instead of 3"
    assert check(nulls=3, max=8) == "a: max 8 instead of 9"
    assert check(nulls=3, distinct=150) == "a: 150 distinct instead of 100"
    assert "rows" in answers.check_profile(truth, {"rows": 999, "columns": {}}, sampled=False)


def test_values_become_plain(answers: ModuleType) -> None:
    """What the generator says is kept as JSON, moments in UTC."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    values = {"a": (Decimal("1.50"), moment, date(2026, 1, 2), None)}
    assert answers.plain(values) == {"a": [1.5, "2026-01-02T03:04:05", "2026-01-02", None]}
