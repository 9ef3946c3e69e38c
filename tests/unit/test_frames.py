"""Frames: pandas with Arrow types, values unchanged."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from s3_data_lake_mcp import frames


def _ipc(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_a_frame_keeps_types_nulls_and_digits() -> None:
    """Integers with nulls stay integers, decimals exact, nanoseconds whole."""
    table = pa.table(
        {
            "n": pa.array([2**60 + 1, None]),
            "d": pa.array([Decimal("0.10"), None]),
            "t": pa.array([1, None], pa.timestamp("ns", "UTC")),
            "l": pa.array([[1, None], None]),
        }
    )
    frame = frames.from_ipc(_ipc(table))
    assert [str(dtype) for dtype in frame.dtypes] == [
        "int64[pyarrow]",
        "decimal128(2, 2)[pyarrow]",
        "timestamp[ns, tz=UTC][pyarrow]",
        "list<item: int64>[pyarrow]",
    ]
    assert frame["n"].iloc[0] == 2**60 + 1
    assert frame["d"].iloc[0] == Decimal("0.10")
    assert frame["t"].iloc[0].nanosecond == 1
    assert frame.isna().sum().tolist() == [1, 1, 1, 1]


def test_duplicate_names_are_numbered() -> None:
    """Each column can be named, as in the tools' answers."""
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    frame = frames.to_pandas(table)
    assert list(frame.columns) == ["a", "a_1"]
    assert frame["a_1"].tolist() == [2]


def test_no_column_becomes_an_index() -> None:
    """What pandas once wrote as its index is a column like any other."""
    written = pd.DataFrame({"x": [1]}, index=pd.Index(["k"], name="key"))
    frame = frames.to_pandas(pa.Table.from_pandas(written))
    assert list(frame.columns) == ["x", "key"]
    assert frame.index.tolist() == [0]


@pytest.mark.parametrize("rows", [0, 3])
def test_rows_without_columns_or_columns_without_rows(rows: int) -> None:
    """Neither is a special case."""
    table = pa.table({"a": pa.array([None] * rows, pa.int8())})
    assert frames.to_pandas(table).shape == (rows, 1)
    assert frames.to_pandas(table.select([])).shape == (rows, 0)


@pytest.mark.parametrize(
    ("values", "kind", "shown"),
    [
        (["a", None], pa.string_view(), "large_string[pyarrow]"),
        ([b"a", None], pa.binary_view(), "large_binary[pyarrow]"),
        ([[1], None], pa.list_view(pa.int8()), "large_list<item: int8>[pyarrow]"),
        ([datetime(2026, 1, 1, tzinfo=UTC)], pa.timestamp("s", "UTC"), "timestamp[s, tz=UTC]"),
        (["a", "a"], pa.dictionary(pa.int8(), pa.string()), "dictionary<"),
    ],
    ids=str,
)
def test_types_that_pandas_does_not_know_can_be_shown(
    values: list[Any], kind: Any, shown: str
) -> None:
    """Every frame can be printed, and holds the values."""
    frame = frames.to_pandas(pa.table({"c": pa.array(values, kind)}))
    assert str(frame["c"].dtype).startswith(shown)
    assert str(frame)
    assert frame["c"].isna().tolist() == [value is None for value in values]


def test_intervals_unions_and_runs() -> None:
    """Layouts without a pandas type become plain ones."""
    runs: Any = pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["x"]))
    children: Any = [pa.array([7, 0]), pa.array(["", "y"])]
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), children)
    interval: Any = pa.array([None, None], pa.month_day_nano_interval())
    frame = frames.to_pandas(pa.table({"r": runs, "u": union, "i": interval}))
    assert frame["r"].tolist() == ["x", "x"]
    assert frame["u"].tolist() == [7, "y"]
    assert frame["i"].tolist() == [None, None]


def test_pandas_is_imported_on_first_use_only() -> None:
    """The module costs nothing until a frame is asked for."""
    code = "import sys; from s3_data_lake_mcp import frames; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
