"""Queries that fail over the honest table, and what is said of them."""

from collections.abc import Sequence

import duckdb
import pytest

from s3_data_lake_mcp.engines.mend import mend
from s3_data_lake_mcp.errors import LakeError
from security.honest import honest_table
from security.locked import locked_connection


class Mender:
    """Runs queries that fail, and mends them."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, columns: Sequence[tuple[str, str]]
    ) -> None:
        self.connection = connection
        self.columns = columns

    def fail(self, sql: str) -> LakeError:
        """Return the mended error of a query."""
        with pytest.raises(duckdb.Error) as caught:
            self.connection.execute(sql).fetchall()
        return mend(caught.value, sql, {"data": self.columns})


def honest_mender() -> Mender:
    """Return one on a locked instance."""
    connection = locked_connection(honest_table())
    described = connection.execute("DESCRIBE data").fetchall()
    return Mender(connection, [(row[0], row[1]) for row in described])
