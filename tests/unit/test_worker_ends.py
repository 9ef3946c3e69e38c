"""Workers in their pool: which one a call gets, and what it is told when that one dies."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psutil
import pytest
from pydantic import ByteSize

from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    LakeError,
    LimitExceededError,
    MalformedDataError,
)
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ScanMeter
from s3_data_lake_mcp.workers.pool import WorkerPool

SLOW = "SELECT count(*) FROM range(30000000) a, range(30000000) b"
"""Holds 340 MB while it computes, for years."""
HELD_BYTES = 300 << 20


def _pool(**changes: object) -> WorkerPool:
    return WorkerPool(Settings(_env_file=None, workers=1, **changes))  # type: ignore[arg-type, call-arg] # any setting


@pytest.fixture
def busy_pool(request: pytest.FixtureRequest, s3: object) -> Iterator[WorkerPool]:
    """Return a pool with one warm worker; the parameter is its memory limit, 0 for the default."""
    del s3
    pool = _pool(memory_limit=ByteSize(request.param)) if request.param else _pool()
    pool.warm()
    yield pool
    pool.close()


def _worker(pool: WorkerPool) -> psutil.Process:
    """Return the pool's worker, when it computes and holds what it needs."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for worker in list(pool._busy):
            if worker.rss_bytes() > HELD_BYTES:
                # The pool looks at it every 50 ms, and must have seen as much.
                time.sleep(0.5)
                return psutil.Process(worker.process.pid)
        time.sleep(0.2)
    message = "no worker is at work"
    raise AssertionError(message)


def _ended_by(pool: WorkerPool, number: int, bucket: str) -> LakeError:
    """Return the error of a call whose worker gets a signal in the middle."""
    killer = threading.Thread(target=lambda: os.kill(_worker(pool).pid, number))
    killer.start()
    error = _failed(pool, bucket, 30)
    killer.join()
    return error


def _failed(pool: WorkerPool, bucket: str, timeout_seconds: float) -> LakeError:
    arguments = {
        "bucket": bucket,
        "key": "a.csv",
        "sql": SLOW,
        "filter_column": "",
        "filter_operator": "auto",
        "filter_value": "",
        "columns": [],
        "max_rows": 1,
        "dry_run": False,
        "paging": {"tool": "query_csv_data", "arguments": {}, "identity": {}, "position": {}},
    }
    with pytest.raises(LakeError) as caught:
        pool.run("query", arguments, ScanMeter(timeout_seconds=timeout_seconds))
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("busy_pool", [0], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_a_crash_with_memory_to_spare_is_the_data(
    busy_pool: WorkerPool, bucket: str, number: int
) -> None:
    """A reader's own check ends its process too: that is no want of memory.

    Sound data may be asked for what the engine does not survive, so it is not all blamed.
    """
    error = _ended_by(busy_pool, number, bucket)
    assert isinstance(error, MalformedDataError)
    assert str(error).startswith("The query, or ")


@pytest.mark.parametrize("busy_pool", [500 << 20], indirect=True)
def test_an_abort_near_the_memory_limit_is_memory(busy_pool: WorkerPool, bucket: str) -> None:
    """Libraries that are refused memory end their process."""
    assert isinstance(_ended_by(busy_pool, signal.SIGABRT, bucket), LimitExceededError)


@pytest.mark.parametrize("busy_pool", [0], indirect=True)
def test_a_killed_worker_is_memory(busy_pool: WorkerPool, bucket: str) -> None:
    """The system kills the process that uses the most."""
    assert isinstance(_ended_by(busy_pool, signal.SIGKILL, bucket), LimitExceededError)


@pytest.mark.parametrize("busy_pool", [0], indirect=True)
def test_a_worker_killed_with_what_starts_workers_is_memory(
    busy_pool: WorkerPool, bucket: str
) -> None:
    """Nobody is left to tell how the worker ended; it is no bug of the server."""

    def kill_both() -> None:
        worker = _worker(busy_pool)
        parent = worker.parent()
        assert parent
        parent.kill()
        worker.kill()

    killer = threading.Thread(target=kill_both)
    killer.start()
    assert isinstance(_failed(busy_pool, bucket, 30), LimitExceededError)
    killer.join()


@pytest.mark.parametrize("busy_pool", [0], indirect=True)
def test_a_late_call_is_told_its_own_limit(busy_pool: WorkerPool, bucket: str) -> None:
    """Not what was left of it when the worker began."""
    error = _failed(busy_pool, bucket, 2.5)
    assert isinstance(error, DeadlineExceededError)
    assert str(error) == "The call took longer than 2.5 s"


@pytest.mark.parametrize("part", ["forkserver", "resource_tracker"])
def test_workers_start_again_when_what_starts_them_was_killed(part: str) -> None:
    """A server outlives the processes by which it makes others, though they are still ending."""
    with closing(_pool()) as pool:
        pool.warm()
        for child in psutil.Process().children():
            if any(part in word for word in child.cmdline()):
                child.kill()
    with closing(_pool()) as pool:
        assert pool.run("ping", {}, ScanMeter()) == {}


def test_many_calls_wait_their_turn() -> None:
    """A burst of quick calls is answered, not refused."""
    with closing(_pool()) as pool, ThreadPoolExecutor(60) as callers:
        asked = [callers.submit(pool.run, "ping", {}, ScanMeter()) for _ in range(120)]
        assert [call.result() for call in asked] == [{}] * 120


def test_a_call_gets_the_worker_that_knows_its_place() -> None:
    """Its caches are warm, whichever was used last."""
    with closing(WorkerPool(Settings(_env_file=None, workers=2))) as pool:  # type: ignore[call-arg] # a keyword of pydantic-settings itself
        first, second = pool._take("lake/a.csv"), pool._take("lake/b.csv")
        for worker in (first, second):
            pool._give_back(worker)
        assert pool._take("lake/a.csv") is first
        assert pool._take("lake/c.csv") is second


def test_a_worker_that_stays_large_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its libraries keep between calls would add up."""
    monkeypatch.setattr("s3_data_lake_mcp.workers.pool._RECYCLE_RSS_BYTES", 1)
    with closing(_pool()) as pool:
        worker = pool._take("lake/a.csv")
        pool._give_back(worker)
        assert not worker.process.is_alive()
        assert pool.run("ping", {}, ScanMeter()) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_a_worker_without_address_space_is_not_used_again() -> None:
    """What a failed job left taken, the next one would need for its threads."""
    with closing(_pool()) as pool:
        worker = pool._take("lake/a.csv")
        taken = psutil.Process(worker.process.pid).memory_info().vms
        most = taken + (64 << 20)
        psutil.Process(worker.process.pid).rlimit(psutil.RLIMIT_AS, (most, most))
        pool._give_back(worker)
        assert not worker.process.is_alive()
        assert pool.run("ping", {}, ScanMeter()) == {}
