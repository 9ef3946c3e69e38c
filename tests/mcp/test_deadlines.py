"""A call ends at its deadline, however slow S3 is, and asks S3 for nothing afterwards."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fastmcp import Client

from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_server
from s3_data_lake_mcp.settings import Settings
from support.fault_proxy import FaultProxy
from support.mcp import Caller

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEADLINE_SECONDS = 1.0
LONG_SECONDS = 6.0
"""A deadline that leaves time enough before it, also on a busy machine."""

KEY = "orders.csv"
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("list_s3_buckets", {}),
    ("list_s3_objects", {}),
    ("read_csv_from_s3", {"object_key": KEY}),
    ("query_csv_data", {"object_key": KEY}),
    ("get_dataset_summary", {}),
    ("get_file_metadata", {"object_key": KEY}),
]


@pytest.fixture(params=[DEADLINE_SECONDS])
def hurried(fault_proxy: FaultProxy, request: pytest.FixtureRequest) -> Iterator[Lake]:
    """Return a lake behind the proxy whose calls have a second, with a worker that is up."""
    del fault_proxy
    lake = Lake.connect(Settings(_env_file=None, timeout_seconds=request.param))  # type: ignore[call-arg] # a keyword of pydantic-settings itself
    lake.workers.warm()
    yield lake
    lake.close()


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=[tool for tool, _ in CALLS])
async def test_a_body_that_trickles_ends_with_the_call(
    hurried: Lake,
    fault_proxy: FaultProxy,
    s3: "S3Client",
    make_bucket: Callable[..., str],
    tool: str,
    arguments: dict[str, Any],
) -> None:
    """The answer is `timeout`, long before the body would have come."""
    # As many buckets and keys as make a list that trickles for longer than the call may take.
    bucket = [make_bucket() for _ in range(12)][-1]
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"a,b\n" + b"1,2\n" * 4_000)
    for number in range(12):
        s3.put_object(Bucket=bucket, Key=f"other/{number}.csv", Body=b"a,b\n1,2\n")
    place = {} if tool == "list_s3_buckets" else {"bucket_name": bucket}
    fault_proxy.inject("trickle", seconds=0.2)
    async with Client(build_server(hurried)) as client:
        begun = time.monotonic()
        answer = await Caller(client)(tool, **place, **arguments)
        took = time.monotonic() - begun
        asked = len(fault_proxy.seen)
        await asyncio.sleep(1)
    assert answer.text.startswith("timeout: "), answer.text
    assert took < DEADLINE_SECONDS + 9
    assert len(fault_proxy.seen) == asked


@pytest.mark.parametrize("hurried", [0.001], indirect=True)
@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=[tool for tool, _ in CALLS])
async def test_no_time_at_all_is_neither_the_stores_fault_nor_that_of_others(
    hurried: Lake, s3: "S3Client", bucket: str, tool: str, arguments: dict[str, Any]
) -> None:
    """The answer is `timeout` also where S3 has no time to answer, or a thread to begin."""
    # Of one that is not there, S3 may say so just in time.
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"a,b\n1,2\n")
    place = {} if tool == "list_s3_buckets" else {"bucket_name": bucket}
    async with Client(build_server(hurried)) as client:
        for _ in range(3):
            answer = await Caller(client)(tool, **place, **arguments)
            assert answer.text.startswith("timeout: "), answer.text


@pytest.mark.parametrize("hurried", [LONG_SECONDS], indirect=True)
async def test_buckets_that_do_not_answer_are_unknown(
    hurried: Lake, fault_proxy: FaultProxy, make_bucket: Callable[..., str]
) -> None:
    """They spoil no list: the others' access is told, ahead of the deadline."""
    ready = make_bucket()
    stuck = [make_bucket() for _ in range(3)]
    fault_proxy.inject("stall", path="|".join(stuck), after=0, seconds=LONG_SECONDS + 2)
    async with Client(build_server(hurried)) as client:
        answer = await Caller(client)("list_s3_buckets")
        asked = len(fault_proxy.seen)
        await asyncio.sleep(1)
    assert not answer.is_error, answer.text
    access = {bucket["name"]: bucket["access"] for bucket in answer.data["buckets"]}
    assert access[ready] == "readable"
    assert {access[name] for name in stuck} == {"unknown"}
    assert len(fault_proxy.seen) == asked
