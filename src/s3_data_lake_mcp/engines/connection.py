"""The locked DuckDBs of a worker, a connection per query, and the watch that stops it."""

import contextlib
import itertools
import json
import os
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal

import duckdb

from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage.filesystem import STREAM_SCHEME, LakeFileSystem
from s3_data_lake_mcp.storage.keys import SCHEMES
from s3_data_lake_mcp.storage.scope import Scope

_THREADS = 4
_MEMORY_SHARE = 0.6
"""Of the call's memory; the rest is for Python, Arrow, read-ahead and what DuckDB doesn't count."""

_ASYNC_THREADS = {"columns": 32, "text": 4}
"""Threads that wait for files, by what is read.

Each column chunk is fetched by one of them, when it is read. Text is on its way by then, and more
threads would have the engine hand back memory for each that was idle for half a second."""

_IDLE_SHARE = 0.1
"""Part of a call's memory that may be taken by the cache of an instance that it does not use."""

_TICK_SECONDS = 0.05
_REPORT_TICKS = 4

_SETTINGS = {
    "parquet_metadata_cache": "true",
    "parquet_prefetch_column_gap": "131072",
    "TimeZone": "'UTC'",
    # It has the reader of CSV do what is a TRY_CAST in the query, and a misfit is an error there.
    # The other one makes a join of a list behind IN, and of rows in their order rows in none.
    "disabled_optimizers": "'type_pushdown,in_clause'",
    "preserve_insertion_order": "true",
    "arrow_lossless_conversion": "false",
    "max_expression_depth": "1000",
    "pivot_limit": "1000",
    "temp_directory": "''",
    "max_temp_directory_size": "'0B'",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_extension_repositories": "'forbidden'",
    "allow_persistent_secrets": "false",
    "secret_directory": "''",
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
}
type Kept = Literal["counting", "brief"]
"""Connections that are kept, each for its setting: one that counts the row groups that are read,
and one for the first few rows, which reads no row groups ahead of them."""

_KEPT: Mapping[Kept, str] = {
    "counting": "enable_profiling='no_output'",
    "brief": "read_ahead_depth=1",
}

type Reads = Literal["columns", "text"]
"""What an instance is for: see `_ASYNC_THREADS`."""

_GENERATIONS = itertools.count(1)
_LOCK = {"enable_external_access": "false", "lock_configuration": "true"}


class Session:
    """A connection for one call: what it creates is temporary and goes with it.

    `generation` is another one for another instance, and so for another cache. `has_views` says
    that the tables of a call of many statements are there.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, scope: Scope, generation: int) -> None:
        self.cursor = cursor
        self.scope = scope
        self.generation = generation
        self.has_views = False

    def execute(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run trusted SQL and return its rows."""
        return self.cursor.execute(sql, list(params)).fetchall()

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nothing be created or changed meanwhile, not even in memory."""
        self.cursor.execute("BEGIN TRANSACTION READ ONLY")
        try:
            yield
        finally:
            # What ran in between may have ended the transaction.
            with contextlib.suppress(duckdb.Error):
                self.cursor.execute("ROLLBACK")

    def cached(self) -> "Cached":
        """Return what the engine has in its cache now."""
        return Cached(
            self.execute(
                "SELECT path, location, location + nr_bytes FROM duckdb_external_file_cache() "
                "WHERE loaded ORDER BY ALL"
            )
        )

    def row_groups_read(self) -> int:
        """Return how many row groups of its table the last query of a counting session read.

        Of a table that it scans more than once, some scans read a part of what another reads.
        """
        told = json.loads(self.cursor.get_profiling_information(format="json"))
        return max(_row_groups(told.get("operator", ())), default=0)

    def describe(self, relation: str) -> list[tuple[str, str]]:
        """Return names and types of the columns of something that can stand behind FROM."""
        rows = self.execute(f"DESCRIBE SELECT * FROM {relation}")  # noqa: S608 - trusted SQL
        return [(row[0], row[1]) for row in rows]


class Cached:
    """Ranges of objects that need not be fetched; those that touch are one.

    `ranges` are in order: path, start and stop of each.
    """

    def __init__(self, ranges: Iterable[tuple[str, int, int]]) -> None:
        self._spans: dict[str, list[tuple[int, int]]] = {}
        for path, start, stop in ranges:
            mine = self._spans.setdefault(path, [])
            if mine and start <= mine[-1][1]:
                mine[-1] = (mine[-1][0], max(stop, mine[-1][1]))
            else:
                mine.append((start, stop))

    def holds(self, path: str, start: int, stop: int) -> bool:
        """Whether all of a range is there."""
        mine = self._spans.get(path, [])
        at = bisect_right(mine, start, key=itemgetter(0)) - 1
        return at >= 0 and stop <= mine[at][1]


def _row_groups(operators: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    """Yield the row groups that each of the operators, and of those below them, has read."""
    for operator in operators:
        yield int(operator.get("row_groups_scanned", 0))
        yield from _row_groups(operator.get("children", ()))


class Instance:
    """A DuckDB that can read the current query's scope, and do nothing else to the outside.

    It is kept from query to query for its cache of blocks and footers. Views are made on a query's
    own connection, as temporary ones, and vanish with it. `reads` is what most of its time goes to.
    """

    def __init__(self, settings: Settings, reads: Reads = "columns") -> None:
        self._files = LakeFileSystem()
        self._generation = next(_GENERATIONS)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        memory = int(settings.memory_limit * _MEMORY_SHARE)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": min(_THREADS, cores),
                "async_threads": _ASYNC_THREADS[reads],
                "memory_limit": f"{memory}B",
            },
        )
        # These are a connection's own settings, which no query may change once all is locked.
        self._kept = {name: self._connection.cursor() for name in _KEPT}
        for kept, setting in _KEPT.items():
            self._kept[kept].execute(f"SET SESSION {setting}")
        self._connection.register_filesystem(self._files)
        schemes = ", ".join(f"'{scheme}://'" for scheme in (*SCHEMES, STREAM_SCHEME))
        for name, value in (_SETTINGS | {"allowed_directories": f"[{schemes}]"} | _LOCK).items():
            # Global: what is set for a connection does not hold for those that queries get.
            self._connection.execute(f"SET GLOBAL {name}={value}")

    @contextlib.contextmanager
    def session(
        self,
        scope: Scope,
        progress: Callable[[], None] | None = None,
        *,
        kept: Kept | None = None,
    ) -> Iterator[Session]:
        """Open a connection that may read a scope; it is interrupted when the call must stop.

        `progress` is called a few times a second. A `kept` session has one table, `data`.
        """
        cursor = self._kept[kept] if kept else self._connection.cursor()
        self._files.scope = scope
        done = threading.Event()
        watch = threading.Thread(
            target=_watch, args=(cursor, scope, done, progress), name="query-watch", daemon=True
        )
        watch.start()
        try:
            yield Session(cursor, scope, self._generation)
        finally:
            done.set()
            watch.join()
            if kept:
                with contextlib.suppress(duckdb.Error):
                    # An interrupt that met the end of a transaction has left it open.
                    cursor.execute("ROLLBACK")
                cursor.execute("DROP VIEW IF EXISTS temp.data")
            else:
                cursor.close()
            self._files.scope = None
            scope.close()

    def cached_bytes(self) -> int | None:
        """Return how much its cache holds; None if it broke."""
        try:
            found = self._connection.execute(
                "SELECT coalesce(sum(nr_bytes), 0) FROM duckdb_external_file_cache() WHERE loaded"
            ).fetchone()
        except duckdb.Error:
            return None
        return int(found[0]) if found else None

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()


class Instances:
    """An instance for each kind of reading, made when it is needed.

    Together they cache no more than one may. What is not in use takes little of a call's memory.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[Reads, Instance] = {}

    @contextlib.contextmanager
    def session(
        self, reads: Reads, scope: Scope, progress: Callable[[], None], kept: Kept | None
    ) -> Iterator[Session]:
        """Open a connection for a kind of reading; see `Instance.session`."""
        self._spare(reads, int(self._settings.memory_limit * _IDLE_SHARE))
        if reads not in self._made:
            self._made[reads] = Instance(self._settings, reads)
        instance = self._made[reads]
        try:
            with instance.session(scope, progress, kept=kept) as session:
                yield session
        finally:
            cached = instance.cached_bytes()
            if cached is None or cached > self._settings.cache_bytes:
                self._made.pop(reads).close()
            else:
                self._spare(reads, self._settings.cache_bytes - cached)

    def _spare(self, reads: Reads, most_bytes: int) -> None:
        """Let go of the instance for the other kind of reading, if it holds more than it may."""
        for other in self._made.keys() - {reads}:
            cached = self._made[other].cached_bytes()
            if cached is None or cached > most_bytes:
                self._made.pop(other).close()


def _watch(
    cursor: duckdb.DuckDBPyConnection,
    scope: Scope,
    done: threading.Event,
    progress: Callable[[], None] | None,
) -> None:
    """Interrupt until it works: an interrupt before the execution begins is lost."""
    ticks = 0
    while not done.wait(_TICK_SECONDS):
        scope.stop()
        if scope.failure is not None:
            cursor.interrupt()
        ticks += 1
        if progress is not None and ticks % _REPORT_TICKS == 0:
            progress()
