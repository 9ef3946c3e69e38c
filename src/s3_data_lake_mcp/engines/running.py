"""One query over its tables: views, pruning, rows of a page, and what there is to say of them."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.engines import QueryResult
from s3_data_lake_mcp.engines.asking import Asked
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.faults import data_error
from s3_data_lake_mcp.engines.inputs import DATA, Inputs
from s3_data_lake_mcp.engines.json_table import JsonTable
from s3_data_lake_mcp.engines.literals import wrong_literals
from s3_data_lake_mcp.engines.mend import mend
from s3_data_lake_mcp.engines.opening import HEAD_BYTES
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.plans import plan_of
from s3_data_lake_mcp.engines.prefetch import prefetch
from s3_data_lake_mcp.engines.pruning import Scan, plan_tree, prunable, scans_in, survivors
from s3_data_lake_mcp.engines.results import fetch
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.stored_types import with_stored_types
from s3_data_lake_mcp.errors import LakeError

_MOST_SOURCES = 20
_BRIEF_ROWS = 5_000


class Run:
    """A query over its tables; tried in one session, or in several that learn from each other."""

    def __init__(self, asked: Asked, inputs: Inputs) -> None:
        self._asked = asked
        self._inputs = inputs
        self._narrowed = False
        self._statement = Statement(texts=("",))
        self._row_groups_read: int | None = None
        rows = asked.query.offset + asked.query.max_rows + 1
        for table in inputs.tables:
            table.brief = rows if asked.is_plain and rows <= _BRIEF_ROWS else None

    def answer(self, session: Session) -> QueryResult:
        """Return the rows of the page."""
        query = self._asked.query
        if not self._narrowed:
            self._narrow(session)
        self._inputs.create_views(session)
        self._statement = self._asked.statement(session, self._columns(session))
        values = list(self._statement.values)
        if query.dry_run:
            return self._planned(session)
        self._prefetch(session)
        with session.read_only():
            relation = session.cursor.sql(self._statement.sql, params=values)
            table = fetch(relation, query.max_rows + 1, query.offset)
            if self._asked.counts:
                self._row_groups_read = session.row_groups_read()
        result = self._result(table)
        data = self._inputs.data
        if query.offset or data is None or self._asked.kind != "select" or _says_something(table):
            return result
        hints = wrong_literals(session, data, self._statement)
        return replace(result, notices=[*result.notices, *hints])

    def _prefetch(self, session: Session) -> None:
        """Fetch what Parquet tables are read of, where the plan tells; the query runs without."""
        if self._asked.kind == "select":
            with contextlib.suppress(duckdb.Error):
                prefetch(session, self._inputs.tables, self._statement)

    def _planned(self, session: Session) -> QueryResult:
        """Return the plan, and the columns without rows where they are known without reading."""
        scans: list[Scan] | None = None
        table = pa.table({})
        if self._asked.kind == "select":
            scans = list(scans_in(plan_tree(session, self._statement)))
            empty = f"SELECT * FROM ({self._statement.sql}\n) LIMIT 0"  # noqa: S608 - guarded
            values = list(self._statement.values)
            with session.read_only():
                table = fetch(session.cursor.sql(empty, params=values))
        elif self._asked.kind == "explain":
            scans = []
        head_bytes = HEAD_BYTES if self._asked.is_plain else 0
        plan = plan_of(session, self._inputs.tables, scans, head_bytes)
        return replace(self._result(table), plan=plan, total_rows=self._known_rows())

    def _columns(self, session: Session) -> list[tuple[str, str]]:
        if self._asked.sql or (self._asked.is_plain and not self._asked.query.columns):
            return []
        return session.describe(DATA)

    def _narrow(self, session: Session) -> None:
        """Find the objects that the query reads, by the partitions that it asks for."""
        tables = prunable(self._inputs)
        for table in tables:
            table.focus(table.place.members[-1:])
        if tables:
            scans = []
            with contextlib.suppress(duckdb.Error):
                self._inputs.create_views(session)
                statement = self._asked.statement(session, self._columns(session))
                scans = list(scans_in(plan_tree(session, statement)))
            for table in tables:
                found = survivors(session, table, scans)
                last = table.place.members[-1]
                newest = [] if any(member is last for member in found) else [last]
                table.focus([*found, *newest])
        self._narrowed = True

    def _result(self, table: pa.Table) -> QueryResult:
        inputs, query = self._inputs, self._asked.query
        infos = list(inputs.infos())
        data = inputs.data
        if isinstance(data, ParquetTable) and self._asked.kind == "select":
            page = (query.offset, table.num_rows)
            read = partial(data.read_stored, page) if len(data.place.members) == 1 else None
            table = with_stored_types(table, self._statement.shown, data.stored, read)
        rows = table.num_rows
        ended = rows <= query.max_rows and (rows > 0 or query.offset == 0)
        return QueryResult(
            table=table,
            sql=self._statement.shown,
            format=inputs.places[0].format if inputs.tables else "",
            sources=infos[:_MOST_SOURCES],
            sources_total=len(infos),
            identity=inputs.identity,
            total_rows=query.offset + rows if ended else self._known_rows(),
            notices=[*inputs.notices(), *self._star_notice(table)],
            whole=data.place.whole if data is not None else None,
            details=self._details(),
        )

    def _star_notice(self, table: pa.Table) -> Iterator[str]:
        """Say that records may hold more keys, where all columns were asked for."""
        data = self._inputs.data
        if (
            isinstance(data, JsonTable)
            and not data.is_whole
            and set(data.columns) <= set(table.column_names)
        ):
            yield "Columns are the keys of the first records; later ones may hold further keys."

    def _known_rows(self) -> int | None:
        """Return the number of all rows where that is asked for and footers tell it."""
        data = self._inputs.data
        if self._asked.is_plain and isinstance(data, ParquetTable) and data.is_known:
            return data.num_rows
        return None

    def _details(self) -> Mapping[str, Any]:
        data = self._inputs.data
        if not isinstance(data, ParquetTable):
            return {}
        return {"parquet": {**data.details(), "row_groups_read": self._row_groups_read}}

    def fault(self, session: Session, error: duckdb.Error) -> LakeError:
        """Return what an error means to who asked."""
        if (found := data_error(error, self._inputs.tables)) is not None:
            return found
        columns = self._inputs.columns(session)
        mended = mend(error, self._statement.sql, columns)
        return self._asked.repaired(mended, columns.get(DATA, []))


def _says_something(table: pa.Table) -> bool:
    """Whether a result is more than no row, or one of counts that are all zero."""
    if table.num_rows != 1:
        return bool(table.num_rows)
    numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    if not all(any(test(kind) for test in numeric) for kind in table.schema.types):
        return True
    return any(column[0].as_py() for column in table.columns)
