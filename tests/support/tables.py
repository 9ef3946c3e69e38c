"""A table session over Arrow rows: a real one, on a connection of its own."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from s3_data_lake_mcp.errors import LimitExceededError

if TYPE_CHECKING:
    from s3_data_lake_mcp.engines import Written
    from s3_data_lake_mcp.storage import ObjectInfo


class LocalTable:
    """The table `data` on a local connection; remembers what it ran."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.schema: pa.Schema = connection.sql("FROM data LIMIT 0").to_arrow_table().schema
        self.written: Mapping[str, Written] = {}
        self.sources: Sequence[ObjectInfo] = ()
        self.notices: Sequence[str] = ()
        self.rows = "data"
        self.lessons = 0
        self.statements: list[str] = []
        self.refused = ""
        """What a statement holds for which there is no memory."""

    def gather(self, columns: Sequence[str]) -> None:
        """Do nothing: all is in memory."""

    def execute(
        self, sql: str, params: Sequence[object] = (), *, goes_on: bool = False
    ) -> pa.Table:
        """Return the rows of one SELECT; nothing has to be fetched for the next one."""
        del goes_on
        self.statements.append(sql)
        if self.refused and self.refused in sql:
            message = "The query needs more memory than there is"
            raise LimitExceededError(message)
        found: pa.Table = self._connection.sql(sql, params=list(params)).to_arrow_table()
        return found


def table_session(table: pa.Table) -> LocalTable:
    """Return a session whose `data` is an Arrow table."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("arrow_rows", table)
    connection.execute("CREATE TABLE data AS FROM arrow_rows")
    return LocalTable(connection)
