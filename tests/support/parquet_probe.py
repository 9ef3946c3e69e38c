"""Reads files with the Parquet loader in a confined process: one JSON line a file on stdout.

Usage: python -m support.parquet_probe FILE …
"""

import json
import resource
import sys
import time
from pathlib import Path

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.errors import LakeError
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.loaders.parquet_footer import describe_parquet
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore

ADDRESS_SPACE = 7 << 30


def probe(path: str) -> dict[str, object]:
    """Return how a file was answered, by page and by description, and at what cost."""
    store = MemoryStore()
    ref = store.put("b", Path(path).name, Path(path).read_bytes())
    began = time.monotonic()
    outcomes = []
    for what in (_page, describe_parquet):
        try:
            what(ObjectReader.open_tail(store, ref, ScanMeter()))
            outcomes.append(("read", "", ""))
        except LakeError as exc:
            outcomes.append((exc.code, str(exc), exc.hint))
    return {
        "file": path,
        "outcomes": outcomes,
        "seconds": time.monotonic() - began,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _page(source: ObjectReader) -> object:
    result = ParquetLoader().load(source, LoadRequest(max_rows=10_000))
    return wire.json_rows(result.table, wire.Clipper())


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    for name in sys.argv[1:]:
        sys.stdout.write(json.dumps({"begun": name}) + "\n")
        sys.stdout.flush()
        sys.stdout.write(json.dumps(probe(name)) + "\n")
        sys.stdout.flush()
