"""How fast a job could be at all: round trips, bytes, and what the processor needs."""

from pathlib import Path
from typing import Final

import pyarrow.parquet as pq
from bed import PROFILES
from generate import DATASETS, HIVES
from jobs import LAKE, Job

CONNECTIONS: Final = 24
_SHARE_BYTES: Final = 1 << 20
"""Less than this is not worth a connection of its own."""


def _parquet_bytes(path: Path, job: Job) -> int:
    footer = pq.read_metadata(path)
    groups = range(1 if job.moves == "row group" else footer.num_row_groups)
    chunks = (
        footer.row_group(group).column(column)
        for group in groups
        for column in range(footer.num_columns)
    )
    wanted = [chunk for chunk in chunks if not job.columns or chunk.path_in_schema in job.columns]
    return int(footer.serialized_size + sum(chunk.total_compressed_size for chunk in wanted))


def bytes_moved(job: Job, root: Path, scale: float) -> int:
    """Return the bytes that a job cannot do without."""
    if not job.moves:
        return 0
    if job.dataset in HIVES:
        return sum((root / LAKE / key).stat().st_size for key, _ in HIVES[job.dataset].files())
    dataset = DATASETS[job.dataset]
    path = root / LAKE / dataset.key
    if dataset.format == "parquet":
        return _parquet_bytes(path, job)
    size = path.stat().st_size
    if job.moves == "whole":
        return size
    rows = int(job.request["rows"])
    if "via" not in job.request:
        # Where a row begins is only known from what stands before it.
        rows += int(job.request["offset"])
    return int(size / dataset.rows_at(scale) * rows)


def floor_seconds(job: Job, moved: int, profile: str, local: float | None, *, first: bool) -> float:
    """Return the least time of a job's first or second run.

    A second run asks once whether the object is still the same, and has all else.
    """
    latency_ms, rate_mb = PROFILES[profile]
    seconds = (job.round_trips if first else 1) * latency_ms / 1000
    if first and rate_mb:
        connections = max(1, min(CONNECTIONS, moved // _SHARE_BYTES))
        seconds += moved / (connections * rate_mb * 1e6)
    return seconds + (local or 0 if job.local else 0)
