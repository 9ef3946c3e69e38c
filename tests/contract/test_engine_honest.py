"""Honest analytic queries give what DuckDB gives when it is run directly on local copies."""

import gzip
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from s3_data_lake_mcp.errors import LakeError
from security.honest import HONEST, honest_table
from support.engine import Desk

READERS = {
    "data.csv": "read_csv",
    "data.jsonl": "read_json",
    "data.json": "read_json",
    "data.parquet": "read_parquet",
    "data.csv.gz": "read_csv",
    "data.jsonl.gz": "read_json",
}
OPTIONS = {
    "data.csv": "(header)",
    "data.jsonl": "(format json)",
    "data.json": "(format json, array true)",
    "data.parquet": "(format parquet)",
}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the table in every format."""
    folder = tmp_path_factory.mktemp("honest")
    connection = duckdb.connect()
    connection.execute("SET timezone='UTC'")
    connection.register("source", honest_table())
    for name, options in OPTIONS.items():
        connection.execute(f"COPY source TO '{folder / name}' {options}")
    for name in ("data.csv", "data.jsonl"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    return folder


def plain(value: Any) -> Any:
    """Return a value for comparison: doubles to nine digits, for sums in any order."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def rows(table: pa.Table, *, ordered: bool) -> list[str]:
    """Return the rows of a table, in order if that is part of the answer."""
    columns = [[repr(plain(cell.as_py())) for cell in column] for column in table.columns]
    found = [" | ".join(row) for row in zip(*columns, strict=True)]
    return found if ordered else sorted(found)


def directly(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table | None:
    """Return what DuckDB answers; None if it has no answer in this format (a list in CSV)."""
    try:
        answer: pa.Table = connection.sql(sql).to_arrow_table()
    except duckdb.Error:
        return None
    return answer


def differences(desk: Desk, key: str, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield the queries whose answer is another one."""
    for query in HONEST:
        expected = directly(connection, query.sql)
        if expected is None:
            continue
        try:
            answer = desk.run(key, query.sql, max_rows=100_000).table
        except LakeError as exc:
            yield f"{query.id}: {exc.code} {exc}"
            continue
        same = rows(answer, ordered=query.ordered) == rows(expected, ordered=query.ordered)
        if query.comparable and not same:
            yield query.id


@pytest.mark.parametrize("key", READERS)
def test_honest_queries_give_what_duckdb_gives(local: Path, key: str) -> None:
    """Through guard, file system and exact casts the answers stay the same."""
    desk = Desk()
    desk.put(key, (local / key).read_bytes())
    connection = duckdb.connect()
    connection.execute("SET timezone='UTC'")
    connection.execute(f"CREATE VIEW data AS SELECT * FROM {READERS[key]}('{local / key}')")
    assert list(differences(desk, key, connection)) == []
