"""Profiles of delimited text: few texts are counted before they are cast, with equal figures."""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines import TableSession, Written
from s3_data_lake_mcp.errors import UnknownColumnError
from s3_data_lake_mcp.profiling.aggregates import Plan, ProfiledColumn
from s3_data_lake_mcp.profiling.columns import types_of
from s3_data_lake_mcp.profiling.exact import measure
from s3_data_lake_mcp.storage import ScanMeter
from support.engine import BUCKET, Desk
from support.summaries import Summaries

_ROWS = 4_000
_VALUES: Mapping[str, list[str]] = {
    "whole": ["0", "-7", "12", "9007199254740993", ""],
    "half": ["1.5", "1.50", "-0.0", "0", "1e3", "1000", "NA"],
    "day": ["2026-01-01", "2026-02-28", "0001-01-01", ""],
    "at": ["2026-01-01 10:00:00", "2026-01-01T10:00:00", "2026-01-01 10:00:00.000001", "NULL"],
    "zoned": ["2026-01-01T10:00:00Z", "2026-01-01 11:00:00+01:00", "2025-01-01T10:00:00+00"],
    "flag": ["true", "True", "FALSE", "false", "None"],
    "clock": ["10:00:00", "10:00:00.5", "23:59:59"],
    "word": ["a", "", "NA", "b c"],
}


class _Plain:
    """A session that has no texts at hand."""

    def __init__(self, session: TableSession) -> None:
        self._session = session
        self.schema, self.sources = session.schema, session.sources
        self.notices, self.written = session.notices, dict[str, Written]()
        self.lessons, self.rows = session.lessons, session.rows

    def gather(self, columns: Sequence[str]) -> None:
        """Pass it on."""
        self._session.gather(columns)

    def execute(self, sql: str, params: Any = (), *, goes_on: bool = False) -> pa.Table:
        """Return the rows of one SELECT."""
        return self._session.execute(sql, params, goes_on=goes_on)


def _text(rows: int) -> str:
    draw = random.Random(5)  # noqa: S311 - the same rows each time
    lines = [",".join(draw.choice(values) for values in _VALUES.values()) for _ in range(rows)]
    return "\n".join([",".join(_VALUES), *lines, ""])


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("rows", [1, _ROWS])
def test_figures_are_those_of_the_values(small: bool, rows: int) -> None:  # noqa: FBT001 - a parameter
    """Several texts of one value, null tokens and empty fields count as they do once cast."""
    desk = Desk()
    desk.put("a.csv", _text(rows))
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        schema = session.execute("SELECT * FROM data").schema
        assert schema.names == list(_VALUES)
        columns = [
            ProfiledColumn(name=name, type=kind, position=at)
            for at, (name, kind) in enumerate(zip(schema.names, schema.types, strict=True))
        ]
        plans = None if small else {column.position: Plan(count_all=True) for column in columns}
        assert session.written.keys() == {c.name for c in columns if c.kind != "text"}
        found, plain = (
            measure(one, columns, small=small, plans=plans) for one in (session, _Plain(session))
        )
    assert found.rows == rows
    assert [f.as_json("exact") for f in found.figures] == [
        f.as_json("exact") for f in plain.figures
    ]


def test_texts_alone() -> None:
    """Where all columns are texts, there is no cast to spare, and nothing beside the values."""
    summaries = Summaries()
    summaries.put("a.csv", b"t,u\na,x y\nb,x y\n")
    found = summaries.columns("a.csv", "exact")
    assert {name: one["distinct"] for name, one in found.items()} == {"t": 2, "u": 1}


@pytest.mark.parametrize(
    ("late", "kind"), [("2.5", "double"), ("x", "string"), ("NA", "int64"), ("", "int64")]
)
def test_a_column_that_becomes_wider_while_it_is_counted(
    late: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the head does not show is met by the cast of a counted text, and the types follow."""
    monkeypatch.setattr("s3_data_lake_mcp.profiling.profile._SMALL_BYTES", 0)
    summaries = Summaries()
    rows = [f"{n % 3},abc" for n in range(120_000)]
    summaries.put("a.csv", "\n".join(["n,t", *rows, f"{late},d", *rows, ""]).encode())
    found = summaries.columns("a.csv", "exact")["n"]
    assert found["type"] == kind
    assert found["nulls"] == (late in {"NA", ""})
    assert found["distinct"] == (3 if late in {"NA", ""} else 4)


@pytest.mark.parametrize(
    ("values", "late"),
    [("1\n2\n", "x"), ("2026-01-01\n", "soon"), ("2026-01-01\n", "2026-01-01 10:00")],
)
def test_counts_outlive_values_that_widen_their_column(values: str, late: str) -> None:
    """Counts alone go through whatever the type has become; the next measures are of that."""
    desk = Desk()
    desk.put("a.csv", "n,t\n" + values.replace("\n", ",abc\n") * 100_000 + f"{late},d\n")
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        before = types_of(session)["n"]
        column = ProfiledColumn(name="n", type=before, position=0)
        measure(session, [column], small=False, plans={0: Plan(count_all=True)})
        assert types_of(session)["n"] != before


@pytest.mark.parametrize("small_bytes", [0, 32 << 20])
def test_any_number_of_columns_may_widen(small_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark for missing values that the head does not show makes texts of all of them."""
    monkeypatch.setattr("s3_data_lake_mcp.profiling.profile._SMALL_BYTES", small_bytes)
    summaries = Summaries()
    rows = [[str(row * at) for at in range(1, 7)] for row in range(20_000)]
    for at in range(6):
        rows[10_000 + at * 1_000][at] = "-"
    summaries.put("a.csv", "\n".join(["a,b,c,d,e,f", *map(",".join, rows), ""]).encode())
    found = summaries.columns("a.csv", "exact")
    assert [(one["type"], one["min"]) for one in found.values()] == [("string", "-")] * 6


@pytest.mark.parametrize("lines", [300_000, 1_200_000])
def test_what_the_next_statement_reads_begins_to_come(lines: int) -> None:
    """It is fetched once: while the plan is made, not again when it is read."""
    desk, meter = Desk(), ScanMeter()
    desk.put("a.csv", body := "n,t\n" + "12,abcdef\n" * lines)
    with desk.engine.open_table(BUCKET, "a.csv", meter) as session:
        types_of(session)
        until = time.monotonic() + 20
        while meter.bytes_read < len(body) and time.monotonic() < until:
            time.sleep(0.01)
        assert meter.bytes_read == len(body)
        assert session.execute("SELECT count(*) AS n FROM data").to_pylist() == [{"n": lines}]
        assert meter.bytes_read == len(body)
    again = ScanMeter()
    with desk.engine.open_table(BUCKET, "a.csv", again) as session:
        types_of(session)
        assert session.execute("SELECT count(*) AS n FROM data").to_pylist() == [{"n": lines}]
    assert not again.bytes_read


def test_nothing_begins_to_come_for_columns_that_may_not_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A misspelt name costs a look at the head, and the sample that is on its way."""
    monkeypatch.setattr("s3_data_lake_mcp.profiling.profile._SMALL_BYTES", 0)
    summaries = Summaries()
    summaries.put("a.csv", b"n,t\n" + b"12,abcdef\n" * 1_200_000)
    with pytest.raises(UnknownColumnError):
        summaries.of("a.csv", "exact", "m")
    assert summaries.meter.bytes_read < 3 << 20


def test_a_session_that_has_failed_is_not_gone_on_with() -> None:
    """Types are found by a read that meets a number which the engine would round."""
    summaries = Summaries()
    lines = b"".join(b'{"a":%d,"b":%d.5}\n' % (n, n) for n in range(50_000))
    summaries.put("a.jsonl", lines + b'{"a":1,"b":1.2345678901234567890123}\n')
    found = summaries.columns("a.jsonl", "auto")
    assert {name: (one["type"], one["nulls"]) for name, one in found.items()} == {
        "a": ("int64", 0),
        "b": ("string", 0),
    }
    assert found["b"]["distinct"] == 50_001


def test_a_session_that_waits_ends_with_its_table() -> None:
    """Nothing may come of its types."""
    desk = Desk()
    desk.put("a.csv", "n\n1\n")
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        types_of(session)
    assert not any(thread.name == "query-watch" for thread in threading.enumerate())
    assert desk.value("a.csv", "SELECT max(n) FROM data") == 1


def test_many_columns_have_no_texts_at_hand() -> None:
    """Of more than a hundred typed columns the figures are those of the values."""
    desk = Desk()
    desk.put("a.csv", ",".join(f"c{n}" for n in range(150)) + "\n" + ",".join(["1"] * 150) + "\n")
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        assert session.execute("SELECT c0, c149 FROM data").to_pylist() == [{"c0": 1, "c149": 1}]
        assert not session.written


def test_columns_of_text_are_not_selected_twice() -> None:
    """Only what is cast has its text at hand: that of the others is their value."""
    desk = Desk()
    desk.put("a.csv", "word,n,t\nx,1,y\n")
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        assert session.execute("SELECT * FROM data").num_columns == 3
        assert session.written.keys() == {"n"}
        assert session.execute("SELECT * FROM texts").num_columns == 4


@pytest.mark.parametrize("late", ["x", "2.5"])
def test_sql_that_names_a_text_outlives_a_wider_type(late: str) -> None:
    """A column that becomes text while it is read keeps the names that SQL has for its text."""
    desk = Desk()
    desk.put("a.csv", "n,t\n" + "1,abc\n" * 200_000 + f"{late},d\n")
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        session.execute("SELECT * FROM data LIMIT 0")
        written = session.written["n"]
        values = f"SELECT DISTINCT {written.value}({written.text}) AS v FROM texts"
        found = session.execute(values).column("v").to_pylist()
    assert {str(value) for value in found} <= {"1", "1.0", late}
    assert len(found) == 2
