"""Exact profiles of real files and of the demo lake: each figure is what pandas and DuckDB say."""

import csv
import io
import json
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from s3_data_lake_mcp.demo import contents
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression
from s3_data_lake_mcp.loaders.csv_types import NULL_TOKENS
from s3_data_lake_mcp.profiling.metadata import describe_object
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.reader import ObjectReader
from support.summaries import BUCKET, Summaries

_REAL = Path(__file__).parents[3] / "shared" / "corpora" / "real"
_NUMBERS = ("int", "uint", "float", "double", "decimal", "halffloat")
_QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
_LONGEST_TEXT = 200

type Row = Mapping[str, Any]


def _files() -> list[Path]:
    """Return the real files, of those that are published together and look alike the first."""
    families: dict[str, Path] = {}
    for path in sorted(_REAL.iterdir()) if _REAL.is_dir() else []:
        family = path.name.rpartition("__")[0] if path.name.startswith("f38") else path.name
        families.setdefault(family, path)
    return list(families.values())


_FILES = _files()


@pytest.fixture(scope="module")
def summaries() -> Summaries:
    """Return one store and engine for all files."""
    return Summaries()


@pytest.mark.parametrize("path", _FILES, ids=[path.name for path in _FILES])
def test_figures_of_real_files(summaries: Summaries, path: Path) -> None:
    """CSV, TSV, JSON and Parquet that nobody here wrote."""
    _check(summaries, path.name, path.read_bytes())


def _demo() -> dict[str, contents.DemoObject]:
    """Return the objects of the demo lake that can be read, of many alike the first."""
    found: dict[str, contents.DemoObject] = {}
    for one in contents.objects():
        if one.storage_class == "STANDARD":
            found.setdefault(one.key.partition("dt=")[0], one)
    return found


def test_figures_of_the_demo_lake(summaries: Summaries) -> None:
    """CSV with other delimiters and encodings, an array, compressed lines, Parquet, odd keys."""
    for one in _demo().values():
        _check(summaries, one.key, one.body)


def _check(summaries: Summaries, key: str, body: bytes) -> None:
    summaries.put(key, body)
    profile = summaries.of(key, "exact")["profile"]
    rows = _rows(summaries, key, body)
    if rows is None:
        return
    assert profile["rows"] == len(rows)
    for column in profile["columns"]:
        _check_column(column, [row.get(column["name"]) for row in rows])


def _check_column(column: Mapping[str, Any], cells: list[Any]) -> None:
    name, kind = column["name"], column["type"]
    if kind == "string" and any(isinstance(cell, list | dict) for cell in cells):
        return
    numeric = kind.startswith(_NUMBERS)
    if kind != "string":
        # Of tokens such as NA, text keeps the letters.
        cells = [None if _is_null(cell) else cell for cell in cells]
    present = [cell for cell in cells if cell is not None]
    assert column["nulls"] == len(cells) - len(present), name
    if numeric:
        _check_numbers(column, [_number(cell, kind) for cell in present])
    elif kind == "string" and all(isinstance(cell, str) for cell in present):
        _check_texts(column, present)


def _is_null(cell: object) -> bool:
    return isinstance(cell, str) and (not cell.strip() or cell.strip() in NULL_TOKENS)


def _number(cell: Any, kind: str) -> float:
    return int(cell) if kind.startswith(("int", "uint")) else float(cell)


def _check_numbers(column: Mapping[str, Any], numbers: list[float]) -> None:
    name = column["name"]
    numbers = [number for number in numbers if math.isfinite(number)]
    series = pd.Series(numbers, dtype="float64")
    assert column["distinct"] == len(set(numbers)), name
    if not numbers:
        assert (column["min"], column["max"], column["mean"]) == (None, None, None), name
        return
    assert float(column["min"]) == min(numbers), name
    assert float(column["max"]) == max(numbers), name
    assert column["mean"] == pytest.approx(math.fsum(numbers) / len(numbers), rel=1e-13), name
    if len(numbers) == 1:
        assert column["stddev"] is None, name
    else:
        assert column["stddev"] == pytest.approx(series.std(), rel=1e-11, abs=1e-12), name
    for mark, share in _QUANTILES.items():
        expected = series.quantile(share)
        assert column["quantiles"][mark] == pytest.approx(expected, rel=1e-13), (name, mark)
    ranked = sorted(Counter(numbers).items(), key=lambda pair: (-pair[1], pair[0]))[:5]
    if column["top"]:
        assert [(float(top["value"]), top["count"]) for top in column["top"]] == ranked, name
    _check_histogram(column, sorted(numbers))


def _check_histogram(column: Mapping[str, Any], numbers: list[float]) -> None:
    bins = column["histogram"]
    assert sum(entry["count"] for entry in bins) == (len(numbers) if bins else 0)
    assert bins or numbers[0] == numbers[-1]
    for entry in bins:
        low, high = float(entry["from"]), float(entry["to"])
        below = bisect_right if entry is bins[-1] else bisect_left
        count = below(numbers, high) - bisect_left(numbers, low)
        assert entry["count"] == count, (column["name"], entry)


def _check_texts(column: Mapping[str, Any], texts: list[str]) -> None:
    name = column["name"]
    table = pa.table({"x": pa.array(texts, pa.string())})
    with duckdb.connect() as connection:
        connection.register("texts", table)
        (ends,) = connection.sql("SELECT min(x), max(x), count(DISTINCT x) FROM texts").fetchall()
        ranked = connection.sql(
            "SELECT x, count(*) AS n FROM texts GROUP BY x ORDER BY n DESC, x LIMIT 5"
        ).fetchall()
    assert column["distinct"] == ends[2], name
    assert [_clipped(end) for end in ends[:2]] == [
        _clipped(column[end]) for end in ("min", "max")
    ], name
    if column["top"]:
        found = [(_clipped(top["value"]), top["count"]) for top in column["top"]]
        assert found == [(_clipped(text), count) for text, count in ranked], name


def _clipped(text: str | None) -> str | None:
    return None if text is None else text[: _LONGEST_TEXT - 20]


def _rows(summaries: Summaries, key: str, body: bytes) -> list[Row] | None:
    """Return the rows as another reader than ours tells them; None if they are no records."""
    ref = ObjectRef(bucket=BUCKET, key=key)
    told = describe_object(summaries.store, ref, summaries.settings, ScanMeter())
    if told["detected_format"] == "parquet":
        return list(pq.read_table(io.BytesIO(body)).to_pylist())
    body = _decompressed(summaries, ref)
    if told["detected_format"] == "json":
        return _records(body, told["json"]["layout"])
    return _fields(body, told)


def _decompressed(summaries: Summaries, ref: ObjectRef) -> bytes:
    source = ObjectReader.open_head(summaries.store, ref, ScanMeter())
    body = source.read_range(0, source.size_bytes)
    if compression := detect_compression(body):
        blocks = decoded_blocks(source, compression, max_decoded_bytes=1 << 30)
        return b"".join(blocks)
    return body


def _records(body: bytes, layout: str) -> list[Row] | None:
    if layout == "lines":
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    value = json.loads(body)
    known = isinstance(value, list) and all(isinstance(record, dict) for record in value)
    return value if known else None


def _fields(body: bytes, told: Mapping[str, Any]) -> list[Row]:
    dialect, names = told["csv"]["dialect"], [column["name"] for column in told["columns"]]
    encoding = "utf-8-sig" if dialect["encoding"] == "utf-8" else dialect["encoding"]
    text = io.StringIO(body.decode(encoding), newline="")
    quote = dialect["quote"] or '"'
    lines = csv.reader(text, delimiter=dialect["delimiter"], quotechar=quote)
    kept = [line for line in lines if line and len(line) <= len(names)]
    # An unquoted empty field is null, a missing one too.
    padded = ([*(field or None for field in line), *[None] * len(names)] for line in kept)
    found: list[Row] = [dict(zip(names, line, strict=False)) for line in padded]
    return found[1:] if dialect["has_header"] else found
