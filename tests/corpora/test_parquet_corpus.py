"""Third-party Parquet files: what engines agree on comes out; what is bad is refused."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from s3_data_lake_mcp import wire
from s3_data_lake_mcp.loaders import LoadRequest
from s3_data_lake_mcp.loaders.parquet import ParquetLoader
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.memory import MemoryStore

TESTS = Path(__file__).parents[1]
CORPORA = TESTS.parents[1] / "shared" / "corpora"
MANIFEST = CORPORA / "manifest.json"
pytestmark = pytest.mark.skipif(not MANIFEST.exists(), reason="the corpora are not here")

FILES = [
    entry
    for entry in (json.loads(MANIFEST.read_text())["files"] if MANIFEST.exists() else [])
    if entry["file"].startswith("parquet_") or entry["file"].endswith(".parquet")
]
GOOD = [entry for entry in FILES if entry["expect"] == "read"]
BAD = [entry for entry in FILES if entry["expect"] != "read"]
PAGE_ROWS = 1_000
SHOWN_CHARS = 200
"""The manifest cuts texts at so many characters, and binary values at 40 bytes."""


def _pages(name: str) -> list[pa.Table]:
    store = MemoryStore()
    ref = store.put("corpus", name, (CORPORA / name).read_bytes())
    tables: list[pa.Table] = []
    position = None
    while True:
        source = ObjectReader.open_tail(store, ref, ScanMeter(), length=128 << 10)
        request = LoadRequest(max_rows=PAGE_ROWS, position=position)
        page = ParquetLoader().load(source, request)
        tables.append(page.table.slice(0, PAGE_ROWS))
        if page.table.num_rows <= PAGE_ROWS:
            return tables
        position = page.resume(PAGE_ROWS)


def _agrees(told: Any, cell: Any, raw: Any) -> bool:
    """Whether a cell, and the Arrow value behind it, are what the manifest tells."""
    match told:
        case str() if told.startswith("bytes:"):
            same = raw.as_py().startswith(bytes.fromhex(told.removeprefix("bytes:")))
        case float() if not math.isfinite(told):
            same = cell == str(told).replace("inf", "Infinity").replace("nan", "NaN")
        case float():
            same = math.isclose(told, cell, rel_tol=1e-15)
        case int() if not isinstance(told, bool):
            same = int(cell) == told
        case str() if pa.types.is_temporal(raw.type):
            same = cell == told.replace(" ", "T")
        case str() if len(told) == SHOWN_CHARS:
            same = cell.startswith(told)
        case _:
            same = cell == told
    return bool(same)


@pytest.mark.parametrize("entry", GOOD, ids=lambda entry: entry["file"])
def test_good_file(entry: dict[str, Any]) -> None:
    """A file comes out whole, page by page, with the types and values that others see."""
    tables = _pages(entry["file"])
    assert sum(table.num_rows for table in tables) == entry["rows"]
    assert {table.num_columns for table in tables} == {entry["cols"]}
    schema = tables[0].schema
    told = entry.get("arrow_types") or {}
    assert {name: str(schema.field(name).type) for name in told} == told
    rows = [row for table in tables for row in wire.json_rows(table, wire.Clipper(10**7))]
    for at, name, value in entry.get("values") or []:
        page, row = divmod(at, PAGE_ROWS)
        raw = tables[page].column(name)[row]
        cell = rows[at][schema.get_field_index(name)]
        assert _agrees(value, cell, raw), (at, name, value, cell)


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """Return how each bad file was answered by a confined process; a crash is no answer."""
    waiting = [str(CORPORA / entry["file"]) for entry in BAD]
    found: dict[str, dict[str, Any]] = {}
    while waiting:
        run = subprocess.run(
            [sys.executable, "-m", "support.parquet_probe", *waiting],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            timeout=50,
            check=False,
        )
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        found |= {line["file"]: line for line in lines if "file" in line}
        begun = sum("begun" in line for line in lines)
        waiting = waiting[max(1, begun) :] if run.returncode else []
    return found


@pytest.mark.parametrize("entry", BAD, ids=lambda entry: entry["file"])
def test_bad_file(entry: dict[str, Any], answers: dict[str, dict[str, Any]]) -> None:
    """A bad file is refused by name, in plain words, soon and in little memory."""
    answer = answers[str(CORPORA / entry["file"])]
    assert answer["seconds"] < 20
    assert answer["peak_bytes"] < 2 << 30
    (code, message, hint), (described, *_) = answer["outcomes"]
    assert described in ("read", "malformed_data", "unsupported_format", "limit_exceeded")
    if code == "read":
        assert not entry["expect"].startswith("must be refused")
        return
    assert code in ("malformed_data", "unsupported_format", "limit_exceeded")
    assert message.startswith("s3://b/")
    assert hint
    assert not {"arrow", "thrift", "Exception"} & set(message.split(".parquet", 1)[-1].split())
