"""Print what it would cost to keep more of a long text for the next query: columns, or its bytes.

    uv run benchmarks/keeping.py [--scale 0.1]

All on the local file with the project's DuckDB and two threads, without S3: what is added to a
first scan, what stays in memory, and what the same query then takes. See decision 19.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from generate import DATASETS, generate
from jobs import LAKE, Job, all_jobs
from queries import Query, leaf

_JOBS: Final = ("csv_query", "lines_query")
_RUNS: Final = 3
_BLOCK_BYTES: Final = 4 << 20
_MEGABYTE: Final = 1_000_000
_KEPT: Final = "kept"


def _cost(work: Callable[[], object]) -> tuple[float, float]:
    """Return the medians of seconds and of processor seconds."""
    seconds, processor = [], []
    for _ in range(_RUNS):
        began, busy = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - busy)
    return statistics.median(seconds), statistics.median(processor)


def _over_leaves(query: Query) -> Query:
    """Return the query over columns that are called like the last part of their names."""
    return replace(
        query,
        filters=[(leaf(name), operator, value) for name, operator, value in query.filters],
        group=[leaf(name) for name in query.group],
        aggregates=[(function, leaf(name), alias) for function, name, alias in query.aggregates],
    )


def _keep_columns(connection: duckdb.DuckDBPyConnection, query: Query, path: Path) -> None:
    columns = ", ".join(f'"{name.replace(".", '"."')}" AS "{leaf(name)}"' for name in query.columns)
    connection.execute(
        f"CREATE OR REPLACE TABLE {_KEPT}.kept AS SELECT {columns} FROM '{path}'"  # noqa: S608 - own words
    )
    connection.execute(f"CHECKPOINT {_KEPT}")


def _print_columns(query: Query, path: Path) -> None:
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"ATTACH ':memory:' AS {_KEPT} (COMPRESS)")
    keep = _cost(lambda: _keep_columns(connection, query, path))
    again = _over_leaves(query).sql(f"{_KEPT}.kept")
    then = _cost(lambda: connection.execute(again).fetchall())
    (used,) = connection.execute(
        "SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()"
    ).fetchone() or (0,)
    _print("columns, packed", keep, used, then)


def _print_bytes(path: Path) -> None:
    packed: list[tuple[bytes, int]] = []

    def keep() -> None:
        packed.clear()
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                packed.append((pa.compress(block, "lz4_raw", asbytes=True), len(block)))

    def unpack() -> None:
        for data, size in packed:
            pa.decompress(data, size, "lz4_raw")

    cost = _cost(keep)
    _print("bytes, LZ4, one thread", cost, sum(len(data) for data, _ in packed), _cost(unpack))


def _print(
    what: str, keep: tuple[float, float], kept_bytes: float, then: tuple[float, float]
) -> None:
    print(
        f"  {what:24} {keep[0]:6.2f} s {keep[1]:6.2f} s {kept_bytes / _MEGABYTE:8.0f} MB "
        f"{then[0]:6.2f} s {then[1]:6.2f} s"
    )


def _print_job(job: Job, root: Path) -> None:
    query = Query.from_json(job.request["query"])
    path = root / LAKE / DATASETS[job.dataset].key
    print(f"{job.title}: {path.stat().st_size / _MEGABYTE:.0f} MB")
    print("  kept                      first    busy        held     then    busy")
    scan = duckdb.connect(config={"threads": 2})
    cost = _cost(lambda: scan.execute(query.sql(f"'{path}'")).fetchall())
    _print("nothing", cost, 0, cost)
    _print_columns(query, path)
    _print_bytes(path)


def main() -> None:
    """Print a table for each text."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data, 1 is full")
    scale = parser.parse_args().scale
    root = generate(scale)
    for job in all_jobs(scale):
        if job.name in _JOBS:
            _print_job(job, root)


if __name__ == "__main__":
    main()
