"""An engine over local copies: a real `Engine.open_table`, without any of the S3 engine's parts."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.engines import Query, QueryResult
from s3_data_lake_mcp.errors import UnsupportedFormatError
from s3_data_lake_mcp.loaders.formats import detect_format_by_name
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ObjectStore, ScanMeter
from s3_data_lake_mcp.storage.listing import locate
from s3_data_lake_mcp.storage.reader import ObjectReader

_READERS = {
    "csv": "read_csv({}, union_by_name=true)",
    "json": "read_json({}, union_by_name=true)",
    "parquet": "read_parquet({}, union_by_name=true, hive_partitioning=true)",
}


class LocalTable:
    """The table `data` on a connection of its own."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, sources: list[ObjectInfo]) -> None:
        self._connection = connection
        self.schema: pa.Schema = connection.sql("FROM data LIMIT 0").to_arrow_table().schema
        self.sources: Sequence[ObjectInfo] = sources
        self.notices: Sequence[str] = ()
        self.statements: list[str] = []

    def execute(self, sql: str, params: Sequence[object] = ()) -> pa.Table:
        """Return the rows of one SELECT."""
        self.statements.append(sql)
        return self._connection.sql(sql, params=list(params)).to_arrow_table()


class LocalEngine:
    """Copies what a key names into a folder of its own, and opens that with DuckDB."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.opened = 0

    @contextlib.contextmanager
    def open_table(
        self,
        bucket: str,
        key: str,
        meter: ScanMeter,
        progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[LocalTable]:
        """Open `data` over an object, prefix or glob."""
        del progress
        self.opened += 1
        place = locate(self._store, bucket, key, meter)
        keys = [key] if place.kind == "object" else [o.key for o in place.objects]
        name = detect_format_by_name(keys[0])[0]
        if name not in _READERS:
            message = f"s3://{bucket}/{keys[0]} has a format that cannot be queried"
            raise UnsupportedFormatError(message)
        with tempfile.TemporaryDirectory() as folder:
            sources = []
            for one in keys:
                source = ObjectReader.open_head(
                    self._store, ObjectRef(bucket=bucket, key=one), meter
                )
                copy = Path(folder) / one
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(source.read_range(0, source.size_bytes))
                sources.append(source.info)
            files = [f"{folder}/{one}" for one in keys]
            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"CREATE VIEW data AS FROM {_READERS[name].format(files)}")
            try:
                yield LocalTable(connection, sources)
            finally:
                connection.close()

    def run(
        self, query: Query, meter: ScanMeter, progress: Callable[[int, int], None] | None = None
    ) -> QueryResult:
        """Refuse: profiles need tables alone."""
        raise NotImplementedError


def table_session(table: pa.Table) -> LocalTable:
    """Return a session whose `data` is an Arrow table."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("arrow_rows", table)
    connection.execute("CREATE TABLE data AS FROM arrow_rows")
    return LocalTable(connection, [])
