"""What a client is told while a call goes on."""

from fastmcp import Client

from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from support.mcp import BUCKET

LONG = "SELECT count(*) FROM data d, range(1000000) r WHERE (r.range * d.id) % 7 = 3"
"""Computes for a while on what was read at once."""


async def test_each_notification_tells_of_more(lake: Lake) -> None:
    """Nothing is told twice while a query computes; the total is the object's size."""
    told: list[tuple[float, float | None]] = []

    async def note(done: float, total: float | None, text: str | None) -> None:
        assert text
        told.append((done, total))

    arguments = {"bucket_name": BUCKET, "object_key": "orders.csv", "sql": LONG}
    async with Client(build_server(lake)) as client:
        result = await client.call_tool("query_csv_data", arguments, progress_handler=note)
    size = dict(result.structured_content or {})["source"]["size_bytes"]
    assert told
    assert {total for _, total in told} == {size}
    assert [done for done, _ in told] == sorted({done for done, _ in told})
