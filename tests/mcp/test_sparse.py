"""Columns without a value at the beginning of an object: all tools tell the same of later rows."""

import gzip
from typing import Any

import pytest

from support.mcp import Answer, Caller
from support.objects import SHELF, Objects

ROWS = 12_000
FAR = 9_000


def sparse_csv() -> str:
    """Return orders of which only late ones have a discount and a day of cancellation."""
    lines = ["id,note,discount,cancelled_on"]
    for i in range(ROWS):
        late = f"{i % 8 / 4:.2f},2026-03-{i % 28 + 1:02}" if i > FAR - 500 else ","
        lines.append(f"{i},{'n' * 40},{late}")
    return "\n".join([*lines, ""])


def types(answer: Answer) -> dict[str, str]:
    """Return the types of an answer's columns."""
    return {column["name"]: column["type"] for column in answer.data["columns"]}


def profiled(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return the profiles of columns by name."""
    return {column["name"]: column for column in answer.data["profile"]["columns"]}


@pytest.mark.parametrize("compressed", [False, True])
async def test_reads_queries_and_profiles_agree(
    call: Caller, objects: Objects, *, compressed: bool
) -> None:
    """A page far behind the beginning has the types and values of a query, so have profiles."""
    body = sparse_csv().encode()
    key = objects.put(*(("s.csv.gz", gzip.compress(body)) if compressed else ("s.csv", body)))
    where = {"bucket_name": SHELF, "object_key": key}
    page = await call("read_csv_from_s3", **where, offset=FAR, max_rows=5)
    sql = f"SELECT * FROM data WHERE id BETWEEN {FAR} AND {FAR + 4} ORDER BY id"
    asked = await call("query_csv_data", **where, sql=sql)
    assert page.data["rows"] == asked.data["rows"]
    assert types(page) == types(asked)
    assert types(page)["discount"] == "double"
    assert types(page)["cancelled_on"] == "date32[day]"
    for basis in ("exact", "sample"):
        told = profiled(
            await call("get_dataset_summary", bucket_name=SHELF, prefix=key, basis=basis)
        )
        assert {name: told[name]["type"] for name in told} == types(page)
        assert told["discount"]["mean"] == pytest.approx(0.875, abs=0.05)
        assert told["discount"]["quantiles"]["p50"] is not None


async def test_cursors_go_on_into_the_values(call: Caller, objects: Objects) -> None:
    """Types hold for a page: of the pages before there is no value, and nothing to contradict."""
    key = objects.put("cursors.csv", sparse_csv())
    where = {"bucket_name": SHELF, "object_key": key}
    page = await call("read_csv_from_s3", **where, offset=FAR - 510, max_rows=5)
    found = [types(page)["discount"]]
    for _ in range(2):
        cursor = page.data["next_cursor"]
        page = await call("read_csv_from_s3", bucket_name=SHELF, max_rows=5, cursor=cursor)
        found.append(types(page)["discount"])
    assert found == ["string", "string", "double"]
    assert page.data["rows"][-1][2] == (FAR - 496) % 8 / 4
