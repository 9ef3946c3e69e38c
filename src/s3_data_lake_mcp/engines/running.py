"""One query over its tables: views, pruning, rows of a page, and what there is to say of them."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.engines import QueryResult
from s3_data_lake_mcp.engines.answers import Answer, is_drawn
from s3_data_lake_mcp.engines.asking import Asked
from s3_data_lake_mcp.engines.connection import Session
from s3_data_lake_mcp.engines.csv_table import CsvTable
from s3_data_lake_mcp.engines.faults import data_error, wrong_reader
from s3_data_lake_mcp.engines.inputs import DATA, Inputs
from s3_data_lake_mcp.engines.json_table import JsonTable
from s3_data_lake_mcp.engines.mend import mend
from s3_data_lake_mcp.engines.misread import UNREAD_BYTES, may_say_casts, remarks, void_casts
from s3_data_lake_mcp.engines.opening import HEAD_BYTES
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.partition_tests import narrowing
from s3_data_lake_mcp.engines.plans import plan_of
from s3_data_lake_mcp.engines.prefetch import prefetch
from s3_data_lake_mcp.engines.pruning import PlanNode, Read, plan_tree, prunable, read_by
from s3_data_lake_mcp.engines.results import Window, exact_type, fetch, fetch_window, text_notices
from s3_data_lake_mcp.engines.row_order import RowOrder
from s3_data_lake_mcp.engines.simple_form import Statement
from s3_data_lake_mcp.engines.stored_types import with_stored_types
from s3_data_lake_mcp.engines.used_fields import UsedFields
from s3_data_lake_mcp.errors import LakeError, UnknownColumnError

_MOST_SOURCES = 20
_BRIEF_ROWS = 5_000
_ORDERED_ROWS = 5_000
_FARTHEST_ROW = 100_000
_WINDOW_BYTES = 32 << 20
_ESCAPED_BYTES = 6
_CELL_BYTES = 24
FIRST_KEYS = "Columns are the keys of the first records; later ones may hold further keys."
_UNSETTLED = (
    "The order of these rows is not fixed, so between pages rows may repeat or be missed: "
    "add ORDER BY with columns that together are unique."
)

_DRAWN = (
    "Chance draws these rows, for each page anew, so rows may repeat or be missed: ask for all in "
    "one page, or sample with REPEATABLE (1)."
)


class Run:
    """A query over its tables; tried in one session, or in several that learn from each other."""

    def __init__(self, asked: Asked, inputs: Inputs, most_shown_bytes: int) -> None:
        self._asked = asked
        self._inputs = inputs
        self._most_shown_bytes = most_shown_bytes
        self._narrowed = False
        self._statement = Statement(texts=("",))
        self._row_groups_read: int | None = None
        rows = asked.first_rows
        for table in inputs.tables:
            few = rows is not None and rows <= _BRIEF_ROWS
            table.brief = rows if few and asked.is_plain else None
            if isinstance(table, CsvTable):
                # Of short text, all comes with its opening.
                if few and asked.takes_all and table.place.size_bytes > HEAD_BYTES:
                    table.brief, table.needs_kinds = rows, True
                table.used = asked.used_columns()
            if isinstance(table, CsvTable | JsonTable):
                table.dry = asked.query.dry_run
            if isinstance(table, ParquetTable):
                table.brief = None if asked.query.dry_run else rows
        self._use(asked.used_fields())

    def answer(self, session: Session) -> Answer:
        """Return the rows of the page; where their order is open, those around it as well."""
        query = self._asked.query
        self._bind(session, begins=self._asked.reads)
        self._prefetch(session)
        order = self._asked.row_order()
        window = self._window(order)
        with session.read_only():
            relation = session.cursor.sql(self._statement.sql, params=list(self._statement.values))
            table, is_all = fetch_window(relation, window)
            if self._asked.counts:
                self._row_groups_read = session.row_groups_read()
            is_behind = window.offset and not (table.num_rows or self._asked.sql)
            total = self._counted(session) if is_behind else None
        notices = text_notices(relation)
        is_unsorted = order.is_open and is_all and self._fits_a_page(table)
        if order.is_open and not is_unsorted:
            altered = [exact_type(kind) is not None for kind in relation.types]
            settled = order.settled(session, table, altered)
            is_fixed = is_all and settled is not None and not window.offset
            notices += [_UNSETTLED] if query.offset and not is_fixed else []
            table = table if settled is None else settled
        notices += [_DRAWN] if query.offset and is_drawn(self._statement.sql) else []
        result = self._result(table, window.offset)
        if self._asked.kind == "select" and not query.offset:
            self._widen(session, self._statement.shown)
            notices += remarks(session, self._inputs.learners, self._statement, table)
        result = replace(
            result,
            notices=[*result.notices, *notices],
            total_rows=result.total_rows if total is None else total,
        )
        return Answer(result=result, start=window.offset, is_all=is_all, is_unsorted=is_unsorted)

    def _counted(self, session: Session) -> int:
        """Return how many rows there are, of which none is shown."""
        sql = f"SELECT count(*) FROM ({self._statement.sql}\n)"  # noqa: S608 - guarded
        found = session.cursor.execute(sql, list(self._statement.values)).fetchone()
        return int(found[0]) if found else 0

    def _fits_a_page(self, table: pa.Table) -> bool:
        """Whether rows are certain to be shown all at once, as the engine gives them.

        Half of the room is for what is said beside them. Names of fields, and values of a
        dictionary, are written with each row, whatever they take here.
        """
        query = self._asked.query
        written = table.nbytes * _ESCAPED_BYTES + table.num_rows * table.num_columns * _CELL_BYTES
        return (
            not query.offset
            and table.num_rows <= query.max_rows
            and written <= self._most_shown_bytes // 2
            and not any(
                pa.types.is_nested(t) or pa.types.is_dictionary(t) for t in table.schema.types
            )
        )

    def renewed(self, result: QueryResult) -> QueryResult:
        """Return a result of the same versions, with what else is known of the objects now."""
        sources, data = list(self._inputs.infos())[:_MOST_SOURCES], self._inputs.data
        return replace(result, sources=sources, whole=data.place.whole if data else None)

    def plan(self, session: Session) -> QueryResult:
        """Return what the query would read, and its columns where they are known without."""
        self._bind(session)
        nodes: list[PlanNode] | None = None
        table = pa.table({})
        if self._asked.kind == "select":
            nodes = plan_tree(session, self._statement)
            empty = f"SELECT * FROM ({self._statement.sql}\n) LIMIT 0"  # noqa: S608 - guarded
            with session.read_only():
                table = fetch(session.cursor.sql(empty, params=list(self._statement.values)))
        elif self._asked.kind == "explain":
            nodes = []
        head_bytes = HEAD_BYTES if self._asked.is_plain else 0
        plan = plan_of(session, self._inputs.tables, nodes, head_bytes)
        return replace(self._result(table, 0), plan=plan)

    def _bind(self, session: Session, *, begins: bool = False) -> None:
        if not self._narrowed:
            self._narrow(session)
        self._inputs.create_views(session, begins=begins)
        self._statement = self._asked.statement(session, self._columns(session))

    def _window(self, order: RowOrder) -> Window:
        """Return the rows to fetch: those of one run fit together, whatever page they are on."""
        query = self._asked.query
        least = query.max_rows + 1
        if not order.is_open or query.offset > _FARTHEST_ROW:
            return Window(rows=least, offset=query.offset)
        stop = query.offset + least
        rows = None if order.gives_all else -(-stop // _ORDERED_ROWS) * _ORDERED_ROWS
        return Window(rows=rows, least=stop, most_bytes=_WINDOW_BYTES)

    def _prefetch(self, session: Session) -> None:
        """Fetch what Parquet tables are read of, where the plan tells; the query runs without."""
        if self._asked.kind == "select":
            with contextlib.suppress(duckdb.Error):
                prefetch(session, self._inputs.tables, self._statement)

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
            read: Read = {}
            with contextlib.suppress(duckdb.Error, UnknownColumnError):
                self._inputs.create_views(session)
                statement = self._asked.statement(session, self._columns(session))
                read = read_by(session, statement, tables)
                if self._asked.kind == "select" and (self._asked.sql or self._asked.where):
                    for table in tables:
                        most = len(read[table.name])
                        table.narrowing = narrowing(session, table, statement.shown, most)
                if any(table.narrowing for table in tables):
                    self._inputs.create_views(session)
                    read = read_by(session, statement, tables)
            if not isinstance(session.scope.failure, LakeError):
                # To plan a PIVOT is to read, from objects that are not in focus yet.
                session.scope.failure = None
            for table in tables:
                found = read.get(table.name, table.place.members)
                # Columns come and go with time: the ends tell what all objects have together.
                first, last = (
                    [end] if all(end is not member for member in found) else []
                    for end in (table.place.members[0], table.place.members[-1])
                )
                table.focus([*first, *found, *last])
                table.beside = [*first, *last]
        self._narrowed = True

    def _widen(self, session: Session, sql: str) -> None:
        """Have whole tables as views again, if what is said beside an answer is about all rows."""
        tables, casts = self._inputs.tables, may_say_casts(sql)
        if any(one.narrowing or (one.is_cut and casts) for one in tables):
            for table in tables:
                table.narrowing, table.brief = "", None
            self._inputs.create_views(session)

    def _result(self, table: pa.Table, start: int) -> QueryResult:
        inputs = self._inputs
        infos = list(inputs.infos())
        data = inputs.data
        if isinstance(data, ParquetTable) and self._asked.kind == "select":
            page = (start, table.num_rows)
            read = partial(data.read_stored, page) if len(data.place.members) == 1 else None
            table = with_stored_types(table, self._statement.shown, data.stored, read)
        return QueryResult(
            table=table,
            sql=self._statement.shown,
            format=inputs.places[0].format if inputs.tables else "",
            sources=infos[:_MOST_SOURCES],
            sources_total=len(infos),
            identity=inputs.identity,
            total_rows=self._known_rows(),
            notices=[*inputs.notices(), *self._star_notice(table)],
            whole=data.place.whole if data is not None else None,
            details=self._details(),
        )

    def _star_notice(self, table: pa.Table) -> Iterator[str]:
        """Say that records may hold more keys, where all columns, or all fields, are shown."""
        data = self._inputs.data
        if not isinstance(data, JsonTable) or data.is_whole:
            return
        if set(data.columns) <= set(table.column_names):
            yield FIRST_KEYS
        elif any("struct<" in str(kind) for kind in table.schema.types):
            yield "Fields are the keys of the first records; later ones may hold further keys."

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

    def _use(self, used: UsedFields | None) -> None:
        for table in self._inputs.tables:
            if isinstance(table, JsonTable):
                table.used = used

    def fault(self, session: Session, error: duckdb.Error) -> LakeError:
        """Return what an error means to who asked."""
        if (wrong := wrong_reader(self._inputs, self._asked.sql)) is not None:
            return wrong
        if (found := data_error(error, self._inputs.tables)) is not None:
            return self._asked.readable(found)
        if any(isinstance(t, JsonTable) and t.used is not None for t in self._inputs.tables):
            # Hints are about all fields, not those alone that the query names.
            self._use(None)
            with contextlib.suppress(LakeError, duckdb.Error):
                self._inputs.create_views(session)
        columns = self._inputs.columns(session)
        mended = mend(error, self._statement.sql, columns)
        self._fit_casts(session, mended)
        return self._asked.repaired(mended, columns.get(DATA, []))

    def _fit_casts(self, session: Session, mended: LakeError) -> None:
        """Read text in a repair as it is written; where that is not known, say how it is."""
        data, sql = self._inputs.data, (mended.repair or {}).get("sql")
        if data is None or not isinstance(sql, str):
            return
        with contextlib.suppress(LakeError, duckdb.Error):
            self._widen(session, sql)
        for void in void_casts(session, data, sql, UNREAD_BYTES):
            mended.hint = f"{mended.hint} {void.sentence}".strip()
            # A cast that gives nothing is no call that works.
            sql = sql.replace(void.written, void.better) if sql and void.better else ""
        mended.repair = {"sql": sql} if sql else None
