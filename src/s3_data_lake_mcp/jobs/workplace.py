"""What a worker keeps from job to job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.engines.duckdb import DuckDbEngine
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectStore
from s3_data_lake_mcp.storage.s3 import S3Store

type Arguments = Mapping[str, Any]
type Report = Callable[[int, int], None]
"""Is told bytes read and bytes to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a worker keeps from job to job: its store, with warm connections, and its engine."""

    settings: Settings
    store: ObjectStore
    engine: DuckDbEngine


def build_workplace(settings: Settings) -> Workplace:
    """Make a worker's own store and engine."""
    store = S3Store(ClientFactory(settings), settings)
    return Workplace(settings=settings, store=store, engine=DuckDbEngine(store, settings))
