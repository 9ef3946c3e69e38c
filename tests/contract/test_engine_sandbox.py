"""Each layer below the guard holds alone: the locked instance, and the file system's scope."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from s3_data_lake_mcp.engines.connection import Instance, Session
from s3_data_lake_mcp.errors import NotAllowedError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.pinned import PinnedObject
from s3_data_lake_mcp.storage.scope import Scope
from support.memory import MemoryStore

LOCAL = pa.table({"secret": ["of the process"]})


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    """Return an instance as the engine makes it."""
    made = Instance(Settings(_env_file=None))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    yield made
    made.close()


@pytest.fixture
def session(instance: Instance) -> Iterator[Session]:
    """Return a session that may read one object of two, its view `data` made."""
    store, meter = MemoryStore(), ScanMeter()
    store.put("lake", "mine.csv", b"a,b\n1,x\n")
    store.put("lake", "other.csv", b"a,b\n2,secret\n")
    info = store.head(ObjectRef(bucket="lake", key="mine.csv"), meter).info
    scope = Scope(meter)
    scope.add("s3://lake/mine.csv", PinnedObject(store, info, meter, access="scan"))
    with instance.session(scope) as opened:
        opened.execute("CREATE TEMP VIEW data AS SELECT * FROM read_csv('s3://lake/mine.csv')")
        yield opened


def run(session: Session, sql: str) -> list[tuple[Any, ...]]:
    """Run SQL that no guard has seen, as the engine runs what the guard let through."""
    with session.read_only():
        return session.execute(sql)


def test_what_is_in_the_scope_can_be_read(session: Session) -> None:
    """The layers let an honest query through."""
    assert run(session, "SELECT * FROM data") == [(1, "x")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM 's3://lake/other.csv'",
        "SELECT * FROM read_csv('s3://lake/other.csv')",
        "SELECT * FROM read_text('s3://lake/other.csv')",
        "SELECT * FROM read_csv('s3://lake/*.csv')",
        "SELECT * FROM glob('s3://lake/*')",
        "SELECT * FROM read_csv('s3://lake/x/../other.csv')",
        "SELECT * FROM read_csv('s3a://lake/other.csv')",
        "SELECT * FROM read_csv('lake://lake/other.csv')",
        "SELECT * FROM read_csv('s3://elsewhere/mine.csv')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_text('file:///etc/passwd')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM read_csv('/dev/stdin')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_csv('https://example.com/x.csv')",
        "SELECT * FROM LOCAL",
        "SELECT * FROM local_table",
        "ATTACH '/tmp/lake.db' AS lake",
        "ATTACH 's3://lake/mine.csv' AS lake",
        "INSTALL httpfs",
        "LOAD httpfs",
        "COPY data TO '/tmp/lake-copy.csv'",
        "COPY data TO 's3://lake/mine.csv'",
        "COPY data TO 's3://lake/new.csv'",
        "WITH x AS (COPY data TO 's3://lake/new.csv') SELECT * FROM x",
        "EXPORT DATABASE '/tmp/lake-export'",
        "CREATE TABLE main.data AS SELECT 1",
        "CREATE TABLE t AS SELECT 1",
        "CREATE MACRO sum(x) AS 0",
        "CREATE SCHEMA s",
        "CREATE SEQUENCE q",
        "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
        "SET threads=64",
        "SET memory_limit='100GB'",
        "SET enable_external_access=true",
        "SET lock_configuration=false",
        "SET allowed_directories=['/']",
        "SET python_enable_replacements=true",
        "SET GLOBAL TimeZone='Asia/Tokyo'",
        "RESET memory_limit",
        "PRAGMA enable_profiling",
        "CALL enable_logging()",
        "SELECT * FROM enable_profiling()",
    ],
)
def test_nothing_else_can_be_read_or_changed(session: Session, sql: str) -> None:
    """SQL that got past the guard reads no other object or file, and changes nothing."""
    local_table = LOCAL
    before = settings_of(session)
    with pytest.raises((duckdb.Error, NotAllowedError, ValueError)):
        run(session, sql)
    session.scope.failure = None
    assert settings_of(session) == before
    assert session.execute("SELECT count(*) FROM duckdb_tables()") == [(0,)]
    assert session.execute("SELECT count(*) FROM duckdb_databases() WHERE NOT internal") == [(1,)]
    assert not Path("/tmp/lake-copy.csv").exists()  # noqa: S108 - what the attack would have written
    assert local_table.num_rows == 1


def settings_of(session: Session) -> list[tuple[Any, ...]]:
    """Return all settings."""
    return session.execute("SELECT name, value FROM duckdb_settings() ORDER BY name")


def test_views_go_with_their_query(instance: Instance) -> None:
    """The next query sees nothing of the one before."""
    with instance.session(Scope(ScanMeter())) as first:
        first.execute("CREATE TEMP VIEW data AS SELECT 1 AS a")
        first.execute("CREATE TEMP TABLE leftover AS SELECT 1 AS a")
    with instance.session(Scope(ScanMeter())) as second:
        for name in ("data", "leftover"):
            with pytest.raises(duckdb.CatalogException):
                second.execute(f"SELECT * FROM {name}")


def test_a_transaction_that_an_interrupt_left_open_ends_with_its_session(
    instance: Instance,
) -> None:
    """The connection that counts row groups is kept: the next query must be able to use it."""
    with instance.session(Scope(ScanMeter()), kept="counting") as first:
        first.execute("CREATE TEMP VIEW data AS SELECT 1 AS a")
        first.execute("BEGIN TRANSACTION READ ONLY")
        with pytest.raises(duckdb.Error):
            first.execute("SELECT error('as an interrupt does')")
    with instance.session(Scope(ScanMeter()), kept="counting") as second:
        second.execute("CREATE TEMP VIEW data AS SELECT 2 AS a")
        assert run(second, "SELECT * FROM data") == [(2,)]


def test_a_write_is_remembered_as_the_failure(session: Session) -> None:
    """What the file system refuses comes out as the product's own error."""
    with pytest.raises(duckdb.Error):
        session.execute("COPY data TO 's3://lake/new.csv'")
    assert isinstance(session.scope.failure, NotAllowedError)


def test_between_queries_nothing_can_be_read(instance: Instance) -> None:
    """Without a session there is no scope, and so no object."""
    with pytest.raises(duckdb.Error, match="No query is running"):
        instance._connection.execute("SELECT * FROM read_csv('s3://lake/mine.csv')")
