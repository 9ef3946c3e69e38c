"""SQL over objects with DuckDB: guarded text in, views over a scope of objects, rows out."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.engines import Query, QueryResult, Written
from s3_data_lake_mcp.engines.answers import Answers
from s3_data_lake_mcp.engines.asking import Asked, ask
from s3_data_lake_mcp.engines.call import Call, Report
from s3_data_lake_mcp.engines.connection import Instances, Kept, Session
from s3_data_lake_mcp.engines.facts import Memory
from s3_data_lake_mcp.engines.faults import data_error
from s3_data_lake_mcp.engines.inputs import DATA, open_inputs
from s3_data_lake_mcp.engines.json_table import JsonTable
from s3_data_lake_mcp.engines.mend import mend
from s3_data_lake_mcp.engines.opening import Opener, Stores
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.results import fetch
from s3_data_lake_mcp.engines.running import FIRST_KEYS, Run
from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.engines.stored_types import with_stored_types
from s3_data_lake_mcp.errors import (
    InternalError,
    LakeError,
    LimitExceededError,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.copies import Copies
from s3_data_lake_mcp.storage.rangecache import CachedRanges, MemoryRanges
from s3_data_lake_mcp.storage.scope import Scope

_DECODED_SHARE = 4
"""Part of the cache's memory that is for objects which are decoded before the engine sees them."""

_ANSWERS_SHARE = 8
"""Part of the cache's memory that is for answers."""

_GATHERED = "lake_gathered"


class DuckDbEngine:
    """Answers one query at a time; keeps its caches from one to the next."""

    def __init__(self, store: ObjectStore, settings: Settings) -> None:
        self._stores = _stores(store, settings)
        self._settings = settings
        self._memory = Memory()
        self._answers = Answers(settings.cache_bytes // _ANSWERS_SHARE)
        self._instances = Instances(settings)

    def run(self, query: Query, meter: ScanMeter, progress: Report | None = None) -> QueryResult:
        """Run one query; see `Engine.run`.

        Objects that were seen before are taken as unchanged, which is asked meanwhile. If one has
        changed, the query is run again: what it met, or would have answered, is of no account.
        """
        asked = ask(query)
        hopeful = self._opener(meter, hopeful=True)
        try:
            result = self._run(asked, hopeful, progress)
        except LakeError:
            if meter.over or hopeful.confirms():
                raise
        else:
            if hopeful.confirms():
                return result
        return self._run(asked, self._opener(meter), progress)

    def _run(self, asked: Asked, opener: Opener, progress: Report | None) -> QueryResult:
        query = asked.query
        inputs = open_inputs(
            opener,
            asked.wanted,
            self._settings,
            in_readers=asked.in_readers,
            asked=query.format,
            identity=query.identity,
        )
        if asked.seeks_nan:
            inputs.seek_nan()
        run = Run(asked, inputs, self._settings.max_result_bytes)
        connect = partial(self._connected, kept=asked.kept)
        with contextlib.closing(Call(inputs, opener, progress, connect)) as call:
            if query.dry_run:
                return call.run(run.plan, run.fault)
            # What was left out is said too, and may be more than it was.
            identity = "\n".join([inputs.identity, *inputs.place_notices()])
            if (known := self._answers.find(query, identity)) is not None:
                return run.renewed(known)
            answer = call.run(run.answer, run.fault)
        if asked.reads:
            # Of columns, later queries may learn more.
            self._answers.keep(query, identity, answer)
        page = answer.page(query.offset, query.max_rows)
        if page is None:
            raise InternalError("A query without its page")
        return page

    def _opener(self, meter: ScanMeter, *, hopeful: bool = False) -> Opener:
        return Opener(self._stores, self._memory, meter, hopeful=hopeful)

    @contextlib.contextmanager
    def open_table(
        self, bucket: str, key: str, meter: ScanMeter, progress: Report | None = None
    ) -> Iterator["DuckDbTable"]:
        """Open `data` for trusted SQL; see `Engine.open_table`."""
        opener = self._opener(meter)
        inputs = open_inputs(opener, ((DATA, bucket, key),), self._settings)
        inputs.want_texts()
        inputs.seek_nan()
        with contextlib.closing(Call(inputs, opener, progress, self._connected)) as call:
            yield DuckDbTable(call)

    @contextlib.contextmanager
    def _connected(self, call: Call, *, kept: Kept | None = None) -> Iterator[Session]:
        scope = Scope(call.meter, call.opener.refutes)
        with self._instances.session(call.inputs.reads, scope, call.report, kept) as session:
            yield session


def _stores(store: ObjectStore, settings: Settings) -> Stores:
    memory = MemoryRanges(settings.cache_bytes // _DECODED_SHARE)
    folder, most = settings.cache_dir, settings.cache_disk_bytes
    return Stores(
        plain=store,
        decoded=CachedRanges(store, memory).as_store(),
        copies=Copies(Path(folder), most) if folder else None,
    )


class DuckDbTable:
    """The table `data`, open for trusted SQL; see `TableSession`."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._gathered = ""
        self._in_memory = False

    @property
    def rows(self) -> str:
        """The table of all rows; see `TableSession`."""
        return _GATHERED if self._gathered else DATA

    def gather(self, columns: Sequence[str]) -> None:
        """Read columns once; see `TableSession`."""
        if self._gathered:
            self._call.close()
        self._gathered = ""
        select = f"SELECT {', '.join(map(identifier, columns))} FROM {DATA}"  # noqa: S608 - quoted

        def work(session: Session) -> None:
            self._create_views(session)
            with contextlib.suppress(duckdb.OutOfMemoryException):
                session.execute(f"CREATE TEMP TABLE {_GATHERED} AS {select}")
                self._in_memory = True
            session.scope.close()

        self._run(select, work)
        self._gathered = select
        if not self._in_memory:
            self._call.close()

    def _create_views(self, session: Session) -> None:
        if session.has_views:
            return
        self._call.inputs.create_views(session)
        if self._gathered:
            session.execute(f"CREATE TEMP VIEW {_GATHERED} AS {self._gathered}")
        self._in_memory, session.has_views = False, True
        for table in self._call.inputs.tables:
            table.read_ahead(session)

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns and types, as a query shows them."""
        sql = f"SELECT * FROM {DATA} LIMIT 0"  # noqa: S608 - a constant
        found, data = self.execute(sql), self._call.inputs.data
        stored = data.stored if isinstance(data, ParquetTable) else ()
        return with_stored_types(found, sql, stored, None).schema

    @property
    def written(self) -> Mapping[str, Written]:
        """How columns are written whose text is at hand; see `TableSession`."""
        return {} if self._gathered else self._call.inputs.written

    @property
    def sources(self) -> Sequence[ObjectInfo]:
        """The objects that it reads."""
        return list(self._call.inputs.infos())

    @property
    def notices(self) -> Sequence[str]:
        """What there is to say of how they are read, and which columns there may be besides."""
        data = self._call.inputs.data
        more = isinstance(data, JsonTable) and not data.is_whole
        return [*self._call.inputs.notices(), *([FIRST_KEYS] if more else [])]

    @property
    def lessons(self) -> int:
        """How often what was read has changed how they are read; see `TableSession`."""
        return self._call.lessons

    def execute(
        self, sql: str, params: Sequence[object] = (), *, goes_on: bool = False
    ) -> pa.Table:
        """Return the rows of one SELECT; see `TableSession`."""

        def work(session: Session) -> pa.Table:
            self._create_views(session)
            if goes_on:
                session.scope.begin(session.cached().holds)
            table = fetch(session.cursor.sql(sql, params=list(params)))
            if not goes_on:
                session.scope.close()
            return table

        try:
            return self._run(sql, work)
        except LimitExceededError:
            if not self._in_memory:
                raise
            # What was gathered takes memory; the next session has a view in place of it.
            return self._run(sql, work)

    def _run[T](self, sql: str, work: Callable[[Session], T]) -> T:
        inputs = self._call.inputs

        def fault(session: Session, error: duckdb.Error) -> LakeError:
            return data_error(error, inputs.tables) or mend(error, sql, inputs.columns(session))

        return self._call.run(work, fault)
