"""Summaries of what a memory store holds, on the real engine."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pydantic import ByteSize

from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.profiling.summary import summarize
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from support.memory import MemoryStore
from support.parquet_files import parquet_bytes

BUCKET = "lake"
CSV = b"id,name,v\n1,a,1.5\n2,b,2.5\n"


@dataclass(slots=True)
class Summaries:
    """A store with one bucket, and its summaries."""

    settings: Settings = field(default_factory=lambda: Settings(max_result_bytes=ByteSize(4 << 20)))
    store: MemoryStore = field(default_factory=MemoryStore)
    engine: DuckDbEngine = field(init=False)
    meter: ScanMeter = field(default_factory=ScanMeter)

    def __post_init__(self) -> None:
        self.store.create_bucket(BUCKET)
        self.engine = DuckDbEngine(self.store, self.settings)

    def put(self, key: str, body: bytes | pa.Table = CSV, **options: Any) -> None:
        """Write an object: bytes as they are, a table as Parquet."""
        data = body if isinstance(body, bytes) else parquet_bytes(body)
        self.store.put(BUCKET, key, data, **options)

    def of(self, prefix: str, basis: str = "auto", *columns: str) -> dict[str, Any]:
        """Return the summary of a prefix; what it cost is kept in `meter`."""
        self.meter = ScanMeter(max_bytes=self.settings.max_scan_bytes)
        return summarize(
            self.store,
            self.engine,
            BUCKET,
            prefix,
            columns=columns,
            basis=basis,
            settings=self.settings,
            meter=self.meter,
            progress=lambda _done, _total: None,
        )

    def columns(self, prefix: str, basis: str, *columns: str) -> dict[str, dict[str, Any]]:
        """Return the profiles of columns by their names."""
        profile = self.of(prefix, basis, *columns)["profile"]
        return {column["name"]: column for column in profile["columns"]}
