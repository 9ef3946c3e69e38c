"""Exact profiles of little: its rows are read once and kept for all statements, if they fit."""

import contextlib
import gzip
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.engines import TableSession
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.errors import LimitExceededError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.engine import BUCKET, Desk
from support.summaries import Summaries

_ROWS = 20_000
_LITTLE = ByteSize(96 << 20)


def _csv(rows: int, filler: str = "", names: Sequence[str] = ("id", "half", "word")) -> bytes:
    lines = (f"{at},{at % 7 / 2},{filler}{at % 9}" for at in range(rows))
    return "\n".join([",".join(names), *lines, ""]).encode()


def _small(memory: ByteSize = _LITTLE) -> Settings:
    return Settings(memory_limit=memory, max_result_bytes=ByteSize(1 << 20))


class _Told:
    """A session that tells its statements."""

    def __init__(self, session: TableSession, statements: list[str]) -> None:
        self._session = session
        self._statements = statements

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    def execute(self, sql: str, params: Sequence[object] = (), **more: Any) -> pa.Table:
        """Return the rows of one SELECT."""
        self._statements.append(sql)
        return self._session.execute(sql, params, **more)


class _Telling(DuckDbEngine):
    """An engine whose sessions tell their statements."""

    @contextlib.contextmanager
    def open_table(self, *where: Any, **more: Any) -> Iterator[Any]:
        """Open `data`."""
        self.statements: list[str] = []
        with super().open_table(*where, **more) as session:
            yield _Told(session, self.statements)


@pytest.mark.parametrize("packed", [False, True])
def test_no_statement_of_a_profile_reads_the_rows_anew(packed: bool) -> None:  # noqa: FBT001 - a parameter
    """To bind 1,500 columns takes a tenth of a second, and to read many objects as much."""
    body = _csv(_ROWS)
    summaries = Summaries()
    engine = summaries.engine = _Telling(summaries.store, summaries.settings)
    key, stored = ("a.csv.gz", gzip.compress(body, 1)) if packed else ("a.csv", body)
    summaries.put(key, stored)
    found = summaries.of(key, "exact")["profile"]
    assert (found["rows"], found["rows_basis"]) == (_ROWS, "exact")
    assert found["columns"][0]["distinct"] == _ROWS
    anew = [sql for sql in engine.statements if re.search("FROM (data|texts)", sql)]
    assert (len(engine.statements) > 3, anew) == (True, ["SELECT * FROM data LIMIT 0"])


@pytest.mark.parametrize("more", [0, 1])
def test_few_rows_are_measured_by_the_counts_of_their_values(more: int) -> None:
    """There are no more values than rows: 1,500 columns took two thirds longer."""
    summaries = Summaries()
    engine = summaries.engine = _Telling(summaries.store, summaries.settings)
    summaries.put("a.csv", _csv(_ROWS + more))
    (number, half, _) = summaries.of("a.csv", "exact")["profile"]["columns"]
    assert (number["distinct"], half["distinct"]) == (_ROWS + more, 7)
    assert (half["min"], half["max"], half["quantiles"]["p50"]) == (0.0, 3.0, 1.5)
    assert any("quantile_cont" in sql for sql in engine.statements) == bool(more)


def test_rows_that_do_not_fit_into_memory_are_read_for_each_statement() -> None:
    """They are not refused: a statement may need but little of them at a time."""
    desk = Desk(settings=_small(ByteSize(192 << 20)))
    desk.put("a.csv.gz", gzip.compress(_csv(160_000, "x" * 500), 1))
    with desk.engine.open_table(BUCKET, "a.csv.gz", ScanMeter()) as session:
        session.gather(["half", "word"])
        counted = f"SELECT count(*) AS n, count(DISTINCT word) AS w FROM {session.rows}"
        assert session.execute(counted).to_pylist() == [{"n": 160_000, "w": 9}]


def test_a_statement_for_which_there_is_no_memory_spoils_none_behind_it() -> None:
    """What was gathered goes with the session; the rows are those of the object still."""
    desk = Desk(settings=_small())
    desk.put("a.csv", _csv(1_000))
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        session.gather(["id"])
        with pytest.raises(LimitExceededError):
            session.execute(f"SELECT list(a.id) FROM {session.rows} a, range(100_000)")
        assert session.execute(f"FROM {session.rows}").num_rows == 1_000


def test_other_columns_are_gathered_in_place_of_those_before() -> None:
    """Types that changed meanwhile have the rows read anew."""
    desk = Desk()
    desk.put("a.csv", _csv(10))
    with desk.engine.open_table(BUCKET, "a.csv", ScanMeter()) as session:
        for names in (["id", "word"], ["half"]):
            session.gather(names)
            assert session.execute(f"FROM {session.rows}").column_names == names
        assert session.schema.names == ["id", "half", "word"]
