"""Parquet objects for tests: written in memory, opened as a tool opens them."""

import base64
import io
import random
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from s3_data_lake_mcp.loaders import LoadRequest, LoadResult
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore


def dice(seed: int) -> random.Random:
    """Return a source of test data that does not compress."""
    return random.Random(seed)  # noqa: S311 - data, not secrets


def parquet_bytes(table: pa.Table, **options: Any) -> bytes:
    """Return a table as a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def opened(body: bytes, key: str = "x.parquet", meter: ScanMeter | None = None) -> ObjectReader:
    """Return an object of these bytes, opened by its tail."""
    store = MemoryStore()
    ref = store.put("b", key, body)
    return ObjectReader.open_tail(store, ref, meter or ScanMeter())


@dataclass(kw_only=True)
class Loaded:
    """A page, and what it cost."""

    result: LoadResult
    meter: ScanMeter = field(repr=False)

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The values by column."""
        return self.result.table.to_pydict()


def loaded(body: bytes, max_rows: int = 100, **request: Any) -> Loaded:
    """Load a page of a Parquet file."""
    meter = ScanMeter()
    source = opened(body, meter=meter)
    result = ParquetLoader().load(source, LoadRequest(max_rows=max_rows, **request))
    return Loaded(result=result, meter=meter)


class _Keys(pe.KmsClient):
    """A key service that wraps nothing."""

    def __init__(self, _configuration: object) -> None:
        super().__init__()

    def wrap_key(self, key_bytes: bytes, _name: str) -> Any:
        """Return the key as text."""
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped: Any, _name: str) -> Any:
        """Return the key again."""
        return base64.b64decode(wrapped)


def encrypted(table: pa.Table, columns: list[str], *, plaintext_footer: bool) -> bytes:
    """Return a table as a Parquet file, some columns encrypted, and its footer if asked for."""
    factory = pe.CryptoFactory(_Keys)
    properties = factory.file_encryption_properties(
        pe.KmsConnectionConfig(),
        pe.EncryptionConfiguration(
            footer_key="footer", column_keys={"key": columns}, plaintext_footer=plaintext_footer
        ),
    )
    return parquet_bytes(table, encryption_properties=properties)
