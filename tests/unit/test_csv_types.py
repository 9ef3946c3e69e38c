"""Types of delimited text: the narrowest that keeps every value as it is written."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.loaders.csv_types import guess, typed_column

INT, FLOAT, TEXT, BOOL = pa.int64(), pa.float64(), pa.string(), pa.bool_()
DAY, CLOCK = pa.date32(), pa.time64("us")
STAMP, ZONED = pa.timestamp("us"), pa.timestamp("us", "UTC")


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["0", "-1", "9223372036854775807"], INT, [0, -1, 2**63 - 1]),
        (["1", None, "2"], INT, [1, None, 2]),
        (["1", "2.5"], FLOAT, [1.0, 2.5]),
        (["-0", ".5", "-.5", "1e5", "1E-7"], FLOAT, [-0.0, 0.5, -0.5, 1e5, 1e-7]),
        (["1.50000000000000000000", "0.000"], FLOAT, [1.5, 0.0]),
        (["0.30000000000000004", "5e-324"], FLOAT, [0.30000000000000004, 5e-324]),
        (["true", "FALSE", "True"], BOOL, [True, False, True]),
        (["2024-02-29", "0001-01-01"], DAY, [date(2024, 2, 29), date(1, 1, 1)]),
        (["10:30:00", "23:59:59.5"], CLOCK, [time(10, 30), time(23, 59, 59, 500_000)]),
        (["2024-01-02 10:30"], STAMP, [datetime(2024, 1, 2, 10, 30)]),  # noqa: DTZ001 - no zone
        (
            ["2024-01-02T10:30:00Z", "2024-01-02 10:30:00.5+01", "2024-01-02T10:30-0200"],
            ZONED,
            [
                datetime(2024, 1, 2, 10, 30, tzinfo=UTC),
                datetime(2024, 1, 2, 9, 30, 0, 500_000, tzinfo=UTC),
                datetime(2024, 1, 2, 12, 30, tzinfo=UTC),
            ],
        ),
    ],
)
def test_values_are_read(cells: list[str | None], kind: pa.DataType, values: list[object]) -> None:
    """Each type reads its forms exactly."""
    column, tokens = typed_column(cells)
    assert column.type == kind
    assert column.to_pylist() == values
    assert tokens == frozenset()


@pytest.mark.parametrize(
    "cells",
    [
        ["01234"],
        ["1", "007"],
        ["-01.5"],
        ["+1"],
        ["1_000"],
        ["1,000"],
        ["0x1F"],
        ["5."],
        ["5%"],
        ["$5"],
        [" 12 "],
        ["1 "],
        ["NaN"],
        ["inf"],
        ["١٢"],
        ["9223372036854775808"],
        ["1", "12345678901234567890"],
        ["1.5", "9007199254740993"],
        ["0.1234567890123456789"],
        ["1e400"],
        ["1e-400"],
        ["4e-324"],
        ["yes", "no"],
        ["t"],
        ["true", "1"],
        ["2026-02-30"],
        ["2024-13-01"],
        ["0000-01-01"],
        ["2024-1-2"],
        ["01/02/2024"],
        ["2024-01-02", "2024-01-02 10:00:00"],
        ["24:00:00"],
        ["10:30"],
        ["10:30:60"],
        ["2024-01-02 10:30:00 UTC"],
        ["2024-01-02 10:30:00", "2024-01-02 10:30:00Z"],
        ["0001-01-01T00:00:00+01:00"],
        ["9999-12-31T23:59:59-01:00"],
        ["2024-01-01 00:00:00.1234567890"],
        ["1600-01-01 00:00:00.123456789"],
        ["1\n"],
        ["1", "a"],
        ["1", ""],
    ],
)
def test_text_stays_text(cells: list[str | None]) -> None:
    """What a type would change, or is not sure, leaves its column as it is."""
    column, tokens = typed_column([*cells, None])
    assert column.type == TEXT
    assert column.to_pylist() == [*cells, None]
    assert tokens == frozenset()


@pytest.mark.parametrize("token", ["NA", "N/A", "NULL", "null", "None"])
def test_null_tokens(token: str) -> None:
    """A null token is null among typed values and text among texts, or alone."""
    column, tokens = typed_column(["1", token])
    assert column.to_pylist() == [1, None]
    assert tokens == frozenset({token})
    assert typed_column(["a", token])[0].to_pylist() == ["a", token]
    assert typed_column([None, token])[0].to_pylist() == [None, token]


@pytest.mark.parametrize("word", ["na", "Null", "none", "-", "n/a", "#N/A", "nan"])
def test_other_words_are_no_null_tokens(word: str) -> None:
    """Only the five tokens are null."""
    assert typed_column(["1", word])[0].type == TEXT


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2024-01-01 00:00:00.123456", "timestamp[us]"),
        ("2024-01-01 00:00:00.1234567", "timestamp[ns]"),
        ("2024-01-01 00:00:00.123456789Z", "timestamp[ns, tz=UTC]"),
    ],
)
def test_timestamps_keep_their_digits(text: str, kind: str) -> None:
    """More than six digits of a second are nanoseconds."""
    column, _ = typed_column([text])
    assert str(column.type) == kind
    assert str(column.cast(pa.string())[0]).rstrip("0Z") == text.rstrip("0Z")


def test_values_seen_elsewhere_widen_the_type() -> None:
    """A page's column has the type that the values of the head share with it."""
    assert typed_column(["1"], INT, {"2"})[0].type == INT
    assert typed_column(["1"], FLOAT, {"2.5"})[0].type == FLOAT
    assert typed_column(["1.5"], INT, {"2"})[0].type == FLOAT
    assert typed_column(["1"], TEXT, {"x"})[0].type == TEXT
    assert typed_column(["x"], INT, {"2"})[0].type == TEXT
    assert typed_column(["1"], TEXT, frozenset())[0].type == INT
    assert typed_column([None], TEXT, frozenset())[0].type == TEXT
    assert typed_column([None], INT, {"2"})[0].type == INT


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_come_back(values: list[float]) -> None:
    """Doubles as Python writes them are the same doubles, or text."""
    cells = [repr(value) for value in values]
    column, _ = typed_column(cells)
    assert column.to_pylist() == (cells if column.type == TEXT else values)
    assert column.type in (FLOAT, TEXT)


@given(st.lists(st.integers(-(10**22), 10**22), min_size=1))
def test_no_digit_of_an_integer_is_lost(values: list[int]) -> None:
    """Integers come back exactly, or with all their digits as text."""
    column, _ = typed_column([str(value) for value in values])
    assert [str(value) for value in column.to_pylist()] == [str(value) for value in values]


@given(st.text("0123456789.-+eE", max_size=24))
def test_numbers_are_equal_to_their_text(text: str) -> None:
    """Whatever is taken for a number gives back its text's value, written with 15 digits."""
    kind = guess([text])
    if kind == FLOAT:
        assert (float(text) == 0) == (Decimal(text) == 0)
        assert Decimal(f"{float(text):.14e}") == Decimal(f"{Decimal(text):.14e}")
    elif kind == INT:
        assert str(int(text)) == text
