"""Structs of very many fields, such as objects that are keyed by something's number."""

import json
from collections.abc import Mapping
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.workers.pool import WorkerPool
from support.engine import Desk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_KINDS: Mapping[int, object] = {0: 5, 1: "2026-01-31", 2: 0.25, 3: True, 4: "x", 5: None, 6: [7]}


def _lines(records: list[object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_casting_many_fields_takes_little_memory(s3: "S3Client", bucket: str) -> None:
    """Not room for the whole of them for every time that one of them is named."""
    records: list[object] = [
        {"days": {f"k{(at * 7 + i) % 450}": "2026-01-31" for i in range(3)}} for at in range(1_500)
    ]
    s3.put_object(Bucket=bucket, Key="wide.jsonl", Body=_lines(records).encode())
    arguments = {
        "bucket": bucket,
        "key": "wide.jsonl",
        "sql": "SELECT count(days), count(DISTINCT days) FROM data",
        "filter_column": "",
        "filter_operator": "auto",
        "filter_value": "",
        "columns": [],
        "max_rows": 1,
        "dry_run": False,
        "paging": {"tool": "query_csv_data", "arguments": {}, "identity": {}, "position": {}},
    }
    settings = Settings(_env_file=None, workers=1, memory_limit=ByteSize(1 << 30))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    with closing(WorkerPool(settings)) as pool:
        assert pool.run("query", arguments, ScanMeter())["rows"] == [[1_500, 450]]


@pytest.mark.parametrize("count", [90, 150, 400])
@pytest.mark.parametrize("in_list", [False, True])
def test_many_fields_keep_their_values_and_types(count: int, *, in_list: bool) -> None:
    """However many there are: also those that are wider, or begin, in a later record."""
    first = {f"k{i}": _KINDS[i % 7] for i in range(count)}
    last = first | {"k0": 1.5, "k1": "soon", "k5": "2026-02-01", "k6": None}
    records: list[object] = [{"m": [one] if in_list else one} for one in (first, {}, last)]
    desk = Desk()
    desk.put("wide.jsonl", _lines(records))
    table = desk.run("wide.jsonl", f"SELECT {'m[1]' if in_list else 'm'} AS m FROM data").table
    kind = table.schema.field("m").type
    assert [str(kind.field(f"k{i}").type) for i in range(7)] == [
        *("double", "string", "double", "bool", "string", "date32[day]"),
        "list<element: int64>",
    ]
    names = ("k0", "k1", "k4", "k5", "k6", "k7", "k9")
    found = [[row["m"][name] for name in names] for row in table.to_pylist()[::2]]
    assert found == [
        [5.0, "2026-01-31", "x", None, [7], 5, 0.25],
        [1.5, "soon", "x", date(2026, 2, 1), None, 5, 0.25],
    ]
