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
from s3_data_lake_mcp.engines.connection import Instances, Kept, Session
from s3_data_lake_mcp.engines.facts import Memory
from s3_data_lake_mcp.engines.faults import data_error
from s3_data_lake_mcp.engines.inputs import DATA, Inputs, open_inputs
from s3_data_lake_mcp.engines.json_table import JsonTable
from s3_data_lake_mcp.engines.mend import mend
from s3_data_lake_mcp.engines.opening import Opener, Stores
from s3_data_lake_mcp.engines.parquet_table import ParquetTable
from s3_data_lake_mcp.engines.results import fetch
from s3_data_lake_mcp.engines.running import FIRST_KEYS, Run
from s3_data_lake_mcp.engines.stored_types import with_stored_types
from s3_data_lake_mcp.errors import (
    InternalError,
    LakeError,
    LimitExceededError,
    ObjectChangedError,
    UnknownColumnError,
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

_MOST_LESSONS = 200
"""Most times that one query is run again, each time a little wiser."""

type Report = Callable[[int, int], None]


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
        with contextlib.closing(_Call(inputs, opener, progress, connect)) as call:
            if query.dry_run:
                return call.run(run.plan, run.fault)
            # What was left out is said too, and may be more than it was.
            identity = "\n".join([inputs.identity, *inputs.place_notices()])
            if (known := self._answers.find(query, identity)) is not None:
                return run.renewed(known)
            answer = call.run(run.answer, run.fault)
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
        with contextlib.closing(_Call(inputs, opener, progress, self._connected)) as call:
            yield DuckDbTable(call)

    @contextlib.contextmanager
    def _connected(self, call: "_Call", *, kept: Kept | None = None) -> Iterator[Session]:
        scope = Scope(call.meter, call.opener.refutes)
        with self._instances.session(call.inputs.reads, scope, call.report, kept) as session:
            yield session


def _whole(error: duckdb.Error | UnicodeDecodeError) -> duckdb.Error:
    """Return an error of the engine, which may cut a value in the midst of a character."""
    if isinstance(error, duckdb.Error):
        return error
    return duckdb.ConversionException(error.object.decode(errors="ignore"))


def _stores(store: ObjectStore, settings: Settings) -> Stores:
    memory = MemoryRanges(settings.cache_bytes // _DECODED_SHARE)
    folder, most = settings.cache_dir, settings.cache_disk_bytes
    return Stores(
        plain=store,
        decoded=CachedRanges(store, memory).as_store(),
        copies=Copies(Path(folder), most) if folder else None,
    )


class _Call:
    """The tables of one call, who opened them, and who is told how far it is.

    It goes on with one session until that fails.
    """

    def __init__(
        self,
        inputs: Inputs,
        opener: Opener,
        progress: Report | None,
        connect: Callable[["_Call"], contextlib.AbstractContextManager[Session]],
    ) -> None:
        self.inputs = inputs
        self.opener = opener
        self.meter = opener.meter
        self.lessons = 0
        self._connect = connect
        self._session: Session | None = None
        self._opened = contextlib.ExitStack()
        self._progress = progress
        self._total = sum(info.size_bytes for info in inputs.infos())

    def run[T](
        self, work: Callable[[Session], T], fault: Callable[[Session, duckdb.Error], LakeError]
    ) -> T:
        """Do work in sessions until none of the tables can learn from its failure any more.

        The session in which it succeeds is the one that the call goes on with.
        """
        for _ in range(_MOST_LESSONS):
            with contextlib.ExitStack() as failing:
                failing.callback(self.close)
                session = self._session = self._session or self._opened.enter_context(
                    self._connect(self)
                )
                try:
                    done = work(session)
                    if isinstance(session.scope.failure, ObjectChangedError):
                        # It was interrupted, perhaps where that shows in no error.
                        raise session.scope.failure
                except UnknownColumnError:
                    missing = duckdb.BinderException("Column not found, says the simple form")
                    if not self._learns(missing, None):
                        raise
                except (duckdb.Error, UnicodeDecodeError) as caught:
                    exc = _whole(caught)
                    failure = session.scope.failure
                    if isinstance(failure, LakeError):
                        raise failure from exc
                    if not self._learns(exc, failure):
                        raise fault(session, exc) from exc
                else:
                    failing.pop_all()
                    return done
        message = f"Values differ in more than {_MOST_LESSONS} ways from those at the beginning"
        raise LimitExceededError(message, hint="Name fewer columns, or a narrower prefix or glob.")

    def _learns(self, error: duckdb.Error, failure: Exception | None) -> bool:
        """Whether a table is going to be read in another way, now that there was an error."""
        learnt = any(table.learn(error, failure) for table in self.inputs.learners)
        self.lessons += learnt
        return learnt

    def report(self) -> None:
        """Tell bytes read and bytes to read."""
        if self._progress is not None:
            self._progress(min(self.meter.bytes_read, self._total), self._total)

    def close(self) -> None:
        """Close the session."""
        self._session = None
        self._opened.close()


class DuckDbTable:
    """The table `data`, open for trusted SQL; see `TableSession`."""

    def __init__(self, call: _Call) -> None:
        self._call = call

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
        return self._call.inputs.written

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
        inputs = self._call.inputs

        def work(session: Session) -> pa.Table:
            if not session.has_views:
                inputs.create_views(session)
                session.has_views = True
                for opened in inputs.tables:
                    opened.read_ahead(session)
            if goes_on:
                session.scope.begin(session.cached().holds)
            table = fetch(session.cursor.sql(sql, params=list(params)))
            if not goes_on:
                session.scope.close()
            return table

        def fault(session: Session, error: duckdb.Error) -> LakeError:
            return data_error(error, inputs.tables) or mend(error, sql, inputs.columns(session))

        return self._call.run(work, fault)
