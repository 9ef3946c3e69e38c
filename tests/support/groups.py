"""Data sets of keys alone."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from s3_data_lake_mcp.profiling.datasets import DatasetGrouper
from s3_data_lake_mcp.storage import ListedObject

WRITTEN = datetime(2026, 6, 1, tzinfo=UTC)


def grouped(keys: Iterable[str]) -> DatasetGrouper:
    """Group objects of 2 MiB, all written at one time."""
    grouper = DatasetGrouper("lake")
    for key in sorted(keys):
        grouper.add(
            ListedObject(
                key=key,
                size_bytes=2 << 20,
                etag="e",
                last_modified=WRITTEN,
                storage_class="STANDARD",
            )
        )
    return grouper


def warnings_on(keys: Iterable[str]) -> list[str]:
    """Return what is said of the only data set."""
    (dataset,) = grouped(keys).datasets()
    found: Any = dataset["warnings"]
    return list(found)
