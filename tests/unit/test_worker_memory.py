"""What a worker keeps of the memory that it has freed, as its C library is set up there."""

import json
import os
import subprocess
import sys

import pytest

_MIB = 1 << 20
_SCRIPT = """
import json, os, sys
from s3_data_lake_mcp.workers.memory import Reserve, resident_bytes
reserve = Reserve()
blocks = [bytes([1]) * (1 << 20) for _ in range(int(sys.argv[1]))]
blocks.clear()
freed = resident_bytes(os.getpid())
reserve.settle()
print(json.dumps([freed, resident_bytes(os.getpid())]))
"""
_ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}

pytestmark = pytest.mark.skipif(
    not hasattr(os, "confstr") or "CS_GNU_LIBC_VERSION" not in os.confstr_names,
    reason="other C libraries do as they like",
)


def _freed_and_left(mebibytes: int) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(mebibytes)],
        env={**os.environ, **_ALLOCATOR},
        check=True,
        capture_output=True,
        text=True,
    )
    freed, left = json.loads(done.stdout)
    return freed, left


def test_much_memory_is_given_back() -> None:
    """What one job freed is not held from the machine while there is no other."""
    freed, left = _freed_and_left(300)
    assert left < freed - 250 * _MIB


def test_some_memory_is_kept_for_the_next_job() -> None:
    """To give it back would cost that job a page fault for every four kilobytes."""
    freed, left = _freed_and_left(64)
    assert left > freed - 10 * _MIB
