"""More calls at once than there is time for: those that never had their turn are told so."""

from collections.abc import AsyncIterator

import anyio
import pytest
from fastmcp import Client

from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.tools import registry
from support.mcp import Answer, Caller

SLOW = "SELECT count(*) FROM range(30000000) a, range(30000000) b"
CALLS = 4


@pytest.fixture
async def one_place(lake_bucket: str) -> AsyncIterator[Caller]:
    """Return a server that runs one scan at a time, and gives each call three seconds."""
    del lake_bucket
    lake = Lake.connect(Settings(_env_file=None, workers=1, timeout_seconds=3))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    # To start its worker would take some of the three seconds, on a busy machine all of them.
    lake.workers.warm()
    async with Client(build_server(lake)) as client:
        yield Caller(client)
    lake.close()


async def _at_once(call: Caller, bucket: str) -> list[Answer]:
    answers: list[Answer] = []

    async def ask() -> None:
        sql = f"{SLOW} -- {len(answers)}"
        answers.append(
            await call("query_csv_data", bucket_name=bucket, object_key="orders.csv", sql=sql)
        )

    async with anyio.create_task_group() as group:
        for _ in range(CALLS):
            group.start_soon(ask)
    return answers


@pytest.mark.parametrize("threads", [1, 64])
async def test_calls_that_never_had_a_turn_are_told_that_the_server_is_busy(
    one_place: Caller, lake_bucket: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether they waited for a worker, or for a thread of their tool."""
    monkeypatch.setattr(registry, "_THREADS", threads)
    answers = await _at_once(one_place, lake_bucket)
    codes = sorted(answer.text.split(":")[0] for answer in answers)
    assert codes == ["limit_exceeded"] * (CALLS - 1) + ["timeout"]
    told = next(answer for answer in answers if answer.text.startswith("limit_exceeded"))
    assert told.lines[0].endswith("busy: the call waited 3 s for its turn.")
    assert "fewer calls at once" in told.lines[1]
