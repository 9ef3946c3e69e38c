"""An engine over a store in memory, and short ways to fill and ask it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from s3_data_lake_mcp.engines import Filter, Query, QueryResult
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectStore, ScanMeter
from support.memory import MemoryStore

BUCKET = "lake"


@dataclass
class Desk:
    """Asks one engine, as a worker does: one question after the other."""

    store: ObjectStore = field(default_factory=MemoryStore)
    bucket: str = BUCKET
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    meter: ScanMeter = field(default_factory=ScanMeter)

    def __post_init__(self) -> None:
        self.engine = DuckDbEngine(self.store, self.settings)

    def put(self, key: str, body: bytes | str) -> None:
        """Store an object, over what is there."""
        assert isinstance(self.store, MemoryStore)
        self.store.put(self.bucket, key, body.encode() if isinstance(body, str) else body)

    def run(self, key: str, sql: str = "", **arguments: Any) -> QueryResult:
        """Run one query with a fresh meter, which is kept in `meter`."""
        self.meter = arguments.pop("meter", None) or ScanMeter()
        arguments.setdefault("max_rows", 1_000)
        query = Query(bucket=self.bucket, key=key, sql=sql, **arguments)
        return self.engine.run(query, self.meter)

    def rows(self, key: str, sql: str = "", **arguments: Any) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return list(self.run(key, sql, **arguments).table.to_pylist())

    def value(self, key: str, sql: str, **arguments: Any) -> Any:
        """Return the only value of a query's only row."""
        (row,) = self.rows(key, sql, **arguments)
        (value,) = row.values()
        return value

    def filtered(
        self, key: str, column: str, operator: str, value: str, columns: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Return the rows of the simple form."""
        condition = Filter(column=column, operator=operator, value=value)
        return self.rows(key, filter=condition, columns=tuple(columns))
